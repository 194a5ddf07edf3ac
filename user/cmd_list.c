/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* `pytrail list`: the live CPython processes, and how each would be traced or why it cannot be. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "discover.h"
#include "enrich/cgroup.h"
#include "format/format.h"
#include "trace_how.h"
#include "util/buf.h"
#include "util/log.h"
#include "util/table.h"

#define SHORT_ID 12 /* digits of a container's id, as its tools show it */

struct listing {
	bool json;
	struct buf out;
	struct table table;
	size_t cnt;
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

static void add_json(struct buf *b, const struct discovered *f, const char *comm,
                     const char *container)
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
	if (*container)
		buf__printf(b, ",\"container_id\":\"%s\"", container);
	buf__printf(b, ",\"sites\":%zu", f->binary->sites_cnt);
	if (how.probe)
		buf__printf(b, ",\"trace\":\"%s\",\"decoded\":%s", how.probe,
		            how.decoded ? "true" : "false");
	else
		buf__lit(b, ",\"trace\":null");
	if (how.reason)
		buf__printf(b, ",\"reason\":\"%s\"", how.reason);
	buf__lit(b, "}\n");
}

static void add_row(struct table *t, const struct discovered *f, const char *comm,
                    const char *container)
{
	const struct trace_how how = trace_how__of(f->binary);
	char pid[16], id[SHORT_ID + 1];

	snprintf(pid, sizeof(pid), "%d", (int)f->pid);
	snprintf(id, sizeof(id), "%.*s", SHORT_ID, container);
	table__cell(t, pid);
	table__cell(t, comm);
	table__cell(t, f->binary->py_version_text);
	table__cell(t, f->binary->free_threaded ? "free-threaded" : "GIL");
	table__cell(t, how.probe ? how.probe : "");
	table__cell(t, id);
	table__cell(t, f->binary->path);
	table__cell(t, how.reason ? how.reason : "");
}

static int on_found(void *ctx, const struct discovered *f)
{
	struct listing *l = ctx;
	char comm[64], container[CGROUP_ID_SIZE];

	read_comm(f->pid, comm, sizeof(comm));
	cgroup__of_pid(f->pid, container);
	if (l->json)
		add_json(&l->out, f, comm, container);
	else
		add_row(&l->table, f, comm, container);
	l->cnt++;
	return 0;
}

static int put_out(struct listing *l)
{
	if (!l->json && l->cnt)
		table__render(&l->table, &l->out);
	if (l->out.failed) {
		log__error("list: not enough memory");
		return EXIT_FAIL;
	}
	if (l->out.len &&
	    (fwrite(l->out.data, 1, l->out.len, stdout) != l->out.len || fflush(stdout))) {
		if (errno == EPIPE)
			return EXIT_OK;
		log__error("list: cannot write to standard output: %s", strerror(errno));
		return EXIT_FAIL;
	}
	return EXIT_OK;
}

static int list(struct listing *l)
{
	static const char *const heads[] = {"PID",   "COMMAND",   "VERSION", "FLAVOUR",
	                                    "TRACE", "CONTAINER", "BINARY",  "NOTE"};
	const unsigned columns = sizeof(heads) / sizeof(heads[0]);
	struct discover *d = discover__new();
	size_t denied;
	int err, status;

	if (!d) {
		log__error("list: not enough memory");
		return EXIT_FAIL;
	}
	table__init(&l->table, columns);
	for (unsigned i = 0; i < columns; i++)
		table__cell(&l->table, heads[i]);
	err = discover__all(d, on_found, l);
	if (err)
		log__error("list: cannot look at the processes: %s", strerror(-err));
	status = err ? EXIT_FAIL : put_out(l);
	if (!err && !l->cnt)
		log__info("no live CPython process found (3.8 or later)");
	denied = discover__denied(d);
	if (denied)
		log__warn("%zu process%s could not be looked at%s", denied, denied == 1 ? "" : "es",
		          geteuid() ? ": run as root to see all" : "");
	discover__free(d);
	table__free(&l->table);
	buf__free(&l->out);
	return status;
}

int cmd_list(int argc, char **argv)
{
	static const struct option longs[] = {{"json", no_argument, NULL, 'j'}, {0}};
	struct listing l = {0};
	int c;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (c != 'j') {
			log__error("list: unknown option '%s'; see 'pytrail help list'",
			           argv[optind - 1]);
			return EXIT_USAGE;
		}
		l.json = true;
	}
	if (optind < argc) {
		log__error("list: unexpected argument '%s'; see 'pytrail help list'", argv[optind]);
		return EXIT_USAGE;
	}
	return list(&l);
}
