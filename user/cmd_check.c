/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* `pytrail check`: whether this host can be traced, what is missing, and how to get it. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "commands.h"
#include "discover.h"
#include "feature.h"
#include "format/format.h"
#include "lockdown.h"
#include "trace_how.h"
#include "util/buf.h"
#include "util/log.h"
#include "util/table.h"

enum state { STATE_OK, STATE_MISSING, STATE_UNKNOWN };

struct check {
	struct utsname kernel;
	enum lockdown lockdown;
	enum state features[FEATURE_MAX];
	struct discover *discover;
	size_t processes;    /* live ones with an interpreter */
	const char *missing; /* the first required feature that is not there, NULL: none */
};

static const char *state_name(enum state s)
{
	return s == STATE_OK ? "ok" : s == STATE_MISSING ? "missing" : "unknown";
}

static int count(void *ctx, const struct discovered *found)
{
	struct check *c = ctx;

	c->processes++;
	return 0;
}

static int gather(struct check *c)
{
	struct discovered found;

	uname(&c->kernel);
	c->lockdown = lockdown__read(LOCKDOWN_DIR);
	for (enum feature f = 0; f < FEATURE_MAX; f++) {
		const struct feature_info *info = feature__info(f);

		c->features[f] = feature__has(f) ? STATE_OK : STATE_MISSING;
		if (info->needs_bpf && !feature__has(FEATURE_BPF))
			c->features[f] = STATE_UNKNOWN;
		if (c->features[f] != STATE_OK && info->required && !c->missing)
			c->missing = info->name;
	}
	c->discover = discover__new();
	if (!c->discover)
		return -ENOMEM;
	/* Those that run, and the one that would. */
	discover__path(c->discover, "python3", &found);
	return discover__all(c->discover, count, c);
}

/* Whether it can be traced under it is what the features below have tried. */
static const char *lockdown_state(const struct check *c)
{
	if (c->lockdown == LOCKDOWN_UNKNOWN)
		return "unknown";
	return c->lockdown == LOCKDOWN_CONFIDENTIALITY ? "missing" : "ok";
}

static void add_features(const struct check *c, struct table *t)
{
	char note[512];

	for (enum feature f = 0; f < FEATURE_MAX; f++) {
		const struct feature_info *info = feature__info(f);

		table__cell(t, state_name(c->features[f]));
		table__cell(t, info->name);
		if (c->features[f] == STATE_OK)
			snprintf(note, sizeof(note), "%s", info->purpose);
		else if (c->features[f] == STATE_UNKNOWN)
			snprintf(note, sizeof(note), "%s%s; cannot be told without BPF programs",
			         info->required ? "" : "optional, ", info->purpose);
		else
			snprintf(note, sizeof(note), "%s%s; %s%s%s%s",
			         info->required ? "" : "optional, ", info->purpose, info->cure,
			         info->since ? " (since " : "", info->since ? info->since : "",
			         info->since ? ")" : "");
		table__cell(t, note);
	}
}

static void add_interpreters(const struct check *c, struct table *t)
{
	struct binary *const *all;
	size_t cnt = discover__binaries(c->discover, &all);
	char note[512];

	snprintf(note, sizeof(note), "%zu live process%s, %zu file%s", c->processes,
	         c->processes == 1 ? "" : "es", cnt, cnt == 1 ? "" : "s");
	table__cell(t, cnt ? "ok" : "none");
	table__cell(t, "interpreters");
	table__cell(t, note);
	for (size_t i = 0; i < cnt; i++) {
		struct trace_how how = trace_how__of(all[i]);
		struct buf b = BUF_INIT;

		snprintf(note, sizeof(note), "CPython %s%s",
		         all[i]->py_version_text[0] ? all[i]->py_version_text : "?",
		         all[i]->free_threaded ? " free-threaded" : "");
		buf__printf(&b, "%s%s%s", all[i]->path, how.reason ? ": " : "",
		            how.reason ? how.reason : "");
		buf__char(&b, '\0');
		table__cell(t, how.probe ? "ok" : "missing");
		table__cell(t, note);
		table__cell(t, b.failed ? "" : b.data);
		buf__free(&b);
	}
}

static void render_text(const struct check *c, struct buf *out)
{
	char note[256];
	struct table t;

	table__init(&t, 3);
	snprintf(note, sizeof(note), "%s %s", c->kernel.release, c->kernel.machine);
	table__cell(&t, "ok");
	table__cell(&t, "kernel");
	table__cell(&t, note);
	table__cell(&t, lockdown_state(c));
	table__cell(&t, "lockdown");
	table__cell(&t, lockdown__note(c->lockdown));
	add_features(c, &t);
	add_interpreters(c, &t);
	table__render(&t, out);
	table__free(&t);
}

static void json_text(struct buf *b, const char *key, const char *value)
{
	buf__printf(b, "\"%s\":", key);
	json__string(b, value, strlen(value));
}

static void json_interpreter(struct buf *b, const struct binary *bin)
{
	struct trace_how how = trace_how__of(bin);

	buf__char(b, '{');
	json_text(b, "binary", bin->path);
	if (bin->py_version_text[0]) {
		buf__char(b, ',');
		json_text(b, "version", bin->py_version_text);
	}
	buf__printf(b, ",\"free_threaded\":%s,\"trace\":%s%s%s,\"decoded\":%s",
	            bin->free_threaded ? "true" : "false", how.probe ? "\"" : "",
	            how.probe ? how.probe : "null", how.probe ? "\"" : "",
	            how.decoded ? "true" : "false");
	if (how.reason) {
		buf__char(b, ',');
		json_text(b, "reason", how.reason);
	}
	buf__char(b, '}');
}

static void render_json(const struct check *c, struct buf *b)
{
	struct binary *const *all;
	size_t cnt = discover__binaries(c->discover, &all);

	buf__printf(b, "{\"ok\":%s,", c->missing ? "false" : "true");
	json_text(b, "kernel", c->kernel.release);
	buf__char(b, ',');
	json_text(b, "machine", c->kernel.machine);
	if (lockdown__name(c->lockdown)) {
		buf__char(b, ',');
		json_text(b, "lockdown", lockdown__name(c->lockdown));
	}
	buf__lit(b, ",\"features\":[");
	for (enum feature f = 0; f < FEATURE_MAX; f++) {
		const struct feature_info *info = feature__info(f);

		buf__str(b, f ? ",{" : "{");
		json_text(b, "name", info->name);
		buf__printf(b, ",\"state\":\"%s\",\"required\":%s,", state_name(c->features[f]),
		            info->required ? "true" : "false");
		if (info->since) {
			json_text(b, "since", info->since);
			buf__char(b, ',');
		}
		json_text(b, "purpose", info->purpose);
		if (c->features[f] != STATE_OK) {
			buf__char(b, ',');
			json_text(b, "cure", info->cure);
		}
		buf__char(b, '}');
	}
	buf__printf(b, "],\"processes\":%zu,\"interpreters\":[", c->processes);
	for (size_t i = 0; i < cnt; i++) {
		if (i)
			buf__char(b, ',');
		json_interpreter(b, all[i]);
	}
	buf__lit(b, "]}\n");
}

static int check(bool json)
{
	struct check c = {0};
	struct buf out = BUF_INIT;
	int err = gather(&c), status = c.missing ? EXIT_CANNOT_TRACE : EXIT_OK;

	if (err) {
		log__error("check: cannot look at the processes: %s", strerror(-err));
		discover__free(c.discover);
		return EXIT_FAIL;
	}
	if (json)
		render_json(&c, &out);
	else
		render_text(&c, &out);
	if (out.failed || fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout)) {
		log__error("check: cannot write to standard output: %s",
		           out.failed ? "not enough memory" : strerror(errno));
		status = EXIT_FAIL;
	} else if (c.missing) {
		log__error("this host cannot be traced: it lacks %s%s", c.missing,
		           geteuid() ? "; run as root" : "");
	} else if (!json) {
		log__info("this host can be traced");
	}
	buf__free(&out);
	discover__free(c.discover);
	return status;
}

int cmd_check(int argc, char **argv)
{
	static const struct option longs[] = {{"json", no_argument, NULL, 'j'}, {0}};
	bool json = false;
	int c;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (c != 'j') {
			log__error("check: unknown option '%s'; see 'pytrail help check'",
			           argv[optind - 1]);
			return EXIT_USAGE;
		}
		json = true;
	}
	if (optind < argc) {
		log__error("check: unexpected argument '%s'; see 'pytrail help check'", argv[optind]);
		return EXIT_USAGE;
	}
	return check(json);
}
