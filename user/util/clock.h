/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Clocks, in nanoseconds, and the id of this boot. */
#ifndef PYTRAIL_CLOCK_H
#define PYTRAIL_CLOCK_H

#include <stddef.h>
#include <stdint.h>

uint64_t clock__monotonic(void);
uint64_t clock__boottime(void);
uint64_t clock__realtime(void);
/* CLOCK_REALTIME minus CLOCK_MONOTONIC: what turns the records' time into wall time. */
int64_t clock__realtime_offset(void);
/* /proc/sys/kernel/random/boot_id as text, "" when it cannot be read. */
void clock__boot_id(char *out, size_t size);

#endif
