/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Clocks, in nanoseconds, and the id of this boot. */
#ifndef PYTRAIL_CLOCK_H
#define PYTRAIL_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint64_t clock__monotonic(void);
uint64_t clock__boottime(void);
uint64_t clock__realtime(void);
/* CLOCK_REALTIME minus CLOCK_MONOTONIC: what turns the records' time into wall time. */
int64_t clock__realtime_offset(void);

/*
 * What something may cost, in nanoseconds: time of this thread on a CPU, or a tenth of the time
 * that goes by, whatever is more. So on a host with too much to do it costs what it does on an idle
 * one, and what waits (for a disk, a lock) has its price, too.
 */
struct time_budget {
	uint64_t ns;
	uint64_t monotonic, cpu; /* when it began */
};
struct time_budget time_budget__new(uint64_t ns);
uint64_t time_budget__spent(const struct time_budget *b);
bool time_budget__is_over(const struct time_budget *b);

/* /proc/sys/kernel/random/boot_id as text, "" when it cannot be read. */
void clock__boot_id(char *out, size_t size);

#endif
