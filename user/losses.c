// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "losses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "../bpf/wire.h"

struct known {
	struct pt_lost_key key;
	uint64_t reported;
	uint64_t last_ns;
};

struct losses {
	int fd;
	struct known *known; /* in no order: a loss is rare, and so is a process that has one */
	size_t cnt, cap;
	uint64_t reported[PT_LOST_CAUSES];
	uint64_t last_ns;
};

struct losses *losses__new(int fd)
{
	struct losses *l = calloc(1, sizeof(*l));

	if (l)
		l->fd = fd;
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

int losses__report(struct losses *l, const __u64 *totals, session_record_fn fn, void *ctx)
{
	struct pt_lost_key key, *prev = NULL;
	struct pt_lost_value v;
	struct timespec ts;
	uint64_t now, rest;
	uint32_t cause;
	int err;

	while (!bpf_map_get_next_key(l->fd, prev, &key)) {
		struct known *k = losses__known(l, &key);

		prev = &key;
		if (!k)
			return -ENOMEM;
		if (bpf_map_lookup_elem(l->fd, &key, &v) || v.count <= k->reported)
			continue;
		err = losses__emit(&v.task, key.cause, v.count - k->reported,
		                   k->reported ? k->last_ns : v.first_ns, v.last_ns, fn, ctx);
		if (key.cause < PT_LOST_CAUSES)
			l->reported[key.cause] += v.count - k->reported;
		k->reported = v.count;
		k->last_ns = v.last_ns;
		if (err)
			return err;
	}
	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	for (cause = 0; cause < PT_LOST_CAUSES; cause++) {
		if (totals[cause] <= l->reported[cause])
			continue;
		rest = totals[cause] - l->reported[cause];
		l->reported[cause] += rest;
		err = losses__emit(NULL, cause, rest, l->last_ns ? l->last_ns : now, now, fn, ctx);
		if (err)
			return err;
	}
	l->last_ns = now;
	return 0;
}
