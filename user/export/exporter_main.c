// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "exporter_main.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../format/format.h"
#include "../util/clock.h"
#include "../util/log.h"
#include "confine.h"
#include "export_config.h"
#include "link.h"
#include "metrics_server.h"

#define FIGURES_MS 500
/* For a driver to give up, once it is interrupted. */
#define INTERRUPT_NS 3000000000ull

struct exporter_output {
	struct driver *driver;
	struct worker *worker;
	char stream[ITEM_STREAM_MAX + 1];
	char dead_letter[4096];
};

struct exporter_process {
	char host[256];
	struct export_config cfg;
	struct format_context format;
	struct exporter_output outputs[CONFIG_OUTPUTS_MAX];
	struct metrics_server *metrics;
	pthread_mutex_t send_lock;
	struct link_message message; /* under send_lock */
};

/* flags: MSG_DONTWAIT for what may be dropped. */
static void send_message(struct exporter_process *x, enum link_kind kind, size_t len, int flags)
{
	x->message.kind = kind;
	while (send(EXPORTER_LINK_FD, &x->message, LINK_HEAD + len, MSG_NOSIGNAL | flags) < 0 &&
	       errno == EINTR)
		continue;
}

static void say_failed(struct exporter_process *x, const struct buf *why)
{
	snprintf(x->message.text.text, sizeof(x->message.text.text), "%.*s", (int)why->len,
	         why->data ? why->data : "");
	send_message(x, LINK_FAILED, sizeof(x->message.text), 0);
}

static void take_figures(struct exporter_process *x, struct exporter_figures *e)
{
	memset(e, 0, sizeof(*e));
	e->rss_bytes = figures__rss();
	for (size_t i = 0; i < x->cfg.outputs_cnt; i++) {
		struct output_figures *o = &e->outputs[e->cnt++];

		snprintf(o->name, sizeof(o->name), "%s", x->cfg.outputs[i].name);
		snprintf(o->driver, sizeof(o->driver), "%s", x->cfg.outputs[i].driver->name);
		if (x->outputs[i].worker)
			worker__figures(x->outputs[i].worker, &o->worker);
	}
}

static size_t figures_len(const struct exporter_figures *e)
{
	return offsetof(struct exporter_figures, outputs) + e->cnt * sizeof(e->outputs[0]);
}

static void send_figures(struct exporter_process *x)
{
	pthread_mutex_lock(&x->send_lock);
	take_figures(x, &x->message.figures);
	if (x->metrics)
		metrics_server__set_outputs(x->metrics, &x->message.figures);
	send_message(x, LINK_FIGURES, figures_len(&x->message.figures), MSG_DONTWAIT);
	pthread_mutex_unlock(&x->send_lock);
}

static void on_alarm(void *ctx, const char *output, bool held, const char *reason)
{
	struct exporter_process *x = ctx;
	struct link_alarm *a = &x->message.alarm;

	pthread_mutex_lock(&x->send_lock);
	memset(a, 0, sizeof(*a));
	snprintf(a->output, sizeof(a->output), "%s", output);
	snprintf(a->reason, sizeof(a->reason), "%s", reason ? reason : "");
	a->held = held;
	send_message(x, LINK_ALARM, sizeof(*a), 0);
	pthread_mutex_unlock(&x->send_lock);
}

static int open_driver(struct exporter_process *x, size_t i, struct buf *why)
{
	const struct config_output *o = &x->cfg.outputs[i];
	struct driver_config dc = {
		.output = o->name,
		.url = o->to,
		.settings = o->settings,
		.format = o->format->name,
		.host = x->host,
		.boot_id = x->cfg.boot_id,
		.version = PYTRAIL_VERSION,
	};
	struct buf said = BUF_INIT;
	int err;

	err = o->driver->open(&dc, &x->outputs[i].driver, &said);
	if (err)
		buf__printf(why, "output '%s': %.*s\n", o->name, (int)said.len,
		            said.data ? said.data : "");
	buf__free(&said);
	return err;
}

static int start_worker(struct exporter_process *x, size_t i, struct buf *why)
{
	const struct config_output *o = &x->cfg.outputs[i];
	struct exporter_output *out = &x->outputs[i];
	struct worker_config wc = {
		.output = o->name,
		.dir = x->cfg.dir,
		.stream = out->stream,
		.driver = out->driver,
		.settings = o->settings,
		.format = &x->format,
		.min_severity = (uint8_t)o->min_severity,
		.patterns = o->patterns,
		.alarm = on_alarm,
		.alarm_ctx = x,
	};

	export_config__stream(o, out->stream, sizeof(out->stream));
	snprintf(out->dead_letter, sizeof(out->dead_letter), "%s/cursors/%s.dead-letter.json",
	         x->cfg.dir, o->name);
	if (x->cfg.dead_letters)
		wc.dead_letter = out->dead_letter;
	return worker__start(&wc, &out->worker, why);
}

static bool has_commands(const struct exporter_process *x)
{
	for (size_t i = 0; i < x->cfg.outputs_cnt; i++)
		if (!strcmp(x->cfg.outputs[i].driver->name, "exec"))
			return true;
	return false;
}

static bool is_listening(void)
{
	struct stat st;

	return !fstat(EXPORTER_LISTEN_FD, &st) && S_ISSOCK(st.st_mode);
}

/* From here to there: everything that can go wrong at the start. */
static int start(struct exporter_process *x, struct buf *why)
{
	int err = export_config__read(EXPORTER_CONFIG_FD, &x->cfg, why), failed = 0;

	close(EXPORTER_CONFIG_FD);
	if (err) {
		if (!why->len)
			buf__printf(why, "the exporter was told nonsense: %s", strerror(-err));
		return err;
	}
	err = confine__user(x->cfg.uid, x->cfg.gid, x->cfg.parent, why);
	if (!err)
		err = confine__calls(has_commands(x), why);
	if (err)
		return err;
	gethostname(x->host, sizeof(x->host) - 1);
	/* all of them, so that all that is wrong is said */
	for (size_t i = 0; i < x->cfg.outputs_cnt; i++) {
		err = open_driver(x, i, why);
		failed = failed ? failed : err;
	}
	if (failed || x->cfg.check)
		return failed;
	x->format = format_context__of(x->cfg.boot_id, 0, x->cfg.realtime_offset_ns);
	if (is_listening())
		err = metrics_server__start(EXPORTER_LISTEN_FD, &x->metrics, why);
	for (size_t i = 0; i < x->cfg.outputs_cnt && !err; i++)
		err = start_worker(x, i, why);
	return err;
}

/* Until the tracer ends, or says so: then for how many seconds to drain. */
static double serve(struct exporter_process *x)
{
	static struct link_message m;
	struct pollfd p = {.fd = EXPORTER_LINK_FD, .events = POLLIN};
	uint64_t due_ns = 0;

	for (;;) {
		uint64_t now = clock__monotonic();
		ssize_t n;

		if (now >= due_ns) {
			send_figures(x);
			due_ns = now + FIGURES_MS * 1000000ull;
		}
		if (poll(&p, 1, (int)((due_ns - now) / 1000000) + 1) <= 0)
			continue;
		n = recv(EXPORTER_LINK_FD, &m, sizeof(m), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		if (m.kind == LINK_STOP && n >= (ssize_t)(LINK_HEAD + sizeof(m.stop)))
			return m.stop.drain;
		if (m.kind == LINK_TRACER && n >= (ssize_t)(LINK_HEAD + sizeof(m.tracer)) &&
		    x->metrics)
			metrics_server__set_tracer(x->metrics, &m.tracer);
	}
}

/* True when all workers have stopped. */
static bool all_stopped(struct exporter_process *x, double drain)
{
	struct worker_figures f;
	bool all = true;

	for (size_t i = 0; i < x->cfg.outputs_cnt; i++) {
		/* again and again: one that is about to wait misses it */
		worker__ask_stop(x->outputs[i].worker, drain);
		worker__figures(x->outputs[i].worker, &f);
		all = all && f.state == WORKER_STOPPED;
	}
	return all;
}

/* The figures are told once the workers have stopped, and before they are freed. */
static void finish(struct exporter_process *x, double drain)
{
	uint64_t end = clock__monotonic() + (uint64_t)(drain * 1e9);
	uint64_t limit = end + INTERRUPT_NS;
	bool interrupted = false;
	unsigned turns = 0;

	metrics_server__stop(x->metrics);
	x->metrics = NULL;
	while (!all_stopped(x, drain) && clock__monotonic() < limit) {
		if (!interrupted && clock__monotonic() >= end) {
			for (size_t i = 0; i < x->cfg.outputs_cnt; i++)
				x->cfg.outputs[i].driver->interrupt(x->outputs[i].driver);
			interrupted = true;
		}
		if (!(turns++ % 50))
			send_figures(x);
		poll(NULL, 0, 10);
	}
	pthread_mutex_lock(&x->send_lock);
	take_figures(x, &x->message.figures);
	send_message(x, LINK_DONE, figures_len(&x->message.figures), 0);
	pthread_mutex_unlock(&x->send_lock);
	for (size_t i = 0; i < x->cfg.outputs_cnt; i++) {
		worker__stop(x->outputs[i].worker, 0);
		x->cfg.outputs[i].driver->close(x->outputs[i].driver);
	}
}

int exporter__main(void)
{
	static struct exporter_process x = {.send_lock = PTHREAD_MUTEX_INITIALIZER};
	struct buf why = BUF_INIT;
	int err;

	/* what ends the tracer ends us, in order: by the link */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	prctl(PR_SET_NAME, "pytrail-export", 0, 0, 0);
	/* not for commands that it starts: by the link the tracer hears of its end */
	for (int fd = EXPORTER_LINK_FD; fd <= EXPORTER_LISTEN_FD; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	err = start(&x, &why);
	if (err) {
		say_failed(&x, &why);
		return EXIT_USAGE;
	}
	send_message(&x, LINK_READY, 0, 0);
	if (x.cfg.check)
		return EXIT_OK;
	finish(&x, serve(&x));
	return EXIT_OK;
}
