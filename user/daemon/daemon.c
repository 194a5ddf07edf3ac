// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "daemon.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../confine/caps.h"
#include "../enrich/call_site.h"
#include "../output.h"
#include "../session.h"
#include "../stats.h"
#include "../util/clock.h"
#include "../util/log.h"
#include "control.h"
#include "daemon_impl.h"
#include "notify.h"

/* For outputs to take what is under way; the rest stays in the spool. */
#define STOP_DRAIN 1.0

static int on_record(void *ctx, const void *record, size_t size)
{
	struct daemon *d = ctx;
	int ret = output__record(d->output, record, size);

	if (ret < 0)
		d->failed = ret;
	return ret;
}

static void on_alert(void *ctx, const struct alert *alert)
{
	struct daemon *d = ctx;
	int err = output__alert(d->output, alert);

	if (err < 0)
		d->failed = err;
}

static void on_seen(void *ctx, const struct pt_task *task)
{
	struct daemon *d = ctx;

	session__track(trace_loop__session(d->loop), (pid_t)task->pid);
}

static void on_unwanted(void *ctx, const struct pt_task *task)
{
	struct daemon *d = ctx;

	session__unwanted(trace_loop__session(d->loop), task);
}

static void on_idle(void *ctx)
{
	struct daemon *d = ctx;
	int err = output__flush(d->output);

	outlets__flush(d->outlets);
	if (err) {
		d->failed = err;
		trace_loop__stop(d->loop);
	}
}

static int sooner(int a, int b)
{
	return b >= 0 && b < a ? b : a;
}

static int on_due(void *ctx, uint64_t now)
{
	struct daemon *d = ctx;
	int again;

	if (d->reload) {
		d->reload = false;
		daemon__reload(d);
	}
	again = outlets__due(d->outlets, now);
	daemon__figures(d, now);
	return sooner(now < d->figures_ns ? (int)((d->figures_ns - now) / 1000000) + 1 : 1, again);
}

static void on_input(void *ctx)
{
	struct daemon *d = ctx;

	outlets__handle(d->outlets);
	daemon__answer(d);
}

/* Not here: outlets may be at work. */
static bool on_hangup(void *ctx)
{
	((struct daemon *)ctx)->reload = true;
	return true;
}

static int probed_file(void *ctx, unsigned int site, struct call_site_file *out)
{
	struct daemon *d = ctx;
	const struct binary *b = attach__of_site(session__attach(trace_loop__session(d->loop)), site);

	if (!b)
		return -ENOENT;
	out->fd = b->fd;
	out->path = b->path;
	return 0;
}

/* The spool's parent is ours, too. */
static void name_alive(struct daemon *d)
{
	const char *spool = settings__string(d->cfg->sections[SECTION_SPOOL], "directory");
	char dir[4000];
	char *slash;

	snprintf(dir, sizeof(dir), "%s", spool);
	slash = strrchr(dir, '/');
	if (slash && slash != dir) {
		*slash = '\0';
		mkdir(dir, 0755);
	}
	snprintf(d->alive, sizeof(d->alive), "%s/alive", dir);
}

static int open_output(struct daemon *d)
{
	struct outlets_options lo = daemon__outlets_options(d, d->cfg);
	struct output_options oo = {
		.patterns = d->trace.patterns,
		.selection = d->trace.selection,
		.unwanted = on_unwanted,
		.unwanted_ctx = d,
		.processes = d->trace.processes,
		.track = on_seen,
		.track_ctx = d,
		.boot_id = d->boot_id,
		.realtime_offset_ns = d->realtime_offset_ns,
		.instance_ns = d->instance_ns,
		.attack_severity = d->trace.attack_severity,
		.live = true,
	};
	int err;

	if (config__redact_options(d->cfg, &d->redact_options) ||
	    redact_options__open(&d->redact_options, &d->redact))
		return EXIT_FAIL;
	oo.redact = d->redact;
	daemon__without_rules(d, d->cfg);
	err = outlets__open(&lo, d->cfg->outputs, d->cfg->outputs_cnt, &d->outlets);
	if (err)
		return err == -EINVAL ? EXIT_USAGE : EXIT_FAIL;
	oo.targets = outlets__targets(d->outlets, &oo.targets_cnt);
	return output__new(&oo, &d->output) ? EXIT_FAIL : -1;
}

static int watch(struct daemon *d, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	return fd < 0 ? 0 : epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static int open_control(struct daemon *d)
{
	const char *path = settings__string(d->cfg->sections[SECTION_CONTROL], "socket");

	d->control = control__listen(path);
	if (d->control == -EADDRINUSE)
		log__error(
			"another daemon listens at '%s': stop it, or set another 'control: socket'",
			path);
	else if (d->control < 0)
		log__error("cannot listen at '%s': %s", path, strerror(-d->control));
	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (d->control < 0 || d->epoll < 0)
		return EXIT_FAIL;
	watch(d, d->control);
	return -1;
}

static void say_started(struct daemon *d)
{
	struct stat st;
	int64_t since = stat(d->alive, &st)
	                        ? 0
	                        : (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;

	daemon__alert(d, "started", NULL,
	              since ? "tracing begins; what was raised since it ended was not seen"
	                    : "tracing begins",
	              since);
}

/* Files that are made anew, or removed, once privileges have been given up. */
static void need_parent(const char *path)
{
	char dir[4096];
	char *slash;

	if (!path)
		return;
	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash)
		slash[slash == dir] = '\0';
	caps__need_path(slash ? dir : ".");
}

static void on_ready(void *ctx)
{
	const struct daemon *d = ctx;

	notify("READY=1\nSTATUS=tracing");
	log__info("tracing; %zu outputs", d->cfg->outputs_cnt);
}

static int open_all(struct daemon *d)
{
	static const struct trace_hooks hooks = {
		.early = true,
		.ready = on_ready,
		.record = on_record,
		.idle = on_idle,
		.due = on_due,
		.input = on_input,
		.hangup = on_hangup,
		.alert = on_alert,
	};
	struct trace_hooks h = hooks;
	int code;

	if (config__trace_options(d->cfg, &d->trace))
		return EXIT_USAGE;
	if (d->trace.probe != PROBE_UPROBE)
		binary__prefer_usdt();
	name_alive(d);
	code = open_control(d);
	if (code < 0)
		code = open_output(d);
	if (code >= 0)
		return code;
	watch(d, outlets__fd(d->outlets));
	h.input_fd = d->epoll;
	say_started(d);
	need_parent(d->alive);
	need_parent(settings__string(d->cfg->sections[SECTION_METRICS], "textfile"));
	need_parent(settings__string(d->cfg->sections[SECTION_CONTROL], "socket"));
	return trace_loop__open(&d->trace, &h, d, &d->loop);
}

static int run(struct daemon *d)
{
	struct pt_counters c;
	int code = open_all(d);

	if (code >= 0)
		return code;
	output__set_probed(d->output, probed_file, d);
	trace_loop__run(d->loop);
	notify("STOPPING=1");
	trace_loop__finish(d->loop);
	on_idle(d);
	outlets__finish(d->outlets, STOP_DRAIN);
	daemon__figures(d, UINT64_MAX - 1);
	c = session__counters(trace_loop__session(d->loop));
	stats__summary(&c, output__stats(d->output), trace_loop__elapsed(d->loop));
	return d->failed ? EXIT_FAIL : EXIT_OK;
}

int daemon__run(const char *path, struct config *cfg)
{
	struct daemon d = {
		.path = path,
		.first = cfg,
		.cfg = cfg,
		.epoll = -1,
		.control = -1,
		.realtime_offset_ns = clock__realtime_offset(),
		.instance_ns = clock__realtime(),
	};
	int code;

	/* Each file is made with the mode that its reader needs, and a unit's, or a root's, 0077
	 * would take that away. */
	umask(022);
	clock__boot_id(d.boot_id, sizeof(d.boot_id));
	daemon__set_log(cfg);
	code = run(&d);
	trace_loop__free(d.loop);
	output__free(d.output);
	outlets__free(d.outlets);
	if (d.control >= 0) {
		unlink(settings__string(d.first->sections[SECTION_CONTROL], "socket"));
		close(d.control);
	}
	if (d.epoll >= 0)
		close(d.epoll);
	trace_options__free(&d.trace);
	redact__free(d.redact);
	redact_options__free(&d.redact_options);
	if (d.cfg != d.first)
		config__free(d.cfg);
	config__free(d.first);
	return code;
}

int daemon__check_drivers(const struct config *cfg)
{
	struct export_config ec = {
		.check = true, .outputs = cfg->outputs, .outputs_cnt = cfg->outputs_cnt};
	const char *user = settings__string(cfg->sections[SECTION_EXPORTER], "user");
	struct buf why = BUF_INIT;
	int err = exporter__user(user, &ec.uid, &ec.gid);

	if (err)
		buf__printf(&why, "there is no user '%s' for the exporter", user);
	else
		err = exporter__check(&ec, &why);
	if (err && why.len) {
		struct complaints c = {.text = why, .cnt = 1};

		complaints__say(&c);
	}
	return err;
}
