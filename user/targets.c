// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "targets.h"

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

#include "attach.h"
#include "child.h"
#include "discover.h"
#include "hold.h"
#include "installed.h"
#include "presence.h"
#include "proof.h"
#include "tamper.h"
#include "util/clock.h"
#include "util/log.h"

struct target {
	pid_t pid;
	int pidfd; /* -1: not supported, or gone */
	struct binary *binary;
	uint64_t bias;
	bool gone;
};

/* A process that may turn out to run a Python. */
struct waiting {
	pid_t pid;
	int delay_ms; /* until the next look: doubled each time */
	uint64_t next_ns;
};

#define WAITING_MAX 256
#define WAITING_MS  512 /* of the longest delay: a second in all */

struct targets {
	struct waiting waiting[WAITING_MAX];
	size_t waiting_cnt;
	const struct trace_options *opts;
	struct child *child;
	struct discover *discover;
	struct session *session;
	struct proof *proof;
	struct presence *presence;
	struct tamper *tamper;
	struct target *list;
	size_t cnt;
	bool kernel_pid;
	bool follow;
	bool incomplete;         /* a file waits for its program */
	unsigned int generation; /* of the last look at all processes */
};

static bool whole_host(const struct targets *t)
{
	return !t->opts->pids_cnt && !t->child;
}

/* Whether a file can be traced the way that was asked for. */
static bool can_trace(const struct targets *t, const struct binary *b)
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

static void say_cannot(const struct targets *t, const struct binary *b, pid_t pid, bool fatal)
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
	if (ret == 1 && can_trace(t, found.binary)) {
		x->binary = found.binary;
		x->bias = found.bias;
		t->cnt++;
		return -1;
	}
	if (x->pidfd >= 0)
		close(x->pidfd);
	if (ret == 1) {
		say_cannot(t, found.binary, pid, true);
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

int targets__new(const struct trace_options *o, struct child *child, struct session_options *so,
                 struct targets **out)
{
	struct targets *t = calloc(1, sizeof(*t));
	int ret, code = EXIT_FAIL;
	size_t i;

	if (t) {
		t->discover = discover__new();
		t->list = calloc(o->pids_cnt + 1, sizeof(*t->list));
	}
	if (!t || !t->discover || !t->list) {
		log__error("out of memory");
		targets__free(t);
		return EXIT_FAIL;
	}
	t->opts = o;
	t->child = child;
	for (i = 0; i < o->pids_cnt; i++) {
		ret = targets__add_pid(t, o->pids[i]);
		if (ret >= 0)
			code = ret;
	}
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
	so->early = so->early && whole_host(t) && !o->hold_ms;
	*out = t;
	return -1;
}

void targets__free(struct targets *t)
{
	size_t i;

	if (!t)
		return;
	for (i = 0; i < t->cnt; i++) {
		if (t->list[i].pidfd >= 0)
			close(t->list[i].pidfd);
	}
	free(t->list);
	discover__free(t->discover);
	free(t);
}

/* Attaches a file. Returns true when its events will be seen. */
static bool targets__attach_file(struct targets *t, struct binary *b, pid_t pid)
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
	if (!can_trace(t, found->binary)) {
		if (found->new_binary)
			say_cannot(t, found->binary, found->pid, false);
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
	if (!can_trace(t, found.binary)) {
		if (say)
			say_cannot(t, found.binary, 0, false);
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

int targets__attach(struct targets *t, struct session *s, struct proof *proof,
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
		/* not all there are: each takes time to look at, and with older kernels to detach */
		installed__each(t->opts->interpreters, false, on_installed, t);
		return -1;
	}
	if (whole_host(t)) {
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

/* That the events of a process are seen. rec: the kernel's word of it, or NULL. */
static void targets__tell(struct targets *t, const struct discovered *found,
                          const struct pt_rec *rec, enum presence_late late)
{
	if (rec)
		presence__heard(t->presence, rec, found->binary, t->opts->probe, late);
	else
		presence__found(t->presence, found->pid, found->binary, t->opts->probe, late);
	tamper__found(t->tamper, found->pid, found->binary, found->bias);
}

/* Attaches what a process was found to run. late: it has run it before this. True: its events are seen. */
static bool targets__attach_found(struct targets *t, const struct discovered *found, bool late)
{
	if (!can_trace(t, found->binary)) {
		if (found->new_binary)
			say_cannot(t, found->binary, found->pid, false);
		return false;
	}
	if (!targets__attach_file(t, found->binary, found->pid))
		return false;
	if (late)
		log__warn("process %d: the first events may be missing, it had started from %s "
		          "before that "
		          "could be attached",
		          found->pid, found->binary->path);
	return true;
}

static void targets__found(struct targets *t, const struct discovered *found,
                           const struct pt_rec *rec, bool late)
{
	found->binary->generation = t->generation;
	if (attach__has(session__attach(t->session), found->binary))
		targets__tell(t, found, rec, late ? PRESENCE_BY_START : PRESENCE_IN_TIME);
	else if (targets__attach_found(t, found, late))
		targets__tell(t, found, rec, late ? PRESENCE_LATE : PRESENCE_IN_TIME);
}

/* Whether a process runs the dynamic linker itself: `ld.so PROGRAM`. */
static bool runs_ldso(pid_t pid)
{
	char link[64], exe[4096];
	const char *name;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	n = readlink(link, exe, sizeof(exe) - 1);
	if (n <= 0)
		return false;
	exe[n] = '\0';
	name = strrchr(exe, '/');
	name = name ? name + 1 : exe;
	return !strncmp(name, "ld", 2) && strstr(name, ".so");
}

static void targets__wait_for(struct targets *t, pid_t pid)
{
	struct waiting *w;
	size_t i;

	for (i = 0; i < t->waiting_cnt; i++) {
		if (t->waiting[i].pid == pid)
			return;
	}
	if (t->waiting_cnt == WAITING_MAX)
		return; /* the rescan finds it */
	w = &t->waiting[t->waiting_cnt++];
	w->pid = pid;
	w->delay_ms = 1;
	w->next_ns = 0;
}

void targets__exec(struct targets *t, const struct pt_rec *rec)
{
	pid_t pid = (pid_t)rec->task.pid;
	struct discovered found;
	char path[64];
	int fd;

	if (discover__pid(t->discover, pid, &found) == 1) {
		targets__found(t, &found, rec, true);
		return;
	}
	if (runs_ldso(pid)) {
		targets__wait_for(t, pid);
		return;
	}
	/* libpython is mapped only after the exec: with luck it is attached before that */
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (discover__executed(t->discover, pid, fd, &found) == 1)
		targets__found(t, &found, rec, false);
	close(fd);
}

struct pass {
	struct targets *targets;
	struct hold *hold;
};

/* An executable, whose libpython may be what is attached. */
static void pass_installed(void *ctx, const char *path)
{
	struct pass *p = ctx;
	struct discovered found;
	struct stat st;

	if (!stat(path, &st) && discover__path(p->targets->discover, path, &found) == 1 &&
	    attach__has(session__attach(p->targets->session), found.binary))
		hold__pass(p->hold, &st);
}

void targets__pass(struct targets *t, struct hold *h)
{
	struct pass p = {.targets = t, .hold = h};
	struct binary *const *all;
	size_t cnt = discover__binaries(t->discover, &all), i;
	struct stat st;

	for (i = 0; i < cnt; i++) {
		if (attach__has(session__attach(t->session), all[i]) && !fstat(all[i]->fd, &st))
			hold__pass(h, &st);
	}
	installed__each(t->opts->interpreters, whole_host(t), pass_installed, &p);
}

void targets__held(struct targets *t, struct hold *h)
{
	struct discovered found;
	struct held held;
	unsigned int missed;

	while (hold__next(h, &held)) {
		bool wanted = whole_host(t) || session__selects(t->session, held.pid);

		if (wanted && discover__executed(t->discover, held.pid, held.fd, &found) == 1) {
			found.binary->generation = t->generation;
			/* that the process is seen is told when it has executed it */
			if (!attach__has(session__attach(t->session), found.binary))
				targets__attach_found(t, &found, false);
		}
		if (!hold__release(h, &held, wanted) && wanted)
			log__warn("process %d: the first events may be missing, it was held for as "
			          "long as --hold-new allows, and not attached by then",
			          held.pid);
	}
	missed = hold__missed(h);
	if (missed)
		log__warn(
			"%u programs were started that could not be held: too many at once, their "
			"first events may be missing",
			missed);
}

void targets__map(struct targets *t, const struct pt_rec *rec, int fd)
{
	pid_t pid = (pid_t)rec->task.pid;
	struct discovered found, mapped;

	if (discover__fd(t->discover, pid, fd, &found) != 1) {
		/* closed already, and perhaps another file by now: then it is mapped, or will be */
		targets__wait_for(t, pid);
		return;
	}
	if (attach__has(session__attach(t->session), found.binary))
		targets__found(t, &found, rec, false);
	else
		targets__found(t, &found, rec,
		               discover__pid(t->discover, pid, &mapped) == 1 &&
		                       mapped.binary == found.binary);
}

int targets__pending(struct targets *t, uint64_t now)
{
	struct discovered found;
	int soonest = -1;
	size_t i;

	for (i = 0; i < t->waiting_cnt;) {
		struct waiting *w = &t->waiting[i];
		int ret = 0;

		if (now >= w->next_ns) {
			ret = discover__pid(t->discover, w->pid, &found);
			if (ret == 1)
				targets__found(t, &found, NULL, true);
			w->delay_ms *= 2;
			w->next_ns = now + (uint64_t)w->delay_ms * 1000000;
		}
		if (ret || w->delay_ms > WAITING_MS) {
			*w = t->waiting[--t->waiting_cnt];
			continue;
		}
		if (soonest < 0 || w->delay_ms < soonest)
			soonest = w->delay_ms;
		i++;
	}
	presence__flush(t->presence);
	return soonest;
}

static bool rescan_one(void *ctx, pid_t pid)
{
	struct targets *t = ctx;
	struct discovered found;

	if (kill(pid, 0) && errno == ESRCH)
		return false; /* the kernel did not say that it ended */
	if (discover__pid(t->discover, pid, &found) == 1)
		targets__found(t, &found, NULL, true);
	return true;
}

/* So long at most, for nothing else is done here meanwhile. */
#define FORGET_NS 300000000u

/* A file without a name that nothing runs can never be run again. */
static void forget_unused(struct targets *t)
{
	uint64_t end = clock__monotonic() + FORGET_NS;
	struct binary *const *all;
	size_t i = discover__binaries(t->discover, &all);

	while (i-- > 0 && clock__monotonic() < end) {
		struct binary *b = all[i];
		struct stat st;

		/* not in one look only: a process that starts meanwhile can be missed by it */
		if (t->generation - b->generation < 2 || fstat(b->fd, &st) || st.st_nlink)
			continue;
		proof__forget(t->proof, b);
		presence__dropped(t->presence, b);
		tamper__dropped(t->tamper, b);
		attach__drop(session__attach(t->session), b);
		discover__forget(t->discover, b);
	}
}

/* Not attached by now: it has run unseen. */
static int on_found_again(void *ctx, const struct discovered *found)
{
	struct targets *t = ctx;

	if (can_trace(t, found->binary))
		proof__found(t->proof, found->pid, found->binary, found->bias);
	targets__found(t, found, NULL, true);
	return 0;
}

bool targets__runs(void *ctx, pid_t pid, const struct binary *b, uint64_t bias)
{
	struct targets *t = ctx;
	struct discovered found;

	return discover__pid(t->discover, pid, &found) == 1 && found.binary == b &&
	       found.bias == bias;
}

void targets__rescan(struct targets *t)
{
	int err = 0;

	t->generation++;
	if (whole_host(t))
		err = discover__all(t->discover, on_found_again, t);
	else
		session__each_selected(t->session, rescan_one, t);
	presence__flush(t->presence);
	presence__sweep(t->presence);
	if (!err)
		forget_unused(t);
}

bool targets__gone(struct targets *t)
{
	size_t i, alive = 0;

	if (whole_host(t))
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
