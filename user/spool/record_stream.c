// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "record_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_CAP (128u << 10)

void record_stream__close(struct record_stream *rs)
{
	if (rs->fd >= 0)
		close(rs->fd);
	rs->fd = -1;
}

void record_stream__free(struct record_stream *rs)
{
	record_stream__close(rs);
	free(rs->buf);
	rs->buf = NULL;
	rs->cap = 0;
}

int record_stream__open(struct record_stream *rs, int dirfd, const char *name)
{
	struct stat st;
	ssize_t n;
	int err = 0;

	record_stream__close(rs);
	if (!rs->buf) {
		rs->buf = malloc(FIRST_CAP);
		if (!rs->buf)
			return -ENOMEM;
		rs->cap = FIRST_CAP;
	}
	rs->fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (rs->fd < 0)
		return -errno;
	if (fstat(rs->fd, &st) || !S_ISREG(st.st_mode))
		err = -EBADMSG;
	n = err ? 0 : pread(rs->fd, &rs->head, sizeof(rs->head), 0);
	if (!err)
		err = n < 0                           ? -errno
		      : n < (ssize_t)sizeof(rs->head) ? -EBADMSG
		                                      : segment__check_head(&rs->head);
	if (err)
		record_stream__close(rs);
	rs->off = rs->good_end = sizeof(rs->head);
	rs->pos = rs->len = 0;
	rs->last_seq = rs->bad_bytes = rs->bad_at = 0;
	return err;
}

void record_stream__unread(struct record_stream *rs, uint64_t off, uint64_t last_seq)
{
	rs->off = rs->good_end = off;
	rs->pos = rs->len = 0;
	rs->last_seq = last_seq;
}

/*
 * Reads anew from pos on: what was read of a record before it was whole may have been taken back by
 * a writer whose disk was full. 1: there is more than before; 0: there is not; -errno.
 */
static int refill(struct record_stream *rs)
{
	size_t had = rs->len - rs->pos;
	ssize_t n;

	if (had == rs->cap) {
		size_t cap = rs->cap * 2;
		char *buf = realloc(rs->buf, cap);

		if (!buf)
			return -ENOMEM;
		rs->buf = buf;
		rs->cap = cap;
	}
	rs->off += rs->pos;
	rs->pos = 0;
	do
		n = pread(rs->fd, rs->buf, rs->cap, (off_t)rs->off);
	while (n < 0 && errno == EINTR);
	rs->len = n > 0 ? (size_t)n : 0;
	return n < 0 ? -errno : rs->len > had;
}

static void skip(struct record_stream *rs)
{
	size_t n = record__resync(rs->buf + rs->pos, rs->len - rs->pos, rs->head.salt);

	rs->bad_at = record_stream__offset(rs);
	rs->bad_bytes += n;
	rs->pos += n;
}

static bool in_order(const struct record_stream *rs, const struct record_head *h)
{
	return h->seq > rs->last_seq && h->seq >= rs->head.first && h->lane == rs->head.lane;
}

int record_stream__next(struct record_stream *rs, bool final, struct record_head *out,
                        const void **payload)
{
	bool anew = false; /* what is in the buffer was read in this call */

	for (;;) {
		long n = record__parse(rs->buf + rs->pos, rs->len - rs->pos, rs->head.salt, out);
		int more = 0;

		if (n > 0 && in_order(rs, out)) {
			*payload = rs->buf + rs->pos + sizeof(*out);
			rs->pos += (size_t)n;
			rs->last_seq = out->seq;
			rs->good_end = record_stream__offset(rs);
			return 1;
		}
		if (!n || !anew) {
			more = refill(rs);
			if (more < 0)
				return more;
			if (n && !anew)
				more = 1; /* look again at what is there now */
			anew = true;
		}
		if (more)
			continue;
		if (!n && (!final || rs->len == rs->pos))
			return 0;
		skip(rs);
	}
}
