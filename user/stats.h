/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Figures for people: --stats and the summary, on standard error. */
#ifndef PYTRAIL_STATS_H
#define PYTRAIL_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "../bpf/wire.h"

struct session;
struct output_stats;

/* One line of figures; `final`: with the causes of filtering and loss that are zero left out. */
void stats__say(const struct session *s, const struct output_stats *out, bool final);

/* "pytrail: 1234 events, 0 filtered, 0 lost, 3 processes, 1.2 s". Returns how many were lost. */
uint64_t stats__summary(const struct pt_counters *c, const struct output_stats *out,
                        uint64_t elapsed_ns);

#endif
