// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../format/json.h"
#include "../pattern.h"
#include "../spool/lost_item.h"
#include "../spool/reader.h"
#include "../util/clock.h"
#include "../util/log.h"
#include "worker_impl.h"

#define BATCH_ITEMS  1000
#define BATCH_BYTES  (4u << 20)
#define OPEN_RETRY   1.0         /* seconds between attempts to open the spool */
#define ACK_NS       1000000000u /* of a cursor that only passes what is not ours */
#define STOP_STEP_NS 20000000u

const char *worker_state__name(enum worker_state s)
{
	static const char *const names[] = {"idle", "delivering", "retrying", "open",
	                                    "held", "failed",     "stopped"};

	return s < sizeof(names) / sizeof(names[0]) ? names[s] : "unknown";
}

void worker__set_state(struct worker *w, enum worker_state state)
{
	pthread_mutex_lock(&w->lock);
	w->figures.state = state;
	pthread_mutex_unlock(&w->lock);
}

bool worker__must_end(struct worker *w)
{
	bool end;

	pthread_mutex_lock(&w->lock);
	end = w->stop && clock__monotonic() >= w->deadline_ns;
	pthread_mutex_unlock(&w->lock);
	return end;
}

static bool is_stopping(struct worker *w)
{
	bool stop;

	pthread_mutex_lock(&w->lock);
	stop = w->stop;
	pthread_mutex_unlock(&w->lock);
	return stop;
}

void worker__sleep(struct worker *w, double seconds)
{
	uint64_t now = clock__monotonic(), until = now + (uint64_t)(seconds * 1e9);
	bool was_stopping;

	pthread_mutex_lock(&w->lock);
	was_stopping = w->stop;
	w->retry_ns = until;
	/* A stop that is new shortens it to one more attempt; its deadline ends it in any case. */
	while (!w->nudged && w->stop == was_stopping && (now = clock__monotonic()) < until &&
	       !(w->stop && now >= w->deadline_ns)) {
		uint64_t to = w->stop && w->deadline_ns < until ? w->deadline_ns : until;
		struct timespec at = {.tv_sec = (time_t)(to / 1000000000),
		                      .tv_nsec = (long)(to % 1000000000)};

		pthread_cond_timedwait(&w->cond, &w->lock, &at);
	}
	w->nudged = false;
	w->retry_ns = 0;
	pthread_mutex_unlock(&w->lock);
}

void worker__ack(struct worker *w, bool all)
{
	struct batch *b = &w->batch;
	struct spool_tally tally = w->base;
	uint64_t filtered = b->filtered, lost = b->lost;
	size_t before = b->settled;
	struct spool_mark mark;
	int err;

	batch__advance(b);
	if (all) {
		mark = spool_reader__mark(w->reader);
	} else if (b->settled == before) {
		return;
	} else {
		mark = b->entries[b->settled - 1].mark;
		filtered = b->entries[b->settled - 1].filtered;
		lost = b->entries[b->settled - 1].lost;
	}
	tally.delivered += b->delivered;
	tally.dead += b->dead;
	tally.filtered += filtered;
	tally.lost += lost;
	pthread_mutex_lock(&w->lock);
	err = spool_reader__ack(w->reader, &mark, &tally);
	w->figures.delivered = tally.delivered;
	w->figures.filtered = tally.filtered;
	w->figures.dead = tally.dead;
	w->figures.lost = tally.lost;
	pthread_mutex_unlock(&w->lock);
	if (err && !w->acked_ns)
		log__error(
			"output '%s': cannot move its cursor: %s; after a restart items come twice",
			w->output, strerror(-err));
	w->acked_ns = clock__monotonic();
	if (all) {
		w->base = tally;
		batch__reset(b);
	}
}

static bool is_wanted(const struct worker *w, const struct item *it)
{
	if (it->kind == ITEM_LOST || it->kind == ITEM_ALERT)
		return true;
	if (it->severity < w->cfg.min_severity)
		return false;
	return !w->cfg.patterns || !it->event.len ||
	       pattern_list__match(w->cfg.patterns, it->event.s, it->event.len);
}

static void add_loss(struct worker *w, const struct spool_entry *e)
{
	uint64_t count = e->loss.count;
	struct item it;
	int err;

	w->batch.lost += count;
	err = lost_item__render(&e->loss, w->output, w->stream, &w->format, &w->mem, &it);
	if (!err)
		err = batch__add(&w->batch, &it, &e->mark);
	log__warn("output '%s': %llu items are lost to it: %s%s%s", w->output,
	          (unsigned long long)count, lost_cause__name(e->loss.cause),
	          err ? "; it cannot be told: " : "", err ? strerror(-err) : "");
	if (!err) {
		w->batch.entries[w->batch.cnt - 1].is_loss = true;
		pthread_mutex_lock(&w->lock);
		w->figures.losses_said++;
		pthread_mutex_unlock(&w->lock);
	}
}

/* 1: one was read; 0: there is none; -errno. */
static int read_one(struct worker *w)
{
	struct spool_entry e;
	int n = spool_reader__next(w->reader, &e);

	if (n <= 0)
		return n;
	if (e.what == SPOOL_LOSS)
		add_loss(w, &e);
	else if (!is_wanted(w, &e.item))
		w->batch.filtered++;
	else if (batch__add(&w->batch, &e.item, &e.mark))
		return -ENOMEM;
	return 1;
}

static bool is_full(const struct worker *w)
{
	return w->batch.cnt >= w->batch_items || w->batch.bytes >= w->batch_bytes ||
	       w->batch.filtered >= 16 * w->batch_items;
}

/* Waits for the first item as long as it takes, for more up to batch_wait. -errno of the spool. */
static int gather(struct worker *w)
{
	uint64_t began = 0, now;
	double wait;
	int n = 0;

	for (;;) {
		while (!is_full(w) && (n = read_one(w)) > 0)
			continue;
		if (is_full(w))
			return 0;
		if (n < 0)
			return n;
		now = clock__monotonic();
		if (w->batch.cnt && !began)
			began = now;
		if (is_stopping(w))
			return 0;
		if (!w->batch.cnt) {
			worker__set_state(w, WORKER_IDLE);
			/* What is not ours is passed by; not at each flush. */
			wait = -1;
			if (spool_reader__mark(w->reader).seq != spool_reader__cursor(w->reader).seq) {
				if (now - w->acked_ns >= ACK_NS) {
					worker__ack(w, true);
					continue;
				}
				wait = (double)(w->acked_ns + ACK_NS - now) / 1e9;
			}
		} else {
			wait = w->batch_wait - (double)(now - began) / 1e9;
			if (wait <= 0)
				return 0;
		}
		spool_reader__wait(w->reader, wait);
	}
}

static void set_reader(struct worker *w, struct spool_reader *r)
{
	struct spool_reader *old = w->reader;

	pthread_mutex_lock(&w->lock);
	w->reader = r;
	if (r) {
		w->figures.opened = true;
		w->base = spool_reader__tally(r);
		w->figures.delivered = w->base.delivered;
		w->figures.filtered = w->base.filtered;
		w->figures.dead = w->base.dead;
		w->figures.lost = w->base.lost;
	}
	pthread_mutex_unlock(&w->lock);
	spool_reader__close(old);
}

/* Until the spool is there, or it is time to stop (false). */
static bool open_reader(struct worker *w)
{
	struct spool_reader_options o = {.dir = w->dir, .output = w->output, .stream = w->stream};
	struct spool_reader *r;
	struct buf why = BUF_INIT;
	bool said = false;

	/* Also when it is to stop at once: what is pending may be sent still. */
	while (!w->reader) {
		buf__reset(&why);
		if (!spool_reader__open(&o, &r, &why)) {
			set_reader(w, r);
			break;
		}
		worker__set_state(w, WORKER_FAILED);
		if (!said)
			log__warn("output '%s': %.*s; tried again each second", w->output,
			          (int)why.len, why.data);
		said = true;
		if (is_stopping(w))
			break;
		worker__sleep(w, OPEN_RETRY);
	}
	buf__free(&why);
	return w->reader != NULL;
}

static void *run(void *ctx)
{
	struct worker *w = ctx;

	while (open_reader(w)) {
		int err = gather(w);
		bool empty = !w->batch.cnt && !w->batch.filtered;

		pthread_mutex_lock(&w->lock);
		w->oldest_ns = w->batch.cnt ? w->batch.items[0].time_ns : 0;
		pthread_mutex_unlock(&w->lock);
		if (w->batch.cnt && !w->failing)
			worker__set_state(w, WORKER_DELIVERING);
		if (!worker__deliver(w)) {
			if (worker__must_end(w))
				break;
			continue;
		}
		worker__ack(w, true);
		pthread_mutex_lock(&w->lock);
		w->oldest_ns = 0;
		pthread_mutex_unlock(&w->lock);
		if (err) {
			set_reader(w, NULL);
			worker__set_state(w, WORKER_FAILED);
			worker__sleep(w, OPEN_RETRY);
		} else if (is_stopping(w) && (empty || worker__must_end(w))) {
			break;
		}
	}
	worker__set_state(w, WORKER_STOPPED);
	return NULL;
}

static void destroy(struct worker *w)
{
	spool_reader__close(w->reader);
	batch__free(&w->batch);
	dead_letters__free(w->dead);
	buf__free(&w->mem);
	pthread_cond_destroy(&w->cond);
	pthread_mutex_destroy(&w->lock);
	free(w->picked);
	free(w->picked_at);
	free(w->statuses);
	free(w->output);
	free(w->dir);
	free(w->stream);
	free(w);
}

static size_t number(const struct settings *s, const char *name, size_t suits, size_t fallback)
{
	return settings__given(s, name) ? (size_t)settings__number(s, name)
	       : suits                  ? suits
	                                : fallback;
}

static struct worker *new_worker(const struct worker_config *cfg)
{
	struct worker *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;

	if (!w)
		return NULL;
	w->cfg = *cfg;
	w->format = *cfg->format;
	w->figures.state = WORKER_DELIVERING; /* until it is known that there is nothing */
	w->batch_items =
		number(cfg->settings, "batch_items", cfg->driver->ops->batch_items, BATCH_ITEMS);
	w->batch_bytes =
		number(cfg->settings, "batch_bytes", cfg->driver->ops->batch_bytes, BATCH_BYTES);
	w->batch_wait = settings__seconds(cfg->settings, "batch_wait");
	backoff__init(&w->backoff, settings__seconds(cfg->settings, "retry_min"),
	              settings__seconds(cfg->settings, "retry_max"));
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->cond, &attr);
	pthread_condattr_destroy(&attr);
	w->output = strdup(cfg->output);
	w->dir = strdup(cfg->dir);
	w->stream = strdup(cfg->stream);
	if (w->output)
		w->dead = dead_letters__new(cfg->dead_letter, cfg->dead_letter_max, w->output);
	if (!w->output || !w->dir || !w->stream || !w->dead) {
		destroy(w);
		return NULL;
	}
	return w;
}

int worker__start(const struct worker_config *cfg, struct worker **out, struct buf *why)
{
	struct worker *w = new_worker(cfg);
	sigset_t all, old;
	int err;

	if (!w) {
		buf__printf(why, "out of memory");
		return -ENOMEM;
	}
	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&w->thread, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err) {
		buf__printf(why, "cannot start a thread: %s", strerror(err));
		destroy(w);
		return -err;
	}
	*out = w;
	return 0;
}

void worker__figures(struct worker *w, struct worker_figures *out)
{
	uint64_t now = clock__monotonic();
	int64_t wall = (int64_t)clock__realtime();

	pthread_mutex_lock(&w->lock);
	*out = w->figures;
	out->pending = w->reader ? spool_reader__pending(w->reader) : 0;
	out->oldest_age = w->oldest_ns && wall > w->oldest_ns ? (double)(wall - w->oldest_ns) / 1e9
	                                                      : 0;
	out->retry_in = w->retry_ns > now ? (double)(w->retry_ns - now) / 1e9 : 0;
	pthread_mutex_unlock(&w->lock);
}

void worker__nudge(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	w->nudged = w->retry_ns != 0;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->lock);
}

void worker__ask_stop(struct worker *w, double drain)
{
	pthread_mutex_lock(&w->lock);
	if (!w->stop)
		w->deadline_ns = clock__monotonic() + (uint64_t)(drain * 1e9);
	w->stop = true;
	pthread_cond_signal(&w->cond);
	if (w->reader)
		spool_reader__wake(w->reader);
	pthread_mutex_unlock(&w->lock);
}

void worker__stop(struct worker *w, double drain)
{
	bool interrupted = false;

	if (!w)
		return;
	worker__ask_stop(w, drain);
	for (;;) {
		uint64_t now;
		struct timespec at;

		clock_gettime(CLOCK_MONOTONIC, &at);
		now = (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec + STOP_STEP_NS;
		at.tv_sec = (time_t)(now / 1000000000);
		at.tv_nsec = (long)(now % 1000000000);
		if (!pthread_clockjoin_np(w->thread, NULL, CLOCK_MONOTONIC, &at))
			break;
		if (!interrupted && worker__must_end(w)) {
			w->cfg.driver->ops->interrupt(w->cfg.driver);
			interrupted = true;
		}
		/* A wait that began just after the last wake. */
		worker__ask_stop(w, drain);
	}
	destroy(w);
}
