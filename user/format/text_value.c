// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Values of the `text` format: much as Python's repr() shows them, an ellipsis where something is
 * missing. Stops as soon as the line is full. */
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "text.h"
#include "../catalog.h"
#include "../redact/mark.h"

struct frame {
	uint8_t kind;
	bool cut;
	bool empty; /* a set: {} is a dict */
	uint32_t n;
	uint64_t line; /* code */
};

struct writer {
	struct line *line;
	const struct catalog_signature *sig;
	int depth;
	struct frame frames[PT_FRAMES_MAX];
};

static void put_ellipsis(struct line *l)
{
	line__char(l, 0x2026, 0);
}

static void put_bytes(struct line *l, const struct node *n)
{
	char text[8];

	line__str(l, n->kind == PT_K_BYTEARRAY ? "bytearray(b'" : "b'");
	for (size_t i = 0; i < n->len && !l->full; i++) {
		uint8_t c = n->data[i];

		/* Bytes above ASCII are no characters here. */
		if (c < 0x80) {
			line__char(l, c, '\'');
			continue;
		}
		snprintf(text, sizeof(text), "\\x%02x", c);
		line__str(l, text);
	}
	line__str(l, n->kind == PT_K_BYTEARRAY ? "')" : "'");
}

static void put_number(struct line *l, const struct node *n)
{
	static __thread struct buf digits;
	char text[FLOAT_REPR_MAX];
	bool neg = n->flags & PT_F_NEG;
	uint64_t v;
	double d;

	if (n->kind == PT_K_INT) {
		snprintf(text, sizeof(text), "%lld", (long long)n->value);
		line__str(l, text);
	} else if (n->kind == PT_K_FLOAT) {
		memcpy(&d, n->data, sizeof(d));
		line__put(l, text, float__repr(text, d));
	} else if (!(n->flags & PT_F_CUT) && bigint__u64(n, &v)) {
		snprintf(text, sizeof(text), "%s%llu", neg && v ? "-" : "", (unsigned long long)v);
		line__str(l, text);
	} else {
		line__str(l, neg ? "-0x" : "0x");
		buf__reset(&digits);
		bigint__hex(&digits, n);
		line__put(l, digits.data, digits.len);
	}
}

static void put_object(struct line *l, const struct node *n)
{
	char addr[24];

	line__str(l, "<");
	line__chars(l, chars__utf8((const char *)n->data, n->len), 0);
	line__str(l, " ");
	line__put(l, addr, (size_t)(hex__u64(addr, n->value) - addr));
	line__str(l, ">");
}

/* Inside of <…>: as it is, without quotes. */
static bool is_bare(const struct frame *f)
{
	return f->kind == PT_K_CODE || f->kind == PT_K_FUNCTION || f->kind == PT_K_CFUNCTION ||
	       f->kind == PT_K_MODULE;
}

static void put_leaf(struct line *l, const struct node *n, bool bare)
{
	char mark[MARK_TEXT_MAX];

	switch (n->kind) {
	case PT_K_NONE:
		line__str(l, "None");
		break;
	case PT_K_FALSE:
		line__str(l, "False");
		break;
	case PT_K_TRUE:
		line__str(l, "True");
		break;
	case PT_K_INT:
	case PT_K_BIGINT:
	case PT_K_FLOAT:
		put_number(l, n);
		break;
	case PT_K_STR:
	case PT_K_STR2:
	case PT_K_STR4:
	case PT_K_UTF8:
		line__str(l, bare ? "" : "'");
		line__chars(l, chars__of(n), bare ? 0 : '\'');
		line__str(l, bare ? "" : "'");
		break;
	case PT_K_BYTES:
	case PT_K_BYTEARRAY:
		put_bytes(l, n);
		break;
	case PT_K_CLASS:
		line__str(l, "<class ");
		line__chars(l, chars__of(n), 0);
		line__str(l, ">");
		break;
	case PT_K_OBJECT:
		put_object(l, n);
		break;
	case NODE_REDACTED:
		line__put(l, mark, mark__text(mark, n->data, n->length));
		break;
	case PT_K_UNREADABLE:
		line__str(l, "<unreadable>");
		return;
	default:
		line__str(l, "<undecoded>");
		return;
	}
	if (n->flags & (PT_F_CUT | PT_F_UNREADABLE))
		put_ellipsis(l);
}

static void put_arg_name(struct writer *w, uint32_t i)
{
	char text[24];

	line__color(w->line, "2");
	if (w->sig && i < w->sig->nargs && i < CATALOG_ARGS_MAX) {
		line__str(w->line, w->sig->names[i]);
	} else {
		snprintf(text, sizeof(text), "arg%u", i);
		line__str(w->line, text);
	}
	line__str(w->line, "=");
	line__color(w->line, "0");
}

static void before_child(struct writer *w)
{
	struct frame *f = &w->frames[w->depth - 1];
	uint32_t i = f->n++;

	switch (f->kind) {
	case PT_K_FUNCTION: /* module and qualname are told apart by a space: both may have dots */
	case PT_K_CFUNCTION:
	case PT_K_CODE:
	case PT_K_MODULE:
		line__str(w->line, " ");
		break;
	case PT_K_EXCEPTION:
	case PT_K_METHOD:
		break;
	case PT_K_DICT:
		line__str(w->line, !i ? "" : i % 2 ? ": " : ", ");
		break;
	default:
		line__str(w->line, i ? ", " : "");
		break;
	}
	if (w->depth == 1)
		put_arg_name(w, i);
}

static void open_container(struct writer *w, const struct node *n)
{
	static const char *const opens[] = {
		[PT_K_TUPLE - PT_K_TUPLE] = "(",
		[PT_K_LIST - PT_K_TUPLE] = "[",
		[PT_K_DICT - PT_K_TUPLE] = "{",
		[PT_K_SET - PT_K_TUPLE] = "{",
		[PT_K_FROZENSET - PT_K_TUPLE] = "frozenset({",
		[PT_K_CODE - PT_K_TUPLE] = "<code",
		[PT_K_FUNCTION - PT_K_TUPLE] = "<function",
		[PT_K_CFUNCTION - PT_K_TUPLE] = "<built-in ",
		[PT_K_MODULE - PT_K_TUPLE] = "<module",
		[PT_K_EXCEPTION - PT_K_TUPLE] = "",
		[PT_K_METHOD - PT_K_TUPLE] = "",
	};
	struct frame *f = &w->frames[w->depth++];

	*f = (struct frame){
		.kind = n->kind,
		.cut = n->flags & (PT_F_CUT | PT_F_UNREADABLE),
		.empty = !n->length && (n->kind == PT_K_SET || n->kind == PT_K_FROZENSET),
		.line = n->value,
	};
	if (w->depth == 1)
		return;
	if (f->empty)
		line__str(w->line, n->kind == PT_K_SET ? "set(" : "frozenset(");
	else
		line__str(w->line, opens[n->kind - PT_K_TUPLE]);
	line__chars(w->line, chars__utf8((const char *)n->data, n->len), 0);
}

static void close_container(struct writer *w)
{
	static const char *const closes[] = {
		[PT_K_TUPLE - PT_K_TUPLE] = ")",      [PT_K_LIST - PT_K_TUPLE] = "]",
		[PT_K_DICT - PT_K_TUPLE] = "}",       [PT_K_SET - PT_K_TUPLE] = "}",
		[PT_K_FROZENSET - PT_K_TUPLE] = "})", [PT_K_CODE - PT_K_TUPLE] = ">",
		[PT_K_FUNCTION - PT_K_TUPLE] = ">",   [PT_K_CFUNCTION - PT_K_TUPLE] = ">",
		[PT_K_MODULE - PT_K_TUPLE] = ">",     [PT_K_EXCEPTION - PT_K_TUPLE] = "",
		[PT_K_METHOD - PT_K_TUPLE] = "",
	};
	struct frame *f = &w->frames[--w->depth];
	char text[32];

	if (f->cut) {
		line__str(w->line, f->n && !is_bare(f) ? ", " : "");
		put_ellipsis(w->line);
	}
	if (!w->depth)
		return;
	if (f->kind == PT_K_CODE) {
		snprintf(text, sizeof(text), ":%d", (int32_t)f->line);
		line__str(w->line, text);
	} else if (f->kind == PT_K_TUPLE && f->n == 1 && !f->cut &&
	           w->frames[w->depth - 1].kind != PT_K_EXCEPTION) {
		line__str(w->line, ",");
	}
	line__str(w->line, f->empty ? ")" : closes[f->kind - PT_K_TUPLE]);
}

void text__args(struct line *l, const struct event *ev)
{
	struct writer w = {.line = l};
	struct node_iter it = node_iter__of(ev);
	struct node n;

	if (!ev->nodes) {
		line__color(l, "2");
		line__str(l, "(arguments not decoded)");
		return;
	}
	if (!node_iter__next(&it, &n) || n.kind != PT_K_TUPLE) {
		line__color(l, "2");
		line__str(l, ev->nodes_len ? "(arguments not readable)" : "(arguments cut)");
		return;
	}
	if (ev->known && n.length)
		w.sig = catalog__signature(ev->known, n.length);
	open_container(&w, &n);
	while (w.depth && !l->full && node_iter__next(&it, &n)) {
		if (n.kind == PT_K_END) {
			close_container(&w);
			continue;
		}
		before_child(&w);
		if (node__is_container(&n))
			open_container(&w, &n);
		else
			put_leaf(l, &n, is_bare(&w.frames[w.depth - 1]));
	}
	while (w.depth) {
		w.frames[w.depth - 1].cut = true;
		close_container(&w);
	}
}
