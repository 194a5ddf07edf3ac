// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Bytes to segment files, and room for them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../bpf/wire.h"
#include "../util/clock.h"
#include "../util/log.h"
#include "spool_impl.h"

#define DISK_QUIET_NS 10000000000u
#define BOUND         (-EFBIG) /* its own bound is reached, and what is there must not go */

static struct seg *active_seg(struct spool *s, unsigned lane)
{
	for (size_t i = s->segs_cnt; i-- > 0;)
		if (s->segs[i].lane == lane)
			return &s->segs[i];
	return NULL;
}

int spool__add_seg(struct spool *s, const struct seg *seg)
{
	if (s->segs_cnt == s->segs_cap) {
		size_t cap = s->segs_cap ? s->segs_cap * 2 : 64;
		struct seg *segs = reallocarray(s->segs, cap, sizeof(*segs));

		if (!segs)
			return -ENOMEM;
		s->segs = segs;
		s->segs_cap = cap;
	}
	s->segs[s->segs_cnt++] = *seg;
	s->stats.bytes += seg->bytes;
	return 0;
}

void spool__forget(struct spool *s, size_t i)
{
	s->stats.bytes -= s->segs[i].bytes;
	memmove(&s->segs[i], &s->segs[i + 1], (s->segs_cnt - i - 1) * sizeof(*s->segs));
	s->segs_cnt--;
}

int spool__sync_lane(struct spool *s, unsigned lane)
{
	struct lane *l = &s->lanes[lane];

	if (l->fd < 0 || !l->dirty || s->opts.sync_interval < 0)
		return 0;
	l->dirty = false;
	s->stats.syncs++;
	if (!fdatasync(l->fd))
		return 0;
	s->stats.sync_errors++;
	return -errno;
}

/* False: it is to be synced here. */
static bool leave_to_tender(struct spool *s, unsigned lane)
{
	struct lane *l = &s->lanes[lane];

	if (!l->dirty || s->opts.sync_interval <= 0 || !s->tender_runs || s->sealed_cnt == SEALED_MAX)
		return false;
	s->sealed[s->sealed_cnt++] = (struct sealed){lane, l->first, l->fd};
	return true;
}

void spool__seal(struct spool *s, unsigned lane)
{
	struct lane *l = &s->lanes[lane];

	if (l->fd < 0)
		return;
	if (!leave_to_tender(s, lane)) {
		spool__sync_lane(s, lane);
		close(l->fd);
	}
	l->dirty = false;
	l->fd = -1;
}

/* What is about to be removed needs no sync. */
static void close_files(struct spool *s, const struct seg *g)
{
	struct lane *l = &s->lanes[g->lane];

	if (l->fd >= 0 && l->first == g->first) {
		close(l->fd);
		l->fd = -1;
	}
	for (size_t i = 0; i < s->sealed_cnt; i++) {
		if (s->sealed[i].lane != g->lane || s->sealed[i].first != g->first)
			continue;
		close(s->sealed[i].fd);
		s->sealed[i] = s->sealed[--s->sealed_cnt];
		return;
	}
}

static int write_all(int fd, const char *data, size_t len, uint64_t off)
{
	while (len) {
		ssize_t n = pwrite(fd, data, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOSPC;
		data += n;
		len -= (size_t)n;
		off += (uint64_t)n;
	}
	return 0;
}

void spool__hand_over_segment(const struct spool *s, int fd, const char *name)
{
	int err = spool__hand_over(s, fd);

	if (err)
		log__warn("cannot hand '%s/%s' to its group: %s", s->dir, name, strerror(-err));
}

int spool__new_segment(struct spool *s, unsigned lane, uint64_t first)
{
	struct lane *l = &s->lanes[lane];
	struct seg seg = {.lane = lane, .first = first, .bytes = sizeof(struct segment_head)};
	struct segment_head h;
	char name[SEGMENT_NAME_SIZE];
	int err;

	segment__name(name, lane, first);
	l->fd = openat(s->dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (l->fd < 0)
		return -errno;
	segment__make_head(&h, s->control->spool_id, s->state.run, first, lane);
	err = write_all(l->fd, (const char *)&h, sizeof(h), 0);
	if (!err) {
		spool__hand_over_segment(s, l->fd, name);
		err = spool__add_seg(s, &seg);
	}
	if (err) {
		close(l->fd);
		l->fd = -1;
		unlinkat(s->dirfd, name, 0);
		return err;
	}
	l->first = first;
	l->off = sizeof(h);
	l->salt = h.salt;
	s->dir_dirty = true;
	s->files++;
	return 0;
}

/* The oldest segment of the lowest severity up to `lane` that has one; segs_cnt: none. */
static size_t find_victim(const struct spool *s, unsigned lane)
{
	size_t victim = s->segs_cnt;

	for (size_t i = 0; i < s->segs_cnt; i++) {
		const struct seg *g = &s->segs[i];

		if (g->last && g->lane <= lane &&
		    (victim == s->segs_cnt || g->lane < s->segs[victim].lane))
			victim = i;
	}
	return victim;
}

/* False: there is nothing that may go for an item of this lane. */
static bool evict_one(struct spool *s, unsigned lane)
{
	size_t i = find_victim(s, lane);
	char name[SEGMENT_NAME_SIZE];
	struct seg g;

	if (i == s->segs_cnt)
		return false;
	g = s->segs[i];
	close_files(s, &g);
	segment__name(name, g.lane, g.first);
	if (unlinkat(s->dirfd, name, 0) && errno != ENOENT)
		log__warn("cannot remove '%s/%s': %s", s->dir, name, strerror(errno));
	if (g.last > s->acknowledged) {
		if (!s->stats.evicted)
			log__warn("the spool is full: what is oldest of the lowest severity goes");
		s->stats.evicted += g.items;
		control__note(s->control, g.first, g.last, PT_LOST_SPOOL_FULL);
	}
	s->stats.evicted_segments++;
	spool__forget(s, i);
	return true;
}

static bool make_room(struct spool *s, unsigned lane, uint64_t bytes)
{
	if (bytes > s->opts.max_bytes)
		return false;
	while (s->stats.bytes + bytes > s->opts.max_bytes)
		if (!evict_one(s, lane))
			return false;
	return true;
}

static bool is_full(int err)
{
	return err == -ENOSPC || err == -EDQUOT || err == BOUND;
}

/* 0, or -errno: then nothing of it is in the file. */
static int try_write(struct spool *s, unsigned lane, const char *data, size_t len)
{
	struct lane *l = &s->lanes[lane];
	int err = write_all(l->fd, data, len, l->off);

	if (!err)
		return 0;
	if (ftruncate(l->fd, (off_t)l->off) || !is_full(err))
		spool__seal(s, lane);
	return err;
}

static void seal_records(struct lane *l)
{
	struct record_head *h;

	/* Each is at a multiple of 8 in memory that malloc() gave. */
	for (size_t at = 0; at < l->buf.len; at += sizeof(*h) + h->len) {
		h = (struct record_head *)(void *)(l->buf.data + at);
		record__seal(h, l->salt);
	}
}

static int write_or_evict(struct spool *s, unsigned lane)
{
	struct lane *l = &s->lanes[lane];
	uint32_t salt = 0;
	int err;

	if (l->fd >= 0 && l->off + l->buf.len > s->opts.segment_bytes &&
	    l->off > sizeof(struct segment_head))
		spool__seal(s, lane);
	if (!make_room(s, lane, l->buf.len + sizeof(struct segment_head)))
		return BOUND;
	do {
		err = l->fd < 0 ? spool__new_segment(s, lane, l->buf_first) : 0;
		if (!err) {
			if (salt != l->salt)
				seal_records(l);
			salt = l->salt;
			err = try_write(s, lane, l->buf.data, l->buf.len);
		}
	} while (is_full(err) && evict_one(s, lane));
	return err;
}

/* A full disk is full for long, and what is small still fits now and then: said when it begins, and
 * when nothing has failed for a while. */
static void say_disk(struct spool *s, int err)
{
	uint64_t now;

	if (!err && !s->stats.disk_error)
		return;
	now = clock__monotonic();
	if (!err && now - s->disk_error_ns > DISK_QUIET_NS) {
		log__info("the spool '%s' can be written to again", s->dir);
		s->stats.disk_error = 0;
	}
	if (!err)
		return;
	if (!s->stats.disk_error)
		log__error("cannot write to the spool '%s': %s; what does not fit is lost, and "
		           "counted, until there is room",
		           s->dir, err == BOUND ? "its bound is reached" : strerror(-err));
	s->disk_error_ns = now;
	s->stats.disk_error = err == BOUND ? ENOSPC : -err;
}

void spool__write_lane(struct spool *s, unsigned lane)
{
	struct lane *l = &s->lanes[lane];
	struct seg *g;
	int err = write_or_evict(s, lane);

	say_disk(s, err);
	if (!err) {
		g = active_seg(s, lane);
		g->last = l->buf_last;
		g->items += l->buf_items;
		g->bytes += l->buf.len;
		s->stats.bytes += l->buf.len;
		s->stats.written += l->buf_items;
		s->stats.written_bytes += l->buf.len;
		l->off += l->buf.len;
		l->dirty = true;
	} else {
		control__note(s->control, l->buf_first, l->buf_last,
		              is_full(err) ? PT_LOST_SPOOL_FULL : PT_LOST_SPOOL_ERROR);
		if (is_full(err))
			s->stats.lost_full += l->buf_items;
		else
			s->stats.lost_error += l->buf_items;
	}
	buf__reset(&l->buf);
	l->buf_items = 0;
}
