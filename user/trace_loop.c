// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "trace_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "child.h"
#include "confine/calls.h"
#include "confine/caps.h"
#include "hold.h"
#include "presence.h"
#include "pressure.h"
#include "proof.h"
#include "reader.h"
#include "tamper.h"
#include "targets.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/log.h"

/* While events come the ring is swept this often: no wakeup is paid for by the traced program. */
#define SWEEP_MS 2
/* Sweeping goes on for this long after the last event: longer than the programs' cfg_wake_ns (5
 * ms), within which they rely on it instead of waking the collector. */
#define SWEEP_LINGER_NS 12000000u
/* The longest sleep: bounds the delay of a record whose producer was preempted before it was
 * put. */
#define IDLE_MS         250
#define HOUSEKEEPING_NS 250000000u
#define RESCAN_NS       5000000000u
#define RESCAN_HURRY_NS 1000000000u

struct trace_loop {
	const struct trace_options *opts;
	struct trace_hooks hooks;
	void *ctx;
	struct session *session;
	struct targets *targets;
	struct child *child;
	struct proof *proof;
	struct presence *presence; /* or NULL */
	struct tamper *tamper;     /* or NULL */
	struct hold *hold;         /* or NULL */
	struct pressure pressure;
	int epoll, signals;
	uint64_t started_ns, housekeeping_ns, rescan_ns;
	uint64_t ready_ns;       /* everything is attached since; 0: not yet */
	unsigned int interrupts; /* SIGINT and SIGTERM so far */
	bool done;
	bool loads_later; /* BPF programs may be loaded still, says the filter of system calls */
	bool had_terminal;
	bool detached; /* nothing is attached any more, and nothing must be */
	int stopped;   /* what the record hook returned to end it all */
};

/* Hands a record on. */
static int hand_on(void *ctx, const void *record, size_t size)
{
	struct trace_loop *l = ctx;
	int ret = l->hooks.record(l->ctx, record, size);

	if (ret) {
		l->stopped = ret;
		l->done = true;
	}
	return ret;
}

/* What a record means to what is attached. */
static void trace_loop__targets(struct trace_loop *l, const struct pt_rec *rec)
{
	if (rec->kind == PT_REC_EXEC || rec->kind == PT_REC_MAP)
		targets__news(l->targets, rec);
	else if (rec->kind == PT_REC_AUDIT && rec->size >= sizeof(struct pt_audit))
		proof__see(l->proof, (const struct pt_audit *)rec);
}

/* What it means to what is told of processes: before it is handed on. */
static void trace_loop__presence(struct trace_loop *l, const struct pt_rec *rec)
{
	const struct pt_audit *a = (const struct pt_audit *)rec;

	if (rec->kind == PT_REC_EXEC)
		presence__gone(l->presence, rec, PT_DETACH_EXEC);
	else if (rec->kind == PT_REC_EXIT)
		presence__gone(l->presence, rec, PT_DETACH_EXIT);
	else if (rec->kind == PT_REC_AUDIT && rec->size >= sizeof(*a) &&
	         !presence__knows(l->presence, &rec->task))
		presence__event(l->presence, a,
		                attach__of_site(session__attach(l->session), a->site));
}

static int on_record(void *ctx, const void *record, size_t size)
{
	struct trace_loop *l = ctx;
	const struct pt_rec *rec = reader__header(record, size);
	int ret = 0;

	if (rec && !l->detached)
		trace_loop__targets(l, rec);
	if (rec && l->presence)
		trace_loop__presence(l, rec);
	if (!rec || rec->kind != PT_REC_MAP)
		ret = hand_on(l, record, size);
	/* behind the exec, whose facts they have */
	presence__flush(l->presence);
	return ret;
}

/* Processes of which attach and detach are told: as many as output.c keeps the facts of. */
#define PRESENCE_MAX 16384

static int trace_loop__open_presence(struct trace_loop *l)
{
	struct presence_options po = {
		.max = PRESENCE_MAX,
		.record = hand_on,
		.record_ctx = l,
		.tasks = session__tasks,
		.tasks_ctx = l->session,
	};

	if (!l->opts->processes)
		return 0;
	l->presence = presence__new(&po);
	if (l->presence)
		return 0;
	log__error("out of memory");
	return -ENOMEM;
}

/* What has to know of each process that is found. */
static int trace_loop__open_watchers(struct trace_loop *l)
{
	const struct tamper_options to = {
		.mode = l->opts->probe,
		.alert = l->hooks.alert,
		.alert_ctx = l->ctx,
		.runs = targets__runs,
		.runs_ctx = l->targets,
	};

	if (trace_loop__open_presence(l))
		return -ENOMEM;
	if (!l->opts->names_only)
		l->proof = proof__new(session__attach(l->session));
	if (!l->opts->tamper || !l->hooks.alert)
		return 0;
	l->tamper = tamper__new(&to);
	if (l->tamper)
		return 0;
	log__error("out of memory");
	return -ENOMEM;
}

static int open_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGWINCH};
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaddset(&set, numbers[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* The terminal that we were started from; no longer when it has been hung up. */
static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* Whether SIGHUP was to reopen files, as logrotate sends it, and not the end of the session. */
static bool trace_loop__hangup(struct trace_loop *l)
{
	if (!l->hooks.hangup || (l->had_terminal && !has_terminal()))
		return false;
	return l->hooks.hangup(l->ctx);
}

static void trace_loop__signal(struct trace_loop *l)
{
	struct signalfd_siginfo info;

	while (read(l->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		if (info.ssi_signo == SIGWINCH) {
			if (l->hooks.resized)
				l->hooks.resized(l->ctx);
			continue;
		}
		if (info.ssi_signo == SIGHUP && trace_loop__hangup(l))
			continue;
		/*
		 * The terminal sends SIGINT to the command too, and its end ends us; a signal to
		 * pytrail alone is handed on. The second one ends us in any case.
		 */
		if (l->child && !l->interrupts++) {
			if (info.ssi_pid)
				kill(child__pid(l->child), (int)info.ssi_signo);
			continue;
		}
		l->done = true;
	}
}

static int watch(struct trace_loop *l, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	return fd < 0 ? 0 : epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev);
}

/* What is done after everything is attached. SECURITY.md has the same list. */
static void trace_loop__need(const struct trace_options *o)
{
	/* maps, probes and links: files that are found later are attached then */
	caps__need(CAPABILITY_BPF);
	caps__need(CAPABILITY_PERFMON);
	/* /proc/PID/maps, root, exe, environ and memory of other users' processes */
	caps__need(CAPABILITY_SYS_PTRACE);
	/* /proc/PID/map_files: the very file, deleted or of another mount namespace */
	caps__need(CAPABILITY_CHECKPOINT_RESTORE);
	/* interpreters in directories that are closed to others */
	caps__need(CAPABILITY_DAC_READ_SEARCH);
	/* to hold what is executed, in file systems that are mounted later */
	if (o->hold_ms)
		caps__need(CAPABILITY_SYS_ADMIN);
	/* signals are handed on to a command that has become another user */
	if (o->command)
		caps__need(CAPABILITY_KILL);
}

/* Everything is attached, and who is to run without this has been forked. */
static int trace_loop__confine(struct trace_loop *l)
{
	struct buf why = BUF_INIT;
	int err;

	if (l->opts->no_confine)
		return 0;
	err = caps__drop(!session__is_multi(l->session), &why);
	if (!err)
		err = calls__confine(l->loads_later = session__loads_later(l->session), &why);
	if (err)
		log__error("%.*s; --no-confine ('confine: no' of the daemon) traces without that",
		           (int)why.len, why.data ? why.data : "");
	buf__free(&why);
	return err;
}

static int trace_loop__start(struct trace_loop *l)
{
	const struct trace_options *o = l->opts;
	struct session_options so = {
		.ring_size = o->ring_size,
		.max_string = o->max_string,
		.max_items = o->max_items,
		.max_depth = o->max_depth,
		.max_rate = o->max_rate,
		.probe = o->probe,
		.tasks = o->processes,
		.names_only = o->names_only,
		.measure_runs = o->bpf_stats,
		.early = l->hooks.early,
		.patterns = o->patterns,
		.selection = o->selection,
	};
	int code;

	trace_loop__need(o);
	l->had_terminal = has_terminal();
	l->signals = open_signals();
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->signals < 0 || l->epoll < 0) {
		log__error("cannot wait for events: %s", strerror(errno));
		return EXIT_FAIL;
	}
	if (o->command && child__start(o->command, &l->child))
		return EXIT_FAIL;
	code = targets__new(o, l->child, &so, &l->targets);
	if (code >= 0)
		return code;
	if (session__open(&so, on_record, l, &l->session))
		return EXIT_CANNOT_TRACE;
	if (trace_loop__open_watchers(l))
		return EXIT_FAIL;
	watch(l, session__fd(l->session));
	watch(l, session__loading_fd(l->session));
	watch(l, l->signals);
	watch(l, l->hooks.input_fd);
	code = targets__attach(l->targets, l->session, l->proof, l->presence, l->tamper);
	if (code >= 0)
		return code;
	if (o->hold_ms && (!o->pids_cnt || o->follow)) {
		/* while the command executes we wait for it: it is attached already */
		if (hold__start(o->hold_ms, l->child ? child__pid(l->child) : 0, &l->hold))
			return EXIT_CANNOT_TRACE;
		targets__pass(l->targets, l->hold);
		watch(l, hold__fd(l->hold));
		log__debug("a Python that is new here is held until it is attached, for %u ms at "
		           "most",
		           o->hold_ms);
	}
	if (trace_loop__confine(l))
		return EXIT_CANNOT_TRACE;
	if (l->child && child__release(l->child))
		return EXIT_FAIL;
	if (l->hold)
		hold__exempt(l->hold, 0);
	return -1;
}

int trace_loop__open(const struct trace_options *opts, const struct trace_hooks *hooks, void *ctx,
                     struct trace_loop **out)
{
	struct trace_loop *l = calloc(1, sizeof(*l));

	*out = l;
	if (!l) {
		log__error("out of memory");
		return EXIT_FAIL;
	}
	l->opts = opts;
	l->hooks = *hooks;
	l->ctx = ctx;
	l->epoll = l->signals = -1;
	return trace_loop__start(l);
}

void trace_loop__free(struct trace_loop *l)
{
	if (!l)
		return;
	hold__stop(l->hold);
	proof__free(l->proof);
	presence__free(l->presence);
	tamper__free(l->tamper);
	session__close(l->session);
	targets__free(l->targets);
	child__free(l->child);
	if (l->epoll >= 0)
		close(l->epoll);
	if (l->signals >= 0)
		close(l->signals);
	free(l);
}

static void trace_loop__ready(struct trace_loop *l)
{
	if (l->ready_ns || !targets__loaded(l->targets))
		return;
	l->ready_ns = clock__monotonic();
	if (l->hooks.ready)
		l->hooks.ready(l->ctx);
}

/* Once no more programs are loaded, none can be. */
static void trace_loop__confine_more(struct trace_loop *l)
{
	struct buf why = BUF_INIT;

	if (!l->loads_later || session__loads_later(l->session))
		return;
	l->loads_later = false;
	if (calls__confine(false, &why))
		log__warn("BPF programs can still be loaded: %.*s", (int)why.len,
		          why.data ? why.data : "");
	buf__free(&why);
}

/* What was loaded on the side is there. */
static void trace_loop__loaded(struct trace_loop *l)
{
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, session__loading_fd(l->session), NULL);
	trace_loop__ready(l);
	trace_loop__confine_more(l);
}

/* What needs no promptness: losses, files of new processes. */
static void trace_loop__housekeeping(struct trace_loop *l, uint64_t now)
{
	bool hurry;

	if (now - l->housekeeping_ns < HOUSEKEEPING_NS)
		return;
	l->housekeeping_ns = now;
	session__losses(l->session);
	proof__retry(l->proof, now);
	tamper__check(l->tamper);
	/* what was not told is looked for, but not all the time */
	hurry = pressure__say(&l->pressure, l->session);
	if (now - l->rescan_ns >= (hurry ? RESCAN_HURRY_NS : RESCAN_NS) &&
	    targets__rescan(l->targets, now))
		l->rescan_ns = now;
	if (l->opts->pids_cnt && targets__gone(l->targets))
		l->done = true;
}

/* The command has ended, and so have its children that are traced. */
static bool trace_loop__command_ended(struct trace_loop *l)
{
	int code;

	return l->child && child__ended(l->child, &code) && targets__gone(l->targets);
}

static int sooner(int a, int b)
{
	return b >= 0 && b < a ? b : a;
}

/* For how many milliseconds to wait. 0 with l->done: --duration is over. */
static int trace_loop__timeout(struct trace_loop *l, uint64_t now, uint64_t busy_ns)
{
	int timeout = now - busy_ns < SWEEP_LINGER_NS ? SWEEP_MS : IDLE_MS;
	uint64_t end;

	timeout = sooner(timeout, targets__pending(l->targets));
	if (l->hooks.due)
		timeout = sooner(timeout, l->hooks.due(l->ctx, now));
	if (l->opts->duration > 0 && l->ready_ns) {
		end = l->ready_ns + (uint64_t)(l->opts->duration * 1e9);
		if (now >= end) {
			l->done = true;
			return 0;
		}
		if ((end - now) / 1000000 < (uint64_t)timeout)
			timeout = (int)((end - now) / 1000000) + 1;
	}
	return timeout;
}

/* Waits for the ring, a signal, input, or the time. True: something came, maybe to the ring. */
static bool trace_loop__wait(struct trace_loop *l, int timeout)
{
	struct epoll_event events[4];
	int n = epoll_wait(l->epoll, events, 4, timeout);
	bool woken = false;

	while (n-- > 0) {
		if (events[n].data.fd == l->signals)
			trace_loop__signal(l);
		else if (events[n].data.fd == l->hooks.input_fd)
			l->hooks.input(l->ctx);
		else if (l->hold && events[n].data.fd == hold__fd(l->hold))
			targets__held(l->targets, l->hold);
		else if (events[n].data.fd == session__loading_fd(l->session))
			trace_loop__loaded(l);
		else
			woken = true;
	}
	return woken;
}

void trace_loop__run(struct trace_loop *l)
{
	uint64_t now = clock__monotonic(), busy_ns = 0;

	l->started_ns = l->rescan_ns = now;
	trace_loop__ready(l);
	while (!l->done) {
		int timeout = trace_loop__timeout(l, now, busy_ns);
		bool woken;

		if (l->done)
			break;
		woken = trace_loop__wait(l, timeout);
		now = clock__monotonic();
		if (woken)
			busy_ns = now; /* sweep from now on, even if the ring is empty yet */
		if (session__drain(l->session) > 0)
			busy_ns = now;
		/* after each sweep, not only when nothing comes: a line is not held back by the
		 * next ones */
		if (!l->done && l->hooks.idle)
			l->hooks.idle(l->ctx);
		if (now - busy_ns >= SWEEP_LINGER_NS || now - l->housekeeping_ns >= HOUSEKEEPING_NS)
			trace_loop__housekeeping(l, now);
		if (trace_loop__command_ended(l))
			break;
	}
}

void trace_loop__stop(struct trace_loop *l)
{
	l->done = true;
}

/* Detach first, so that what is drained then is all there will be. */
void trace_loop__finish(struct trace_loop *l)
{
	l->detached = true;
	hold__stop(l->hold);
	l->hold = NULL;
	session__detach(l->session);
	while (l->stopped >= 0 && session__drain(l->session) > 0)
		continue;
	if (l->stopped >= 0) {
		session__losses(l->session);
		presence__end(l->presence);
	}
}

struct session *trace_loop__session(struct trace_loop *l)
{
	return l->session;
}

uint64_t trace_loop__elapsed(const struct trace_loop *l)
{
	return clock__monotonic() - l->started_ns;
}

int trace_loop__command_code(struct trace_loop *l)
{
	int code;

	return l->child && child__ended(l->child, &code) ? code : -1;
}
