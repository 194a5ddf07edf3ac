// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* A batch to its receiver: again, in parts, or to the dead letters, until each of its items is
 * settled. */
#include <stdlib.h>
#include <string.h>

#include "../util/clock.h"
#include "../util/log.h"
#include "worker_impl.h"

#define OPEN_ATTEMPTS   10 /* failures in a row that open the circuit */
#define RETRY_AFTER_MAX 3600.0
#define SAY_NS          60000000000u
#define RAISE_LIMIT     64 /* successes after which more at once is tried again */

static bool pick_room(struct worker *w, size_t n)
{
	struct item *items;
	size_t *at;
	uint8_t *statuses;

	if (n <= w->picked_cap)
		return true;
	items = reallocarray(w->picked, n, sizeof(*items));
	if (items)
		w->picked = items;
	at = reallocarray(w->picked_at, n, sizeof(*at));
	if (at)
		w->picked_at = at;
	statuses = realloc(w->statuses, n);
	if (statuses)
		w->statuses = statuses;
	if (!items || !at || !statuses)
		return false;
	w->picked_cap = n;
	return true;
}

/* The next ones to send. */
static size_t pick(struct worker *w)
{
	struct batch *b = &w->batch;
	size_t max = b->cnt, n = 0;

	if (w->window && w->window < max)
		max = w->window;
	if (w->limit && w->limit < max)
		max = w->limit;
	for (size_t i = batch__pending(b, b->settled); i < b->cnt && n < max;
	     i = batch__pending(b, i + 1)) {
		w->picked[n] = b->items[i];
		w->picked_at[n++] = i;
	}
	return n;
}

static void settle(struct worker *w, size_t i, enum batch_fate fate, int64_t now)
{
	size_t at = w->picked_at[i];
	double latency = (double)(now - w->picked[i].time_ns) / 1e9;

	w->batch.entries[at].fate = fate;
	if (fate != BATCH_DELIVERED)
		return;
	pthread_mutex_lock(&w->lock);
	w->figures.latency_sum += latency > 0 ? latency : 0;
	if (!i)
		w->figures.latency_last = latency > 0 ? latency : 0;
	pthread_mutex_unlock(&w->lock);
}

static void count_failure(struct worker *w, enum delivery_status status)
{
	pthread_mutex_lock(&w->lock);
	w->figures.failures[status]++;
	pthread_mutex_unlock(&w->lock);
}

static void bury(struct worker *w, size_t i, enum delivery_status status, const struct delivery *d)
{
	uint64_t now = clock__monotonic();

	dead_letters__add(w->dead, &w->picked[i], status, d->code, d->reason);
	settle(w, i, BATCH_DEAD, 0);
	if (w->dead_said_ns && now - w->dead_said_ns < SAY_NS)
		return;
	w->dead_said_ns = now;
	log__warn("output '%s': an item that the receiver will never take goes to the dead "
	          "letters: %s",
	          w->output, d->reason);
}

/* Thrown away by a receiver that does not say which: the last ones stand for them. There is no dead
 * letter. */
static void bury_unnamed(struct worker *w, size_t n, const struct delivery *d)
{
	size_t left = d->dropped < n ? d->dropped : n;

	pthread_mutex_lock(&w->lock);
	w->figures.failures[DELIVERY_REJECTED] += left;
	pthread_mutex_unlock(&w->lock);
	for (size_t i = n; i-- && left;) {
		struct batch_entry *e = &w->batch.entries[w->picked_at[i]];

		if (e->is_loss)
			continue;
		e->fate = BATCH_DEAD;
		left--;
	}
}

static void accepted(struct worker *w)
{
	bool held = w->held;

	if (w->failing)
		log__info("output '%s': delivered again", w->output);
	w->held = w->failing = false;
	w->backoff.attempts = 0;
	if (w->window)
		w->window = w->window < w->batch_items ? w->window * 2 : 0;
	if (w->limit && ++w->since_limit >= RAISE_LIMIT) {
		w->since_limit = 0;
		w->limit = w->limit < w->batch_items ? w->limit + w->limit / 4 + 1 : 0;
	}
	pthread_mutex_lock(&w->lock);
	w->figures.last_ok_ns = (int64_t)clock__realtime();
	w->figures.last_reason[0] = '\0';
	w->figures.last_code = 0;
	pthread_mutex_unlock(&w->lock);
	worker__set_state(w, WORKER_DELIVERING);
	if (held && w->cfg.alarm)
		w->cfg.alarm(w->cfg.alarm_ctx, w->output, false, "");
}

static void note_failure(struct worker *w, const struct delivery *d)
{
	pthread_mutex_lock(&w->lock);
	w->figures.last_code = d->code;
	memcpy(w->figures.last_reason, d->reason, sizeof(d->reason));
	pthread_mutex_unlock(&w->lock);
}

static void say(struct worker *w, const char *what, const struct delivery *d)
{
	uint64_t now = clock__monotonic();

	if (w->failing && now - w->said_ns < SAY_NS)
		return;
	w->said_ns = now;
	w->failing = true;
	log__warn("output '%s': %s: %s", w->output, what, d->reason);
}

/* Who we are is not accepted: people must see to it. */
static void hold(struct worker *w, const struct delivery *d)
{
	bool first = !w->held;

	if (first) {
		log__error("output '%s': the receiver refuses us: %s; held and tried again each "
		           "%.0f s; "
		           "see to its credentials",
		           w->output, d->reason, w->backoff.max);
		w->failing = true;
		w->said_ns = clock__monotonic();
	}
	w->held = true;
	worker__set_state(w, WORKER_HELD);
	if (first && w->cfg.alarm)
		w->cfg.alarm(w->cfg.alarm_ctx, w->output, true, d->reason);
	w->backoff.attempts++;
	worker__sleep(w, w->backoff.max);
}

static void back_off(struct worker *w, const struct delivery *d)
{
	double seconds = backoff__next(&w->backoff);
	double asked = d->retry_after < RETRY_AFTER_MAX ? d->retry_after : RETRY_AFTER_MAX;

	say(w, "not delivered, tried again without end", d);
	if (w->backoff.attempts >= OPEN_ATTEMPTS)
		w->window = 1; /* a probe, until something gets through */
	worker__set_state(w, w->held                                ? WORKER_HELD
	                     : w->backoff.attempts >= OPEN_ATTEMPTS ? WORKER_OPEN
	                                                            : WORKER_RETRYING);
	worker__sleep(w, asked > seconds ? asked : seconds);
}

static void split(struct worker *w, size_t n, enum delivery_status status)
{
	if (status == DELIVERY_TOO_LARGE) {
		w->limit = (n + 1) / 2;
		w->since_limit = 0;
	} else {
		w->window = (n + 1) / 2;
	}
}

/* The answer's status for item i; what makes no sense is not taken for success. */
static enum delivery_status status_of(const struct worker *w, const struct delivery *d, size_t i)
{
	unsigned s = d->per_item ? w->statuses[i] : d->status;

	return s <= DELIVERY_REJECTED ? (enum delivery_status)s : DELIVERY_RETRY;
}

static void take_answer(struct worker *w, size_t n, const struct delivery *d)
{
	int64_t now = (int64_t)clock__realtime();
	size_t cnt[5] = {0};

	for (size_t i = 0; i < n; i++)
		cnt[status_of(w, d, i)]++;
	for (size_t i = 0; i < n; i++) {
		enum delivery_status s = status_of(w, d, i);

		if (s == DELIVERY_OK)
			settle(w, i, BATCH_DELIVERED, now);
		else if ((s == DELIVERY_REJECTED && (d->per_item || n == 1)) ||
		         (s == DELIVERY_TOO_LARGE && n == 1))
			bury(w, i, s, d);
		if (s != DELIVERY_OK && (d->per_item || !i))
			count_failure(w, s);
	}
	if (cnt[DELIVERY_OK] != n)
		note_failure(w, d);
	if (cnt[DELIVERY_OK] || (cnt[DELIVERY_REJECTED] && n == 1))
		accepted(w);
	if (cnt[DELIVERY_OK] == n && d->dropped) {
		bury_unnamed(w, n, d);
		note_failure(w, d);
	}
	worker__ack(w, false);
	if (n > 1 && cnt[DELIVERY_TOO_LARGE])
		split(w, n, DELIVERY_TOO_LARGE);
	else if (n > 1 && cnt[DELIVERY_REJECTED] && !d->per_item)
		split(w, n, DELIVERY_REJECTED);
	w->repeat = cnt[DELIVERY_OK] != n;
	if (cnt[DELIVERY_DENIED])
		hold(w, d);
	else if (cnt[DELIVERY_RETRY])
		back_off(w, d);
}

static void send_picked(struct worker *w, size_t n, struct delivery *d)
{
	struct driver *driver = w->cfg.driver;
	uint64_t began = clock__monotonic();

	memset(d, 0, sizeof(*d));
	memset(w->statuses, DELIVERY_RETRY, n);
	d->items = w->statuses;
	driver->ops->send(driver, w->picked, n, d);
	d->reason[sizeof(d->reason) - 1] = '\0';
	pthread_mutex_lock(&w->lock);
	w->figures.batches++;
	w->figures.retries += w->repeat;
	w->figures.bytes_sent += d->bytes_sent;
	w->figures.send_sum += (double)(clock__monotonic() - began) / 1e9;
	pthread_mutex_unlock(&w->lock);
}

bool worker__deliver(struct worker *w)
{
	struct delivery d;
	size_t first, n;

	if (!pick_room(w, w->batch.cnt)) {
		log__error("output '%s': out of memory", w->output);
		worker__sleep(w, 1);
		return false;
	}
	while ((first = batch__pending(&w->batch, w->batch.settled)) < w->batch.cnt) {
		if (worker__must_end(w))
			return false;
		pthread_mutex_lock(&w->lock);
		w->oldest_ns = w->batch.items[first].time_ns;
		pthread_mutex_unlock(&w->lock);
		n = pick(w);
		send_picked(w, n, &d);
		take_answer(w, n, &d);
	}
	return true;
}
