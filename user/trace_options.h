/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The words of `pytrail trace` and `pytrail top`, parsed and checked. */
#ifndef PYTRAIL_TRACE_OPTIONS_H
#define PYTRAIL_TRACE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach.h"
#include "redact/redact_options.h"

struct pattern_list;
struct selection;

#define TRACE_MAX_PIDS    1024
#define TRACE_MAX_OUTPUTS 16

enum top_by { TOP_BY_PROCESS, TOP_BY_EVENT, TOP_BY_CONTAINER, TOP_VIEWS };

struct trace_options {
	pid_t pids[TRACE_MAX_PIDS];
	size_t pids_cnt;
	bool follow;
	enum probe_mode probe;
	const char *interpreters;      /* which are attached beforehand, see installed.h */
	uint32_t hold_ms;              /* --hold-new: for how long at most; 0: not at all */
	struct pattern_list *patterns; /* owned; may be empty */
	struct selection *selection;   /* owned; may be empty */
	unsigned attack_severity;      /* struct format_context has the same */
	bool processes;                /* put out what becomes of processes */
	const char *outputs[TRACE_MAX_OUTPUTS];
	size_t outputs_cnt;
	struct redact_options redact;
	const char *spool;    /* directory for what goes over the network, NULL: a private one */
	double drain_timeout; /* seconds for it to be delivered at the end */
	const char *record;   /* file or NULL */
	double duration;      /* seconds, 0: no end */
	uint64_t max_events;  /* 0: no limit */
	uint32_t ring_size;   /* bytes, a power of two */
	uint32_t max_string;  /* bytes */
	uint32_t max_items;
	bool no_confine; /* privileges are kept */
	bool tamper;     /* look for signs of tampering */
	uint32_t max_depth;
	uint32_t max_rate; /* events a second and process, 0: no limit */
	bool stats;
	double stats_interval; /* seconds, 0: at the end only */
	bool bpf_stats;        /* the run time of BPF programs is measured */
	bool strict;
	char **command;  /* argv of COMMAND, NULL: none */
	bool names_only; /* events without arguments: for `top` */
	double interval; /* seconds */
	uint64_t batch;  /* how many times plain text is written, 0: a full screen */
	enum top_by by;
	bool by_given;
};

/* What nothing was said of; top: of `pytrail top`. 0 or -ENOMEM (said). */
int trace_options__init(struct trace_options *o, bool top);
/* "auto", "usdt", "uprobe"; -1: none of them. */
int probe_mode__parse(const char *text);
/* The ring's size must be a power of two and a multiple of the page: rounded up. bytes: 2G at
 * most. */
uint32_t ring_size__round(uint64_t bytes);

/* argv[0]: which of the two commands. Returns -1 when the options are good, else the exit code
 * (help was printed, or an error said). */
int trace_options__parse(struct trace_options *o, int argc, char **argv);
void trace_options__free(struct trace_options *o);

#endif
