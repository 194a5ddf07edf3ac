// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Any bytes as a configuration file: a tree within its bounds, or complaints; and the configuration
 * that `pytrail daemon` makes of it, or complaints that are printable lines.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/config/config.h"
#include "user/redact/redact_options.h"
#include "user/util/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(const struct tree *t, unsigned depth)
{
	size_t n = 1;

	if (t->kind == TREE_MAPPING && t->cnt % 2)
		abort();
	for (size_t i = 0; i < t->cnt; i++)
		n += count(&t->items[i], depth + 1);
	return n;
}

static bool as_tree(const uint8_t *data, size_t size)
{
	struct complaints c = {0};
	struct tree *t = yaml_tree__parse("f", data, size, &c);
	bool ok = t;

	if (!t != !!c.cnt || (t && count(t, 0) > YAML_TREE_MAX_NODES + 1))
		abort();
	yaml_tree__free(t);
	buf__free(&c.text);
	return ok;
}

/* What is begun with a configuration before anything is opened or attached. */
static void use(const struct config *cfg)
{
	struct trace_options trace;
	struct redact_options redact;

	if (!cfg->outputs_cnt || !config__same_at_start(cfg, cfg))
		abort();
	for (size_t i = 0; i < cfg->outputs_cnt; i++) {
		const struct config_output *o = &cfg->outputs[i];

		if (!o->name || !o->to || !o->format || !o->settings)
			abort();
	}
	/* each value was checked when it was read */
	if (config__trace_options(cfg, &trace) || config__redact_options(cfg, &redact))
		abort();
	trace_options__free(&trace);
	redact_options__free(&redact);
}

/* A line that reaches a terminal or a journal. */
static void check_line(void *ctx, const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			abort();
	(void)ctx;
}

static void as_configuration(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct complaints c = {0};
	struct config *cfg = NULL;
	char path[32];
	int err;

	log__set_level(LOG_QUIET); /* of what is only warned of */
	/* no conf.d stands beside it */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0 || fchmod(fd, 0600) || write(fd, data, size) != (ssize_t)size)
		abort();
	err = config__load(path, &cfg, &c);
	if (!err != !c.cnt || !err != !!cfg)
		abort();
	if (cfg)
		use(cfg);
	config__free(cfg);
	log__divert(check_line, NULL);
	complaints__say(&c);
	log__divert(NULL, NULL);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (as_tree(data, size))
		as_configuration(data, size);
	return 0;
}
