// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "trace_options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../bpf/wire.h"
#include "commands.h"
#include "confine/caps.h"
#include "format/format.h"
#include "installed.h"
#include "pattern.h"
#include "selection.h"
#include "util/log.h"
#include "util/setting_text.h"

enum {
	OPT_DURATION = 256,
	OPT_MAX_EVENTS,
	OPT_RECORD,
	OPT_RING_SIZE,
	OPT_MAX_STRING,
	OPT_MAX_ITEMS,
	OPT_MAX_DEPTH,
	OPT_MAX_RATE,
	OPT_TAMPER,
	OPT_STATS,
	OPT_BPF_STATS,
	OPT_STRICT,
	OPT_PROBE,
	OPT_PROCESSES,
	OPT_ATTACK,
	OPT_SPOOL,
	OPT_DRAIN_TIMEOUT,
	OPT_SELECT, /* and enum selection_kind */
	OPT_SELECT_END = OPT_SELECT + SELECT_KINDS,
	OPT_INTERPRETERS,
	OPT_HOLD_NEW,
	OPT_REDACT,
	OPT_REDACT_KEY,
	OPT_NO_CONFINE,
	/* of `top` only, from here on */
	OPT_TOP,
	OPT_INTERVAL = OPT_TOP,
	OPT_BATCH,
	OPT_ONCE,
	OPT_BY,
};

static const struct option long_options[] = {
	{"pid", required_argument, NULL, 'p'},
	{"follow", no_argument, NULL, 'f'},
	{"events", required_argument, NULL, 'e'},
	{"output", required_argument, NULL, 'o'},
	{"duration", required_argument, NULL, OPT_DURATION},
	{"max-events", required_argument, NULL, OPT_MAX_EVENTS},
	{"record", required_argument, NULL, OPT_RECORD},
	{"ring-size", required_argument, NULL, OPT_RING_SIZE},
	{"max-string", required_argument, NULL, OPT_MAX_STRING},
	{"max-items", required_argument, NULL, OPT_MAX_ITEMS},
	{"max-depth", required_argument, NULL, OPT_MAX_DEPTH},
	{"max-rate", required_argument, NULL, OPT_MAX_RATE},
	{"tamper", no_argument, NULL, OPT_TAMPER},
	{"stats", optional_argument, NULL, OPT_STATS},
	{"bpf-stats", no_argument, NULL, OPT_BPF_STATS},
	{"strict", no_argument, NULL, OPT_STRICT},
	{"probe", required_argument, NULL, OPT_PROBE},
	{"interpreters", required_argument, NULL, OPT_INTERPRETERS},
	{"hold-new", optional_argument, NULL, OPT_HOLD_NEW},
	{"processes", no_argument, NULL, OPT_PROCESSES},
	{"attack", required_argument, NULL, OPT_ATTACK},
	{"spool", required_argument, NULL, OPT_SPOOL},
	{"drain-timeout", required_argument, NULL, OPT_DRAIN_TIMEOUT},
	{"redact", optional_argument, NULL, OPT_REDACT},
	{"redact-key", required_argument, NULL, OPT_REDACT_KEY},
	{"uid", required_argument, NULL, OPT_SELECT + SELECT_UID},
	{"exe", required_argument, NULL, OPT_SELECT + SELECT_EXE},
	{"comm", required_argument, NULL, OPT_SELECT + SELECT_COMM},
	{"container", required_argument, NULL, OPT_SELECT + SELECT_CONTAINER},
	{"cgroup", required_argument, NULL, OPT_SELECT + SELECT_CGROUP},
	{"script", required_argument, NULL, OPT_SELECT + SELECT_SCRIPT},
	{"venv", required_argument, NULL, OPT_SELECT + SELECT_VENV},
	{"no-confine", no_argument, NULL, OPT_NO_CONFINE},
	{"quiet", no_argument, NULL, 'q'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{"interval", required_argument, NULL, OPT_INTERVAL},
	{"batch", required_argument, NULL, OPT_BATCH},
	{"once", no_argument, NULL, OPT_ONCE},
	{"by", required_argument, NULL, OPT_BY},
	{0},
};

/* A whole number with an optional K, M or G (powers of 1024). 0 or -EINVAL. */
static int parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v;

	if (setting__parse_size(text, &v))
		return -EINVAL;
	if (v < min || v > max)
		return -ERANGE;
	*out = v;
	return 0;
}

static int size_option(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	if (!parse_size(text, min, max, out))
		return 0;
	log__error("%s takes a number from %llu to %llu, not '%s'", name, (unsigned long long)min,
	           (unsigned long long)max, text);
	return -EINVAL;
}

static int seconds_option(const char *name, const char *text, double *out)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !isfinite(v) || v <= 0 || v > 1e9) {
		log__error("%s takes a number of seconds above 0, not '%s'", name, text);
		return -EINVAL;
	}
	*out = v;
	return 0;
}

static int add_pid(struct trace_options *o, const char *text)
{
	uint64_t v;
	size_t i;

	if (parse_size(text, 1, 4194304, &v)) {
		log__error("-p takes a process id, not '%s'", text);
		return -EINVAL;
	}
	for (i = 0; i < o->pids_cnt; i++) {
		if (o->pids[i] == (pid_t)v)
			return 0;
	}
	if (o->pids_cnt == TRACE_MAX_PIDS) {
		log__error("-p can be given %d times at most: leave it out to trace the whole host",
		           TRACE_MAX_PIDS);
		return -EINVAL;
	}
	o->pids[o->pids_cnt++] = (pid_t)v;
	return 0;
}

static int add_output(struct trace_options *o, const char *text)
{
	if (o->outputs_cnt == TRACE_MAX_OUTPUTS) {
		log__error("-o can be given %d times at most", TRACE_MAX_OUTPUTS);
		return -EINVAL;
	}
	o->outputs[o->outputs_cnt++] = text;
	return 0;
}

uint32_t ring_size__round(uint64_t bytes)
{
	uint32_t size = 4096;

	while (size < bytes && size < 1u << 31)
		size <<= 1;
	return size;
}

static int ring_option(struct trace_options *o, const char *text)
{
	uint64_t v;
	int err = size_option("--ring-size", text, 4096, 2ull << 30, &v);

	if (!err)
		o->ring_size = ring_size__round(v);
	return err;
}

static int number_option(const char *name, const char *text, uint64_t min, uint64_t max, uint32_t *out)
{
	uint64_t v;
	int err = size_option(name, text, min, max, &v);

	if (!err)
		*out = (uint32_t)v;
	return err;
}

/* `N` or `N/s`. */
static int rate_option(struct trace_options *o, const char *arg)
{
	size_t len = strlen(arg);
	char number[32];

	if (len > 2 && !strcmp(arg + len - 2, "/s"))
		len -= 2;
	if (len >= sizeof(number))
		len = sizeof(number) - 1;
	snprintf(number, sizeof(number), "%.*s", (int)len, arg);
	return number_option("--max-rate", number, 1, PT_RATE_MAX, &o->max_rate);
}

int probe_mode__parse(const char *text)
{
	static const char *const modes[] = {
		[PROBE_AUTO] = "auto",
		[PROBE_USDT] = "usdt",
		[PROBE_UPROBE] = "uprobe",
	};
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (!strcmp(text, modes[i]))
			return (int)i;
	}
	return -1;
}

static int probe_option(struct trace_options *o, const char *text)
{
	int mode = probe_mode__parse(text);

	if (mode >= 0) {
		o->probe = (enum probe_mode)mode;
		return 0;
	}
	log__error("--probe is auto, usdt or uprobe, not '%s'", text);
	return -EINVAL;
}

static int interpreters_option(struct trace_options *o, const char *text)
{
	if (!installed__is_spec(text)) {
		log__error(
			"--interpreters takes absolute globs separated by ':', with '+' in front "
			"to add them, or none, not '%s'",
			text);
		return -EINVAL;
	}
	o->interpreters = text;
	return 0;
}

static int stats_option(struct trace_options *o, const char *text)
{
	o->stats = true;
	return text ? seconds_option("--stats", text, &o->stats_interval) : 0;
}

static int by_option(struct trace_options *o, const char *text)
{
	static const char *const views[] = {
		[TOP_BY_PROCESS] = "process",
		[TOP_BY_EVENT] = "event",
		[TOP_BY_CONTAINER] = "container",
	};
	size_t i;

	for (i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		if (!strcmp(text, views[i])) {
			o->by = (enum top_by)i;
			o->by_given = true;
			return 0;
		}
	}
	log__error("--by is process, event or container, not '%s'", text);
	return -EINVAL;
}

static int take_top(struct trace_options *o, int opt, const char *arg)
{
	switch (opt) {
	case OPT_INTERVAL:
		return seconds_option("--interval", arg, &o->interval);
	case OPT_BATCH:
		return size_option("--batch", arg, 1, UINT32_MAX, &o->batch);
	case OPT_ONCE:
		o->batch = 1;
		return 0;
	case OPT_BY:
		return by_option(o, arg);
	}
	return -EINVAL;
}

/* Whether `trace`, or `top`, has the option: what is written, and how values are cut, is nothing to
 * top. */
static bool has_option(bool top, int opt)
{
	switch (opt) {
	case 'o':
	case OPT_MAX_EVENTS:
	case OPT_RECORD:
	case OPT_SPOOL:
	case OPT_DRAIN_TIMEOUT:
	case OPT_MAX_STRING:
	case OPT_MAX_ITEMS:
	case OPT_MAX_DEPTH:
	case OPT_MAX_RATE:
	case OPT_TAMPER:
	case OPT_STATS:
	case OPT_BPF_STATS:
	case OPT_STRICT:
	case OPT_REDACT:
	case OPT_REDACT_KEY:
		return !top;
	}
	return top || opt < OPT_TOP;
}

static int take(struct trace_options *o, int opt, const char *arg)
{
	if (opt >= OPT_TOP)
		return take_top(o, opt, arg);
	if (opt >= OPT_SELECT && opt < OPT_SELECT_END)
		return selection__add(o->selection, (enum selection_kind)(opt - OPT_SELECT), arg);
	switch (opt) {
	case 'p':
		return add_pid(o, arg);
	case 'f':
		o->follow = true;
		return 0;
	case 'e':
		return pattern_list__add(o->patterns, arg);
	case 'o':
		return add_output(o, arg);
	case OPT_DURATION:
		return seconds_option("--duration", arg, &o->duration);
	case OPT_MAX_EVENTS:
		return size_option("--max-events", arg, 1, UINT64_MAX, &o->max_events);
	case OPT_RECORD:
		o->record = arg;
		return 0;
	case OPT_SPOOL:
		o->spool = arg;
		return 0;
	case OPT_DRAIN_TIMEOUT:
		return seconds_option("--drain-timeout", arg, &o->drain_timeout);
	case OPT_RING_SIZE:
		return ring_option(o, arg);
	case OPT_MAX_STRING:
		return number_option("--max-string", arg, 16, PT_RECORD_MAX / 2, &o->max_string);
	case OPT_MAX_ITEMS:
		return number_option("--max-items", arg, 1, 4096, &o->max_items);
	case OPT_MAX_DEPTH:
		return number_option("--max-depth", arg, 1, PT_DEPTH_MAX, &o->max_depth);
	case OPT_TAMPER:
		o->tamper = true;
		return 0;
	case OPT_NO_CONFINE:
		o->no_confine = true;
		caps__keep_all();
		return 0;
	case OPT_MAX_RATE:
		return rate_option(o, arg);
	case OPT_STATS:
		return stats_option(o, arg);
	case OPT_BPF_STATS:
		o->stats = o->bpf_stats = true;
		return 0;
	case OPT_STRICT:
		o->strict = true;
		return 0;
	case OPT_REDACT:
		return redact_options__rules(&o->redact, arg);
	case OPT_REDACT_KEY:
		o->redact.key = arg;
		return 0;
	case OPT_PROCESSES:
		o->processes = true;
		return 0;
	case OPT_ATTACK:
		return format__take_attack(arg, &o->attack_severity);
	case OPT_PROBE:
		return probe_option(o, arg);
	case OPT_HOLD_NEW:
		o->hold_ms = 500;
		return arg ? number_option("--hold-new", arg, 1, 60000, &o->hold_ms) : 0;
	case OPT_INTERPRETERS:
		return interpreters_option(o, arg);
	case 'q':
		log__set_level(LOG_QUIET);
		return 0;
	case 'v':
		log__set_level(log__level() < LOG_VERBOSE ? LOG_VERBOSE : LOG_DEBUG);
		return 0;
	}
	return -EINVAL;
}

/* The words behind the options. -1 or EXIT_USAGE. */
static int take_words(struct trace_options *o, bool top, int argc, char **argv)
{
	if (optind < argc && (top || strcmp(argv[optind - 1], "--"))) {
		log__error("%s: unexpected '%s'%s", argv[0], argv[optind],
		           top ? "; see 'pytrail help top'" : "; a command to run comes after '--'");
		return EXIT_USAGE;
	}
	if (optind < argc)
		o->command = argv + optind;
	if (o->command && o->pids_cnt) {
		log__error("trace: -p and a command cannot be given together");
		return EXIT_USAGE;
	}
	if (o->follow && !o->pids_cnt && !o->command)
		log__warn("-f has no effect without -p: the whole host is traced");
	if (o->hold_ms && o->pids_cnt && !o->follow)
		log__warn("--hold-new has no effect with -p but without -f");
	return -1;
}

int trace_options__init(struct trace_options *o, bool top)
{
	memset(o, 0, sizeof(*o));
	o->ring_size = 8 << 20;
	/* top looks at no value */
	o->max_string = top ? 16 : 4096;
	o->max_items = top ? 1 : 128;
	o->max_depth = top ? 1 : 4;
	o->interval = 1;
	o->drain_timeout = 10;
	o->redact = REDACT_OPTIONS_DEFAULT;
	o->patterns = pattern_list__new();
	o->selection = selection__new();
	if (!o->patterns || !o->selection) {
		log__error("out of memory");
		return -ENOMEM;
	}
	return 0;
}

int trace_options__parse(struct trace_options *o, int argc, char **argv)
{
	bool top = !strcmp(argv[0], "top");
	int opt, err;

	if (trace_options__init(o, top))
		return EXIT_FAIL;
	optind = 0;
	opterr = 0;
	/* '+': what follows COMMAND is the command's own */
	while ((opt = getopt_long(argc, argv, "+:p:fe:o:qvh", long_options, NULL)) != -1) {
		if (opt == 'h') {
			command__usage(argv[0]);
			return EXIT_OK;
		}
		if (opt == '?' || (opt != ':' && !has_option(top, opt))) {
			log__error("%s: unknown option '%s'; see 'pytrail help %s'", argv[0],
			           argv[optind - 1], argv[0]);
			return EXIT_USAGE;
		}
		if (opt == ':') {
			log__error("%s: option '%s' needs a value; see 'pytrail help %s'", argv[0],
			           argv[optind - 1], argv[0]);
			return EXIT_USAGE;
		}
		err = take(o, opt, optarg);
		if (err)
			return err == -ENOMEM ? EXIT_FAIL : EXIT_USAGE;
	}
	return take_words(o, top, argc, argv);
}

void trace_options__free(struct trace_options *o)
{
	pattern_list__free(o->patterns);
	selection__free(o->selection);
	redact_options__free(&o->redact);
}
