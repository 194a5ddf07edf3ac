/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Signs that a traced process, or somebody else, works against its being seen: a USDT semaphore at
 * 0 though the probe is attached, the breakpoint gone from the process's memory, that memory not to
 * be had in time, the interpreter's file changed under it. Looked for now and then, a few processes
 * at a time: what is done and undone in between is not found.
 */
#ifndef PYTRAIL_TAMPER_H
#define PYTRAIL_TAMPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach.h"
#include "binary.h"

struct alert;
struct tamper;

struct tamper_options {
	enum probe_mode mode;
	/* each sign of a process or a file once */
	void (*alert)(void *ctx, const struct alert *alert);
	void *alert_ctx;
	/* Whether the process still runs that file, at that bias: asked before anything is said. */
	bool (*runs)(void *ctx, pid_t pid, const struct binary *b, uint64_t bias);
	void *runs_ctx;
};

/* NULL: no memory. */
struct tamper *tamper__new(const struct tamper_options *opts);
void tamper__free(struct tamper *t);

/* All below do nothing when t is NULL. */

/* A process runs a file that is attached. b must live until tamper__dropped(). */
void tamper__found(struct tamper *t, pid_t pid, const struct binary *b, uint64_t bias);
void tamper__dropped(struct tamper *t, const struct binary *b);

/* Looks at the next few processes; to be called some times a second. */
void tamper__check(struct tamper *t);

#endif
