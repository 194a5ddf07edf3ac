// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK (256u << 10)

struct batch_block {
	struct batch_block *next;
	size_t size, used;
	char data[];
};

static char *take(struct batch *b, size_t len)
{
	struct batch_block *k = b->blocks;
	char *p;

	if (!k || k->size - k->used < len) {
		size_t size = len > BLOCK ? len : BLOCK;

		k = malloc(sizeof(*k) + size);
		if (!k)
			return NULL;
		k->size = size;
		k->used = 0;
		k->next = b->blocks;
		b->blocks = k;
	}
	p = k->data + k->used;
	k->used += len;
	return p;
}

static void copy(struct item_text *t, char **p)
{
	if (t->len)
		memcpy(*p, t->s, t->len);
	t->s = *p;
	*p += t->len;
}

static int grow(struct batch *b)
{
	size_t cap = b->cap ? b->cap * 2 : 64;
	struct item *items = reallocarray(b->items, cap, sizeof(*items));
	struct batch_entry *entries;

	if (!items)
		return -ENOMEM;
	b->items = items;
	entries = reallocarray(b->entries, cap, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	b->entries = entries;
	b->cap = cap;
	return 0;
}

int batch__add(struct batch *b, const struct item *it, const struct spool_mark *mark)
{
	struct item *to;
	char *p;

	if (b->cnt == b->cap && grow(b))
		return -ENOMEM;
	p = take(b, it->stream.len + it->id.len + it->entity.len + it->event.len +
	                    it->category.len + it->body.len);
	if (!p)
		return -ENOMEM;
	to = &b->items[b->cnt];
	*to = *it;
	copy(&to->stream, &p);
	copy(&to->id, &p);
	copy(&to->entity, &p);
	copy(&to->event, &p);
	copy(&to->category, &p);
	copy(&to->body, &p);
	b->entries[b->cnt++] =
		(struct batch_entry){.mark = *mark, .filtered = b->filtered, .lost = b->lost};
	b->bytes += it->body.len;
	return 0;
}

void batch__reset(struct batch *b)
{
	struct batch_block *first = b->blocks;

	/* One block is kept: what was large once need not stay. */
	while (first && first->next) {
		struct batch_block *next = first->next;

		free(first);
		first = next;
	}
	if (first)
		first->used = 0;
	b->blocks = first;
	b->cnt = b->bytes = 0;
	b->filtered = b->lost = b->delivered = b->dead = 0;
	b->settled = 0;
}

void batch__free(struct batch *b)
{
	batch__reset(b);
	free(b->blocks);
	free(b->items);
	free(b->entries);
	*b = (struct batch){0};
}

size_t batch__pending(const struct batch *b, size_t from)
{
	while (from < b->cnt && b->entries[from].fate != BATCH_PENDING)
		from++;
	return from;
}

void batch__advance(struct batch *b)
{
	for (; b->settled < b->cnt && b->entries[b->settled].fate != BATCH_PENDING; b->settled++) {
		const struct batch_entry *e = &b->entries[b->settled];

		b->delivered += !e->is_loss && e->fate == BATCH_DELIVERED;
		b->dead += !e->is_loss && e->fate == BATCH_DEAD;
	}
}
