// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "args_text.h"

#include <string.h>

#include "json.h"
#include "../catalog.h"

/* Per thread, warm after the first use. */
static __thread struct buf scratch;

static void put_name(struct buf *out, const struct catalog_signature *sig, uint32_t i)
{
	if (!sig || i >= sig->nargs || i >= CATALOG_ARGS_MAX) {
		buf__lit(out, "\"arg");
		buf__u64(out, i);
		buf__lit(out, "\":");
		return;
	}
	buf__append(out, sig->flat_names[i], sig->json_names_len[i]);
}

static unsigned put_value(struct buf *out, struct node_iter *it, const struct node *n)
{
	unsigned notes = json__node_notes(n);

	if (json__is_str(n->kind)) {
		json__whole_node_string(out, n);
	} else if (n->kind == PT_K_INT) {
		buf__char(out, '"');
		buf__i64(out, (int64_t)n->value);
		buf__char(out, '"');
	} else {
		buf__reset(&scratch);
		notes = json__value(&scratch, it, n);
		json__string(out, scratch.data, scratch.len);
		out->failed |= scratch.failed;
	}
	return notes;
}

static const struct catalog_signature *signature(const struct event *ev, const struct node *root)
{
	return ev->known && root->length ? catalog__signature(ev->known, root->length) : NULL;
}

unsigned args_text__object(struct buf *out, const struct event *ev)
{
	unsigned notes = json__name_notes(ev);
	struct node_iter it = node_iter__of(ev);
	const struct catalog_signature *sig;
	bool closed = false;
	struct node n;

	if (!ev->nodes || !node_iter__next(&it, &n)) {
		buf__lit(out, "{}");
		return ev->nodes ? notes | JSON_NOTE_TRUNCATED : notes;
	}
	notes |= json__node_notes(&n);
	buf__char(out, '{');
	if (n.kind == PT_K_TUPLE) {
		sig = signature(ev, &n);
		for (uint32_t i = 0; !closed && node_iter__next(&it, &n); i++) {
			closed = n.kind == PT_K_END;
			if (closed)
				break;
			if (i)
				buf__char(out, ',');
			put_name(out, sig, i);
			notes |= put_value(out, &it, &n);
		}
		if (!closed)
			notes |= JSON_NOTE_TRUNCATED;
	}
	buf__char(out, '}');
	return notes;
}

void args_text__begin(struct args_text *a, const struct event *ev)
{
	struct node n;

	memset(a, 0, sizeof(*a));
	a->it = node_iter__of(ev);
	if (!ev->nodes || !node_iter__next(&a->it, &n) || n.kind != PT_K_TUPLE) {
		a->it.pos = a->it.end;
		return;
	}
	a->sig = signature(ev, &n);
}

bool args_text__next(struct args_text *a)
{
	if (!node_iter__next(&a->it, &a->node) || a->node.kind == PT_K_END)
		return false;
	a->name = a->sig && a->i < a->sig->nargs && a->i < CATALOG_ARGS_MAX ? a->sig->names[a->i]
	                                                                    : NULL;
	a->i++;
	a->json = NULL;
	if (json__is_str(a->node.kind))
		return true;
	buf__reset(&scratch);
	json__value(&scratch, &a->it, &a->node);
	a->json = scratch.data ? scratch.data : "";
	a->json_len = scratch.len;
	return true;
}
