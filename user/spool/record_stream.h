/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The records of one segment file, in their order; damaged bytes are skipped and counted. */
#ifndef PYTRAIL_RECORD_STREAM_H
#define PYTRAIL_RECORD_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "segment.h"

struct record_stream {
	int fd; /* owned; -1: none */
	struct segment_head head;
	uint64_t off; /* in the file, of buf[0] */
	char *buf;    /* owned, kept from file to file */
	size_t pos, len, cap;
	uint64_t last_seq;  /* of the last record, 0: none yet */
	uint64_t good_end;  /* offset behind it */
	uint64_t bad_bytes; /* skipped so far */
	uint64_t bad_at;    /* offset of the last ones */
};

/*
 * Opens DIR/name. 0; -EBADMSG: its head is damaged; -EPROTO: of another version; or -errno. Any
 * file that was open before is closed.
 */
int record_stream__open(struct record_stream *rs, int dirfd, const char *name);
void record_stream__close(struct record_stream *rs); /* keeps the buffer */
void record_stream__free(struct record_stream *rs);

/*
 * 1: *out and *payload, valid until the next call; 0: nothing more now; -errno of read(2). final:
 * nothing will be added, so that what is not whole at the end is damaged, too.
 */
int record_stream__next(struct record_stream *rs, bool final, struct record_head *out,
                        const void **payload);

/* Forgets what is read ahead, and the last record too: the next call reads it again from the
 * file. */
void record_stream__unread(struct record_stream *rs, uint64_t off, uint64_t last_seq);

/* Offset of the record that comes next. */
static inline uint64_t record_stream__offset(const struct record_stream *rs)
{
	return rs->off + rs->pos;
}

#endif
