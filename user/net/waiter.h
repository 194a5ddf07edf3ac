/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Waiting for a file descriptor that another thread can end: for drivers, which may wait until
 * their time-out and until driver_ops.interrupt. Once interrupted it stays so.
 */
#ifndef PYTRAIL_WAITER_H
#define PYTRAIL_WAITER_H

#include <stdbool.h>
#include <stdint.h>

struct waiter {
	int wake; /* an eventfd, -1: none */
};

/* 0 or -errno. */
int waiter__init(struct waiter *w);
void waiter__close(struct waiter *w);

/* From any thread. */
void waiter__interrupt(const struct waiter *w);
bool waiter__interrupted(const struct waiter *w);

/* CLOCK_MONOTONIC in nanoseconds, so many seconds from now. */
uint64_t waiter__deadline(double seconds);

/*
 * Waits until fd has one of `events` (poll(2)), or an error or hang-up, which the next call on it
 * tells. fd -1: only waits. 0, -ETIMEDOUT at the deadline, -ECANCELED when interrupted, or another
 * -errno.
 */
int waiter__poll(const struct waiter *w, int fd, short events, uint64_t deadline);

/* For a thread that writes without MSG_NOSIGNAL: a peer that has gone is an error then, EPIPE, and
 * no signal. */
void waiter__block_sigpipe(void);

#endif
