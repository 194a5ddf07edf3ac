// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "targets_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "allowance.h"
#include "attach.h"
#include "child.h"
#include "discover.h"
#include "hold.h"
#include "installed.h"
#include "looks.h"
#include "pid_list.h"
#include "presence.h"
#include "proof.h"
#include "tamper.h"
#include "util/clock.h"
#include "util/log.h"

/*
 * How long a look at the mappings of one process may keep the ring from being read. Of one that was
 * asked for by its pid, before anything is traced, it may take longer.
 */
#define PATIENCE_NS     25000000u
#define PATIENCE_PID_NS 30000000000ull

bool targets__whole_host(const struct targets *t)
{
	return !t->opts->pids_cnt && !t->child;
}

bool targets__can_trace(const struct targets *t, const struct binary *b)
{
	return attach__probe(b, t->opts->probe) != 0;
}

static const char *why_not(const struct targets *t, const struct binary *b)
{
	if (t->opts->probe == PROBE_USDT)
		return "it was built without the python:audit probe (configure --with-dtrace); "
		       "without "
		       "--probe=usdt it can be traced by uprobes";
	return b->missing[0] ? b->missing : "its audit functions were not found";
}

void targets__say_cannot(const struct targets *t, const struct binary *b, pid_t pid, bool fatal)
{
	char who[32] = "";

	if (pid > 0)
		snprintf(who, sizeof(who), "process %d: ", pid);
	if (fatal)
		log__error("%scannot trace %s, CPython %s: %s", who, b->path, b->py_version_text,
		           why_not(t, b));
	else
		log__warn("%sthe events of %s, CPython %s, cannot be seen: %s", who, b->path,
		          b->py_version_text, why_not(t, b));
}

/* One -p. Returns -1 when it can be traced, else an exit code with the reason said. */
static int targets__add_pid(struct targets *t, pid_t pid)
{
	struct target *x = &t->list[t->cnt];
	struct discovered found;
	int ret;

	x->pid = pid;
	/* held from before the look at it: the pid cannot be used again unnoticed */
	x->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (x->pidfd < 0 && errno == ESRCH) {
		log__error("cannot trace process %d: there is no such process", pid);
		return EXIT_FAIL;
	}
	ret = discover__pid(t->discover, pid, &found);
	if (ret == 1 && targets__can_trace(t, found.binary)) {
		x->binary = found.binary;
		x->bias = found.bias;
		t->cnt++;
		return -1;
	}
	if (x->pidfd >= 0)
		close(x->pidfd);
	if (ret == 1) {
		targets__say_cannot(t, found.binary, pid, true);
		return EXIT_CANNOT_TRACE;
	}
	if (ret == 0) {
		log__error("cannot trace process %d: there is no CPython in it", pid);
		return EXIT_FAIL;
	}
	if (ret == -ESRCH) {
		log__error("cannot trace process %d: it exited while being attached", pid);
		return EXIT_FAIL;
	}
	if (ret == -ETIME) {
		log__error("cannot trace process %d: it has more mappings than can be looked "
		           "through in "
		           "%llu s",
		           pid, PATIENCE_PID_NS / 1000000000);
		return EXIT_FAIL;
	}
	log__error("cannot trace process %d: %s%s", pid, strerror(-ret),
	           geteuid() ? "; run as root" : "");
	return ret == -EACCES || ret == -EPERM ? EXIT_CANNOT_TRACE : EXIT_FAIL;
}

/* With one process for each file and no children to follow, the kernel's own filter does. */
static bool targets__kernel_filter(const struct targets *t)
{
	size_t i, j;

	if (t->opts->follow)
		return false;
	for (i = 0; i < t->cnt; i++) {
		for (j = 0; j < i; j++) {
			if (t->list[i].binary == t->list[j].binary)
				return false;
		}
	}
	return true;
}

static const struct allowance_options looks_allowance = {
	.user_percent = 50,
	.all_percent = 75,
	.ahead_ns = 1000000000,
	.says = true,
};

int targets__new(const struct trace_options *o, struct child *child, struct session_options *so,
                 struct targets **out)
{
	struct targets *t = calloc(1, sizeof(*t));
	int ret, code = EXIT_FAIL;
	size_t i;

	if (t) {
		t->discover = discover__new();
		t->allowance = allowance__new(&looks_allowance);
		t->looks = targets__new_looks(t);
		t->list = calloc(o->pids_cnt + 1, sizeof(*t->list));
	}
	if (!t || !t->discover || !t->allowance || !t->looks || !t->list) {
		log__error("out of memory");
		targets__free(t);
		return EXIT_FAIL;
	}
	t->opts = o;
	t->child = child;
	discover__set_patience(t->discover, PATIENCE_PID_NS);
	for (i = 0; i < o->pids_cnt; i++) {
		ret = targets__add_pid(t, o->pids[i]);
		if (ret >= 0)
			code = ret;
	}
	discover__set_patience(t->discover, DISCOVER_PATIENCE_NS);
	if (o->pids_cnt && !t->cnt) {
		targets__free(t);
		return code;
	}
	t->follow = o->follow || child;
	t->kernel_pid = o->pids_cnt && targets__kernel_filter(t);
	so->selected = o->pids_cnt || child;
	so->kernel_pid = t->kernel_pid;
	so->follow = so->selected && t->follow;
	/* what is started is not to run unseen, nor what is held for its file to be attached */
	so->early = so->early && targets__whole_host(t) && !o->hold_ms;
	*out = t;
	return -1;
}

void targets__free(struct targets *t)
{
	size_t i;

	if (!t)
		return;
	for (i = 0; t->list && i < t->cnt; i++) {
		if (t->list[i].pidfd >= 0)
			close(t->list[i].pidfd);
	}
	free(t->list);
	looks__free(t->looks);
	allowance__free(t->allowance);
	discover__free(t->discover);
	free(t);
}

bool targets__attach_file(struct targets *t, struct binary *b, pid_t pid)
{
	int ret = attach__binary(session__attach(t->session), b, t->kernel_pid ? pid : -1);

	if (ret > 0)
		proof__attached(t->proof, b);
	if (ret >= 0)
		return true;
	if (ret == -EINPROGRESS)
		t->incomplete = true;
	/* each look at the processes comes by here again */
	if (ret == -EINPROGRESS || ret == -ENOENT || ret == b->said)
		return false;
	b->said = ret;
	log__error("cannot attach to %s: %s%s", b->path, strerror(-ret),
	           ret == -EPERM || ret == -EACCES ? "; see 'pytrail check'" : "");
	return false;
}

static int on_found(void *ctx, const struct discovered *found)
{
	struct targets *t = ctx;

	found->binary->generation = t->generation;
	if (!targets__can_trace(t, found->binary)) {
		if (found->new_binary)
			targets__say_cannot(t, found->binary, found->pid, false);
		return 0;
	}
	proof__found(t->proof, found->pid, found->binary, found->bias);
	if (!targets__attach_file(t, found->binary, -1))
		return 0;
	presence__found(t->presence, found->pid, found->binary, t->opts->probe, PRESENCE_LATE);
	tamper__found(t->tamper, found->pid, found->binary, found->bias);
	return 0;
}

static void targets__attach_path(struct targets *t, const char *path, bool say)
{
	struct discovered found;

	if (discover__path(t->discover, path, &found) != 1)
		return;
	if (!targets__can_trace(t, found.binary)) {
		if (say)
			targets__say_cannot(t, found.binary, 0, false);
		return;
	}
	targets__attach_file(t, found.binary, -1);
}

static void on_installed(void *ctx, const char *path)
{
	targets__attach_path(ctx, path, false);
}

/* All files that a process runs, or can. */
static void targets__attach_host(struct targets *t)
{
	t->incomplete = false;
	discover__all(t->discover, on_found, t);
	presence__flush(t->presence);
	installed__each(t->opts->interpreters, true, on_installed, t);
	if (!t->incomplete)
		log__info("tracing every process of %zu Python file%s; Ctrl-C ends it",
		          attach__files(session__attach(t->session)),
		          attach__files(session__attach(t->session)) == 1 ? "" : "s");
}

bool targets__loaded(struct targets *t)
{
	if (t->incomplete)
		targets__attach_host(t);
	return !t->incomplete;
}

static int attach_all(struct targets *t, struct session *s, struct proof *proof,
                      struct presence *presence, struct tamper *tamper)
{
	size_t i, ok = 0;

	t->session = s;
	t->proof = proof;
	t->presence = presence;
	t->tamper = tamper;
	if (t->child) {
		if (session__select(s, child__pid(t->child)))
			return EXIT_FAIL;
		targets__attach_path(t, child__path(t->child), true);
		/* not all there are: each takes time to look at, and with older kernels to
		 * detach */
		installed__each(t->opts->interpreters, false, on_installed, t);
		return -1;
	}
	if (targets__whole_host(t)) {
		targets__attach_host(t);
		return -1;
	}
	/* all of them before any: what is attached for one is for the others, too */
	for (i = 0; i < t->cnt; i++) {
		proof__found(proof, t->list[i].pid, t->list[i].binary, t->list[i].bias);
		session__select(s, t->list[i].pid);
	}
	for (i = 0; i < t->cnt; i++) {
		if (session__selects(s, t->list[i].pid) &&
		    targets__attach_file(t, t->list[i].binary, t->list[i].pid)) {
			presence__found(presence, t->list[i].pid, t->list[i].binary, t->opts->probe,
			                PRESENCE_LATE);
			tamper__found(tamper, t->list[i].pid, t->list[i].binary, t->list[i].bias);
			ok++;
		}
	}
	presence__flush(presence);
	if (!ok)
		return EXIT_CANNOT_TRACE;
	log__info("tracing %zu process%s; Ctrl-C ends it", ok, ok == 1 ? "" : "es");
	return -1;
}

int targets__attach(struct targets *t, struct session *s, struct proof *proof,
                    struct presence *presence, struct tamper *tamper)
{
	int code = attach_all(t, s, proof, presence, tamper);

	/* from now on the ring has to be read */
	discover__set_patience(t->discover, PATIENCE_NS);
	return code;
}

bool targets__gone(struct targets *t)
{
	size_t i, alive = 0;

	if (targets__whole_host(t))
		return false;
	for (i = 0; i < t->cnt; i++) {
		struct target *x = &t->list[i];
		struct pollfd p = {.fd = x->pidfd, .events = POLLIN};

		if (x->gone)
			continue;
		/* a pidfd becomes readable when the process has exited */
		if (x->pidfd >= 0 ? poll(&p, 1, 0) == 1 : kill(x->pid, 0) != 0) {
			x->gone = true;
			/* it may have exited before the programs were there to see it */
			session__deselect(t->session, x->pid);
		} else {
			alive++;
		}
	}
	if (alive)
		return false;
	return !t->follow || !session__selected(t->session);
}
