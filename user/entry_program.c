// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "entry_program.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "confine/caps.h"
#include "program_copy.h"
#include "uprobe_multi.h"

#include "pytrail.skel.h"

struct entry_program {
	const struct pytrail_bpf *from;
	struct pytrail_bpf *copy;
	struct bpf_program *prog;
	bool multi;
	bool running; /* there is a thread to join */
	bool loaded;  /* or tried to: err tells */
	int err;
	pthread_t thread;
	int event;
	atomic_bool done;
};

/* The verifier gives up with -EAGAIN when a signal is pending (kernel/bpf/verifier.c, do_check()),
 * and libbpf tries again, a few times: so it is sent until the thread is done. */
#define STOP_SIGNAL   SIGURG
#define STOP_EVERY_NS 1000000

struct entry_program *entry_program__new(const struct pytrail_bpf *from, bool multi)
{
	struct entry_program *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->from = from;
	p->multi = multi;
	p->event = -1;
	return p;
}

static int load(struct entry_program *p)
{
	const struct pytrail_bpf *from = p->from;
	struct pytrail_bpf *copy = pytrail_bpf__open();

	if (!copy)
		return -errno;
	p->copy = copy;
	memcpy(copy->rodata, from->rodata, sizeof(*copy->rodata));
	p->prog = from->rodata->cfg_sleepable ? copy->progs.entry_sleepable : copy->progs.entry_plain;
	if (p->multi)
		bpf_program__set_expected_attach_type(
			p->prog, (enum bpf_attach_type)UPROBE_MULTI_ATTACH_TYPE);
	return program_copy__load(copy, from, p->prog);
}

static void do_nothing(int signal)
{
	(void)signal;
}

static void *run(void *arg)
{
	struct entry_program *p = arg;
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, STOP_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &stop, NULL);
	caps__limit_thread(CAP_BIT(CAPABILITY_BPF) | CAP_BIT(CAPABILITY_PERFMON));
	p->err = load(p);
	atomic_store(&p->done, true);
	eventfd_write(p->event, 1);
	return NULL;
}

void entry_program__start(struct entry_program *p)
{
	struct sigaction action = {.sa_handler = do_nothing};
	sigset_t all, before;

	p->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->event < 0)
		return;
	sigaction(STOP_SIGNAL, &action, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	p->running = !pthread_create(&p->thread, NULL, run, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void join(struct entry_program *p)
{
	pthread_join(p->thread, NULL);
	p->running = false;
	p->loaded = true;
}

int entry_program__fd(const struct entry_program *p)
{
	return p->event;
}

bool entry_program__loading(const struct entry_program *p)
{
	return p && p->running && !atomic_load(&p->done);
}

bool entry_program__pending(const struct entry_program *p)
{
	return p->running ? !atomic_load(&p->done) : !p->loaded;
}

const struct bpf_object *entry_program__object(const struct entry_program *p)
{
	/* after a failure it is there without a program */
	return entry_program__pending(p) || p->err || !p->copy ? NULL : p->copy->obj;
}

struct bpf_program *entry_program__get(struct entry_program *p)
{
	if (p->running)
		join(p);
	if (!p->loaded) {
		p->err = load(p);
		p->loaded = true;
	}
	if (!p->err)
		return p->prog;
	errno = -p->err;
	return NULL;
}

void entry_program__free(struct entry_program *p)
{
	const struct timespec pause = {.tv_nsec = STOP_EVERY_NS};

	if (!p)
		return;
	if (p->running) {
		while (!atomic_load(&p->done)) {
			pthread_kill(p->thread, STOP_SIGNAL);
			nanosleep(&pause, NULL);
		}
		join(p);
	}
	pytrail_bpf__destroy(p->copy);
	if (p->event >= 0)
		close(p->event);
	free(p);
}
