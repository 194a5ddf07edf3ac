/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * /etc/pytrail/pytrail.yaml and conf.d/ beside it, as pytrail.yaml(5) describes them. Files are
 * read in the order of their names, the main one first; sections merge key by key, lists append,
 * and a key that is not a list is given once in all files together.
 */
#ifndef PYTRAIL_CONFIG_H
#define PYTRAIL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "../sink/driver.h"
#include "../trace_options.h"
#include "../util/settings.h"
#include "sections.h"
#include "yaml_tree.h"

#define CONFIG_OUTPUTS_MAX 32
#define OUTPUT_NAME_MAX    31

struct format;
struct pattern_list;
struct redact_options;

struct config_output {
	struct place place;
	const char *name;
	char *to;                        /* owned: the path, or the URL without its query */
	const struct driver_ops *driver; /* NULL: a file */
	const struct format *format;
	struct settings *settings; /* owned: of SECTION_OUTPUTS, driver_settings and the driver */
	struct pattern_list *patterns; /* owned; NULL: all events */
	unsigned min_severity;
	bool redact;
};

struct config {
	struct settings *sections[SECTIONS]; /* owned; that of SECTION_OUTPUTS is NULL */
	struct config_output *outputs;       /* owned */
	size_t outputs_cnt;
	char **files; /* owned: the names that places point to */
	size_t files_cnt;
};

/*
 * Reads and checks everything but what only drivers know. 0 and *out, or -EINVAL with a complaint
 * for each error. Secrets are not read.
 */
int config__load(const char *path, struct config **out, struct complaints *c);
void config__free(struct config *cfg);

/* Reads the files of all secrets. 0 or -EINVAL with complaints. */
int config__load_secrets(struct config *cfg, struct complaints *c);

/* Both; NULL with all complaints said. */
struct config *config__open(const char *path);

/* What of the configuration is about tracing, as `pytrail trace` has it; points into cfg. 0 or
 * -ENOMEM; to be freed with trace_options__free() in any case. */
int config__trace_options(const struct config *cfg, struct trace_options *o);

/* What of it is about redaction; to be freed with redact_options__free(). 0 or -errno. */
int config__redact_options(const struct config *cfg, struct redact_options *o);

/* Whether what takes effect at restart only is the same in both. */
bool config__same_at_start(const struct config *a, const struct config *b);

/* All keys with types, defaults, limits and help, as tab-separated lines: what documentation is
 * made from. */
void config__print_options(void);

#endif
