/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One way out of the pipeline: a format and where its bytes go, a file or, item by item, a taker
 * (the spool of the outputs over the network).
 */
#ifndef PYTRAIL_BRANCH_H
#define PYTRAIL_BRANCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/format.h"

struct branch;
struct item;
struct pattern_list;

/* Takes a copy of an item. */
typedef void (*branch_take_fn)(void *ctx, const struct item *item);

struct branch_target {
	const struct format *format;
	const char *dest;    /* a file; NULL or "-": standard output; unused with `take` */
	branch_take_fn take; /* NULL: to `dest` */
	void *take_ctx;
	const char *stream; /* of items, see spool/item.h */
	/* Events only: losses, alerts and what becomes of processes always go there. */
	const struct pattern_list *patterns; /* or NULL: all; not owned */
	unsigned min_severity;               /* 0 or 1: all */
	bool redact; /* see redact/redact.h: done by output.c, before the format */
};

/* 0, or -errno, said. ctx: without what depends on `dest`. */
int branch__open(const struct branch_target *target, const struct format_context *ctx,
                 struct branch **out);
void branch__free(struct branch *b);

/* "json:/var/log/x" as a target. 0 or -EINVAL, said. */
int branch_target__parse(const char *spec, struct branch_target *out);

bool branch__redacts(const struct branch *b);

/* Each takes one record. 0, or -errno of a destination that failed (said). */
int branch__event(struct branch *b, const struct event *ev);
int branch__process(struct branch *b, const struct pt_rec *rec, const char *what,
                    const struct process *facts, uint64_t seq);
int branch__lost(struct branch *b, const struct pt_lost *lost, uint64_t seq);
int branch__alert(struct branch *b, const struct alert *alert, uint64_t seq);

/* Hands on what has gathered. 0 or -errno. */
int branch__flush(struct branch *b);

/* Opens its file anew, see sink__reopen(); -ENOTSUP: it has none. */
int branch__reopen(struct branch *b);

#endif
