/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <endian.h>
#include <string.h>

#include "catalog.h"
#include "audit_events.h"
#include "util/nearest_word.h"

#define CATALOG_COUNT (sizeof(catalog_events) / sizeof(catalog_events[0]))

size_t catalog__count(void)
{
	return CATALOG_COUNT;
}

const struct catalog_event *catalog__at(size_t index)
{
	return index < CATALOG_COUNT ? &catalog_events[index] : NULL;
}

static inline uint64_t load64(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static inline uint64_t load32(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

/*
 * Of the length, the first and the last eight bytes: no loop over the name. Collisions are resolved
 * by probing. The same function as event_hash() in scripts/gen-events.py, which made catalog_slots.
 */
static inline size_t catalog__hash(const char *name, size_t len)
{
	uint64_t a = 0, b = 0, h;

	if (len >= 8) {
		a = load64(name);
		b = load64(name + len - 8);
	} else if (len >= 4) {
		a = load32(name);
		b = load32(name + len - 4);
	} else if (len) {
		a = (uint64_t)(unsigned char)name[0] | (uint64_t)(unsigned char)name[len / 2] << 8 |
		    (uint64_t)(unsigned char)name[len - 1] << 16;
	}
	h = (a ^ len) * CATALOG_HASH_SEED;
	h = (h ^ h >> 32 ^ b) * CATALOG_HASH_SEED;
	return h >> (64 - CATALOG_HASH_BITS);
}

const struct catalog_event *catalog__find(const char *name, size_t name_len)
{
	size_t slot = catalog__hash(name, name_len);
	const struct catalog_event *event;

	/* At most a quarter of the slots is taken, so an empty one comes soon. */
	while (catalog_slots[slot]) {
		event = &catalog_events[catalog_slots[slot] - 1];
		if (event->name_len == name_len && !memcmp(event->name, name, name_len))
			return event;
		slot = (slot + 1) & ((1u << CATALOG_HASH_BITS) - 1);
	}
	return NULL;
}

const struct catalog_signature *catalog__signature(const struct catalog_event *event, size_t nargs)
{
	size_t i;

	for (i = 0; i < event->signatures_cnt; i++) {
		if (event->signatures[i].nargs == nargs)
			return &event->signatures[i];
	}
	return NULL;
}

/* The distance of an event to a name, where `listdir` is near to `os.listdir`; ~0: too far. */
static unsigned int nearest_cost(const struct catalog_event *event, const char *name, size_t len)
{
	const char *dot = strrchr(event->name, '.');
	unsigned int cost = word__distance(event->name, event->name_len, name, len), bare;

	if (dot && !memchr(name, '.', len)) {
		bare = word__distance(dot + 1, event->name_len - (size_t)(dot + 1 - event->name),
		                      name, len) +
		       1;
		if (bare < cost)
			cost = bare;
	}
	return cost <= (len < 6 ? 2 : len / 3) ? cost : ~0u;
}

size_t catalog__nearest(const char *name, const char **out, size_t max)
{
	unsigned int cost, costs[16] = {0};
	size_t len = strlen(name), found = 0, i, j;

	if (max > sizeof(costs) / sizeof(costs[0]))
		max = sizeof(costs) / sizeof(costs[0]);
	if (!len || len > WORD_DISTANCE_MAX || !max)
		return 0;
	for (i = 0; i < CATALOG_COUNT; i++) {
		cost = nearest_cost(&catalog_events[i], name, len);
		if (cost == ~0u || (found == max && cost >= costs[found - 1]))
			continue;
		if (found < max)
			found++;
		for (j = found - 1; j > 0 && costs[j - 1] > cost; j--) {
			costs[j] = costs[j - 1];
			out[j] = out[j - 1];
		}
		costs[j] = cost;
		out[j] = catalog_events[i].name;
	}
	return found;
}
