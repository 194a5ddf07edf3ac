/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How much of the tracer's time what the processes of each user are may take. Who executes files
 * that were made to be dear to look at, one after the other, must not keep it from reading the
 * ring, nor from what others start.
 */
#ifndef PYTRAIL_ALLOWANCE_H
#define PYTRAIL_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

struct allowance;

struct allowance_options {
	unsigned user_percent; /* of the time in the long run that is one user's */
	unsigned all_percent;  /* that is all users', of which root is not kept by the others */
	uint64_t ahead_ns;     /* so much of the time to come may be used at once */
	bool says;             /* it is warned of a user who has none left */
};

/* NULL: no memory. */
struct allowance *allowance__new(const struct allowance_options *opts);
void allowance__free(struct allowance *a);

/* Times are of CLOCK_MONOTONIC, in nanoseconds. Whether something may be looked at now, for that
 * user. */
bool allowance__may(struct allowance *a, uint32_t uid, uint64_t now);

/* A look for that user, begun at `start`, took so much: of a struct time_budget. */
void allowance__took(struct allowance *a, uint32_t uid, uint64_t start, uint64_t took);

#endif
