/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Holds the exec of a file that may be a Python and has not been analysed yet, until the caller has
 * attached it: fanotify(7), FAN_OPEN_EXEC_PERM, on every local file system mounted in this mount
 * namespace, those mounted later too. The process that starts it notices nothing but the time.
 *
 * A thread of its own answers, so that whatever the caller is doing, execs of other files go on at
 * once, and a held one when its time is up. When this process ends, however it ends, the kernel
 * lets all go (fanotify(7)); while it is stopped (SIGSTOP) nothing on the host can be executed.
 */
#ifndef PYTRAIL_HOLD_H
#define PYTRAIL_HOLD_H

#include <stdbool.h>
#include <sys/types.h>

struct hold;

struct held {
	pid_t pid; /* who executes it */
	int fd;    /* the file, open for reading; closed by hold__release() */
	unsigned int slot;
};

/* exempt: a process that is never held, 0: none. timeout_ms: how long one may be. 0, or -errno with
 * the error said. */
int hold__start(unsigned int timeout_ms, pid_t exempt, struct hold **out);

/* No process is exempt any more (0), or another one. */
void hold__exempt(struct hold *h, pid_t pid);

struct stat;

/* This file goes on at once, as long as it is as it is now: it is attached. */
void hold__pass(struct hold *h, const struct stat *st);

/* Lets all go, and ends. NULL: nothing. */
void hold__stop(struct hold *h);

/* Readable when hold__next() has something. */
int hold__fd(const struct hold *h);

/* The next exec that is held: false: none. */
bool hold__next(struct hold *h, struct held *out);

/*
 * Lets it go on; done: the file needs not to be held again, as it is. False: its time had been up,
 * it runs already.
 */
bool hold__release(struct hold *h, const struct held *held, bool done);

/* Execs that were let go at once since the last call, for want of room to hold more. */
unsigned int hold__missed(struct hold *h);

#endif
