/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How long to wait before the next attempt: exponential with full jitter, so that many that failed
 * together do not come back together. */
#ifndef PYTRAIL_BACKOFF_H
#define PYTRAIL_BACKOFF_H

#include <stdint.h>

struct backoff {
	double min, max;   /* seconds */
	unsigned attempts; /* that failed in a row */
	uint64_t random;   /* xorshift's state, not 0 */
};

void backoff__init(struct backoff *b, double min, double max);
/* Seconds, for one more failure: between 0 and min × 2^attempts, at most max. */
double backoff__next(struct backoff *b);

#endif
