// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The spool's second thread: what waits for the disk, and what looks at the outputs' cursors, holds
 * nobody back here. Asleep while there is nothing to sync and nothing that could be removed. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../confine/caps.h"
#include "../util/log.h"
#include "cursor.h"
#include "spool_impl.h"

#define TEND_SECONDS 1.0

static bool is_active(const struct spool *s, const struct seg *g)
{
	return s->lanes[g->lane].fd >= 0 && s->lanes[g->lane].first == g->first;
}

/* How far an output is; what cannot be true is said once and counts as nothing. */
static uint64_t position(struct spool *s, size_t i, const struct control_state *st, bool sync)
{
	const struct control_output *o = &st->outputs[i];
	int fd = cursor__open(s->dirfd, o->name, false);
	struct control_live live;
	struct cursor c;
	uint64_t generation, seq;
	int err = fd < 0 ? fd : cursor__read(fd, &c, &generation);

	if (!err && sync)
		fdatasync(fd);
	if (fd >= 0)
		close(fd);
	/* The end is looked at after the cursor: it may have moved meanwhile. */
	control__snapshot(s->control, &live);
	if (!err &&
	    (c.spool_id != s->control->spool_id || strcmp(c.stream, st->streams[o->stream].name)))
		err = -ENOENT; /* of another spool, or of before: not of this output */
	if (!err && (c.run > st->run || (c.run == st->run && c.mark.seq > live.published)))
		err = -EBADMSG;
	if (err == -EBADMSG || err == -EINVAL || err == -ELOOP) {
		if (!s->refused[i])
			log__warn("the cursor of the output '%s' is damaged or ahead of the spool: "
			          "it is "
			          "not believed, and nothing is removed for it",
			          o->name);
		s->refused[i] = true;
	}
	if (err)
		return o->since_seq - 1;
	seq = control__clamp(st, c.run, c.mark.seq);
	return seq > o->since_seq - 1 ? seq : o->since_seq - 1;
}

static uint64_t acknowledged(struct spool *s, const struct control_state *st, bool sync)
{
	uint64_t min = UINT64_MAX;

	for (size_t i = 0; i < SPOOL_OUTPUTS_MAX; i++) {
		uint64_t seq = st->outputs[i].name[0] ? position(s, i, st, sync) : UINT64_MAX;

		if (seq < min)
			min = seq;
	}
	return min == UINT64_MAX ? 0 : min; /* no outputs: kept up to the bound */
}

static bool is_done(const struct spool *s, const struct seg *g, uint64_t min)
{
	return !is_active(s, g) && g->last <= min;
}

/* Takes one off the list; its file is removed without the lock, which may take its time. */
static bool take_done(struct spool *s, uint64_t min, char name[SEGMENT_NAME_SIZE])
{
	bool found = false;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->segs_cnt && !found; i++) {
		if (!is_done(s, &s->segs[i], min))
			continue;
		segment__name(name, s->segs[i].lane, s->segs[i].first);
		s->stats.acknowledged_segments += s->segs[i].last != 0;
		spool__forget(s, i);
		found = true;
	}
	pthread_mutex_unlock(&s->lock);
	return found;
}

/* The numbers must not be forgotten with the files: the state, and what says that they are done, is
 * on disk first. */
static void remove_done(struct spool *s, const struct control_state *st, uint64_t min)
{
	char name[SEGMENT_NAME_SIZE];

	acknowledged(s, st, true);
	pthread_mutex_lock(&s->lock);
	spool__store(s);
	pthread_mutex_unlock(&s->lock);
	if (fdatasync(s->control_fd))
		return;
	while (take_done(s, min, name))
		if (unlinkat(s->dirfd, name, 0) && errno != ENOENT)
			log__warn("cannot remove '%s/%s': %s", s->dir, name, strerror(errno));
}

void spool__tend(struct spool *s)
{
	struct control_state st;
	bool any = false;
	uint64_t min;

	pthread_mutex_lock(&s->lock);
	st = s->state;
	pthread_mutex_unlock(&s->lock);
	min = acknowledged(s, &st, false);
	pthread_mutex_lock(&s->lock);
	/* Outputs may have changed since: then next time. */
	if (!s->changing && !memcmp(st.outputs, s->state.outputs, sizeof(st.outputs))) {
		s->acknowledged = min;
		for (size_t i = 0; i < s->segs_cnt; i++)
			any = any || is_done(s, &s->segs[i], min);
	}
	pthread_mutex_unlock(&s->lock);
	if (any)
		remove_done(s, &st, min);
}

/* Syncs what is whole, and duplicates of what is being written: the writer may close its own
 * meanwhile. */
static void sync_lanes(struct spool *s)
{
	int fds[SPOOL_LANES + SEALED_MAX], cnt = 0, failed = 0, err = 0;
	bool dir;

	pthread_mutex_lock(&s->lock);
	dir = s->dir_dirty;
	s->dir_dirty = false;
	for (unsigned i = 1; i <= SPOOL_LANES; i++) {
		struct lane *l = &s->lanes[i];

		if (l->fd < 0 || !l->dirty || s->opts.sync_interval < 0)
			continue;
		l->dirty = false;
		fds[cnt] = dup(l->fd);
		cnt += fds[cnt] >= 0;
	}
	while (s->sealed_cnt)
		fds[cnt++] = s->sealed[--s->sealed_cnt].fd;
	pthread_mutex_unlock(&s->lock);
	for (int i = 0; i < cnt; i++) {
		if (fdatasync(fds[i])) {
			err = errno;
			failed++;
		}
		close(fds[i]);
	}
	if (dir && fsync(s->dirfd))
		failed++;
	pthread_mutex_lock(&s->lock);
	if (failed && !s->stats.sync_errors)
		log__error("cannot sync the spool '%s': %s", s->dir, strerror(err ? err : EIO));
	s->stats.syncs += (uint64_t)cnt;
	s->stats.sync_errors += (uint64_t)failed;
	pthread_mutex_unlock(&s->lock);
}

static bool has_work(const struct spool *s)
{
	size_t active = 0;

	for (unsigned i = 1; i <= SPOOL_LANES; i++) {
		active += s->lanes[i].fd >= 0;
		if (s->lanes[i].fd >= 0 && s->lanes[i].dirty && s->opts.sync_interval > 0)
			return true;
	}
	return s->dir_dirty || s->sealed_cnt || s->segs_cnt > active;
}

static void wait_interval(struct spool *s)
{
	double seconds = s->opts.sync_interval > 0 && s->opts.sync_interval < TEND_SECONDS
	                         ? s->opts.sync_interval
	                         : TEND_SECONDS;
	struct timespec at;

	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
	at.tv_sec += (time_t)seconds + at.tv_nsec / 1000000000;
	at.tv_nsec %= 1000000000;
	while (!s->stop && pthread_cond_timedwait(&s->cond, &s->lock, &at) != ETIMEDOUT)
		continue;
}

static void *tender(void *ctx)
{
	struct spool *s = ctx;

	/* it removes files of ours, and reads the exporter's cursors */
	caps__limit_to_files(CAP_BIT(CAPABILITY_DAC_READ_SEARCH));
	pthread_mutex_lock(&s->lock);
	while (!s->stop) {
		s->parked = true;
		while (!s->stop && !has_work(s))
			pthread_cond_wait(&s->cond, &s->lock);
		s->parked = false;
		wait_interval(s);
		pthread_mutex_unlock(&s->lock);
		sync_lanes(s);
		spool__tend(s);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int spool__start_tender(struct spool *s)
{
	sigset_t all, old;
	int err;

	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&s->tender, NULL, tender, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	s->tender_runs = !err;
	return -err;
}

void spool__stop_tender(struct spool *s)
{
	if (!s->tender_runs)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_signal(&s->cond);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->tender, NULL);
	s->tender_runs = false;
	sync_lanes(s);
}

void spool__wake_tender(struct spool *s)
{
	if (s->parked)
		pthread_cond_signal(&s->cond);
}
