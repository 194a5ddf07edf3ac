/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One output at work, in a thread of its own: items of its stream from the spool, in batches to its
 * driver, the cursor moved on acknowledgement. What a batch can come to, and what is done then:
 *
 *	RETRY      the same again, after a back-off with full jitter or what the receiver asked for; without end
 *	DENIED     held: said once, tried again seldom
 *	TOO_LARGE  in smaller batches; a single item that is too large is a dead letter
 *	REJECTED   in halves, until the item is found: a dead letter
 *	OK, but so many dropped: counted as dead and rejected; which ones they were nobody knows
 *
 * At least once: an item whose batch was not acknowledged is sent again, with the same id. In
 * order: nothing is sent before what came earlier is acknowledged, refused for good, or was refused
 * on its own (per_item).
 */
#ifndef PYTRAIL_WORKER_H
#define PYTRAIL_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../sink/driver.h"

struct buf;
struct format_context;
struct pattern_list;
struct worker;

struct worker_config {
	const char *output; /* its name (spool.h) */
	const char *dir;    /* of the spool */
	const char *stream;
	struct driver *driver;               /* opened; not owned, must outlive the worker */
	const struct settings *settings;     /* with driver_settings: batch_*, retry_*; not owned */
	const struct format_context *format; /* for losses that are said in-band; copied */
	uint8_t min_severity;                /* 0, or 1 to 5: items below are filtered */
	const struct pattern_list *patterns; /* or NULL; names of events; not owned */
	/* Where items go that the receiver will never take: a file of JSON lines, mode 0640,
	 * O_NOFOLLOW; when it has dead_letter_max bytes (0: 64 MiB) it becomes FILE.1, in place of
	 * the last one. NULL: counted only. */
	const char *dead_letter;
	uint64_t dead_letter_max;
	/* An output is refused (held: true), or accepted again. From the worker's thread; reason
	 * holds what the peer said. Or NULL. It is logged in any case. */
	void (*alarm)(void *ctx, const char *output, bool held, const char *reason);
	void *alarm_ctx;
};

enum worker_state {
	WORKER_IDLE, /* all there is has been delivered */
	WORKER_DELIVERING,
	WORKER_RETRYING, /* the last attempt failed: backing off, or trying again */
	/* ten attempts in a row failed: the circuit is open, one item at a time is tried */
	WORKER_OPEN,
	WORKER_HELD,   /* refused: who we are is not accepted */
	WORKER_FAILED, /* the spool cannot be read: opened again from time to time */
	WORKER_STOPPED,
};

/* Counts are of this worker unless said otherwise; seconds are as of now. */
struct worker_figures {
	enum worker_state state;
	/* Since the output began, across restarts (the cursor's): all numbers of the stream up to
	 * the cursor are delivered + filtered + dead + lost. */
	uint64_t delivered, filtered, dead, lost;
	uint64_t pending; /* items behind the cursor */
	bool opened; /* the spool has been read: before that nothing is known of what is pending */
	/* seconds since the oldest item that is not delivered was raised; 0: none */
	double oldest_age;
	uint64_t batches; /* sent, each attempt counts */
	uint64_t retries; /* attempts that repeat an earlier one */
	/* attempts or items, by enum delivery_status; [DELIVERY_OK] stays 0 */
	uint64_t failures[5];
	uint64_t bytes_sent;  /* as drivers tell */
	uint64_t losses_said; /* items that say a loss */
	double latency_sum;  /* of delivered items: seconds from the event to the acknowledgement */
	double latency_last; /* of the last batch's oldest item */
	double send_sum;     /* seconds in driver_ops.send, over `batches` */
	double retry_in;     /* seconds until the next attempt; 0: none is waited for */
	int last_code;       /* of the last failure */
	char last_reason[256]; /* of it; any bytes; "" once a batch has been delivered whole */
	int64_t last_ok_ns;    /* CLOCK_REALTIME, 0: never */
};

/* "idle", "delivering", "retrying", "open", "held", "failed", "stopped". */
const char *worker_state__name(enum worker_state s);

/* Starts the thread. The spool need not be there yet. 0 or -errno with a sentence appended to
 * `why`. */
int worker__start(const struct worker_config *cfg, struct worker **out, struct buf *why);

/* From any thread. */
void worker__figures(struct worker *w, struct worker_figures *out);

/* An attempt that is waited for is made now (after a reload, or when asked to). */
void worker__nudge(struct worker *w);

/*
 * Ends it: what is pending is still sent for up to `drain` seconds while the receiver takes it,
 * then the driver is interrupted. What is not acknowledged stays in the spool. Several may be told
 * first by worker__ask_stop().
 */
void worker__ask_stop(struct worker *w, double drain);
void worker__stop(struct worker *w, double drain); /* and frees */

#endif
