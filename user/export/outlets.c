// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "outlets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../confine/caps.h"
#include "../spool/spool.h"
#include "../util/log.h"
#include "listen_address.h"
#include "private_spool.h"
#include "starter.h"

struct outlets {
	struct outlets_options opts;
	const struct config_output *outputs;
	size_t outputs_cnt;
	struct spool *spool; /* NULL: all go to files */
	struct exporter *exporter;
	uid_t uid;
	gid_t gid;
	char private[PRIVATE_SPOOL_MAX]; /* directory to be removed, "": none */
	char dir[PRIVATE_SPOOL_MAX + 64];
	char listen[128];
	int listen_fd;
	char streams[CONFIG_OUTPUTS_MAX][ITEM_STREAM_MAX + 1]; /* by output */
	struct branch_target targets[CONFIG_OUTPUTS_MAX];
	size_t targets_cnt;
};

static void take_item(void *ctx, const struct item *it)
{
	spool__append(ctx, it);
}

static size_t remote_cnt(const struct config_output *outputs, size_t cnt)
{
	size_t n = 0;

	for (size_t i = 0; i < cnt; i++)
		n += outputs[i].driver != NULL;
	return n;
}

/* Files as they are, and each stream of the spool once: its outputs filter for themselves. */
static void make_targets(struct outlets *o)
{
	o->targets_cnt = 0;
	for (size_t i = 0; i < o->outputs_cnt; i++) {
		const struct config_output *out = &o->outputs[i];
		struct branch_target t = {.format = out->format, .redact = out->redact};
		size_t k = 0;

		if (!out->driver) {
			t.dest = out->to;
			t.patterns = out->patterns;
			t.min_severity = out->min_severity;
			o->targets[o->targets_cnt++] = t;
			continue;
		}
		export_config__stream(out, o->streams[i], sizeof(o->streams[i]));
		while (k < o->targets_cnt &&
		       !(o->targets[k].stream && !strcmp(o->targets[k].stream, o->streams[i])))
			k++;
		if (k < o->targets_cnt)
			continue;
		t.take = take_item;
		t.take_ctx = o->spool;
		t.stream = o->streams[i];
		o->targets[o->targets_cnt++] = t;
	}
}

static int set_spool_outputs(struct outlets *o, const struct config_output *outputs, size_t cnt)
{
	struct spool_output list[CONFIG_OUTPUTS_MAX];
	char streams[CONFIG_OUTPUTS_MAX][ITEM_STREAM_MAX + 1];
	size_t n = 0;
	int err;

	for (size_t i = 0; i < cnt; i++) {
		if (!outputs[i].driver)
			continue;
		export_config__stream(&outputs[i], streams[n], sizeof(streams[n]));
		list[n] = (struct spool_output){outputs[i].name, streams[n]};
		n++;
	}
	err = spool__set_outputs(o->spool, list, n);
	if (err)
		log__error("the spool cannot have these outputs: %s", strerror(-err));
	return err;
}

static int open_spool(struct outlets *o)
{
	struct spool_options so = {
		.dir = o->dir,
		.max_bytes = o->opts.max_bytes,
		.sync_interval = o->opts.dir ? o->opts.sync_interval : -1,
		.cursor_uid = o->uid,
		.gid = o->gid,
	};
	struct buf why = BUF_INIT;
	int err = 0;

	if (o->opts.dir)
		snprintf(o->dir, sizeof(o->dir), "%s", o->opts.dir);
	else
		err = private_spool__make(o->gid, o->private);
	if (o->private[0])
		snprintf(o->dir, sizeof(o->dir), "%s/" PRIVATE_SPOOL_NAME, o->private);
	if (!err) {
		err = spool__open(&so, &o->spool, &why);
		if (err)
			log__error("%.*s", (int)why.len, why.data ? why.data : "");
	}
	buf__free(&why);
	return err;
}

/* By lines. */
static void say(const struct buf *why)
{
	const char *p = why->data, *end = p + why->len;

	while (p < end) {
		size_t n = strcspn(p, "\n");

		n = n < (size_t)(end - p) ? n : (size_t)(end - p);
		if (n)
			log__error("%.*s", (int)n, p);
		p += n + 1;
	}
}

static int open_listen(const char *text, struct outlets *o)
{
	struct listen_address a;
	struct buf why = BUF_INIT;
	int fd = listen_address__parse(text, &a, &why);

	if (!fd)
		fd = listen_address__open(&a);
	if (fd < 0)
		log__error("metrics cannot be served at '%s': %s", text, strerror(-fd));
	buf__free(&why);
	return fd;
}

/* The socket stays when its address does. */
static int set_listen(struct outlets *o, const char *text)
{
	int fd = -1;

	if (!strcmp(text ? text : "", o->listen))
		return 0;
	if (text) {
		fd = open_listen(text, o);
		if (fd < 0)
			return fd;
	}
	if (o->listen_fd >= 0)
		close(o->listen_fd);
	o->listen_fd = fd;
	snprintf(o->listen, sizeof(o->listen), "%s", text ? text : "");
	return 0;
}

static struct export_config config_of(const struct outlets *o, const struct config_output *outputs,
                                      size_t cnt)
{
	return (struct export_config){
		.dir = o->dir,
		.dead_letters = o->opts.dir != NULL,
		.boot_id = o->opts.boot_id,
		.realtime_offset_ns = o->opts.realtime_offset_ns,
		.uid = o->uid,
		.gid = o->gid,
		.outputs = outputs,
		.outputs_cnt = cnt,
	};
}

static int start_exporter(struct outlets *o, const struct config_output *outputs, size_t cnt)
{
	struct export_config ec = config_of(o, outputs, cnt);
	struct buf why = BUF_INIT;
	int err;

	err = o->exporter ? exporter__replace(o->exporter, &ec, o->listen_fd, &why)
	                  : exporter__start(&ec, o->listen_fd, &o->opts.hooks, &o->exporter, &why);
	if (err)
		say(&why);
	buf__free(&why);
	return err;
}

static int set_user(struct outlets *o, const char *user)
{
	int err = exporter__user(user, &o->uid, &o->gid);

	if (err)
		log__error("there is no user '%s' for the exporter", user);
	return err ? -EINVAL : 0;
}

static int set_outputs(struct outlets *o, const struct config_output *outputs, size_t cnt)
{
	bool remote = remote_cnt(outputs, cnt);
	int err = 0;

	if (remote && !o->spool)
		err = open_spool(o);
	if (!err && o->spool)
		err = set_spool_outputs(o, outputs, cnt);
	if (!err)
		err = set_listen(o, o->opts.listen);
	if (!err && (remote || o->exporter || o->listen_fd >= 0))
		err = start_exporter(o, outputs, cnt);
	if (err)
		return err;
	o->outputs = outputs;
	o->outputs_cnt = cnt;
	make_targets(o);
	return 0;
}

/* Before there are threads, and before privileges are given up. */
static int prepare_exporter(void)
{
	int err = starter__begin();

	if (err)
		log__error("the exporter cannot be started: %s", strerror(-err));
	/* the spool's files are of the exporter's group; it is another user's process, which may
	 * have to be ended */
	caps__need(CAPABILITY_CHOWN);
	caps__need(CAPABILITY_KILL);
	return err;
}

int outlets__open(const struct outlets_options *opts, const struct config_output *outputs,
                  size_t cnt, struct outlets **out)
{
	struct outlets *o = calloc(1, sizeof(*o));
	int err = -ENOMEM;
	bool exports;

	if (!o) {
		log__error("out of memory");
		return err;
	}
	o->opts = *opts;
	o->listen_fd = -1;
	/* for files alone no user is looked up: that can take name services, which can be the
	 * network's */
	exports = opts->changes || opts->listen || remote_cnt(outputs, cnt);
	err = exports ? set_user(o, opts->user) : 0;
	if (!err && exports)
		err = prepare_exporter();
	if (!err)
		err = set_outputs(o, outputs, cnt);
	if (err) {
		outlets__free(o);
		return err;
	}
	*out = o;
	return 0;
}

int outlets__replace(struct outlets *o, const struct outlets_options *opts,
                     const struct config_output *outputs, size_t cnt)
{
	o->opts.listen = opts->listen;
	return set_outputs(o, outputs, cnt);
}

void outlets__begin_change(struct outlets *o)
{
	if (o->spool)
		spool__begin_change(o->spool);
}

void outlets__end_change(struct outlets *o, bool keep)
{
	if (o->spool)
		spool__end_change(o->spool, keep);
}

void outlets__free(struct outlets *o)
{
	if (!o)
		return;
	exporter__free(o->exporter);
	starter__end();
	spool__close(o->spool);
	if (o->listen_fd >= 0)
		close(o->listen_fd);
	if (o->private[0])
		private_spool__remove(o->private);
	free(o);
}

const struct branch_target *outlets__targets(const struct outlets *o, size_t *cnt)
{
	*cnt = o->targets_cnt;
	return o->targets;
}

void outlets__flush(struct outlets *o)
{
	if (o->spool)
		spool__flush(o->spool);
}

int outlets__fd(const struct outlets *o)
{
	return o->exporter ? exporter__fd(o->exporter) : -1;
}

void outlets__handle(struct outlets *o)
{
	if (o->exporter)
		exporter__handle(o->exporter);
}

int outlets__due(struct outlets *o, uint64_t now)
{
	return o->exporter ? exporter__due(o->exporter, now) : -1;
}

void outlets__tell(struct outlets *o, struct tracer_figures *t)
{
	t->has_spool = o->spool != NULL;
	if (o->spool)
		t->spool = spool__stats(o->spool);
	if (!o->exporter)
		return;
	t->exporter_up = exporter__is_up(o->exporter);
	t->exporter_restarts = exporter__restarts(o->exporter);
	exporter__tell(o->exporter, t);
}

const struct exporter_figures *outlets__figures(const struct outlets *o)
{
	static const struct exporter_figures none;

	return o->exporter ? exporter__figures(o->exporter) : &none;
}

/* told: by an exporter that could finish. Else all that is not known to be delivered counts as not
 * delivered. */
static uint64_t say_undelivered(struct outlets *o, bool told)
{
	uint64_t appended = spool__stats(o->spool).appended;
	const struct exporter_figures *e = exporter__figures(o->exporter);
	uint64_t sum = 0;

	for (uint32_t i = 0; i < e->cnt; i++) {
		const struct worker_figures *w = &e->outputs[i].worker;
		uint64_t missing = w->pending + w->dead + w->lost;

		if (o->opts.dir && w->pending)
			log__info("output '%s': %llu records wait in %s", e->outputs[i].name,
			          (unsigned long long)w->pending, o->dir);
		if (o->opts.dir)
			missing -= w->pending;
		else if ((!told || !w->opened) && missing < appended - w->delivered - w->filtered)
			missing = appended - w->delivered - w->filtered;
		if (missing)
			log__warn("output '%s': %llu records were not delivered%s%s",
			          e->outputs[i].name, (unsigned long long)missing,
			          w->last_reason[0] ? ": " : "", w->last_reason);
		sum += missing;
	}
	return sum;
}

uint64_t outlets__finish(struct outlets *o, double drain)
{
	if (o->spool)
		spool__flush(o->spool);
	if (!o->exporter || !o->spool)
		return 0;
	exporter__due(o->exporter, UINT64_MAX); /* one that has just ended delivers the rest */
	return say_undelivered(o, exporter__stop(o->exporter, drain));
}
