// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include <stdio.h>
#include <string.h>

#include "../output.h"
#include "../util/clock.h"
#include "../util/log.h"
#include "daemon_impl.h"
#include "notify.h"

void daemon__set_log(const struct config *cfg)
{
	const char *level = settings__string(cfg->sections[SECTION_LOG], "level");

	log__set_level(!strcmp(level, "quiet")     ? LOG_QUIET
	               : !strcmp(level, "verbose") ? LOG_VERBOSE
	               : !strcmp(level, "debug")   ? LOG_DEBUG
	                                           : LOG_NORMAL);
}

void daemon__alert(struct daemon *d, const char *alert, const char *output, const char *message,
                   int64_t since_ns)
{
	const struct alert a = {
		.time_ns = (int64_t)clock__realtime(),
		.alert = alert,
		.output = output,
		.message = message,
		.since_ns = since_ns,
	};

	output__alert(d->output, &a);
}

static void on_alarm(void *ctx, const char *output, bool held, const char *reason)
{
	daemon__alert(ctx, held ? "output_held" : "output_accepted", output,
	              held ? reason : "the receiver accepts records again", 0);
}

static void on_restarted(void *ctx, const char *how)
{
	char text[128];

	snprintf(text, sizeof(text), "the exporter was %s", how);
	daemon__alert(ctx, "exporter_restarted", NULL, text, 0);
}

struct outlets_options daemon__outlets_options(struct daemon *d, const struct config *cfg)
{
	const struct settings *spool = cfg->sections[SECTION_SPOOL];

	return (struct outlets_options){
		.changes = true,
		.dir = settings__string(spool, "directory"),
		.max_bytes = settings__number(spool, "max_size"),
		.sync_interval = settings__seconds(spool, "sync_interval"),
		.user = settings__string(cfg->sections[SECTION_EXPORTER], "user"),
		.listen = settings__string(cfg->sections[SECTION_METRICS], "listen"),
		.boot_id = d->boot_id,
		.realtime_offset_ns = d->realtime_offset_ns,
		.hooks = {.alarm = on_alarm, .restarted = on_restarted, .ctx = d},
	};
}

void daemon__without_rules(const struct daemon *d, struct config *cfg)
{
	for (size_t i = 0; !d->redact && i < cfg->outputs_cnt; i++)
		cfg->outputs[i].redact = false;
}

/* The outputs of a configuration in place of those there are. */
static int use(struct daemon *d, struct config *cfg)
{
	struct outlets_options lo = daemon__outlets_options(d, cfg);
	const struct branch_target *targets;
	size_t cnt;
	int err;

	notify("WATCHDOG=1"); /* an exporter is given half a minute to end, and another to begin */
	daemon__without_rules(d, cfg);
	err = outlets__replace(d->outlets, &lo, cfg->outputs, cfg->outputs_cnt);

	if (err)
		return err;
	targets = outlets__targets(d->outlets, &cnt);
	return output__set_targets(d->output, targets, cnt);
}

void daemon__reload(struct daemon *d)
{
	struct config *cfg;

	notify("RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)(clock__monotonic() / 1000));
	cfg = config__open(d->path);
	outlets__begin_change(d->outlets);
	if (cfg && use(d, cfg)) {
		/* what was changed already goes back */
		outlets__end_change(d->outlets, false);
		if (use(d, d->cfg))
			log__error("the outputs of before could not be opened again");
		config__free(cfg);
		cfg = NULL;
	}
	outlets__end_change(d->outlets, true);
	if (!cfg) {
		/* files that were rotated are begun anew all the same */
		output__reopen(d->output);
		log__error("the configuration was not taken over: the one of before stays");
	} else {
		if (!config__same_at_start(cfg, d->first))
			log__warn("what has changed in 'trace', 'spool' and 'control' takes effect "
			          "at "
			          "restart");
		if (d->cfg != d->first)
			config__free(d->cfg);
		d->cfg = cfg;
		d->textfile_ns = 0;
		daemon__set_log(cfg);
		log__info("the configuration was read again: %zu outputs", cfg->outputs_cnt);
		daemon__alert(d, "reloaded", NULL, "another configuration holds from here on", 0);
	}
	notify("READY=1");
}
