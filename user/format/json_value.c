// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Values as JSON: one pass over the nodes, appending as it goes. What was cut or unreadable is only
 * noticed here; json_notes.c says where, in a second pass that most events do not need.
 */
#include <string.h>

#include "json.h"
#include "../catalog.h"
#include "../redact/mark.h"
#include "../util/base64.h"

enum style { STYLE_ARGS, STYLE_ITEMS, STYLE_OBJECT, STYLE_PAIRS, STYLE_FIXED };

struct frame {
	uint8_t style;
	uint8_t kind;
	uint8_t flags;
	uint32_t n;      /* children so far */
	uint64_t number; /* code: the line */
	const struct json_shape *shape;
};

struct writer {
	struct buf *out;
	unsigned notes;
	int depth;
	const struct catalog_signature *sig;
	struct frame frames[PT_FRAMES_MAX];
};

const struct json_shape *json__shape(uint8_t kind)
{
	static const struct json_shape shapes[] = {
		[PT_K_CODE - PT_K_CODE] =
			{
				{"{\"$code\":", ",\"file\":"},
				{"{\"$code\":null", ",\"file\":null"},
				",\"line\":",
				{".qualname", ".file"},
			},
		[PT_K_FUNCTION - PT_K_CODE] =
			{
				{"{\"$function\":", ",\"module\":"},
				{"{\"$function\":null", ",\"module\":null"},
				"}",
				{".qualname", ".module"},
			},
		[PT_K_CFUNCTION - PT_K_CODE] =
			{
				{",\"module\":"},
				{",\"module\":null"},
				"}",
				{".module"},
			},
		[PT_K_MODULE - PT_K_CODE] =
			{
				{"{\"$module\":"},
				{"{\"$module\":null"},
				"}",
				{".name"},
			},
		[PT_K_EXCEPTION - PT_K_CODE] =
			{
				{",\"args\":"},
				{",\"args\":null"},
				"}",
				{".args"},
			},
		[PT_K_METHOD - PT_K_CODE] =
			{
				{""},
				{"null"},
				"",
				{""},
			},
	};

	return kind >= PT_K_CODE && kind <= PT_K_METHOD ? &shapes[kind - PT_K_CODE] : NULL;
}

static void put_arg_name(struct writer *w, uint32_t i)
{
	if (w->sig && i < w->sig->nargs && i < CATALOG_ARGS_MAX) {
		buf__append(w->out, w->sig->json_names[i], w->sig->json_names_len[i]);
		return;
	}
	buf__lit(w->out, "\"arg");
	buf__u64(w->out, i);
	buf__lit(w->out, "\":");
}

/* What stands before the next child of the innermost container. */
static void before_child(struct writer *w)
{
	struct frame *f = &w->frames[w->depth - 1];
	uint32_t i = f->n++;

	switch (f->style) {
	case STYLE_ARGS:
		if (i)
			buf__char(w->out, ',');
		put_arg_name(w, i);
		break;
	case STYLE_ITEMS:
		if (i)
			buf__char(w->out, ',');
		break;
	case STYLE_OBJECT:
		if (i)
			buf__char(w->out, i % 2 ? ':' : ',');
		break;
	case STYLE_PAIRS:
		if (i % 2)
			buf__char(w->out, ',');
		else if (i)
			buf__lit(w->out, "],[");
		else
			buf__char(w->out, '[');
		break;
	default:
		buf__str(w->out, f->shape->child[i]);
		break;
	}
}

static void put_object(struct buf *out, const struct node *n)
{
	char addr[24];

	buf__lit(out, "{\"$object\":");
	json__string(out, (const char *)n->data, n->len);
	buf__lit(out, ",\"address\":\"");
	buf__append(out, addr, (size_t)(hex__u64(addr, n->value) - addr));
	buf__lit(out, "\"}");
}

static void put_redacted(struct buf *out, const struct node *n)
{
	char hex[MARK_HEX];

	mark__hex(hex, n->data);
	buf__lit(out, "{\"$redacted\":\"" MARK_ALGORITHM ":");
	buf__append(out, hex, sizeof(hex));
	buf__char(out, '"');
	if (n->length != UINT64_MAX) {
		buf__lit(out, ",\"length\":");
		buf__u64(out, n->length);
	}
	buf__char(out, '}');
}

static void put_leaf(struct buf *out, const struct node *n)
{
	double d;

	switch (n->kind) {
	case PT_K_FALSE:
		buf__lit(out, "false");
		break;
	case PT_K_TRUE:
		buf__lit(out, "true");
		break;
	case PT_K_INT:
		buf__i64(out, (int64_t)n->value);
		break;
	case PT_K_BIGINT:
		json__bigint(out, n);
		break;
	case PT_K_FLOAT:
		memcpy(&d, n->data, sizeof(d));
		json__float(out, d);
		break;
	case PT_K_STR:
	case PT_K_STR2:
	case PT_K_STR4:
	case PT_K_UTF8:
		json__node_string(out, n);
		break;
	case PT_K_BYTES:
	case PT_K_BYTEARRAY:
		buf__lit(out, "{\"$bytes\":\"");
		base64__append(out, n->data, n->len);
		buf__lit(out, "\"}");
		break;
	case PT_K_CLASS:
		buf__lit(out, "{\"$class\":");
		json__node_string(out, n);
		buf__char(out, '}');
		break;
	case PT_K_OBJECT:
		put_object(out, n);
		break;
	case NODE_REDACTED:
		put_redacted(out, n);
		break;
	default: /* None, and what is not known */
		buf__lit(out, "null");
		break;
	}
}

static void open_container(struct writer *w, const struct node *n, struct node_iter it)
{
	struct frame *f = &w->frames[w->depth++];

	f->kind = n->kind;
	f->flags = n->flags;
	f->n = 0;
	f->number = n->value;
	f->shape = json__shape(n->kind);
	f->style = STYLE_ITEMS;
	switch (n->kind) {
	case PT_K_TUPLE:
	case PT_K_LIST:
		buf__char(w->out, '[');
		break;
	case PT_K_SET:
	case PT_K_FROZENSET:
		buf__lit(w->out, "{\"$set\":[");
		break;
	case PT_K_DICT:
		if (json__dict_is_object(it)) {
			f->style = STYLE_OBJECT;
			buf__char(w->out, '{');
		} else {
			f->style = STYLE_PAIRS;
			buf__lit(w->out, "{\"$dict\":[");
		}
		break;
	default:
		f->style = STYLE_FIXED;
		if (n->kind == PT_K_CFUNCTION)
			buf__lit(w->out, "{\"$function\":");
		else if (n->kind == PT_K_EXCEPTION)
			buf__lit(w->out, "{\"$exception\":");
		else
			break;
		json__string(w->out, (const char *)n->data, n->len);
		break;
	}
}

/* A part of an object that is not there was cut, whether the record marks it or not; where memory
 * went away the object is noted already, but for a method. */
static unsigned missing_note(uint8_t kind, uint8_t flags)
{
	if (!(flags & PT_F_UNREADABLE))
		return JSON_NOTE_TRUNCATED;
	return kind == PT_K_METHOD ? JSON_NOTE_UNREADABLE : 0;
}

static void close_container(struct writer *w)
{
	struct frame *f = &w->frames[--w->depth];

	switch (f->style) {
	case STYLE_ARGS:
		buf__char(w->out, '}');
		break;
	case STYLE_OBJECT:
		if (f->n % 2)
			buf__lit(w->out, ":null");
		buf__char(w->out, '}');
		break;
	case STYLE_PAIRS:
		if (f->n % 2)
			buf__lit(w->out, ",null");
		if (f->n)
			buf__char(w->out, ']');
		buf__lit(w->out, "]}");
		break;
	case STYLE_ITEMS:
		buf__char(w->out, ']');
		if (f->kind >= PT_K_SET)
			buf__char(w->out, '}');
		break;
	default:
		for (; f->n < 2 && f->shape->missing[f->n]; f->n++) {
			buf__str(w->out, f->shape->missing[f->n]);
			w->notes |= missing_note(f->kind, f->flags);
		}
		buf__str(w->out, f->shape->close);
		if (f->kind == PT_K_CODE) {
			buf__i64(w->out, (int32_t)f->number); /* co_firstlineno is an int */
			buf__char(w->out, '}');
		}
		break;
	}
}

unsigned json__marked_node_notes(const struct node *n)
{
	unsigned notes = 0;

	/* A method is rendered as its function, which has notes of its own. */
	if (n->kind == PT_K_METHOD)
		return 0;
	if (n->flags & PT_F_CUT)
		notes |= JSON_NOTE_TRUNCATED;
	if (n->flags & PT_F_UNREADABLE || n->kind == PT_K_UNREADABLE)
		notes |= JSON_NOTE_UNREADABLE;
	if (n->kind == PT_K_UNDECODED)
		notes |= JSON_NOTE_UNDECODED;
	if (n->flags & NODE_F_REDACTED)
		notes |= JSON_NOTE_REDACTED;
	return notes;
}

unsigned json__name_notes(const struct event *ev)
{
	unsigned notes = 0;

	if (ev->flags & PT_AUDIT_NAME_CUT)
		notes |= JSON_NOTE_TRUNCATED;
	if (ev->audit->flags & PT_AUDIT_NAME_UNREADABLE)
		notes |= JSON_NOTE_UNREADABLE;
	return notes;
}

/* Values, until the outermost container is closed or the record ends. Returns the notes of all. */
static unsigned put_values(struct writer *w, struct node_iter *it)
{
	struct node n;
	unsigned notes;

	while (w->depth && node_iter__next(it, &n)) {
		if (n.kind == PT_K_END) {
			close_container(w);
			continue;
		}
		w->notes |= json__node_notes(&n);
		before_child(w);
		if (node__is_container(&n))
			open_container(w, &n, *it);
		else
			put_leaf(w->out, &n);
	}
	/* What the record's end left open is truncated, whatever it lacks. */
	notes = w->depth ? w->notes | JSON_NOTE_TRUNCATED : w->notes;
	while (w->depth)
		close_container(w);
	return notes;
}

/* The frames are as open_container() leaves them: to clear them takes longer than to write most
 * events. */
static void writer__init(struct writer *w, struct buf *out, unsigned notes)
{
	w->out = out;
	w->notes = notes;
	w->depth = 0;
	w->sig = NULL;
}

unsigned json__value(struct buf *out, struct node_iter *it, const struct node *n)
{
	struct writer w;

	writer__init(&w, out, json__node_notes(n));
	if (!node__is_container(n)) {
		put_leaf(out, n);
		return w.notes;
	}
	open_container(&w, n, *it);
	return put_values(&w, it);
}

unsigned json__values(struct buf *out, const struct event *ev)
{
	struct writer w;
	struct node_iter it = node_iter__of(ev);
	struct node n;

	writer__init(&w, out, json__name_notes(ev));
	if (!ev->nodes || !node_iter__next(&it, &n)) {
		buf__lit(out, "null");
		return ev->nodes ? w.notes | JSON_NOTE_TRUNCATED : w.notes;
	}
	w.notes |= json__node_notes(&n);
	if (n.kind != PT_K_TUPLE) {
		buf__lit(out, "null");
		return w.notes;
	}
	if (ev->known && n.length)
		w.sig = catalog__signature(ev->known, n.length);
	w.frames[w.depth++] = (struct frame){.style = STYLE_ARGS};
	buf__char(out, '{');
	return put_values(&w, &it);
}

void json__args(struct buf *out, struct buf *notes, const struct event *ev)
{
	unsigned said = json__values(out, ev);

	if (notes)
		json__notes(notes, ev, said);
}
