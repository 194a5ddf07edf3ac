// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* `pytrail trace`: from the ring to the outputs, until a signal, a limit, or the end of what is
 * traced. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "attach.h"
#include "commands.h"
#include "config/config_output.h"
#include "enrich/call_site.h"
#include "export/outlets.h"
#include "output.h"
#include "reader.h"
#include "record.h"
#include "redact/redact.h"
#include "session.h"
#include "stats.h"
#include "trace_loop.h"
#include "trace_options.h"
#include "util/clock.h"
#include "util/log.h"

struct trace {
	struct trace_options opts;
	struct trace_loop *loop;
	struct output *output;
	struct record_writer *record;
	struct redact *redact;
	struct config_output *outputs;
	size_t outputs_cnt;
	struct outlets *outlets;
	char boot_id[64];
	uint64_t undelivered; /* records that receivers did not get */
	uint64_t stats_ns;    /* when --stats is due next */
	bool limit_reached;   /* --max-events */
	int failed;           /* -errno of an output that failed */
};

static int on_record(void *ctx, const void *record, size_t size)
{
	const struct pt_rec *rec = reader__header(record, size);
	struct trace *t = ctx;
	int ret;

	/* --max-events: what came behind the last one is not wanted, but for how it ended */
	if (t->limit_reached && (!rec || rec->kind != PT_REC_DETACH))
		return 0;
	ret = output__record(t->output, record, size);
	if (ret < 0)
		t->failed = ret;
	if (ret > 0)
		t->limit_reached = true;
	return ret;
}

static void on_alert(void *ctx, const struct alert *alert)
{
	struct trace *t = ctx;
	int err = output__alert(t->output, alert);

	if (err < 0)
		t->failed = err;
}

static void on_seen(void *ctx, const struct pt_task *task)
{
	struct trace *t = ctx;

	session__track(trace_loop__session(t->loop), (pid_t)task->pid);
}

static void on_unwanted(void *ctx, const struct pt_task *task)
{
	struct trace *t = ctx;

	session__unwanted(trace_loop__session(t->loop), task);
}

static void on_idle(void *ctx)
{
	struct trace *t = ctx;
	int err = output__flush(t->output);

	outlets__flush(t->outlets);
	if (!err)
		return;
	trace_loop__stop(t->loop);
	if (!t->failed)
		t->failed = err;
}

/* The exporter has something to say. */
static void on_input(void *ctx)
{
	struct trace *t = ctx;

	outlets__handle(t->outlets);
}

/* SIGHUP: files that were rotated by somebody else are made anew. */
static bool on_hangup(void *ctx)
{
	struct trace *t = ctx;

	return output__reopen(t->output) > 0;
}

/* --stats=SECONDS, and an exporter that is to be started again */
static int on_due(void *ctx, uint64_t now)
{
	struct trace *t = ctx;
	uint64_t interval = (uint64_t)(t->opts.stats_interval * 1e9);
	int again = outlets__due(t->outlets, now);

	if (!interval)
		return again;
	if (now >= t->stats_ns) {
		if (t->stats_ns)
			stats__say(trace_loop__session(t->loop), output__stats(t->output), false);
		t->stats_ns = now + interval;
	}
	return (t->stats_ns - now) / 1000000 < INT_MAX ? (int)((t->stats_ns - now) / 1000000) + 1
	                                               : INT_MAX;
}

static int trace__open_outlets(struct trace *t, struct output_options *oo)
{
	struct outlets_options lo = {
		.dir = t->opts.spool,
		.boot_id = oo->boot_id,
		.realtime_offset_ns = oo->realtime_offset_ns,
	};
	int err = outlets__parse(t->opts.outputs, t->opts.outputs_cnt, t->opts.redact.given,
	                         &t->outputs, &t->outputs_cnt);

	/* --redact=none */
	for (size_t i = 0; !err && !t->redact && i < t->outputs_cnt; i++)
		t->outputs[i].redact = false;
	if (!err)
		err = outlets__open(&lo, t->outputs, t->outputs_cnt, &t->outlets);
	if (!err)
		oo->targets = outlets__targets(t->outlets, &oo->targets_cnt);
	return err;
}

static int trace__open_outputs(struct trace *t)
{
	struct record_header header = {
		.version = PT_WIRE_VERSION,
		.realtime_offset_ns = clock__realtime_offset(),
		.instance_ns = clock__realtime(),
	};
	struct output_options oo = {
		.patterns = t->opts.patterns,
		.selection = t->opts.selection,
		.unwanted = on_unwanted,
		.unwanted_ctx = t,
		.processes = t->opts.processes,
		.attack_severity = t->opts.attack_severity,
		.track = on_seen,
		.track_ctx = t,
		.realtime_offset_ns = header.realtime_offset_ns,
		.instance_ns = header.instance_ns,
		.max_events = t->opts.max_events,
		.live = true,
	};
	int err;

	clock__boot_id(header.boot_id, sizeof(header.boot_id));
	snprintf(t->boot_id, sizeof(t->boot_id), "%s", header.boot_id);
	oo.boot_id = t->boot_id;
	if (t->opts.record) {
		err = record_writer__open(t->opts.record, &header, &t->record);
		if (err)
			return EXIT_FAIL;
		oo.record = t->record;
	}
	if (redact_options__open(&t->opts.redact, &t->redact))
		return EXIT_FAIL;
	oo.redact = t->redact;
	err = trace__open_outlets(t, &oo);
	if (!err)
		err = output__new(&oo, &t->output);
	if (err)
		return err == -EINVAL ? EXIT_USAGE : EXIT_FAIL;
	return -1;
}

/* The file that a site is in. */
static int probed_file(void *ctx, unsigned int site, struct call_site_file *out)
{
	struct trace *t = ctx;
	struct attach *a = session__attach(trace_loop__session(t->loop));
	const struct binary *b = attach__of_site(a, site);

	if (!b)
		return -ENOENT;
	out->fd = b->fd;
	out->path = b->path;
	return 0;
}

static int trace__exit_code(struct trace *t, uint64_t lost)
{
	int code;

	/* what went wrong here comes first: a script must not take what it has for complete */
	if (t->failed && t->failed != -EPIPE)
		return EXIT_FAIL;
	if (t->opts.strict && lost)
		return EXIT_LOST;
	code = trace_loop__command_code(t->loop);
	return code >= 0 ? code : EXIT_OK;
}

static int trace__run(struct trace *t)
{
	struct trace_hooks hooks = {.early = true,
	                            .record = on_record,
	                            .idle = on_idle,
	                            .due = on_due,
	                            .hangup = on_hangup,
	                            .input = on_input,
	                            .alert = on_alert};
	struct session *session;
	struct pt_counters c;
	uint64_t lost;
	int code;

	code = trace__open_outputs(t);
	hooks.input_fd = code < 0 ? outlets__fd(t->outlets) : -1;
	if (code < 0)
		code = trace_loop__open(&t->opts, &hooks, t, &t->loop);
	if (code >= 0)
		return code;
	session = trace_loop__session(t->loop);
	output__set_probed(t->output, probed_file, t);
	trace_loop__run(t->loop);
	trace_loop__finish(t->loop);
	on_idle(t);
	if (t->record && record_writer__close(t->record) && !t->failed)
		t->failed = -EIO;
	t->record = NULL;
	t->undelivered = outlets__finish(t->outlets, t->opts.drain_timeout);
	c = session__counters(session);
	c.lost[PT_LOST_OUTPUT] += t->undelivered;
	if (t->opts.stats)
		stats__say(session, output__stats(t->output), true);
	lost = stats__summary(&c, output__stats(t->output), trace_loop__elapsed(t->loop));
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
	code = trace_options__parse(&t->opts, argc, argv);
	if (t->opts.probe != PROBE_UPROBE)
		binary__prefer_usdt();
	if (code < 0)
		code = trace__run(t);
	trace_loop__free(t->loop);
	output__free(t->output);
	outlets__free(t->outlets);
	for (size_t i = 0; t->outputs && i < t->outputs_cnt; i++)
		config_output__clear(&t->outputs[i]);
	free(t->outputs);
	redact__free(t->redact);
	if (t->record)
		record_writer__close(t->record);
	trace_options__free(&t->opts);
	free(t);
	return code;
}
