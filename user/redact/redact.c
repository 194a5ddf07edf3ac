// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * One pass over an event's nodes. As long as nothing has to be hidden they are only looked at; from
 * the first value on that does, they are copied to a buffer, all that lies between two of them at
 * once.
 */
#include "redact.h"

#include <stdlib.h>
#include <string.h>

#include "redact_impl.h"
#include "../format/chars.h"
#include "../util/columns.h"

/* Beyond that much, texts are hidden as a whole: nobody can blow an event up by its secrets. */
#define NODES_SOFT_MAX (REDACTED_NODES_MAX - TEXT_MAX - 2 * PT_RECORD_MAX)
/* One text with all its marks; and a leaf as a whole takes twice its bytes at most. */
#define TEXT_MAX (PT_RECORD_MAX + 4 * SPANS_MAX * MARK_TEXT_MAX)
/* The shortest URL with a secret in it: a://b:c@d */
#define URL_MIN 8

struct frame {
	uint8_t how;
	uint8_t kind;
	bool secret; /* a dict: the last key was a secret's name */
	uint32_t n;
};

struct walk {
	struct redact *r;
	const uint8_t *copied; /* the input up to here is in r->nodes */
	struct command command;
	int depth;
	struct frame frames[PT_FRAMES_MAX];
};

static bool is_text(uint8_t kind)
{
	return kind >= PT_K_STR && kind <= PT_K_BYTEARRAY;
}

static bool is_number(uint8_t kind)
{
	return kind >= PT_K_INT && kind <= PT_K_FLOAT;
}

static size_t text_unit(uint8_t kind)
{
	return kind == PT_K_STR2 ? 2 : kind == PT_K_STR4 ? 4 : 1;
}

void redact__find(struct redact *r, const uint8_t *s, size_t len, bool cut, uint8_t how,
                  struct command *c)
{
	struct scan *sc = &r->scan;

	sc->s = s;
	sc->len = len;
	sc->cut = cut;
	sc->names = &r->rules.names;
	sc->cnt = 0;
	switch (how) {
	case HOW_VARIABLE:
		scan__variable(sc);
		break;
	case HOW_COMMAND:
		scan__command_line(sc);
		break;
	case HOW_WORD:
		scan__command_word(sc, c);
		break;
	case HOW_LOGIN:
		scan__login(sc);
		break;
	}
	if (r->rules.on & RULE_URL && len >= URL_MIN)
		scan__urls(sc);
	scan__finish(sc);
}

/* One byte a character: what is not ASCII is none that scans look for. */
static const uint8_t *view_of(struct redact *r, const struct node *n, size_t *len)
{
	size_t unit = text_unit(n->kind);
	struct chars c = chars__of(n);
	uint32_t cp;

	*len = n->len / unit;
	if (unit == 1)
		return n->data;
	buf__reset(&r->view);
	if (!buf__reserve(&r->view, *len))
		return NULL;
	while (chars__next(&c, &cp))
		r->view.data[r->view.len++] = (char)(cp < 0x80 ? cp : 0x80);
	return (const uint8_t *)r->view.data;
}

/* Characters of a text as UTF-8, bytes as they are. */
static void hash_text(struct redact *r, const struct node *n, struct span at, uint8_t out[MARK_BYTES])
{
	size_t unit = text_unit(n->kind);
	struct node part = *n;
	struct chars c;
	uint32_t cp;

	part.data += at.start * unit;
	part.len = (at.end - at.start) * unit;
	if (n->kind >= PT_K_UTF8) {
		mark__hash(&r->mark, part.data, part.len, out);
		return;
	}
	c = chars__of(&part);
	buf__reset(&r->utf8);
	if (!buf__reserve(&r->utf8, 4 * (at.end - at.start))) {
		r->nodes.failed = true;
		return;
	}
	while (chars__next(&c, &cp))
		r->utf8.len += columns__utf8(r->utf8.data + r->utf8.len, cp);
	mark__hash(&r->mark, r->utf8.data, r->utf8.len, out);
}

/* Everything up to a node, and what comes in its place. */
static void replace(struct walk *w, const uint8_t *start, const uint8_t *end)
{
	buf__append(&w->r->nodes, w->copied, (size_t)(start - w->copied));
	w->copied = end;
	w->r->count++;
}

static void pad_nodes(struct buf *b)
{
	static const char zeros[8];

	buf__append(b, zeros, -b->len & 7);
}

static void hide_whole(struct walk *w, const struct node *n, const uint8_t *start, const uint8_t *end)
{
	struct redact *r = w->r;
	struct pt_node head = {.kind = NODE_REDACTED,
	                       .flags = n->flags & (PT_F_CUT | PT_F_UNREADABLE),
	                       .len = 8 + MARK_BYTES};
	uint64_t length = is_text(n->kind) ? n->length : UINT64_MAX;
	uint8_t hash[MARK_BYTES] = {0};

	replace(w, start, end);
	if (is_text(n->kind)) {
		hash_text(r, n, (struct span){0, n->len / text_unit(n->kind)}, hash);
	} else if (n->kind == PT_K_INT) {
		buf__reset(&r->utf8);
		buf__i64(&r->utf8, (int64_t)n->value);
		mark__hash(&r->mark, r->utf8.data, r->utf8.len, hash);
	} else {
		mark__hash(&r->mark, n->data, n->len, hash);
	}
	buf__append(&r->nodes, &head, sizeof(head));
	buf__append(&r->nodes, &length, sizeof(length));
	buf__append(&r->nodes, hash, sizeof(hash));
}

static void put_mark(struct redact *r, const struct node *n, struct span at)
{
	char text[MARK_TEXT_MAX];
	uint8_t hash[MARK_BYTES] = {0};
	size_t unit = text_unit(n->kind), len;

	hash_text(r, n, at, hash);
	len = mark__text(text, hash, at.end - at.start);
	if (!buf__reserve(&r->nodes, len * unit))
		return;
	for (size_t i = 0; i < len; i++) {
		memset(r->nodes.data + r->nodes.len, 0, unit);
		r->nodes.data[r->nodes.len] = text[i]; /* host order: see the assertion */
		r->nodes.len += unit;
	}
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "characters of several bytes");

/* The places that r->scan has, in the text of a node. */
static void hide_parts(struct walk *w, const struct node *n, const uint8_t *start, const uint8_t *end)
{
	struct redact *r = w->r;
	struct pt_node head = {.kind = n->kind, .flags = n->flags | NODE_F_REDACTED};
	size_t unit = text_unit(n->kind), at, from = 0;

	replace(w, start, end);
	at = r->nodes.len;
	buf__append(&r->nodes, &head, sizeof(head));
	if (n->flags & PT_F_CUT)
		buf__append(&r->nodes, &n->length, sizeof(n->length));
	for (unsigned i = 0; i < r->scan.cnt; i++) {
		struct span s = r->scan.spans[i];

		buf__append(&r->nodes, n->data + from * unit, (s.start - from) * unit);
		put_mark(r, n, s);
		from = s.end;
	}
	buf__append(&r->nodes, n->data + from * unit, n->len - from * unit);
	if (r->nodes.failed)
		return;
	head.len = (uint32_t)(r->nodes.len - at - sizeof(head));
	memcpy(r->nodes.data + at, &head, sizeof(head));
	pad_nodes(&r->nodes);
}

/* A leaf by its how. */
static void take_leaf(struct walk *w, const struct node *n, uint8_t how, const uint8_t *start,
                      const uint8_t *end)
{
	struct redact *r = w->r;
	const uint8_t *s;
	size_t len;

	if (how == HOW_VALUE || (how == HOW_VARIABLE && is_number(n->kind))) {
		/* an empty one hides nothing, and would grow */
		if ((is_text(n->kind) && end - start > 8) || is_number(n->kind))
			hide_whole(w, n, start, end);
		return;
	}
	if (how == HOW_WORD && w->command.secret && !is_text(n->kind)) {
		w->command.secret--;
		if (is_number(n->kind))
			hide_whole(w, n, start, end);
		return;
	}
	if (!is_text(n->kind) || how == HOW_RAW ||
	    (how == HOW_TEXT && n->len < URL_MIN * text_unit(n->kind)))
		return;
	/* the hot path: most texts have no colon, and so no URL */
	if (how == HOW_TEXT && text_unit(n->kind) == 1 && !memchr(n->data, ':', n->len))
		return;
	s = view_of(r, n, &len);
	if (!s && len) {
		r->nodes.failed = true;
		return;
	}
	redact__find(r, s, len, n->flags & (PT_F_CUT | PT_F_UNREADABLE), how, &w->command);
	if (!r->scan.cnt)
		return;
	if (r->nodes.len > NODES_SOFT_MAX)
		hide_whole(w, n, start, end);
	else
		hide_parts(w, n, start, end);
}

/* Of the next child of the innermost container, its i-th. */
static uint8_t child_how(const struct walk *w, const uint8_t *plan, uint32_t i)
{
	const struct frame *f = &w->frames[w->depth - 1];

	if (w->depth == 1)
		return plan ? plan[i < PLAN_ARGS ? i : PLAN_ARGS - 1] : HOW_TEXT;
	switch (f->how) {
	case HOW_ENV:
		if (f->kind != PT_K_DICT)
			return HOW_VARIABLE;
		return i % 2 ? HOW_VALUE : HOW_TEXT;
	case HOW_COMMAND:
		return f->kind == PT_K_DICT ? HOW_TEXT : HOW_WORD;
	case HOW_TEXT:
		return f->kind == PT_K_DICT && i % 2 && f->secret ? HOW_VALUE : HOW_TEXT;
	default:
		return f->how;
	}
}

static void push(struct walk *w, const struct node *n, uint8_t how)
{
	struct frame *f = &w->frames[w->depth++];

	*f = (struct frame){.how = how, .kind = n->kind};
	if (n->kind >= PT_K_CODE && n->kind != PT_K_EXCEPTION)
		f->how = how == HOW_RAW ? HOW_RAW : HOW_TEXT; /* names of code */
	else if (how == HOW_VARIABLE)
		f->how = HOW_VALUE;
	else if (how == HOW_WORD)
		f->how = HOW_COMMAND;
	else if (how == HOW_COMMAND)
		w->command = (struct command){0};
}

/* A dict's key says what its value is. */
static void take_key(struct walk *w, const struct node *n)
{
	struct redact *r = w->r;
	struct frame *f = &w->frames[w->depth - 1];
	const uint8_t *s;
	size_t len;

	f->secret = false;
	if (!(r->rules.on & RULE_NAMES) || !is_text(n->kind))
		return;
	s = view_of(r, n, &len);
	f->secret = !s || secret_name__is(s, len, false, &r->rules.names);
}

/* Rewrites what has to be into r->nodes: whether there was anything. */
static bool rewrite(struct redact *r, const struct event *ev)
{
	struct walk w = {.r = r, .copied = ev->nodes};
	struct node_iter it = node_iter__of(ev);
	const uint8_t *plan;
	struct node n;

	if (!node_iter__next(&it, &n) || n.kind != PT_K_TUPLE)
		return false;
	plan = plan__of(r->plan, ev, n.length);
	buf__reset(&r->nodes);
	w.frames[w.depth++] = (struct frame){.kind = PT_K_TUPLE};
	while (w.depth) {
		const uint8_t *start = it.pos;
		struct frame *f = &w.frames[w.depth - 1];
		uint32_t i = f->n;
		uint8_t how;

		if (!node_iter__next(&it, &n))
			break;
		if (n.kind == PT_K_END) {
			w.depth--;
			continue;
		}
		f->n++;
		how = child_how(&w, plan, i);
		if (f->kind == PT_K_DICT && i % 2 == 0)
			take_key(&w, &n);
		if (node__is_container(&n))
			push(&w, &n, how);
		else
			take_leaf(&w, &n, how, start, it.pos);
	}
	if (w.copied == ev->nodes && !r->nodes.failed)
		return false;
	buf__append(&r->nodes, w.copied, (size_t)(it.end - w.copied));
	return true;
}

const struct event *redact__event(struct redact *r, const struct event *ev)
{
	const struct process *p = ev->process ? redact__process(r, ev->process) : NULL;
	bool changed = ev->nodes && rewrite(r, ev);

	if (!changed && p == ev->process)
		return ev;
	memcpy(&r->ev, ev, offsetof(struct event, name_utf8));
	r->ev.process = p;
	if (changed) {
		r->ev.nodes = (const uint8_t *)r->nodes.data;
		r->ev.nodes_len = r->nodes.len;
		if (r->nodes.failed) {
			r->ev.nodes = ev->nodes; /* none of them: said as truncated */
			r->ev.nodes_len = 0;
		}
	}
	return &r->ev;
}

struct redact *redact__new(struct redact_rules *rules, const uint8_t key[MARK_KEY_BYTES])
{
	struct redact *r = calloc(1, sizeof(*r));

	if (!r) {
		redact_rules__free(rules);
		return NULL;
	}
	r->rules = *rules;
	memset(rules, 0, sizeof(*rules));
	mark__init(&r->mark, key);
	r->plan = plan__new(&r->rules);
	if (!r->plan) {
		redact__free(r);
		return NULL;
	}
	return r;
}

void redact__free(struct redact *r)
{
	if (!r)
		return;
	plan__free(r->plan);
	redact_rules__free(&r->rules);
	buf__free(&r->nodes);
	buf__free(&r->view);
	buf__free(&r->utf8);
	buf__free(&r->text);
	explicit_bzero(&r->mark, sizeof(r->mark));
	free(r);
}

uint64_t redact__count(const struct redact *r)
{
	return r->count;
}
