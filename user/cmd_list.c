/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* `pytrail list`: the live CPython processes, and how each would be traced or why it cannot be. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "discover.h"
#include "enrich/cgroup.h"
#include "enrich/containers.h"
#include "format/format.h"
#include "list_count.h"
#include "sink/sink.h"
#include "trace_how.h"
#include "util/buf.h"
#include "util/log.h"
#include "util/table.h"

#define SHORT_ID 12 /* digits of a container's id, as its tools show it, and of a build id */
#define WATCH_S  2.0
#define COUNT_S  5.0

struct listing {
	bool json;
	double watch;             /* seconds between two looks, 0: one look only */
	double counted;           /* seconds of --count, 0: not given */
	struct list_count *count; /* or NULL */
	struct discover *discover;
	struct containers *containers;
	struct sink *sink;
	struct buf out;
	struct table table;
	size_t cnt;
	bool looked; /* once, with --count */
};

/* The thread's name, without the newline; "" when it is gone. */
static void read_comm(pid_t pid, char *out, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	out[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, out, size - 1);
	close(fd);
	if (n < 0)
		n = 0;
	if (n > 0 && out[n - 1] == '\n')
		n--;
	out[n] = '\0';
}

/* Where a process is. */
struct place {
	struct cgroup_facts cgroup;
	const struct container_facts *container; /* NULL: its names are not known */
};

static void add_text(struct buf *b, const char *member, const char *text)
{
	if (!*text)
		return;
	buf__str(b, member);
	json__string(b, text, strlen(text));
}

/* Of a process whose events can be seen: how many there were, in which time. */
static void add_count(struct buf *b, const struct list_count *count, pid_t pid)
{
	buf__printf(b, ",\"events\":%llu,\"events_s\":%.3f",
	            (unsigned long long)list_count__of(count, pid),
	            (double)list_count__elapsed(count) / 1e9);
}

static void add_json(struct buf *b, const struct discovered *f, const char *comm,
                     const struct place *p, const struct list_count *count)
{
	const struct trace_how how = trace_how__of(f->binary);

	buf__printf(b, "{\"pid\":%d", (int)f->pid);
	if (*comm) {
		buf__lit(b, ",\"comm\":");
		json__string(b, comm, strlen(comm));
	}
	buf__lit(b, ",\"binary\":");
	json__string(b, f->binary->path, strlen(f->binary->path));
	if (f->binary->build_id[0])
		buf__printf(b, ",\"build_id\":\"%s\"", f->binary->build_id);
	buf__printf(b, ",\"shared\":%s,\"python\":{", f->binary->shared ? "true" : "false");
	if (f->binary->py_version_text[0])
		buf__printf(b, "\"version\":\"%s\",", f->binary->py_version_text);
	buf__printf(b, "\"free_threaded\":%s}", f->binary->free_threaded ? "true" : "false");
	add_text(b, ",\"container_id\":", p->cgroup.container_id);
	if (p->container) {
		add_text(b, ",\"container_name\":", p->container->name);
		add_text(b, ",\"container_image\":", p->container->image);
		add_text(b, ",\"pod_name\":", p->container->pod);
		add_text(b, ",\"pod_namespace\":", p->container->pod_namespace);
	}
	buf__printf(b, ",\"sites\":%zu", f->binary->sites_cnt);
	if (how.probe)
		buf__printf(b, ",\"trace\":\"%s\",\"decoded\":%s", how.probe,
		            how.decoded ? "true" : "false");
	else
		buf__lit(b, ",\"trace\":null");
	if (count && how.probe)
		add_count(b, count, f->pid);
	if (how.reason)
		buf__printf(b, ",\"reason\":\"%s\"", how.reason);
	buf__lit(b, "}\n");
}

static void add_row(struct table *t, const struct discovered *f, const char *comm,
                    const struct place *p, const struct list_count *count)
{
	const struct trace_how how = trace_how__of(f->binary);
	char pid[16], events[24] = "", id[SHORT_ID + 1], build_id[SHORT_ID + 1];

	snprintf(pid, sizeof(pid), "%d", (int)f->pid);
	snprintf(id, sizeof(id), "%.*s", SHORT_ID, p->cgroup.container_id);
	snprintf(build_id, sizeof(build_id), "%.*s", SHORT_ID, f->binary->build_id);
	table__cell(t, pid);
	table__cell(t, comm);
	table__cell(t, f->binary->py_version_text);
	table__cell(t, f->binary->free_threaded ? "free-threaded" : "GIL");
	table__cell(t, how.probe ? how.probe : "");
	if (count) {
		if (how.probe)
			snprintf(events, sizeof(events), "%llu",
			         (unsigned long long)list_count__of(count, f->pid));
		table__cell(t, events);
	}
	table__cell(t, p->container ? p->container->name : id);
	table__cell(t, build_id);
	table__cell(t, f->binary->path);
	table__cell(t, how.reason ? how.reason : "");
}

static int on_found(void *ctx, const struct discovered *f)
{
	struct listing *l = ctx;
	char comm[64], text[8192];
	struct place place = {0};

	read_comm(f->pid, comm, sizeof(comm));
	if (!cgroup__of_pid(f->pid, text, sizeof(text), &place.cgroup) && place.cgroup.container_id[0])
		place.container = containers__get(l->containers, place.cgroup.container_id,
		                                  place.cgroup.path, place.cgroup.path_len);
	if (l->json)
		add_json(&l->out, f, comm, &place, l->count);
	else
		add_row(&l->table, f, comm, &place, l->count);
	l->cnt++;
	return 0;
}

/* 0, or -errno, said. */
static int put_out(struct listing *l)
{
	if (!l->json && l->cnt)
		table__render(&l->table, &l->out);
	if (l->out.failed) {
		log__error("list: not enough memory");
		return -ENOMEM;
	}
	return sink__write(l->sink, l->out.data, l->out.len);
}

/* What is on the screen goes; what is appended to a file is told apart by an empty line. */
static void separate(struct listing *l, bool first)
{
	buf__reset(&l->out);
	if (l->watch > 0 && sink__is_terminal(l->sink))
		buf__lit(&l->out, "\033[H\033[2J\033[3J");
	else if (!first && !l->json)
		buf__char(&l->out, '\n');
}

#define COUNT_HEAD "EVENTS"

/* One look at all processes. An exit code, or -1: go on. */
static int list_once(struct listing *l, bool first)
{
	static const char *const heads[] = {"PID",      "COMMAND",   "VERSION",  "FLAVOUR", "TRACE",
	                                    COUNT_HEAD, "CONTAINER", "BUILD ID", "BINARY",  "NOTE"};
	const unsigned heads_cnt = sizeof(heads) / sizeof(heads[0]);
	int err, status;

	separate(l, first);
	l->cnt = 0;
	table__init(&l->table, l->count ? heads_cnt : heads_cnt - 1);
	for (unsigned i = 0; i < heads_cnt; i++)
		if (l->count || strcmp(heads[i], COUNT_HEAD))
			table__cell(&l->table, heads[i]);
	err = discover__all(l->discover, on_found, l);
	if (err)
		log__error("list: cannot look at the processes: %s", strerror(-err));
	status = err ? err : put_out(l);
	table__free(&l->table);
	if (status)
		return status == -EPIPE ? EXIT_OK : EXIT_FAIL;
	return -1;
}

/* What is said beside the table, once. */
static void say_rest(const struct listing *l)
{
	size_t denied = discover__denied(l->discover);

	if (!l->cnt)
		log__info("no live CPython process found (3.8 or later)");
	if (denied)
		log__warn("%zu process%s could not be looked at%s", denied, denied == 1 ? "" : "es",
		          geteuid() ? ": run as root to see all" : "");
}

/* Waits for the next look. False: SIGINT, SIGTERM or SIGHUP came. */
static bool wait_for_next(const struct listing *l)
{
	struct timespec ts = {
		.tv_sec = (time_t)l->watch,
		.tv_nsec = (long)((l->watch - (double)(time_t)l->watch) * 1e9),
	};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return sigtimedwait(&set, NULL, &ts) < 0;
}

static int list_counted(void *ctx)
{
	struct listing *l = ctx;
	int status = list_once(l, !l->looked);

	if (status < 0 && !l->looked)
		say_rest(l);
	l->looked = true;
	return status;
}

static int list_plain(struct listing *l)
{
	int status = list_once(l, true);

	if (status < 0)
		say_rest(l);
	/* the files are known by then: a further look costs little */
	while (status < 0 && l->watch > 0 && wait_for_next(l))
		status = list_once(l, false);
	return status;
}

static int list(struct listing *l)
{
	int status;

	if (sink__open(NULL, &l->sink))
		return EXIT_FAIL;
	l->discover = discover__new();
	l->containers = containers__new(NULL);
	if (l->counted > 0)
		l->count = list_count__new();
	if (!l->discover || !l->containers || (l->counted > 0 && !l->count)) {
		log__error("list: not enough memory");
		discover__free(l->discover);
		containers__free(l->containers);
		sink__close(l->sink);
		return EXIT_FAIL;
	}
	if (l->count)
		status = list_count__run(l->count, l->watch > 0 ? l->watch : l->counted,
		                         l->watch > 0, list_counted, l);
	else
		status = list_plain(l);
	list_count__free(l->count);
	discover__free(l->discover);
	containers__free(l->containers);
	sink__close(l->sink);
	buf__free(&l->out);
	return status < 0 ? EXIT_OK : status;
}

static int seconds_option(const char *name, const char *text, double otherwise, double *out)
{
	char *end;

	*out = text ? strtod(text, &end) : otherwise;
	if (!text || (end != text && !*end && *out >= 0.1 && *out <= 1e6))
		return 0;
	log__error("%s takes a number of seconds from 0.1 on, not '%s'", name, text);
	return -EINVAL;
}

int cmd_list(int argc, char **argv)
{
	static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
	                                      {"watch", optional_argument, NULL, 'w'},
	                                      {"count", optional_argument, NULL, 'c'},
	                                      {0}};
	struct listing l = {0};
	int c;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (c == 'j') {
			l.json = true;
		} else if (c == 'w') {
			if (seconds_option("--watch", optarg, WATCH_S, &l.watch))
				return EXIT_USAGE;
		} else if (c == 'c') {
			if (seconds_option("--count", optarg, COUNT_S, &l.counted))
				return EXIT_USAGE;
		} else {
			log__error("list: unknown option '%s'; see 'pytrail help list'",
			           argv[optind - 1]);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		log__error("list: unexpected argument '%s'; see 'pytrail help list'", argv[optind]);
		return EXIT_USAGE;
	}
	return list(&l);
}
