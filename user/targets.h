/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is to be traced: processes by -p, a command's, or all; and the files to attach for that. */
#ifndef PYTRAIL_TARGETS_H
#define PYTRAIL_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "session.h"
#include "trace_options.h"

struct hold;
struct presence;
struct tamper;
struct proof;
struct pt_rec;
struct targets;
struct child;

/*
 * Looks at what the options name, before anything is loaded, and sets what the session must know of
 * it (selected, kernel_pid, follow, early). Returns -1, or the exit code with the error said.
 */
int targets__new(const struct trace_options *o, struct child *child, struct session_options *so,
                 struct targets **out);
void targets__free(struct targets *t);

/*
 * Attaches; the session must have been opened with what targets__new() set. Layouts are proven
 * first, on the processes that are there; proof, presence and tamper (each may be NULL) must live
 * as long as calls are made. -1 or an exit code.
 */
int targets__attach(struct targets *t, struct session *s, struct proof *proof,
                    struct presence *presence, struct tamper *tamper);

/*
 * What is loaded on the side may be there now: attaches what waits for it (session_options.early).
 * False: some does still. Asked for the first time after targets__attach(), when that succeeded.
 */
bool targets__loaded(struct targets *t);

/* Whether a process runs a file at that bias; ctx is the targets. For tamper.h. */
bool targets__runs(void *ctx, pid_t pid, const struct binary *b, uint64_t bias);

/*
 * News of a process that is selected, or of any in whole-host mode. PT_REC_EXEC: it has executed a
 * file; attaches that, or the libpython that it needs, when it is not attached yet. What is started
 * through ld.so is looked at again until ld.so has mapped it. PT_REC_MAP: it is about to map a
 * libpython that it has open; attaches that, with luck before its code is mapped. Put off when what
 * that user's processes run has taken too long to look at.
 */
void targets__news(struct targets *t, const struct pt_rec *rec);

/* Lets h know what is attached already: that needs not to be held. */
void targets__pass(struct targets *t, struct hold *h);

/* Attaches what is held, then lets it go on. */
void targets__held(struct targets *t, struct hold *h);

/* Looks on, for some milliseconds, at what is open: what targets__news() has put off, and all
 * processes after targets__rescan(). Returns in how many milliseconds to call this next, -1:
 * nothing is open. */
int targets__pending(struct targets *t);

/*
 * Begins to look at all processes once more, in case one has loaded a libpython meanwhile. Files
 * that are deleted and that no traced process runs any more are detached and forgotten then, in the
 * proof too. False: such a look goes on, or has taken too much of the time. now: CLOCK_MONOTONIC,
 * nanoseconds.
 */
bool targets__rescan(struct targets *t, uint64_t now);

/* Whether nothing is left that could raise an event: all -p processes (and with follow their
 * children) have ended. */
bool targets__gone(struct targets *t);

#endif
