/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How much of the tracer's time it takes to look at what the processes of each user run. Who
 * executes files that were made to be dear to look at, one after the other, must not keep it from
 * reading the ring, nor from what others start: in the long run half of the time is one user's, and
 * three quarters are all users', of which root is not kept by the others.
 */
#ifndef PYTRAIL_ALLOWANCE_H
#define PYTRAIL_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

struct allowance;

/* says: it is warned of a user who has none left. NULL: no memory. */
struct allowance *allowance__new(bool says);
void allowance__free(struct allowance *a);

/* Times are of CLOCK_MONOTONIC, in nanoseconds. Whether something may be looked at now, for that
 * user. */
bool allowance__may(struct allowance *a, uint32_t uid, uint64_t now);

/* A look for that user, begun at `start`, took so much: of a struct time_budget. */
void allowance__took(struct allowance *a, uint32_t uid, uint64_t start, uint64_t took);

#endif
