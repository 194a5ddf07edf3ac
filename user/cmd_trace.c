// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* `pytrail trace`: from the ring to the outputs, until a signal, a limit, or the end of what is traced. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "commands.h"
#include "output.h"
#include "pattern.h"
#include "proof.h"
#include "reader.h"
#include "record.h"
#include "session.h"
#include "stats.h"
#include "targets.h"
#include "trace_options.h"
#include "util/clock.h"
#include "util/log.h"

/* While events come the ring is swept this often: no wakeup is paid for by the traced program. */
#define SWEEP_MS 2
/* Sweeping goes on for this long after the last event: longer than the programs' cfg_wake_ns (5 ms), within
 * which they rely on it instead of waking the collector. */
#define SWEEP_LINGER_NS 12000000u
/* The longest sleep: bounds the delay of a record whose producer was preempted before it was put. */
#define IDLE_MS         250
#define HOUSEKEEPING_NS 250000000u
#define RESCAN_NS       5000000000u

struct trace {
	struct trace_options opts;
	struct session *session;
	struct targets *targets;
	struct child *child;
	struct output *output;
	struct record_writer *record;
	struct proof *proof;
	int epoll, signals;
	uint64_t started_ns, housekeeping_ns, rescan_ns, stats_ns;
	unsigned int interrupts; /* SIGINT and SIGTERM so far */
	bool done;
	bool limit_reached; /* --max-events */
	bool detached;      /* nothing is attached any more, and nothing must be */
	int failed;         /* -errno of an output that failed */
};

static int on_record(void *ctx, const void *record, size_t size)
{
	struct trace *t = ctx;
	const struct pt_rec *rec = reader__header(record, size);
	int ret;

	if (rec && rec->kind == PT_REC_EXEC) {
		output__exec(t->output, &rec->task);
		if (!t->detached)
			targets__exec(t->targets, (pid_t)rec->task.pid);
		return 0;
	}
	if (rec && rec->kind == PT_REC_EXIT) {
		output__exit(t->output, &rec->task);
		return 0;
	}
	/* --max-events: what came behind the last one is not wanted */
	if (t->limit_reached)
		return 0;
	if (rec && !t->detached && rec->kind == PT_REC_AUDIT && size >= sizeof(struct pt_audit))
		proof__see(t->proof, record);
	ret = output__record(t->output, record, size);
	if (ret < 0)
		t->failed = ret;
	if (ret > 0)
		t->limit_reached = true;
	if (ret)
		t->done = true;
	return ret;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void trace__signal(struct trace *t)
{
	struct signalfd_siginfo info;

	while (read(t->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		/*
		 * The terminal sends SIGINT to the command too, and its end ends us; a signal to pytrail
		 * alone is handed on. The second one ends us in any case.
		 */
		if (t->child && !t->interrupts++) {
			if (info.ssi_pid)
				kill(child__pid(t->child), (int)info.ssi_signo);
			continue;
		}
		t->done = true;
	}
}

static int trace__open_outputs(struct trace *t)
{
	struct record_header header = {
		.version = PT_WIRE_VERSION,
		.realtime_offset_ns = clock__realtime_offset(),
		.instance_ns = clock__realtime(),
	};
	struct output_options oo = {
		.specs = t->opts.outputs,
		.specs_cnt = t->opts.outputs_cnt,
		.patterns = t->opts.patterns,
		.realtime_offset_ns = header.realtime_offset_ns,
		.instance_ns = header.instance_ns,
		.max_events = t->opts.max_events,
		.live = true,
	};
	int err;

	clock__boot_id(header.boot_id, sizeof(header.boot_id));
	oo.boot_id = header.boot_id;
	if (t->opts.record) {
		err = record_writer__open(t->opts.record, &header, &t->record);
		if (err)
			return EXIT_FAIL;
		oo.record = t->record;
	}
	err = output__new(&oo, &t->output);
	if (err)
		return err == -EINVAL ? EXIT_USAGE : EXIT_FAIL;
	return -1;
}

static int trace__open(struct trace *t)
{
	struct session_options so = {
		.ring_size = t->opts.ring_size,
		.max_string = t->opts.max_string,
		.max_items = t->opts.max_items,
		.max_depth = t->opts.max_depth,
		.probe = t->opts.probe,
		.patterns = t->opts.patterns,
	};
	struct epoll_event ev = {.events = EPOLLIN};
	int code;

	code = trace__open_outputs(t);
	if (code >= 0)
		return code;
	t->signals = open_signals();
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (t->signals < 0 || t->epoll < 0) {
		log__error("cannot wait for events: %s", strerror(errno));
		return EXIT_FAIL;
	}
	if (t->opts.command && child__start(t->opts.command, &t->child))
		return EXIT_FAIL;
	code = targets__new(&t->opts, t->child, &so, &t->targets);
	if (code >= 0)
		return code;
	if (session__open(&so, on_record, t, &t->session))
		return EXIT_CANNOT_TRACE;
	t->proof = proof__new(session__attach(t->session));
	ev.data.fd = session__fd(t->session);
	epoll_ctl(t->epoll, EPOLL_CTL_ADD, ev.data.fd, &ev);
	ev.data.fd = t->signals;
	epoll_ctl(t->epoll, EPOLL_CTL_ADD, ev.data.fd, &ev);
	code = targets__attach(t->targets, t->session, t->proof);
	if (code >= 0)
		return code;
	if (t->child && child__release(t->child))
		return EXIT_FAIL;
	return -1;
}

/* What needs no promptness: losses, files of new processes, --stats, the time limit. */
static void trace__housekeeping(struct trace *t, uint64_t now)
{
	if (now - t->housekeeping_ns < HOUSEKEEPING_NS)
		return;
	t->housekeeping_ns = now;
	session__losses(t->session);
	proof__retry(t->proof, now);
	if (now - t->rescan_ns >= RESCAN_NS) {
		t->rescan_ns = now;
		targets__rescan(t->targets);
	}
	if (t->opts.stats_interval > 0 &&
	    now - t->stats_ns >= (uint64_t)(t->opts.stats_interval * 1e9)) {
		t->stats_ns = now;
		stats__say(t->session, output__stats(t->output), false);
	}
	if (t->opts.pids_cnt && targets__gone(t->targets))
		t->done = true;
}

/* The command has ended, and so have its children that are traced. */
static bool trace__command_ended(struct trace *t)
{
	int code;

	return t->child && child__ended(t->child, &code) && targets__gone(t->targets);
}

static void trace__flush(struct trace *t)
{
	int err = output__flush(t->output);

	if (!err)
		return;
	t->done = true;
	if (!t->failed)
		t->failed = err;
}

static void trace__loop(struct trace *t)
{
	uint64_t now = clock__monotonic(), busy_ns = 0;
	struct epoll_event events[4];
	int n;

	t->started_ns = t->rescan_ns = t->stats_ns = now;
	while (!t->done) {
		int timeout = now - busy_ns < SWEEP_LINGER_NS ? SWEEP_MS : IDLE_MS;
		int pending = targets__pending(t->targets, now);

		if (pending >= 0 && pending < timeout)
			timeout = pending;

		if (t->opts.duration > 0) {
			uint64_t end = t->started_ns + (uint64_t)(t->opts.duration * 1e9);

			if (now >= end)
				break;
			if ((end - now) / 1000000 < (uint64_t)timeout)
				timeout = (int)((end - now) / 1000000) + 1;
		}
		n = epoll_wait(t->epoll, events, 4, timeout);
		now = clock__monotonic();
		while (n-- > 0) {
			if (events[n].data.fd == t->signals)
				trace__signal(t);
			else
				busy_ns = now; /* woken: sweep from now on, even if the ring is empty yet */
		}
		if (session__drain(t->session) > 0)
			busy_ns = now;
		else if (!t->done)
			trace__flush(t);
		if (now - busy_ns >= SWEEP_LINGER_NS || now - t->housekeeping_ns >= HOUSEKEEPING_NS)
			trace__housekeeping(t, now);
		if (trace__command_ended(t))
			break;
	}
}

/* Detach first, so that what is drained then is all there will be. */
static void trace__finish(struct trace *t)
{
	t->detached = true;
	session__detach(t->session);
	while (!t->failed && session__drain(t->session) > 0)
		continue;
	if (!t->failed)
		session__losses(t->session);
	trace__flush(t);
}

static int trace__exit_code(struct trace *t, uint64_t lost)
{
	int code;

	/* what went wrong here comes first: a script must not take what it has for complete */
	if (t->failed && t->failed != -EPIPE)
		return EXIT_FAIL;
	if (t->opts.strict && lost)
		return EXIT_LOST;
	if (t->child && child__ended(t->child, &code))
		return code;
	return EXIT_OK;
}

static int trace__run(struct trace *t)
{
	struct pt_counters c;
	uint64_t lost;
	int code;

	code = trace__open(t);
	if (code >= 0)
		return code;
	trace__loop(t);
	trace__finish(t);
	if (t->record && record_writer__close(t->record) && !t->failed)
		t->failed = -EIO;
	t->record = NULL;
	c = session__counters(t->session);
	if (t->opts.stats)
		stats__say(t->session, output__stats(t->output), true);
	lost = stats__summary(&c, output__stats(t->output), clock__monotonic() - t->started_ns);
	return trace__exit_code(t, lost);
}

int cmd_trace(int argc, char **argv)
{
	struct trace *t = calloc(1, sizeof(*t));
	int code;

	if (!t) {
		log__error("out of memory");
		return EXIT_FAIL;
	}
	t->epoll = t->signals = -1;
	code = trace_options__parse(&t->opts, argc, argv);
	if (code < 0)
		code = trace__run(t);
	proof__free(t->proof);
	session__close(t->session);
	targets__free(t->targets);
	child__free(t->child);
	output__free(t->output);
	if (t->record)
		record_writer__close(t->record);
	if (t->epoll >= 0)
		close(t->epoll);
	if (t->signals >= 0)
		close(t->signals);
	trace_options__free(&t->opts);
	free(t);
	return code;
}
