/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Says what did not come from the kernel, beside events, which the losses tell of. */
#ifndef PYTRAIL_PRESSURE_H
#define PYTRAIL_PRESSURE_H

#include <stdbool.h>

#include "session.h"

/* Zero at first. */
struct pressure {
	struct session_pressure seen; /* at the last look */
	struct session_pressure said;
};

/* Warns at the first of each kind, and whenever there are twice as many. Returns whether news of
 * processes were lost since the last call. */
bool pressure__say(struct pressure *p, const struct session *s);

#endif
