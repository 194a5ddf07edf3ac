// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "patient.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>

#include "../confine/caps.h"
#include "clock.h"

#define NS_PER_MS 1000000ull
/* A wait up to this is the machine's, not the process's. */
#define PROMPT_NS (2 * NS_PER_MS)
/* A thread that has not begun by then has no CPU to run on. */
#define STARVED_NS (2000 * NS_PER_MS)
/* How long one user's processes may make us wait at a stretch, and all users'; what is used up
 * comes back in time, a fourth and half as fast. */
#define USER_SPARE_NS (200 * NS_PER_MS)
#define ALL_SPARE_NS  (400 * NS_PER_MS)
#define USER_REFILL   4
#define ALL_REFILL    2
/* Users that are remembered to have made us wait. */
#define USERS 32
/* For what a look has on its stack, and thread-local. */
#ifdef __SANITIZE_ADDRESS__
#define STACK_SIZE (1024 * 1024)
#else
#define STACK_SIZE (256 * 1024)
#endif

struct worker {
	pthread_cond_t changed;
	void (*run)(void *arg); /* NULL: there is nothing to do */
	void (*drop)(void *arg);
	void *arg;
	pid_t pid;
	uid_t uid;
	uint64_t begun_ns; /* 0: it has not got a CPU yet */
	bool done, left;
};

/* Time that may be waited. */
struct spare {
	uint64_t ns, at_ns;
};

struct user {
	uid_t uid;
	bool used;
	struct spare spare;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct worker *kept; /* waits for work, or does some that is waited for */
static struct worker *out[PATIENT_OUT_MAX];
static unsigned out_cnt;
static struct user users[USERS];
static struct spare all = {.ns = ALL_SPARE_NS};

static __thread struct worker *self;

static void spare__refill(struct spare *s, uint64_t now, uint64_t max, unsigned refill)
{
	s->ns += (now - s->at_ns) / refill;
	s->at_ns = now;
	if (s->ns > max)
		s->ns = max;
}

static void spare__take(struct spare *s, uint64_t ns)
{
	s->ns -= s->ns < ns ? s->ns : ns;
}

/* The user's, whose spare time is up to date; with `make` in place of the one that has most of it.
 * NULL: has all. */
static struct user *user__find(uid_t uid, uint64_t now, bool make)
{
	struct user *best = &users[0];

	for (size_t i = 0; i < USERS; i++) {
		struct user *u = &users[i];

		if (u->used)
			spare__refill(&u->spare, now, USER_SPARE_NS, USER_REFILL);
		if (u->used && u->uid == uid)
			return u;
		if (best->used && (!u->used || u->spare.ns > best->spare.ns))
			best = u;
	}
	if (!make)
		return NULL;
	*best = (struct user){.uid = uid, .used = true, .spare = {USER_SPARE_NS, now}};
	return best;
}

static bool user__any(void)
{
	for (size_t i = 0; i < USERS; i++)
		if (users[i].used)
			return true;
	return false;
}

/* Root for a process that is gone, or keeps its memory to itself (as the kernel has it). */
static uid_t owner(pid_t pid)
{
	struct stat st;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return stat(path, &st) ? 0 : st.st_uid;
}

static void worker__free(struct worker *w)
{
	pthread_cond_destroy(&w->changed);
	free(w);
}

/* Back from what nobody waits for. */
static void worker__end(struct worker *w)
{
	for (unsigned i = 0; i < out_cnt; i++)
		if (out[i] == w)
			out[i] = out[--out_cnt];
	pthread_mutex_unlock(&lock);
	w->drop(w->arg);
	worker__free(w);
}

static void *worker__main(void *arg)
{
	struct worker *w = arg;

	self = w;
	prctl(PR_SET_NAME, "pytrail-look");
	caps__limit_thread(CAP_BIT(CAPABILITY_SYS_PTRACE) | CAP_BIT(CAPABILITY_DAC_READ_SEARCH));
	pthread_mutex_lock(&lock);
	for (;;) {
		while (!w->run)
			pthread_cond_wait(&w->changed, &lock);
		w->begun_ns = clock__monotonic();
		pthread_mutex_unlock(&lock);
		w->run(w->arg);
		pthread_mutex_lock(&lock);
		if (w->left)
			break;
		w->run = NULL;
		w->done = true;
		pthread_cond_signal(&w->changed);
	}
	worker__end(w);
	return NULL;
}

static struct worker *worker__new(void)
{
	struct worker *w = calloc(1, sizeof(*w));
	pthread_condattr_t cond;
	pthread_attr_t attr;
	sigset_t signals, before;
	pthread_t thread;
	int err;

	if (!w)
		return NULL;
	pthread_condattr_init(&cond);
	pthread_condattr_setclock(&cond, CLOCK_MONOTONIC);
	pthread_cond_init(&w->changed, &cond);
	pthread_condattr_destroy(&cond);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	/* signals are for the thread that traces */
	sigfillset(&signals);
	pthread_sigmask(SIG_SETMASK, &signals, &before);
	err = pthread_create(&thread, &attr, worker__main, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (!err)
		return w;
	worker__free(w);
	return NULL;
}

/* Whether to look into a process, for as long as that: 0 or -errno. */
static int allow(pid_t pid, uint64_t now, uint64_t ns)
{
	unsigned of_user = 0;
	struct user *u;
	uid_t uid;

	spare__refill(&all, now, ALL_SPARE_NS, ALL_REFILL);
	if (!out_cnt && !user__any())
		return 0;
	uid = owner(pid);
	for (unsigned i = 0; i < out_cnt; i++) {
		if (out[i]->pid == pid)
			return -EINPROGRESS;
		of_user += out[i]->uid == uid;
	}
	u = user__find(uid, now, false);
	if (u && u->spare.ns == USER_SPARE_NS)
		u->used = false;
	if (out_cnt == PATIENT_OUT_MAX || of_user >= PATIENT_OUT_USER_MAX)
		return -EBUSY;
	/* what is cut short would tell nothing of the process */
	return all.ns < ns || (u && u->spare.ns < ns) ? -EBUSY : 0;
}

static bool wait_until(struct worker *w, uint64_t end_ns)
{
	struct timespec end = {.tv_sec = (time_t)(end_ns / 1000000000),
	                       .tv_nsec = (long)(end_ns % 1000000000)};

	while (!w->done && !pthread_cond_timedwait(&w->changed, &lock, &end))
		continue;
	return w->done;
}

/*
 * With the lock held: whether it is done. The time runs from when the thread has begun: that it
 * does not get a CPU is not the process's doing.
 */
static bool worker__wait(struct worker *w, uint64_t begin_ns, uint64_t ns)
{
	uint64_t end = begin_ns + ns, last = begin_ns + STARVED_NS;

	while (!wait_until(w, end)) {
		uint64_t next = w->begun_ns ? w->begun_ns + ns : end + ns;

		if (next <= end || next > last)
			break;
		end = next;
	}
	return w->done;
}

static void charge(pid_t pid, uint64_t now, uint64_t ns)
{
	if (ns <= PROMPT_NS)
		return;
	spare__take(&all, ns);
	spare__take(&user__find(owner(pid), now, true)->spare, ns);
}

static int run_locked(pid_t pid, unsigned ms, void (*run)(void *arg), void (*drop)(void *arg),
                      void *arg)
{
	uint64_t begin = clock__monotonic(), ns = ms * NS_PER_MS;
	struct worker *w;
	int err = allow(pid, begin, ns);

	if (err)
		return err;
	if (!kept)
		kept = worker__new();
	w = kept;
	if (!w)
		return -EBUSY;
	w->drop = drop;
	w->arg = arg;
	w->pid = pid;
	w->done = false;
	w->begun_ns = 0;
	w->run = run;
	pthread_cond_signal(&w->changed);
	if (!worker__wait(w, begin, ns)) {
		w->uid = owner(pid);
		w->left = true;
		out[out_cnt++] = w;
		kept = NULL;
		err = -ETIME;
	}
	if (w->begun_ns)
		charge(pid, begin, clock__monotonic() - w->begun_ns);
	return err;
}

int patient__run(pid_t pid, unsigned ms, void (*run)(void *arg), void (*drop)(void *arg), void *arg)
{
	int err;

	pthread_mutex_lock(&lock);
	err = run_locked(pid, ms, run, drop, arg);
	pthread_mutex_unlock(&lock);
	return err;
}

bool patient__is_awaited(void)
{
	bool left;

	if (!self)
		return true;
	pthread_mutex_lock(&lock);
	left = self->left;
	pthread_mutex_unlock(&lock);
	return !left;
}

unsigned patient__out(void)
{
	unsigned n;

	pthread_mutex_lock(&lock);
	n = out_cnt;
	pthread_mutex_unlock(&lock);
	return n;
}
