/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What `pytrail top` shows: events by process, by event and by container. Nothing is rendered
 * here. */
#ifndef PYTRAIL_TOP_COUNT_H
#define PYTRAIL_TOP_COUNT_H

#include <stddef.h>
#include <stdint.h>

#include "../bpf/wire.h"
#include "tally.h"
#include "trace_options.h"

struct pattern_list;
struct selection;
struct top_count;

/* All of the last top_count__tick(). */
struct top_totals {
	uint64_t events, filtered, lost, processes;
	double rate; /* events a second */
	double cpu;  /* of the collector, 1: one CPU */
};

/* What the kernel could not decide; nothing is owned. */
struct top_count_options {
	const struct pattern_list *patterns; /* or NULL */
	const struct selection *selection;   /* or NULL */
	/* Told of each process that is not wanted, once for its exec; may be NULL. */
	void (*unwanted)(void *ctx, const struct pt_task *task);
	void *unwanted_ctx;
};

/* NULL: no memory. */
struct top_count *top_count__new(const struct top_count_options *opts);
void top_count__free(struct top_count *t);

/* A record of any kind. Always 0: as a session_record_fn. */
int top_count__record(void *top_count, const void *record, size_t size);

/* Brings the figures up to date. c: of the session; now: CLOCK_MONOTONIC, nanoseconds. */
void top_count__tick(struct top_count *t, const struct pt_counters *c, uint64_t now);

const struct top_totals *top_count__totals(const struct top_count *t);
struct tally *top_count__tally(struct top_count *t, enum top_by by);
/* Records that the reader refused. */
uint64_t top_count__malformed(const struct top_count *t);
/* Events, filtered and processes now, not at the last tick. */
struct top_totals top_count__now(const struct top_count *t);

#endif
