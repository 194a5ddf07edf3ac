/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the programs counted as lost, turned into PT_REC_LOST records. */
#ifndef PYTRAIL_LOSSES_H
#define PYTRAIL_LOSSES_H

#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "session.h"

struct losses;

/* fd: of the map `losses`, which has room for so many entries. NULL: no memory. */
struct losses *losses__new(int fd, size_t max_entries);
void losses__free(struct losses *l);

/*
 * Reports what has grown since the last call. totals: the counters by cause (struct
 * pt_counters.lost): what they hold beyond the map's entries, which is bounded, is reported without
 * a process. Entries that do not grow any more are taken out of the map: what it holds are losses
 * of now. Returns 0 or what fn returned.
 */
int losses__report(struct losses *l, const __u64 *totals, session_record_fn fn, void *ctx);

#endif
