// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* A hash table with chains, and a list from the most to the least recently counted row. */
#include "tally.h"

#include <stdlib.h>
#include <string.h>

#include "util/fnv.h"

struct tally {
	size_t max, cnt, mask;
	struct tally_row **chains;
	struct tally_row *newest, *oldest;
	struct tally_row **rows; /* room for max */
	uint64_t dropped, dropped_events;
};

struct tally *tally__new(size_t max_rows)
{
	struct tally *t = calloc(1, sizeof(*t));
	size_t chains = 16;

	if (!t)
		return NULL;
	t->max = max_rows ? max_rows : 1;
	while (chains < t->max)
		chains *= 2;
	t->mask = chains - 1;
	t->chains = calloc(chains, sizeof(*t->chains));
	t->rows = calloc(t->max, sizeof(*t->rows));
	if (!t->chains || !t->rows) {
		tally__free(t);
		return NULL;
	}
	return t;
}

static void row__free(struct tally_row *r)
{
	free(r->name);
	free(r->container);
	free(r->container_name);
	free(r);
}

void tally__free(struct tally *t)
{
	struct tally_row *r, *older;

	if (!t)
		return;
	for (r = t->newest; r; r = older) {
		older = r->older;
		row__free(r);
	}
	free(t->chains);
	free(t->rows);
	free(t);
}

static bool is_key(const struct tally_row *r, uint64_t hash, const void *key, size_t len)
{
	return r->hash == hash && r->key_len == len && !memcmp(r->key, key, len);
}

static struct tally_row *find(const struct tally *t, uint64_t hash, const void *key, size_t len)
{
	struct tally_row *r = t->chains[hash & t->mask];

	while (r && !is_key(r, hash, key, len))
		r = r->next;
	return r;
}

static void list__unlink(struct tally *t, struct tally_row *r)
{
	*(r->newer ? &r->newer->older : &t->newest) = r->older;
	*(r->older ? &r->older->newer : &t->oldest) = r->newer;
}

static void list__push_newest(struct tally *t, struct tally_row *r)
{
	r->older = t->newest;
	r->newer = NULL;
	*(t->newest ? &t->newest->newer : &t->oldest) = r;
	t->newest = r;
}

static void drop_oldest(struct tally *t)
{
	struct tally_row *r = t->oldest, **at = &t->chains[r->hash & t->mask];

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	list__unlink(t, r);
	t->dropped++;
	t->dropped_events += r->total;
	t->cnt--;
	row__free(r);
}

static struct tally_row *insert(struct tally *t, uint64_t hash, const void *key, size_t len)
{
	struct tally_row *r = calloc(1, sizeof(*r) + len + 1), **at;

	if (!r)
		return NULL;
	if (t->cnt == t->max)
		drop_oldest(t);
	r->hash = hash;
	r->key_len = len;
	memcpy(r->key, key, len);
	at = &t->chains[hash & t->mask];
	r->next = *at;
	*at = r;
	list__push_newest(t, r);
	t->cnt++;
	return r;
}

static uint64_t hash_of(const void *key, size_t *len)
{
	uint64_t h;

	if (*len > TALLY_KEY_MAX)
		*len = TALLY_KEY_MAX;
	h = fnv64__add(FNV64_INIT, key, *len);
	return h ^ h >> 32;
}

struct tally_row *tally__count(struct tally *t, const void *key, size_t len)
{
	uint64_t hash = hash_of(key, &len);
	struct tally_row *r = t->newest;

	if (r && is_key(r, hash, key, len)) {
		r->fresh = false;
		r->total++;
		return r;
	}
	r = find(t, hash, key, len);
	if (r) {
		list__unlink(t, r);
		list__push_newest(t, r);
		r->fresh = false;
	} else {
		r = insert(t, hash, key, len);
		if (!r) {
			t->dropped_events++;
			return NULL;
		}
		r->fresh = true;
	}
	r->total++;
	return r;
}

struct tally_row *tally__find(struct tally *t, const void *key, size_t len)
{
	uint64_t hash = hash_of(key, &len);

	return find(t, hash, key, len);
}

static void set_text(char **out, const char *text, size_t len, size_t max)
{
	free(*out);
	*out = text ? strndup(text, len < max ? len : max) : NULL;
}

void tally_row__set_name(struct tally_row *r, const char *text, size_t len)
{
	set_text(&r->name, text, len, TALLY_NAME_MAX);
}

void tally_row__set_container(struct tally_row *r, const char *id, const char *name)
{
	set_text(&r->container, id, id ? strlen(id) : 0, TALLY_CONTAINER_MAX);
	set_text(&r->container_name, name, name ? strlen(name) : 0, TALLY_NAME_MAX);
}

void tally__tick(struct tally *t, double seconds)
{
	struct tally_row *r;

	for (r = t->newest; r; r = r->older) {
		r->rate = seconds > 0 ? (double)(r->total - r->shown) / seconds : 0;
		r->shown = r->total;
	}
}

size_t tally__rows(struct tally *t, struct tally_row ***out)
{
	struct tally_row *r;
	size_t n = 0;

	for (r = t->newest; r; r = r->older) {
		if (r->shown)
			t->rows[n++] = r;
	}
	*out = t->rows;
	return n;
}

uint64_t tally__dropped(const struct tally *t, uint64_t *events)
{
	*events = t->dropped_events;
	return t->dropped;
}
