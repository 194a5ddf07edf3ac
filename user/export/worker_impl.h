/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What worker.c (the thread, the spool) and delivery.c (a batch to its receiver) share. */
#ifndef PYTRAIL_WORKER_IMPL_H
#define PYTRAIL_WORKER_IMPL_H

#include <pthread.h>

#include "backoff.h"
#include "batch.h"
#include "deadletter.h"
#include "worker.h"
#include "../format/format.h"
#include "../util/buf.h"

struct worker {
	struct worker_config cfg;
	char *output, *dir, *stream;
	struct format_context format;
	size_t batch_items, batch_bytes;
	double batch_wait;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows up to `reader` */
	pthread_cond_t cond;  /* stop, nudge */
	bool stop, nudged;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC, with stop */
	struct worker_figures figures;
	int64_t oldest_ns;           /* of what is not delivered, 0: nothing */
	uint64_t retry_ns;           /* when the next attempt is due */
	struct spool_reader *reader; /* the pointer and its cursor */
	/* The thread's own. */
	struct batch batch;
	struct spool_tally base; /* up to the batch */
	struct buf mem;          /* of a loss that is said */
	struct dead_letters *dead;
	struct backoff backoff;
	/* items sent at once while something in them is looked for, or the circuit is open; 0:
	 * all */
	size_t window;
	size_t limit;         /* what the receiver has shown to take at once; 0: not known */
	unsigned since_limit; /* successes since */
	struct item *picked;  /* what is sent now */
	size_t *picked_at;    /* places in the batch */
	uint8_t *statuses;
	size_t picked_cap;
	uint64_t said_ns, dead_said_ns, acked_ns;
	bool held;    /* DENIED was the last answer but for RETRY */
	bool failing; /* a failure was said, no success since */
	bool repeat;  /* what is sent next has been sent before */
};

/* delivery.c: sends the batch until nothing is pending, or it is time to stop (false). */
bool worker__deliver(struct worker *w);

/* worker.c */
/* Moves the cursor behind what is settled at the front of the batch; all: also behind what came
 * after it. */
void worker__ack(struct worker *w, bool all);
/* Whether it is time to end, whatever is pending. */
bool worker__must_end(struct worker *w);
/* Seconds, until nudged or stopped. */
void worker__sleep(struct worker *w, double seconds);
void worker__set_state(struct worker *w, enum worker_state state);

#endif
