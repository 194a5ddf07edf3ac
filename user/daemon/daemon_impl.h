/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the daemon's files share. */
#ifndef PYTRAIL_DAEMON_IMPL_H
#define PYTRAIL_DAEMON_IMPL_H

#include "../config/config.h"
#include "../export/outlets.h"
#include "../redact/redact.h"
#include "../redact/redact_options.h"
#include "../trace_loop.h"

struct daemon {
	const char *path;
	struct config *first; /* what tracing was opened with; it has parts of it */
	struct config *cfg;   /* as of now; may be the first */
	struct trace_options trace;
	struct trace_loop *loop;
	struct output *output;
	struct outlets *outlets;
	struct redact_options redact_options;
	struct redact *redact;
	char boot_id[64];
	char alive[4096]; /* file that is touched as long as we live */
	int64_t realtime_offset_ns;
	uint64_t instance_ns;
	int epoll, control; /* descriptors */
	bool reload;
	int failed; /* -errno of an output to a file */
	uint64_t figures_ns, textfile_ns, watchdog_ns;
	struct tracer_figures figures;
};

/* daemon_figures.c: takes them, tells them to the exporter, writes the textfile, the watchdog,
 * systemd's status. */
void daemon__figures(struct daemon *d, uint64_t now);
void daemon__answer(struct daemon *d);

/* daemon_reload.c: reads the configuration again, and says what became of it. */
void daemon__reload(struct daemon *d);
struct outlets_options daemon__outlets_options(struct daemon *d, const struct config *cfg);
/* With `redact: {rules: none}` no output redacts. */
void daemon__without_rules(const struct daemon *d, struct config *cfg);
void daemon__set_log(const struct config *cfg);
void daemon__alert(struct daemon *d, const char *alert, const char *output, const char *message,
                   int64_t since_ns);

#endif
