/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What every live command does between its options and its end: opens targets, session and proof,
 * waits for the ring, signals and time, and detaches. What becomes of the records is the command's
 * own.
 */
#ifndef PYTRAIL_TRACE_LOOP_H
#define PYTRAIL_TRACE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session.h"
#include "trace_options.h"

struct alert;
struct proof;
struct trace_loop;

/* Called with the command's ctx. All but record may be NULL. */
struct trace_hooks {
	/* A record of any kind. Not 0: trace_loop__run() ends with the record. */
	session_record_fn record;
	void (*idle)(void *ctx); /* what was waiting in the ring is handed on */
	/* Does what is due by the clock; returns in how many milliseconds to be called next, -1:
	 * never. It is called more often than that. now: CLOCK_MONOTONIC, nanoseconds. */
	int (*due)(void *ctx, uint64_t now);
	/* of --tamper; NULL: none is looked for */
	void (*alert)(void *ctx, const struct alert *alert);
	void (*input)(void *ctx);   /* input_fd has something to read */
	void (*resized)(void *ctx); /* SIGWINCH */
	void (*ready)(void *ctx);   /* everything is attached */
	bool (*hangup)(void *ctx);  /* SIGHUP, unless the terminal is gone; false: end */
	int input_fd;               /* -1: none */
	/* Records may come before ready(): files whose program takes longer to load are attached
	 * later than others. */
	bool early;
};

/*
 * Opens and attaches what the options say; they must outlive the loop. -1, or the exit code with
 * the error said; *out is to be freed in any case.
 */
int trace_loop__open(const struct trace_options *opts, const struct trace_hooks *hooks, void *ctx,
                     struct trace_loop **out);
void trace_loop__free(struct trace_loop *l);

/* Until SIGINT, SIGTERM, SIGHUP (see hangup), the end of what is traced, of --duration (from
 * ready() on), or trace_loop__stop(). */
void trace_loop__run(struct trace_loop *l);
void trace_loop__stop(struct trace_loop *l);

/* Detaches, then hands on what the ring still holds, and the losses. */
void trace_loop__finish(struct trace_loop *l);

struct session *trace_loop__session(struct trace_loop *l);
/* Nanoseconds since trace_loop__run() was called. */
uint64_t trace_loop__elapsed(const struct trace_loop *l);
/* How COMMAND has ended: its exit code; -1: there is none, or it has not. */
int trace_loop__command_code(struct trace_loop *l);

#endif
