// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What processes run that was not there at the start: told by the kernel, held at its exec, or
 * found by looking again. Anybody can make that dear (an executable whose libraries are looked for
 * in a thousand places, a process with a million mappings): what the kernel tells is looked at
 * within an allowance of time for each user, the rest in slices.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "allowance.h"
#include "attach.h"
#include "discover.h"
#include "hold.h"
#include "installed.h"
#include "looks.h"
#include "pid_list.h"
#include "presence.h"
#include "proof.h"
#include "tamper.h"
#include "targets_impl.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/proc_user.h"

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

/* Attaches what a process was found to run. late: it has run it before this. True: its events are
 * seen. */
static bool targets__attach_found(struct targets *t, const struct discovered *found, bool late)
{
	if (!targets__can_trace(t, found->binary)) {
		if (found->new_binary)
			targets__say_cannot(t, found->binary, found->pid, false);
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

static void targets__look_at_exec(struct targets *t, const struct pt_rec *rec)
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
		looks__wait_for(t->looks, pid, rec->task.uid);
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

static void targets__look_at_map(struct targets *t, const struct pt_rec *rec, int fd)
{
	pid_t pid = (pid_t)rec->task.pid;
	struct discovered found, mapped;

	if (discover__fd(t->discover, pid, fd, &found) != 1) {
		/* closed already, and perhaps another file by now: then it is mapped, or will be */
		looks__wait_for(t->looks, pid, rec->task.uid);
		return;
	}
	if (attach__has(session__attach(t->session), found.binary))
		targets__found(t, &found, rec, false);
	else
		targets__found(t, &found, rec,
		               discover__pid(t->discover, pid, &mapped) == 1 &&
		                       mapped.binary == found.binary);
}

void targets__news(struct targets *t, const struct pt_rec *rec)
{
	struct time_budget cost = time_budget__new(0);

	if (!allowance__may(t->allowance, rec->task.uid, cost.monotonic)) {
		looks__wait_for(t->looks, (pid_t)rec->task.pid, rec->task.uid);
		return;
	}
	if (rec->kind == PT_REC_EXEC)
		targets__look_at_exec(t, rec);
	else if (rec->size >= sizeof(struct pt_map))
		targets__look_at_map(t, rec, (int)((const struct pt_map *)rec)->fd);
	allowance__took(t->allowance, rec->task.uid, cost.monotonic, time_budget__spent(&cost));
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
	installed__each(t->opts->interpreters, targets__whole_host(t), pass_installed, &p);
}

/* Whether it was looked at: else it is held the next time, too. */
static bool targets__look_at_held(struct targets *t, const struct held *held)
{
	uint32_t uid = proc_user__of(held->pid);
	struct time_budget cost = time_budget__new(0);
	struct discovered found;
	int ret;

	if (!allowance__may(t->allowance, uid, cost.monotonic)) {
		looks__wait_for(t->looks, held->pid, uid);
		return false;
	}
	ret = discover__executed(t->discover, held->pid, held->fd, &found);
	if (ret == 1) {
		found.binary->generation = t->generation;
		/* that the process is seen is told when it has executed it */
		if (!attach__has(session__attach(t->session), found.binary))
			targets__attach_found(t, &found, false);
	}
	allowance__took(t->allowance, uid, cost.monotonic, time_budget__spent(&cost));
	return ret >= 0;
}

void targets__held(struct targets *t, struct hold *h)
{
	struct held held;
	unsigned int missed;

	while (hold__next(h, &held)) {
		bool wanted = targets__whole_host(t) || session__selects(t->session, held.pid);
		bool done = wanted && targets__look_at_held(t, &held);

		if (!hold__release(h, &held, done) && wanted)
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

/* So long at most, for nothing else is done here meanwhile. */
#define FORGET_NS 300000000u

/*
 * A file without a name that nothing runs can never be run again. When room gets scarce one that
 * has a name goes, too: anybody can make files with many sites, and a file that is run again is
 * attached again.
 */
static void forget_unused(struct targets *t)
{
	bool crowded = attach__is_crowded(session__attach(t->session));
	uint64_t end = clock__monotonic() + FORGET_NS;
	struct binary *const *all;
	size_t i = discover__binaries(t->discover, &all);

	while (i-- > 0 && clock__monotonic() < end) {
		struct binary *b = all[i];
		struct stat st;

		/* not in one look only: a process that starts meanwhile can be missed by it */
		if (t->generation - b->generation < 2 || fstat(b->fd, &st) ||
		    (st.st_nlink && !crowded))
			continue;
		proof__forget(t->proof, b);
		presence__dropped(t->presence, b);
		tamper__dropped(t->tamper, b);
		attach__drop(session__attach(t->session), b);
		discover__forget(t->discover, b);
	}
}

bool targets__runs(void *ctx, pid_t pid, const struct binary *b, uint64_t bias)
{
	struct targets *t = ctx;
	struct discovered found;
	int ret = discover__pid(t->discover, pid, &found);

	/* one that cannot be looked through has not ended for that */
	if (ret < 0)
		return ret != -ESRCH;
	return ret == 1 && found.binary == b && found.bias == bias;
}

static void on_looked_at_all(void *ctx, bool complete)
{
	struct targets *t = ctx;

	presence__flush(t->presence);
	presence__sweep(t->presence);
	if (complete)
		forget_unused(t);
}

/* Not attached by now: it has run unseen. */
static void on_late(void *ctx, const struct discovered *found, bool all)
{
	struct targets *t = ctx;

	if (all && targets__whole_host(t) && targets__can_trace(t, found->binary))
		proof__found(t->proof, found->pid, found->binary, found->bias);
	targets__found(t, found, NULL, true);
}

struct looks *targets__new_looks(struct targets *t)
{
	const struct looks_options o = {
		.discover = t->discover,
		.allowance = t->allowance,
		.found = on_late,
		.over = on_looked_at_all,
		.ctx = t,
	};

	return looks__new(&o);
}

struct selected {
	struct pid_list all;
	int err;
};

static bool add_selected(void *ctx, pid_t pid)
{
	struct selected *s = ctx;

	if (kill(pid, 0) && errno == ESRCH)
		return false; /* the kernel did not say that it ended */
	if (!s->err)
		s->err = pid_list__add(&s->all, pid);
	return true;
}

bool targets__rescan(struct targets *t, uint64_t now)
{
	struct selected s = {.err = 0};

	if (!looks__can_begin(t->looks, now))
		return false;
	if (targets__whole_host(t))
		s.err = pid_list__add_all(&s.all);
	else
		session__each_selected(t->session, add_selected, &s);
	if (!s.err) {
		t->generation++;
		looks__begin(t->looks, &s.all);
	}
	pid_list__free(&s.all);
	return true;
}

int targets__pending(struct targets *t)
{
	int soonest = looks__go_on(t->looks);

	presence__flush(t->presence);
	return soonest;
}
