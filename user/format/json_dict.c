// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Whether a dict can be a JSON object without becoming ambiguous. */
#include <string.h>

#include "json.h"

/* Few keys are compared each with each, more by a table; a record has no more pairs than that. */
#define FEW_KEYS  16
#define KEY_SLOTS 8192
_Static_assert(PT_RECORD_MAX / (2 * sizeof(struct pt_node)) <= KEY_SLOTS / 2, "half empty");
/* Redaction does not add nodes, but makes them larger: to less than 8 bytes times what a slot can
 * hold. */
_Static_assert(REDACTED_NODES_MAX / 8 < UINT16_MAX, "places of nodes fit");

/* A character as a JSON parser will see it: two escaped surrogates become one character. */
static bool next_merged(struct chars *c, uint32_t *out)
{
	uint32_t low;
	struct chars ahead;

	if (!chars__next(c, out))
		return false;
	if (*out < 0xd800 || *out > 0xdbff)
		return true;
	ahead = *c;
	if (chars__next(&ahead, &low) && low >= 0xdc00 && low <= 0xdfff) {
		*out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
		*c = ahead;
	}
	return true;
}

static bool same_key(const struct node *a, const struct node *b)
{
	struct chars x = chars__of(a), y = chars__of(b);
	uint32_t cx = 0, cy = 0;
	bool more_x, more_y;

	do {
		more_x = next_merged(&x, &cx);
		more_y = next_merged(&y, &cy);
		if (more_x != more_y || (more_x && cx != cy))
			return false;
	} while (more_x);
	return true;
}

static uint32_t hash_key(const struct node *n)
{
	struct chars c = chars__of(n);
	uint32_t cp, h = 2166136261u; /* FNV-1a */

	while (next_merged(&c, &cp))
		h = (h ^ cp) * 16777619u;
	return h ^ h >> 15;
}

static bool key_ok(const struct node *n)
{
	struct chars c = chars__of(n);
	uint32_t cp;

	return json__is_str(n->kind) && !(n->flags & (PT_F_CUT | PT_F_UNREADABLE)) &&
	       !(chars__next(&c, &cp) && cp == '$');
}

/* The next key of the dict whose children `it` goes over, skipping the value before it. */
static bool next_key(struct node_iter *it, struct node *key, bool first)
{
	struct node n;
	int depth = 0;

	for (bool value = !first;; value = false) {
		do {
			if (!node_iter__next(it, &n))
				return false;
			if (n.kind == PT_K_END) {
				if (!depth)
					return false;
				depth--;
			} else if (!depth && !value) {
				*key = n;
				return true;
			} else if (node__is_container(&n)) {
				depth++;
			}
		} while (depth);
	}
}

/* Many keys: by an open table of where their nodes are, plus one. */
static __attribute__((noinline)) bool unique_many(struct node_iter it)
{
	const uint8_t *base = it.pos;
	uint16_t slots[KEY_SLOTS];
	struct node key, other;

	memset(slots, 0, sizeof(slots));
	for (bool first = true; next_key(&it, &key, first); first = false) {
		struct node_iter at = {key.data - sizeof(struct pt_node), it.end};
		uint32_t i = hash_key(&key) % KEY_SLOTS;

		for (; slots[i]; i = (i + 1) % KEY_SLOTS) {
			struct node_iter there = {base + (slots[i] - 1) * 8u, it.end};

			if (node_iter__next(&there, &other) && same_key(&key, &other))
				return false;
		}
		slots[i] = (uint16_t)((at.pos - base) / 8 + 1);
	}
	return true;
}

bool json__dict_is_object(struct node_iter it)
{
	struct node_iter start = it;
	struct node keys[FEW_KEYS], key;
	size_t cnt = 0;

	for (bool first = true; next_key(&it, &key, first); first = false) {
		if (!key_ok(&key))
			return false;
		if (cnt < FEW_KEYS) {
			for (size_t i = 0; i < cnt; i++)
				if (same_key(&keys[i], &key))
					return false;
			keys[cnt] = key;
		}
		cnt++;
	}
	return cnt <= FEW_KEYS || unique_many(start);
}
