// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* pytrail replay: renders a record file again. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "config/config_output.h"
#include "export/outlets.h"
#include "format/format.h"
#include "output.h"
#include "pattern.h"
#include "record.h"
#include "redact/redact.h"
#include "redact/redact_options.h"
#include "util/log.h"

#define OUTPUTS_MAX 16

struct replay_options {
	const char *file;
	struct pattern_list *patterns; /* owned */
	const char *outputs[OUTPUTS_MAX];
	size_t outputs_cnt;
	uint64_t max_events;
	bool stats;
	unsigned attack_severity;
	struct redact_options redact;
};

enum { OPT_MAX_EVENTS = 256, OPT_STATS, OPT_ATTACK, OPT_REDACT, OPT_REDACT_KEY };

static const struct option long_options[] = {
	{"events", required_argument, NULL, 'e'},
	{"output", required_argument, NULL, 'o'},
	{"max-events", required_argument, NULL, OPT_MAX_EVENTS},
	{"stats", no_argument, NULL, OPT_STATS},
	{"attack", required_argument, NULL, OPT_ATTACK},
	{"redact", optional_argument, NULL, OPT_REDACT},
	{"redact-key", required_argument, NULL, OPT_REDACT_KEY},
	{"quiet", no_argument, NULL, 'q'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int take_count(const char *text, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && !*end && !errno && *out)
		return 0;
	log__error("--max-events takes a number from 1 on, not '%s'", text);
	return -EINVAL;
}

/* 0, or -errno with the reason said. */
static int take(struct replay_options *o, int opt, const char *arg)
{
	switch (opt) {
	case 'e':
		return pattern_list__add(o->patterns, arg);
	case 'o':
		if (o->outputs_cnt == OUTPUTS_MAX) {
			log__error("-o can be given %d times at most", OUTPUTS_MAX);
			return -EINVAL;
		}
		o->outputs[o->outputs_cnt++] = arg;
		return 0;
	case OPT_MAX_EVENTS:
		return take_count(arg, &o->max_events);
	case OPT_ATTACK:
		return format__take_attack(arg, &o->attack_severity);
	case OPT_STATS:
		o->stats = true;
		return 0;
	case OPT_REDACT:
		return redact_options__rules(&o->redact, arg);
	case OPT_REDACT_KEY:
		o->redact.key = arg;
		return 0;
	case 'q':
		log__set_level(LOG_QUIET);
		return 0;
	case 'v':
		log__set_level(log__level() < LOG_VERBOSE ? LOG_VERBOSE : LOG_DEBUG);
		return 0;
	}
	return -EINVAL;
}

/* -1: go on; else the exit code. */
static int parse(struct replay_options *o, int argc, char **argv)
{
	int opt, err;

	optind = 0;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":e:o:qvh", long_options, NULL)) != -1) {
		if (opt == 'h') {
			command__usage("replay");
			return EXIT_OK;
		}
		if (opt == '?' || opt == ':') {
			log__error(
				opt == '?'
					? "replay: unknown option '%s'; see 'pytrail help replay'"
					: "replay: option '%s' needs a value; see 'pytrail help "
					  "replay'",
				argv[optind - 1]);
			return EXIT_USAGE;
		}
		err = take(o, opt, optarg);
		if (err)
			return err == -ENOMEM ? EXIT_FAIL : EXIT_USAGE;
	}
	if (optind + 1 != argc) {
		log__error(optind == argc
		                   ? "replay: a file is missing; see 'pytrail help replay'"
		                   : "replay: one file at a time; see 'pytrail help replay'");
		return EXIT_USAGE;
	}
	o->file = argv[optind];
	return -1;
}

static void say_summary(const struct replay_options *o, const struct output_stats *s,
                        uint64_t records, uint64_t undelivered, const struct timespec *start)
{
	struct timespec now;
	double seconds;

	clock_gettime(CLOCK_MONOTONIC, &now);
	seconds = (double)(now.tv_sec - start->tv_sec) +
	          1e-9 * (double)(now.tv_nsec - start->tv_nsec);
	if (o->stats)
		log__info("%llu records read, %llu of them malformed, %.0f events a second",
		          (unsigned long long)records, (unsigned long long)s->malformed,
		          seconds > 0 ? (double)s->events / seconds : 0.0);
	log__info("%llu events, %llu filtered, %llu lost, %llu processes, %.1f s",
	          (unsigned long long)s->events, (unsigned long long)s->filtered,
	          (unsigned long long)s->lost + s->malformed + undelivered,
	          (unsigned long long)s->processes, seconds);
}

/* Everything before a tear is rendered. */
static int copy(struct record_reader *in, struct output *out, uint64_t *records)
{
	const void *record;
	size_t size;
	int more, err = 0, flushed;

	while ((more = record_reader__next(in, &record, &size)) > 0) {
		++*records;
		err = output__record(out, record, size);
		if (err)
			break;
	}
	flushed = output__flush(out);
	if (err > 0)
		err = 0; /* --max-events */
	if (!err)
		err = flushed;
	if (err == -EPIPE)
		err = 0; /* who read has seen enough */
	return more < 0 ? more : err;
}

/* For receivers to take what they are sent. */
#define DRAIN_SECONDS 60

struct replay_outputs {
	const struct replay_options *options;
	struct config_output *list;
	size_t cnt;
	struct outlets *outlets;
};

static int open_outlets(struct replay_outputs *r, struct output_options *oo)
{
	struct outlets_options lo = {
		.boot_id = oo->boot_id,
		.realtime_offset_ns = oo->realtime_offset_ns,
	};
	int err = outlets__parse(r->options->outputs, r->options->outputs_cnt,
	                         r->options->redact.given, &r->list, &r->cnt);

	/* --redact=none */
	for (size_t i = 0; !err && !oo->redact && i < r->cnt; i++)
		r->list[i].redact = false;
	if (!err)
		err = outlets__open(&lo, r->list, r->cnt, &r->outlets);
	if (!err)
		oo->targets = outlets__targets(r->outlets, &oo->targets_cnt);
	return err;
}

static void close_outlets(struct replay_outputs *r)
{
	outlets__free(r->outlets);
	for (size_t i = 0; r->list && i < r->cnt; i++)
		config_output__clear(&r->list[i]);
	free(r->list);
}

static int replay(struct replay_options *o)
{
	struct record_reader *in;
	const struct record_header *h;
	struct output_options opts = {
		.patterns = pattern_list__empty(o->patterns) ? NULL : o->patterns,
		.max_events = o->max_events,
		.attack_severity = o->attack_severity,
		.processes = true, /* where they were recorded */
	};
	struct replay_outputs outputs = {.options = o};
	struct timespec start;
	struct output *out;
	uint64_t records = 0, undelivered;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &start);
	if (record_reader__open(o->file, &in))
		return EXIT_FAIL;
	h = record_reader__header(in);
	opts.boot_id = h->boot_id;
	opts.realtime_offset_ns = h->realtime_offset_ns;
	opts.instance_ns = h->instance_ns;
	if (redact_options__open(&o->redact, &opts.redact)) {
		record_reader__close(in);
		return EXIT_FAIL;
	}
	err = open_outlets(&outputs, &opts);
	if (!err)
		err = output__new(&opts, &out);
	if (err) {
		close_outlets(&outputs);
		redact__free(opts.redact);
		record_reader__close(in);
		return err == -EINVAL ? EXIT_USAGE : EXIT_FAIL;
	}
	err = copy(in, out, &records);
	if (output__stats(out)->malformed)
		err = -EBADMSG;
	undelivered = outlets__finish(outputs.outlets, DRAIN_SECONDS);
	if (undelivered && !err)
		err = -EIO;
	say_summary(o, output__stats(out), records, undelivered, &start);
	output__free(out);
	close_outlets(&outputs);
	redact__free(opts.redact);
	record_reader__close(in);
	return err ? EXIT_FAIL : EXIT_OK;
}

int cmd_replay(int argc, char **argv)
{
	struct replay_options o = {
		.patterns = pattern_list__new(),
		.redact = REDACT_OPTIONS_DEFAULT,
	};
	int rc;

	if (!o.patterns) {
		log__error("out of memory");
		return EXIT_FAIL;
	}
	rc = parse(&o, argc, argv);
	if (rc < 0)
		rc = replay(&o);
	redact_options__free(&o.redact);
	pattern_list__free(o.patterns);
	return rc;
}
