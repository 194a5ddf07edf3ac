// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * "truncated", "unreadable", "undecoded" and "redacted" (of texts with marks in the place of
 * secrets): which values are not whole, by their paths. A path is `args.NAME` and then, for what is
 * inside: `[3]` an item of a tuple, list or set; `.KEY`, or `["KEY"]` for one that is no
 * identifier, a value of a dict; `[3][0]` and `[3][1]` the key and the value of a pair of a
 * "$dict"; `[3]` also the fourth value of a dict whose key is too long for a path; `.qualname`,
 * `.file`, `.module`, `.name`, `.args` a part of an object.
 */
#include <string.h>

#include "json.h"
#include "../catalog.h"

/* Characters of a key in a path. */
#define KEY_MAX 64

enum style { STYLE_ARGS, STYLE_ITEMS, STYLE_OBJECT, STYLE_PAIRS, STYLE_FIXED };

struct frame {
	uint8_t style;
	bool said; /* that it is truncated */
	uint32_t n;
	struct node node;
	struct node key; /* STYLE_OBJECT: of the child at hand */
};

struct walk {
	struct buf *out;
	unsigned want; /* one enum json_note */
	bool as_list;  /* of objects, see json__notes_as_lists() */
	unsigned said;
	int depth;
	const struct catalog_signature *sig;
	struct frame frames[PT_FRAMES_MAX];
};

/* Per thread, warm after the first use. */
static __thread struct buf path;

/* Python's ASCII identifiers. */
static bool is_identifier(const struct node *key)
{
	struct chars c = chars__of(key);
	uint32_t cp;
	bool first = true;

	while (chars__next(&c, &cp)) {
		bool alpha = (cp | 0x20) - 'a' < 26 || cp == '_';

		if (cp > 0x7f || !(alpha || (!first && cp - '0' < 10)))
			return false;
		first = false;
	}
	return !first;
}

static bool is_short(const struct node *key)
{
	struct chars c = chars__of(key);
	uint32_t cp;
	size_t cnt = 0;

	while (cnt <= KEY_MAX && chars__next(&c, &cp))
		cnt++;
	return cnt <= KEY_MAX;
}

static void put_index(uint32_t i)
{
	buf__char(&path, '[');
	buf__u64(&path, i);
	buf__char(&path, ']');
}

static void put_key(const struct frame *f)
{
	if (!is_short(&f->key)) {
		put_index((f->n - 1) / 2);
	} else if (is_identifier(&f->key)) {
		struct chars c = chars__of(&f->key);
		uint32_t cp;

		buf__char(&path, '.');
		while (chars__next(&c, &cp))
			buf__char(&path, (char)cp);
	} else {
		buf__char(&path, '[');
		json__node_string(&path, &f->key);
		buf__char(&path, ']');
	}
}

/* Of the child at hand in the outermost `depth` containers. */
static void make_path(const struct walk *w, int depth)
{
	buf__reset(&path);
	buf__lit(&path, "args");
	for (int d = 0; d < depth; d++) {
		const struct frame *f = &w->frames[d];
		uint32_t i = f->n - 1;

		switch (f->style) {
		case STYLE_ARGS:
			if (w->sig && i < w->sig->nargs && i < CATALOG_ARGS_MAX) {
				buf__char(&path, '.');
				buf__str(&path, w->sig->names[i]);
			} else {
				buf__lit(&path, ".arg");
				buf__u64(&path, i);
			}
			break;
		case STYLE_ITEMS:
			put_index(i);
			break;
		case STYLE_OBJECT:
			put_key(f);
			break;
		case STYLE_PAIRS:
			put_index(i / 2);
			put_index(i % 2);
			break;
		default:
			buf__str(&path, json__shape(f->node.kind)->path[i]);
			break;
		}
	}
}

static void put_length(struct buf *out, uint64_t length)
{
	if (length == UINT64_MAX) {
		buf__lit(out, "{}");
		return;
	}
	buf__lit(out, "{\"length\":");
	buf__u64(out, length);
	buf__char(out, '}');
}

static void put_path(const struct walk *w)
{
	if (w->as_list)
		json__whole_string(w->out, path.data, path.len);
	else
		json__string(w->out, path.data, path.len);
}

static void put_truncated(const struct walk *w, uint64_t length)
{
	if (!w->as_list) {
		put_path(w);
		buf__char(w->out, ':');
		put_length(w->out, length);
		return;
	}
	buf__lit(w->out, "{\"path\":");
	put_path(w);
	/* JSON readers and their databases have 63 bits. */
	if (length <= INT64_MAX) {
		buf__lit(w->out, ",\"length\":");
		buf__u64(w->out, length);
	}
	buf__char(w->out, '}');
}

/* One note on the path made; n, when given, is the node that is cut. */
static void say(struct walk *w, const struct node *n)
{
	if (w->said > JSON_NOTES_MAX)
		return;
	if (w->said)
		buf__char(w->out, ',');
	if (w->said++ == JSON_NOTES_MAX) {
		buf__reset(&path);
		buf__lit(&path, "args");
		n = NULL;
	}
	if (w->want != JSON_NOTE_TRUNCATED) {
		put_path(w);
		return;
	}
	put_truncated(w, !n                       ? UINT64_MAX
	                 : n->kind == PT_K_BIGINT ? bigint__hex_length(n)
	                                          : n->length);
}

static bool is_wanted(const struct walk *w, const struct node *n)
{
	/* Its function has the same path. */
	if (n->kind == PT_K_METHOD)
		return false;
	switch (w->want) {
	case JSON_NOTE_TRUNCATED:
		return n->flags & PT_F_CUT;
	case JSON_NOTE_UNREADABLE:
		return n->flags & PT_F_UNREADABLE || n->kind == PT_K_UNREADABLE;
	case JSON_NOTE_REDACTED:
		return n->flags & NODE_F_REDACTED;
	default:
		return n->kind == PT_K_UNDECODED;
	}
}

static void push(struct walk *w, const struct node *n, struct node_iter it)
{
	struct frame *f = &w->frames[w->depth++];

	f->n = 0;
	f->node = *n;
	f->said = is_wanted(w, n);
	if (w->depth == 1)
		f->style = STYLE_ARGS;
	else if (n->kind == PT_K_DICT)
		f->style = json__dict_is_object(it) ? STYLE_OBJECT : STYLE_PAIRS;
	else
		f->style = json__shape(n->kind) ? STYLE_FIXED : STYLE_ITEMS;
}

/*
 * An object of which parts are missing is cut, whether the record marks it or not. Where memory
 * went away it is noted already, but for a method.
 */
static void close_container(struct walk *w)
{
	struct frame *f = &w->frames[w->depth - 1];
	const struct json_shape *shape = json__shape(f->node.kind);
	unsigned missing = JSON_NOTE_TRUNCATED;

	w->depth--;
	if (!shape || f->n >= 2 || !shape->path[f->n] || f->said)
		return;
	if (f->node.flags & PT_F_UNREADABLE)
		missing = f->node.kind == PT_K_METHOD ? JSON_NOTE_UNREADABLE : 0;
	if (w->want == missing) {
		make_path(w, w->depth);
		say(w, &f->node);
	}
}

static void walk_nodes(struct walk *w, const struct event *ev)
{
	struct node_iter it = node_iter__of(ev);
	struct node n;

	if (!ev->nodes || ev->nodes == it.end) {
		make_path(w, 0);
		if (ev->nodes && w->want == JSON_NOTE_TRUNCATED)
			say(w, NULL);
		return;
	}
	do {
		if (!node_iter__next(&it, &n))
			break;
		if (n.kind == PT_K_END) {
			close_container(w);
			continue;
		}
		if (w->depth) {
			struct frame *f = &w->frames[w->depth - 1];

			if (f->style == STYLE_OBJECT && f->n % 2 == 0)
				f->key = n;
			f->n++;
		} else if (ev->known && n.kind == PT_K_TUPLE && n.length) {
			w->sig = catalog__signature(ev->known, n.length);
		}
		if (is_wanted(w, &n)) {
			make_path(w, w->depth);
			say(w, &n);
		}
		if (node__is_container(&n))
			push(w, &n, it);
	} while (w->depth);

	/* Containers that the record's end left open, outermost first. */
	for (int d = 0; w->want == JSON_NOTE_TRUNCATED && d < w->depth; d++)
		if (!w->frames[d].said && !(w->frames[d].node.kind == PT_K_METHOD && w->frames[d].n)) {
			make_path(w, d);
			say(w, &w->frames[d].node);
		}
}

/* How notes of a sort are written: a set with what was cut, or a list. */
struct notes_style {
	const char *open, *event, *close;
};

struct notes_sort {
	unsigned note;
	uint8_t flag;                /* of the event, on its name */
	struct notes_style style[2]; /* json__notes(), json__notes_as_lists() */
};

static const struct notes_sort sorts[] = {
	{JSON_NOTE_TRUNCATED,
         PT_AUDIT_NAME_CUT,
         {{",\"truncated\":{", "\"event\":{}", "}"},
          {",\"truncated\":[", "{\"path\":\"event\"}", "]"}}},
	{JSON_NOTE_UNREADABLE,
         PT_AUDIT_NAME_UNREADABLE,
         {{",\"unreadable\":[", "\"event\"", "]"}, {",\"unreadable\":[", "\"event\"", "]"}}},
	{JSON_NOTE_UNDECODED, 0, {{",\"undecoded\":[", "", "]"}, {",\"undecoded\":[", "", "]"}}},
	{JSON_NOTE_REDACTED, 0, {{",\"redacted\":[", "", "]"}, {",\"redacted\":[", "", "]"}}},
};

static void put_notes(struct buf *out, const struct event *ev, unsigned notes, bool as_list)
{
	for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
		const struct notes_style *style = &sorts[i].style[as_list];
		struct walk w = {.out = out, .want = sorts[i].note, .as_list = as_list};

		if (!(notes & sorts[i].note))
			continue;
		buf__str(out, style->open);
		if (ev->flags & sorts[i].flag) {
			buf__str(out, style->event);
			w.said = 1;
		}
		walk_nodes(&w, ev);
		/* a path that there was no memory for says of another value what is of this one */
		out->failed = out->failed || path.failed;
		buf__str(out, style->close);
	}
}

void json__notes(struct buf *out, const struct event *ev, unsigned notes)
{
	put_notes(out, ev, notes, false);
}

void json__notes_as_lists(struct buf *out, const struct event *ev, unsigned notes)
{
	put_notes(out, ev, notes & ~(unsigned)JSON_NOTE_UNDECODED, true);
	if (ev->audit->flags & PT_AUDIT_UNDECODED)
		buf__lit(out, ",\"undecoded\":[\"args\"]");
	else
		put_notes(out, ev, notes & JSON_NOTE_UNDECODED, true);
}
