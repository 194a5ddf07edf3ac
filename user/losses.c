// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "losses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "util/clock.h"

#include "../bpf/wire.h"

/* The map's room is for processes that lose events now: an entry that nothing was added to for so
 * long goes, or, when the map is half full, at once. */
#define KEEP_NS 10000000000u

/* What was reported of an entry of the map. */
struct known {
	struct pt_lost_key key;
	uint64_t reported;
	uint64_t last_ns;
};

struct losses {
	int fd;
	size_t max_entries;
	struct known *known; /* in no order: a loss is rare, and so is a process that has one */
	size_t cnt, cap;
	uint64_t reported[PT_LOST_CAUSES];
	uint64_t last_ns;
};

struct losses *losses__new(int fd, size_t max_entries)
{
	struct losses *l = calloc(1, sizeof(*l));

	if (l) {
		l->fd = fd;
		l->max_entries = max_entries;
	}
	return l;
}

void losses__free(struct losses *l)
{
	if (l)
		free(l->known);
	free(l);
}

static struct known *losses__known(struct losses *l, const struct pt_lost_key *key)
{
	struct known *k;
	size_t i;

	for (i = 0; i < l->cnt; i++) {
		if (!memcmp(&l->known[i].key, key, sizeof(*key)))
			return &l->known[i];
	}
	if (l->cnt == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;

		k = realloc(l->known, cap * sizeof(*k));
		if (!k)
			return NULL;
		l->known = k;
		l->cap = cap;
	}
	k = &l->known[l->cnt++];
	memset(k, 0, sizeof(*k));
	k->key = *key;
	return k;
}

static int losses__emit(const struct pt_task *task, uint32_t cause, uint64_t count, uint64_t first,
                        uint64_t last, session_record_fn fn, void *ctx)
{
	struct pt_lost rec = {
		.rec = {.size = sizeof(rec),
	                .kind = PT_REC_LOST,
	                .version = PT_WIRE_VERSION,
	                .time_ns = last},
		.count = count,
		.first_ns = first,
		.last_ns = last,
		.cause = cause,
	};

	if (task)
		rec.rec.task = *task;
	return fn(ctx, &rec, sizeof(rec));
}

/* Takes an entry out of the map. What a program adds to it at this moment is in the totals
 * still. */
static void losses__drop(struct losses *l, struct known *k)
{
	struct pt_lost_key key = k->key;

	bpf_map_delete_elem(l->fd, &key);
	*k = l->known[--l->cnt];
}

/* One entry of the map. Returns what fn returned, or -ENOMEM. */
static int losses__look(struct losses *l, const struct pt_lost_key *key, uint64_t now,
                        session_record_fn fn, void *ctx)
{
	struct known *k = losses__known(l, key);
	struct pt_lost_value v;
	uint64_t count;
	int err;

	if (!k)
		return -ENOMEM;
	if (bpf_map_lookup_elem(l->fd, key, &v)) {
		*k = l->known[--l->cnt];
		return 0;
	}
	if (v.count <= k->reported) {
		if (v.last_ns + KEEP_NS < now || l->cnt > l->max_entries / 2)
			losses__drop(l, k);
		return 0;
	}
	count = v.count - k->reported;
	err = losses__emit(&v.task, key->cause, count, k->reported ? k->last_ns : v.first_ns,
	                   v.last_ns, fn, ctx);
	if (key->cause < PT_LOST_CAUSES)
		l->reported[key->cause] += count;
	k->reported = v.count;
	k->last_ns = v.last_ns;
	return err;
}

/* Of those that the map had no room for, or that were added to an entry as it went. */
static int losses__report_rest(struct losses *l, const __u64 *totals, uint64_t now,
                               session_record_fn fn, void *ctx)
{
	uint64_t rest;
	uint32_t cause;
	int err;

	for (cause = 0; cause < PT_LOST_CAUSES; cause++) {
		if (totals[cause] <= l->reported[cause])
			continue;
		rest = totals[cause] - l->reported[cause];
		l->reported[cause] += rest;
		err = losses__emit(NULL, cause, rest, l->last_ns ? l->last_ns : now, now, fn, ctx);
		if (err)
			return err;
	}
	return 0;
}

int losses__report(struct losses *l, const __u64 *totals, session_record_fn fn, void *ctx)
{
	uint64_t now = clock__monotonic();
	struct pt_lost_key key, next;
	size_t n = 0;
	int err, more = bpf_map_get_next_key(l->fd, NULL, &next);

	/* entries that come and go meanwhile may make the walk start over */
	while (!more && n++ < 2 * l->max_entries) {
		key = next;
		more = bpf_map_get_next_key(l->fd, &key, &next);
		err = losses__look(l, &key, now, fn, ctx);
		if (err)
			return err;
	}
	err = losses__report_rest(l, totals, now, fn, ctx);
	l->last_ns = now;
	return err;
}
