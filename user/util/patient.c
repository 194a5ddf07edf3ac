// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "patient.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "../allowance.h"
#include "../confine/caps.h"
#include "clock.h"
#include "proc_user.h"

#define NS_PER_MS 1000000ull
/* A wait up to this is the machine's, not the process's. */
#define PROMPT_NS (2 * NS_PER_MS)
/* A thread that has not begun by then has no CPU to run on. */
#define STARVED_NS (2000 * NS_PER_MS)
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

/* How long one user's processes may make us wait, and all users'; 200 and 400 ms at a stretch. */
static const struct allowance_options waits = {
	.user_percent = 25,
	.all_percent = 50,
	.ahead_ns = 800 * NS_PER_MS,
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct worker *kept; /* waits for work, or does some that is waited for */
static struct worker *out[PATIENT_OUT_MAX];
static unsigned out_cnt;
static struct allowance *allowance; /* once somebody has made us wait */

static __thread struct worker *self;

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

/* Whether to look into a process: 0 or -errno. */
static int allow(pid_t pid, uint64_t now)
{
	unsigned of_user = 0;
	uid_t uid;

	if (!out_cnt && !allowance)
		return 0;
	uid = proc_user__of(pid);
	for (unsigned i = 0; i < out_cnt; i++) {
		if (out[i]->pid == pid)
			return -EINPROGRESS;
		of_user += out[i]->uid == uid;
	}
	if (out_cnt == PATIENT_OUT_MAX || of_user >= PATIENT_OUT_USER_MAX)
		return -EBUSY;
	return allowance && !allowance__may(allowance, uid, now) ? -EBUSY : 0;
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

static void charge(pid_t pid, uint64_t begun, uint64_t ns)
{
	if (ns <= PROMPT_NS)
		return;
	if (!allowance)
		allowance = allowance__new(&waits);
	if (allowance)
		allowance__took(allowance, proc_user__of(pid), begun, ns);
}

static int run_locked(pid_t pid, unsigned ms, void (*run)(void *arg), void (*drop)(void *arg),
                      void *arg)
{
	uint64_t begin = clock__monotonic(), ns = ms * NS_PER_MS;
	struct worker *w;
	int err = allow(pid, begin);

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
		w->uid = proc_user__of(pid);
		w->left = true;
		out[out_cnt++] = w;
		kept = NULL;
		err = -ETIME;
	}
	if (w->begun_ns)
		charge(pid, w->begun_ns, clock__monotonic() - w->begun_ns);
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
