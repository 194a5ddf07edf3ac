/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Times of day for formats; the second's text is kept from one event to the next, per thread. */
#ifndef PYTRAIL_WHEN_H
#define PYTRAIL_WHEN_H

#include <stdint.h>

/* "2026-01-31T09:00:00.123456789Z", 30 bytes and no NUL, of nanoseconds since 1970 UTC. Years
 * outside 1970 to 9999 are shown as the nearest of these. */
#define WHEN_UTC_LEN 30
void when__utc(char out[WHEN_UTC_LEN], int64_t realtime_ns);

/* "09:00:00.123" in the local time zone (TZ), 12 bytes and no NUL. */
#define WHEN_LOCAL_LEN 12
void when__local(char out[WHEN_LOCAL_LEN], int64_t realtime_ns);

#endif
