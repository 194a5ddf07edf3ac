// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../bpf/wire.h"
#include "../util/log.h"
#include "../util/safe_file.h"
#include "cursor.h"
#include "spool_impl.h"

#define DEFAULT_BYTES   (1ull << 30)
#define MIN_BYTES       (1ull << 20)
#define MAX_SEGMENT     (16ull << 20)
#define MIN_SEGMENT     (16ull << 10)
#define THRESHOLD_BYTES (256u << 10)

bool spool__is_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-.";
	size_t len = strlen(name);

	return len && len <= SPOOL_NAME_MAX && name[0] != '.' && strspn(name, allowed) == len;
}

static int fail(struct buf *why, const char *what, const char *dir, int err)
{
	buf__printf(why, "cannot %s the spool '%s': %s", what, dir,
	            err == -ELOOP || err == -EROFS ? safe_file__why(err)
	            : err == -EXDEV ? "the directory that it is in can be written to by all"
	                            : strerror(-err));
	return err;
}

/* Neither is it behind a link that others have made, nor where others can put another in its
 * place. */
static int open_in_parent(struct spool *s, struct stat *st)
{
	const char *base;
	int parent = safe_file__parent(s->dir, &base), err = 0;

	if (parent < 0)
		return parent;
	if (fstat(parent, st))
		err = -errno;
	else if (st->st_mode & S_IWOTH && !(st->st_mode & S_ISVTX))
		err = -EXDEV;
	else if (mkdirat(parent, base, 0750) && errno != EEXIST)
		err = -errno;
	if (!err)
		s->dirfd = openat(parent, base, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (!err && (s->dirfd < 0 || fstat(s->dirfd, st)))
		err = -errno;
	close(parent);
	return err;
}

/* The directory must be nobody else's to write to: what is in it is trusted to be ours. */
static int open_dir(struct spool *s, struct buf *why)
{
	struct stat st;
	int err = open_in_parent(s, &st);

	if (err)
		return fail(why, "open", s->dir, err);
	if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH)) {
		buf__printf(why,
		            "the spool '%s' can be written to by others than its user: chown "
		            "it to that user and chmod it 0750",
		            s->dir);
		return -EPERM;
	}
	if (s->opts.gid != (gid_t)-1 && (st.st_gid != s->opts.gid || (st.st_mode & 0050) != 0050) &&
	    (fchown(s->dirfd, (uid_t)-1, s->opts.gid) || fchmod(s->dirfd, 0750))) {
		err = -errno;
		return fail(why, "hand to its group", s->dir, err);
	}
	return 0;
}

int spool__hand_over(const struct spool *s, int fd)
{
	if (s->opts.gid == (gid_t)-1)
		return 0;
	return fchown(fd, (uid_t)-1, s->opts.gid) || fchmod(fd, 0640) ? -errno : 0;
}

/* Those of a user who was the exporter's before. A file with another name is not ours to give
 * away. */
static void hand_over_cursors(const struct spool *s, int dirfd)
{
	int again = s->opts.cursor_uid == (uid_t)-1 ? -1 : dup(dirfd), fd;
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	struct dirent *e;
	struct stat st;

	while (dir && (e = readdir(dir))) {
		fd = openat(dirfd, e->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
		    st.st_uid != s->opts.cursor_uid &&
		    fchownat(fd, "", s->opts.cursor_uid, s->opts.gid, AT_EMPTY_PATH))
			log__warn("cannot hand the cursor '%s' of '%s' over: %s", e->d_name, s->dir,
			          strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	if (dir)
		closedir(dir);
	else if (again >= 0)
		close(again);
}

static int open_cursors(struct spool *s, struct buf *why)
{
	int fd, err = 0;

	if (mkdirat(s->dirfd, CURSORS_NAME, 0750) && errno != EEXIST)
		return fail(why, "make the cursors of", s->dir, -errno);
	fd = openat(s->dirfd, CURSORS_NAME, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return fail(why, "open the cursors of", s->dir, -errno);
	if ((s->opts.cursor_uid != (uid_t)-1 || s->opts.gid != (gid_t)-1) &&
	    fchown(fd, s->opts.cursor_uid, s->opts.gid))
		err = fail(why, "hand over the cursors of", s->dir, -errno);
	if (!err)
		hand_over_cursors(s, fd);
	close(fd);
	return err;
}

static struct spool *new_spool(const struct spool_options *opts)
{
	struct spool *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->opts = *opts;
	s->dirfd = s->control_fd = -1;
	for (unsigned i = 0; i <= SPOOL_LANES; i++)
		s->lanes[i].fd = -1;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->cond, NULL);
	s->dir = strdup(opts->dir);
	for (size_t n = s->dir ? strlen(s->dir) : 0; n > 1 && s->dir[n - 1] == '/'; n--)
		s->dir[n - 1] = '\0';
	if (!s->opts.max_bytes)
		s->opts.max_bytes = DEFAULT_BYTES;
	if (s->opts.max_bytes < MIN_BYTES)
		s->opts.max_bytes = MIN_BYTES;
	if (!s->opts.segment_bytes)
		s->opts.segment_bytes = s->opts.max_bytes / 64;
	if (s->opts.segment_bytes > MAX_SEGMENT)
		s->opts.segment_bytes = MAX_SEGMENT;
	if (s->opts.segment_bytes < MIN_SEGMENT)
		s->opts.segment_bytes = MIN_SEGMENT;
	s->threshold = s->opts.segment_bytes < THRESHOLD_BYTES ? s->opts.segment_bytes
	                                                       : THRESHOLD_BYTES;
	return s;
}

static void destroy(struct spool *s)
{
	for (unsigned i = 1; i <= SPOOL_LANES; i++) {
		if (s->lanes[i].fd >= 0)
			close(s->lanes[i].fd);
		buf__free(&s->lanes[i].buf);
	}
	control__unmap(s->control);
	if (s->control_fd >= 0)
		close(s->control_fd);
	if (s->dirfd >= 0)
		close(s->dirfd);
	pthread_cond_destroy(&s->cond);
	pthread_mutex_destroy(&s->lock);
	free(s->segs);
	free(s->dir);
	free(s);
}

static void publish(struct spool *s)
{
	struct control_live live = {
		.run = s->state.run, .published = s->next_seq - 1, .files = s->files};

	for (unsigned i = 0; i < SPOOL_LANES; i++)
		live.active[i] = s->lanes[i + 1].fd >= 0 ? s->lanes[i + 1].first : 0;
	for (size_t i = 0; i < SPOOL_STREAMS_MAX; i++)
		live.next[i] = s->state.streams[i].next;
	control__publish(s->control, &live);
}

void spool__store(struct spool *s)
{
	/* A copy: the collector counts ordinals meanwhile. */
	struct control_state st = s->state;

	st.next_seq = s->control->live.published + 1;
	control__store(s->control, &st);
	s->state.generation = st.generation;
}

static int start(struct spool *s, struct buf *why)
{
	int err = open_dir(s, why);

	if (!err)
		err = open_cursors(s, why);
	if (!err)
		err = control__map(s->dirfd, s->dir, true, &s->control_fd, &s->control, why);
	if (!err) {
		err = spool__hand_over(s, s->control_fd);
		if (err)
			fail(why, "hand to its group", s->dir, err);
	}
	if (!err)
		err = spool__recover(s, why);
	if (err)
		return err;
	publish(s);
	control__wake(s->control, true);
	err = spool__start_tender(s);
	return err ? fail(why, "start a thread for", s->dir, err) : 0;
}

int spool__open(const struct spool_options *opts, struct spool **out, struct buf *why)
{
	struct spool *s = new_spool(opts);
	int err = s && s->dir ? start(s, why) : fail(why, "open", opts->dir, -ENOMEM);

	if (!err)
		*out = s;
	else if (s)
		destroy(s);
	return err;
}

void spool__close(struct spool *s)
{
	if (!s)
		return;
	spool__flush(s);
	spool__stop_tender(s);
	for (unsigned i = 1; i <= SPOOL_LANES; i++)
		spool__sync_lane(s, i);
	spool__store(s);
	fdatasync(s->control_fd);
	destroy(s);
}

/* Index of a stream; a new one gets a place. -1: there is none left. Under `lock` when it may be
 * new. */
static int find_stream(struct spool *s, const char *name, size_t len)
{
	int i = control__stream(&s->state, name, len);

	if (i >= 0)
		return i;
	for (i = 0; i < SPOOL_STREAMS_MAX && s->state.streams[i].name[0]; i++)
		continue;
	if (i == SPOOL_STREAMS_MAX || !len || len > ITEM_STREAM_MAX)
		return -1;
	memcpy(s->state.streams[i].name, name, len);
	s->state.streams[i].next = 1;
	s->streams_changed = true;
	return i;
}

static struct control_output *find_place(struct control_output *outputs, const char *name)
{
	for (size_t i = 0; i < SPOOL_OUTPUTS_MAX; i++)
		if (!strcmp(outputs[i].name, name))
			return &outputs[i];
	return NULL;
}

int spool__set_outputs(struct spool *s, const struct spool_output *outputs, size_t cnt)
{
	struct control_output places[SPOOL_OUTPUTS_MAX] = {0};
	int err = cnt > SPOOL_OUTPUTS_MAX ? -E2BIG : 0;

	spool__flush(s);
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < cnt && !err; i++) {
		const struct control_output *old = NULL;
		int stream = -1;

		if (!spool__is_name(outputs[i].name) || find_place(places, outputs[i].name)) {
			err = -EINVAL;
			break;
		}
		stream = find_stream(s, outputs[i].stream, strlen(outputs[i].stream));
		if (stream < 0) {
			err = -E2BIG;
			break;
		}
		old = control__output(&s->state, outputs[i].name);
		if (old && old->stream == (uint32_t)stream) {
			places[i] = *old;
			continue;
		}
		memcpy(places[i].name, outputs[i].name, strlen(outputs[i].name));
		places[i].stream = (uint32_t)stream;
		places[i].since_seq = s->next_seq;
		places[i].since_ordinal = s->state.streams[stream].next;
	}
	if (!err) {
		memcpy(s->state.outputs, places, sizeof(places));
		memset(s->refused, 0, sizeof(s->refused));
		spool__store(s);
		s->streams_changed = false;
		spool__wake_tender(s);
	}
	pthread_mutex_unlock(&s->lock);
	if (!err)
		control__wake(s->control, true);
	return err;
}

void spool__begin_change(struct spool *s)
{
	pthread_mutex_lock(&s->lock);
	memcpy(s->before, s->state.outputs, sizeof(s->before));
	s->changing = true;
	pthread_mutex_unlock(&s->lock);
}

void spool__end_change(struct spool *s, bool keep)
{
	pthread_mutex_lock(&s->lock);
	if (s->changing && !keep) {
		memcpy(s->state.outputs, s->before, sizeof(s->before));
		spool__store(s);
	}
	s->changing = false;
	spool__wake_tender(s);
	pthread_mutex_unlock(&s->lock);
}

static size_t stream_of(struct spool *s, struct item_text name)
{
	const char *last = s->state.streams[s->last_stream].name;
	int i;

	if (name.len && strlen(last) == name.len && !memcmp(last, name.s, name.len))
		return s->last_stream;
	pthread_mutex_lock(&s->lock);
	i = find_stream(s, name.s, name.len);
	pthread_mutex_unlock(&s->lock);
	if (i >= 0)
		s->last_stream = (size_t)i;
	return i < 0 ? SPOOL_STREAMS_MAX : (size_t)i;
}

/* What has a number and will never be in a file. */
static void lose(struct spool *s, uint64_t seq)
{
	pthread_mutex_lock(&s->lock);
	s->stats.lost_error++;
	control__note(s->control, seq, seq, PT_LOST_SPOOL_ERROR);
	pthread_mutex_unlock(&s->lock);
}

void spool__append(struct spool *s, const struct item *it)
{
	unsigned severity = it->severity < 1             ? 1
	                    : it->severity > SPOOL_LANES ? SPOOL_LANES
	                                                 : it->severity;
	struct lane *l = &s->lanes[severity];
	struct record_head h = {.lane = (uint8_t)severity};
	size_t stream = stream_of(s, it->stream), at = l->buf.len;

	__atomic_store_n(&s->stats.appended, s->stats.appended + 1, __ATOMIC_RELAXED);
	h.seq = s->next_seq++;
	if (stream == SPOOL_STREAMS_MAX) {
		if (!s->said_streams)
			log__error(
				"the spool has no room for the stream '%.*s': its items are lost",
				(int)it->stream.len, it->stream.s);
		s->said_streams = true;
		lose(s, h.seq);
		return;
	}
	h.stream = (uint8_t)stream;
	h.ordinal = s->state.streams[stream].next;
	__atomic_store_n(&s->state.streams[stream].next, h.ordinal + 1, __ATOMIC_RELAXED);
	buf__append(&l->buf, &h, sizeof(h));
	if (l->buf.failed || item__encode(it, &l->buf)) {
		l->buf.len = at;
		l->buf.failed = false;
		lose(s, h.seq);
		return;
	}
	h.len = (uint32_t)(l->buf.len - at - sizeof(h));
	memcpy(l->buf.data + at, &h, sizeof(h));
	if (!l->buf_items++)
		l->buf_first = h.seq;
	l->buf_last = h.seq;
	s->buffered += l->buf.len - at;
	if (s->buffered >= s->threshold)
		spool__flush(s);
}

void spool__flush(struct spool *s)
{
	if (s->control->live.published == s->next_seq - 1)
		return;
	pthread_mutex_lock(&s->lock);
	if (s->streams_changed) {
		spool__store(s);
		s->streams_changed = false;
	}
	for (unsigned i = SPOOL_LANES; i; i--) {
		if (s->lanes[i].buf_items)
			spool__write_lane(s, i);
		if (!s->opts.sync_interval)
			spool__sync_lane(s, i);
	}
	s->buffered = 0;
	publish(s);
	spool__wake_tender(s);
	pthread_mutex_unlock(&s->lock);
	control__wake(s->control, true);
}

struct spool_stats spool__stats(struct spool *s)
{
	struct spool_stats st;

	pthread_mutex_lock(&s->lock);
	st = s->stats;
	st.appended = __atomic_load_n(&s->stats.appended, __ATOMIC_RELAXED);
	st.segments = s->segs_cnt;
	pthread_mutex_unlock(&s->lock);
	return st;
}
