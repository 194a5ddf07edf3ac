// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "link_set.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

/* Each waits for the kernel, which does not mind to be waited for by several at once. */
#define THREADS_MAX 16

/* What some threads close, one set after the other. The last one that has it frees it. */
struct closing {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t users, next, closed, cnt;
	struct link_set sets[];
};

void link_set__close(struct link_set *s)
{
	for (size_t i = 0; i < LINKS_MAX; i++) {
		bpf_link__destroy(s->links[i]);
		s->links[i] = NULL;
	}
	if (s->multi >= 0)
		close(s->multi);
	s->multi = -1;
}

static void closing__put(struct closing *c)
{
	bool last = !--c->users;

	pthread_mutex_unlock(&c->lock);
	if (!last)
		return;
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static void *close_some(void *arg)
{
	struct closing *c = arg;

	pthread_mutex_lock(&c->lock);
	while (c->next < c->cnt) {
		struct link_set *s = &c->sets[c->next++];

		pthread_mutex_unlock(&c->lock);
		link_set__close(s);
		pthread_mutex_lock(&c->lock);
		c->closed++;
		pthread_cond_signal(&c->changed);
	}
	closing__put(c);
	return NULL;
}

static struct closing *closing__new(struct link_set **sets, size_t cnt)
{
	struct closing *c = calloc(1, sizeof(*c) + cnt * sizeof(c->sets[0]));
	pthread_condattr_t attr;

	if (!c)
		return NULL;
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->changed, &attr);
	pthread_condattr_destroy(&attr);
	c->users = 1;
	c->cnt = cnt;
	for (size_t i = 0; i < cnt; i++) {
		c->sets[i] = *sets[i];
		memset(sets[i], 0, sizeof(*sets[i]));
		sets[i]->multi = -1;
	}
	return c;
}

/* How many there are. Signals are for the thread that traces. */
static size_t closing__start(struct closing *c)
{
	pthread_attr_t attr;
	sigset_t all, before;
	pthread_t thread;
	size_t n = 0;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_mutex_lock(&c->lock);
	while (n < THREADS_MAX && n < c->cnt && !pthread_create(&thread, &attr, close_some, c)) {
		c->users++;
		n++;
	}
	pthread_mutex_unlock(&c->lock);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return n;
}

static void wait_for(struct closing *c, unsigned ms)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000;
	end.tv_nsec += ms % 1000 * 1000000l;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	while (c->closed < c->cnt && !pthread_cond_timedwait(&c->changed, &c->lock, &end))
		continue;
}

bool link_sets__close(struct link_set **sets, size_t cnt, unsigned ms)
{
	struct closing *c = cnt ? closing__new(sets, cnt) : NULL;
	bool all;

	if (!c) { /* no memory: then it takes as long as it takes */
		for (size_t i = 0; i < cnt; i++)
			link_set__close(sets[i]);
		return true;
	}
	if (!closing__start(c)) {
		c->users++;
		close_some(c);
	}
	pthread_mutex_lock(&c->lock);
	if (ms)
		wait_for(c, ms);
	all = c->closed == c->cnt;
	closing__put(c);
	return all;
}
