// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What the spool's writer does at its start: reads every segment, cuts what a crash has torn, and
 * finds the numbers to go on with. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../bpf/wire.h"
#include "../util/log.h"
#include "record_stream.h"
#include "spool_impl.h"

/* More than any writer could have got ahead of the last state that reached the disk. */
#define AHEAD_MAX (1ull << 40)

struct recovery {
	struct spool *s;
	struct record_stream rs;
	uint64_t run, last_seq;
	bool fresh; /* the control file had no state: the segments say which spool it is */
};

static void keep_damaged(struct spool *s, const char *name, int err)
{
	char kept[300]; /* readdir(3) allows 255 */

	snprintf(kept, sizeof(kept), "%s.damaged", name);
	if (renameat(s->dirfd, name, s->dirfd, kept))
		log__warn("'%s/%s' is not a segment of this spool: %s", s->dir, name,
		          strerror(errno));
	else
		log__warn("'%s/%s' is %s: it is kept as '%s'", s->dir, name,
		          err == -EPROTO ? "of another version" : "damaged at its head", kept);
}

static void cut_tail(struct recovery *r, const char *name, uint64_t size)
{
	struct spool *s = r->s;
	uint64_t torn = size - r->rs.good_end;
	int fd;

	if (!torn)
		return;
	fd = openat(s->dirfd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)r->rs.good_end) || fdatasync(fd))
		log__warn("cannot cut the torn end of '%s/%s': %s", s->dir, name, strerror(errno));
	else
		log__info("%llu bytes at the end of '%s/%s' were not whole and are cut off",
		          (unsigned long long)torn, s->dir, name);
	if (fd >= 0)
		close(fd);
	s->stats.torn_bytes += torn;
}

/* One segment, its records into the counts. */
static int read_records(struct recovery *r, const char *name, struct seg *seg)
{
	struct spool *s = r->s;
	struct record_head h;
	const void *payload;
	struct stat st;
	int n;

	while ((n = record_stream__next(&r->rs, true, &h, &payload)) > 0) {
		struct control_stream *stream = &s->state.streams[h.stream];

		if (h.ordinal >= stream->next)
			stream->next = h.ordinal + 1;
		seg->items++;
		seg->last = h.seq;
	}
	if (n < 0 || fstat(r->rs.fd, &st))
		return n < 0 ? n : -errno;
	cut_tail(r, name, (uint64_t)st.st_size);
	seg->bytes = r->rs.good_end;
	n = (int)(r->rs.bad_bytes > (uint64_t)st.st_size - seg->bytes);
	if (n) {
		uint64_t bad = r->rs.bad_bytes - ((uint64_t)st.st_size - seg->bytes);

		s->stats.corrupt_bytes += bad;
		log__warn("%llu bytes in '%s/%s' are damaged and are skipped",
		          (unsigned long long)bad, s->dir, name);
	}
	return 0;
}

static int read_segment(struct recovery *r, const char *name)
{
	struct spool *s = r->s;
	struct seg seg = {0};
	int err;

	segment__parse_name(name, &seg.lane, &seg.first);
	err = record_stream__open(&r->rs, s->dirfd, name);
	if (!err && r->fresh) {
		s->control->spool_id = r->rs.head.spool_id;
		r->fresh = false;
	}
	if (!err && (r->rs.head.spool_id != s->control->spool_id || r->rs.head.first != seg.first ||
	             r->rs.head.lane != seg.lane))
		err = -EBADMSG;
	if (!err) /* that user may be another now */
		spool__hand_over_segment(s, r->rs.fd, name);
	if (err == -EBADMSG || err == -EPROTO) {
		struct stat st;

		/* Killed before it had written the head: there is nothing in it. */
		if (!fstatat(s->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode) &&
		    st.st_size <= (off_t)sizeof(struct segment_head))
			unlinkat(s->dirfd, name, 0);
		else
			keep_damaged(s, name, err);
		return 0;
	}
	if (!err)
		err = read_records(r, name, &seg);
	if (err) {
		log__warn("cannot read '%s/%s': %s", s->dir, name, strerror(-err));
		return 0;
	}
	if (r->rs.head.run > r->run)
		r->run = r->rs.head.run;
	if (seg.first > r->last_seq + 1)
		r->last_seq = seg.first - 1;
	if (seg.last > r->last_seq)
		r->last_seq = seg.last;
	s->stats.recovered += seg.items;
	if (!seg.items) {
		unlinkat(s->dirfd, name, 0);
		return 0;
	}
	return spool__add_seg(s, &seg);
}

static int by_first(const void *a, const void *b)
{
	const struct seg *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static int read_all(struct recovery *r)
{
	int fd = openat(r->s->dirfd, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC), err = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	unsigned lane;
	uint64_t first;

	if (!dir) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	while (!err && (entry = readdir(dir)))
		if (segment__parse_name(entry->d_name, &lane, &first))
			err = read_segment(r, entry->d_name);
	closedir(dir);
	if (r->s->segs_cnt)
		qsort(r->s->segs, r->s->segs_cnt, sizeof(*r->s->segs), by_first);
	return err;
}

/* What the last writer had told its readers, if that can be true. */
static void use_live(struct recovery *r, uint64_t *published)
{
	struct spool *s = r->s;
	const struct control_live *live = &s->control->live;

	*published = 0;
	if (live->run != s->state.run || live->published + 1 < s->state.next_seq ||
	    live->published - s->state.next_seq + 1 > AHEAD_MAX)
		return;
	*published = live->published;
	for (size_t i = 0; i < SPOOL_STREAMS_MAX; i++)
		if (live->next[i] > s->state.streams[i].next &&
		    live->next[i] - s->state.streams[i].next < AHEAD_MAX)
			s->state.streams[i].next = live->next[i];
}

static void begin_run(struct recovery *r, uint64_t published)
{
	struct spool *s = r->s;
	struct control_state *st = &s->state;
	uint64_t last = r->last_seq > published ? r->last_seq : published;

	/* Written but not all of it, or told but not on disk. */
	if (r->last_seq != published && last && published)
		control__note(s->control, (r->last_seq < published ? r->last_seq : published) + 1,
		              last, PT_LOST_SPOOL_ERROR);
	if (last + 1 > st->next_seq)
		st->next_seq = last + 1;
	s->next_seq = st->next_seq;
	st->run = (r->run > st->run ? r->run : st->run) + 1;
	memmove(&st->runs[1], &st->runs[0], (CONTROL_RUNS - 1) * sizeof(st->runs[0]));
	st->runs[0] = (struct control_run){st->run, st->next_seq};
}

int spool__recover(struct spool *s, struct buf *why)
{
	struct recovery r = {.s = s, .rs = {.fd = -1}};
	uint64_t published = 0;
	int err;

	s->files = s->control->live.files + 1;
	r.fresh = !control__load(s->control, &s->state);
	if (r.fresh)
		s->state.next_seq = 1;
	else
		use_live(&r, &published);
	err = read_all(&r);
	record_stream__free(&r.rs);
	if (err) {
		buf__printf(why, "cannot read the spool '%s': %s", s->dir, strerror(-err));
		return err;
	}
	for (size_t i = 0; i < SPOOL_STREAMS_MAX; i++)
		if (!s->state.streams[i].next)
			s->state.streams[i].next = 1;
	begin_run(&r, published);
	control__store(s->control, &s->state);
	if (fdatasync(s->control_fd) || fsync(s->dirfd))
		log__warn("cannot sync the spool '%s': %s", s->dir, strerror(errno));
	return 0;
}
