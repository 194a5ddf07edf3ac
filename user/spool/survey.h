/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a spool holds, for people who look on: nothing is locked or changed, a writer and readers
 * may be at work. */
#ifndef PYTRAIL_SURVEY_H
#define PYTRAIL_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "control.h"
#include "cursor.h"
#include "spool.h"

struct buf;

struct survey_output {
	char name[SPOOL_NAME_MAX + 1];
	char stream[ITEM_STREAM_MAX + 1]; /* "": not known */
	bool configured;                  /* the writer keeps items for it */
	int error; /* of its cursor: 0, -ENOENT: none yet, -EBADMSG: damaged */
	uint64_t pending;
	struct cursor cursor; /* zeros when there is none */
};

struct survey {
	int dirfd;
	struct control_live live;
	struct control_state state;
	bool state_whole;
	uint64_t spool_id;
	struct {
		uint64_t segments, bytes;
	} lanes[SPOOL_LANES + 1]; /* by severity */
	struct survey_output outputs[2 * SPOOL_OUTPUTS_MAX];
	size_t outputs_cnt;
};

/* What a segment is found to be: its records that are whole, and its damaged bytes. */
struct survey_segment {
	const char *name;
	uint64_t bytes, items;
	uint64_t bad_bytes, bad_at; /* bad_at: offset of the last ones */
	int error;                  /* of its head: 0 or -errno */
};

/* 0 or -errno with a sentence in `why`. */
int survey__open(const char *dir, struct survey *out, struct buf *why);
void survey__close(struct survey *s);

/* Reads every segment and calls fn with each. 0 or -errno. */
int survey__segments(struct survey *s, void (*fn)(void *ctx, const struct survey_segment *seg),
                     void *ctx);

#endif
