/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* One lane of the spool as a reader goes through it: segment after segment, the records of one
 * stream. */
#ifndef PYTRAIL_SPOOL_LANE_H
#define PYTRAIL_SPOOL_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "control.h"
#include "item.h"
#include "record_stream.h"

struct spool_lane {
	unsigned lane;
	int dirfd; /* not owned */
	uint64_t spool_id;
	uint64_t after; /* records up to this seq are not wanted */
	struct record_stream rs;
	uint64_t first; /* of the segment that is or was open, 0: none yet */
	/* control_live.files when there was no further segment; 0: not looked yet */
	uint64_t listed;
	/* The record that comes next, once it is known. */
	bool have;
	struct record_head head;
	struct item item;
	/* Damaged bytes lie behind the one seq and before the other; 0: none. */
	uint64_t bad_after, bad_before;
};

void spool_lane__init(struct spool_lane *l, unsigned lane, int dirfd, uint64_t spool_id,
                      uint64_t after);
void spool_lane__free(struct spool_lane *l);

/* 1: l->head and l->item are the next record of the stream, not beyond live->published; 0: there is
 * none; -errno. */
int spool_lane__peek(struct spool_lane *l, const struct control_live *live, unsigned stream,
                     const char *stream_name);

#endif
