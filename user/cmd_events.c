// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * `pytrail events`: prints the events table: a table for reading, the details of one event, or one
 * JSON object a line. Sources come as the text of events/audit.tsv, `C:FILE (FORMAT) RANGE; ...`,
 * and are taken apart here.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "catalog.h"
#include "commands.h"
#include "format/format.h"
#include "nearest.h"
#include "pattern.h"
#include "util/buf.h"
#include "util/log.h"

#define FIRST_VERSION 0x0308 /* PEP 578 */

struct events_options {
	bool json;
	bool schema;
	uint16_t python; /* 0x0309 for 3.9, 0: all */
	char **names;
	size_t names_cnt;
};

static bool in_range(uint16_t since, uint16_t until, uint16_t python)
{
	return !python || (since <= python && python <= until);
}

/* "3.8+", "3.8-3.12", "3.9" */
static const char *range_text(uint16_t since, uint16_t until, char out[24])
{
	int n = snprintf(out, 24, "%d.%d", since >> 8, since & 0xff);

	if (until == CATALOG_OPEN)
		snprintf(out + n, 24 - (size_t)n, "+");
	else if (until != since)
		snprintf(out + n, 24 - (size_t)n, "-%d.%d", until >> 8, until & 0xff);
	return out;
}

/* One of the places that raise an event: pointers into catalog_event.sources. */
struct source {
	const char *language, *file, *format, *versions;
	int language_len, file_len, format_len, versions_len;
};

/* Takes the next source off *rest; false at the end. The table's checker vouches for the syntax. */
static bool source__next(const char **rest, struct source *out)
{
	const char *s = *rest, *end = strstr(s, "; "), *p;

	if (!*s)
		return false;
	*rest = end ? end + 2 : s + strlen(s);
	if (!end)
		end = *rest;
	out->language = s;
	p = memchr(s, ':', (size_t)(end - s));
	out->language_len = (int)(p - s);
	out->file = p + 1;
	p = memchr(p, ' ', (size_t)(end - p));
	out->file_len = (int)(p - out->file);
	out->format = p + 2; /* behind " (" */
	p = memrchr(p, ' ', (size_t)(end - p));
	out->format_len = (int)(p - 1 - out->format);
	out->versions = p + 1;
	out->versions_len = (int)(end - out->versions);
	return true;
}

/*
 * Appends the names of the arguments. At `width` columns, if it is not 0, the line goes on in the
 * next one, below the column `start` where they begin.
 */
static void append_names(struct buf *b, const struct catalog_signature *s, size_t start, size_t width)
{
	size_t column = start, i, len;

	if (!s->nargs)
		buf__lit(b, "-");
	for (i = 0; i < s->nargs; i++) {
		len = strlen(s->names[i]) + (i + 1 < s->nargs); /* its comma */
		if (i && width && column + 1 + len > width) {
			buf__printf(b, "\n%*s", (int)start, "");
			column = start;
		} else if (i) {
			buf__lit(b, " ");
			column++;
		}
		buf__str(b, s->names[i]);
		if (i + 1 < s->nargs)
			buf__lit(b, ",");
		column += len;
	}
}

/* Columns of the terminal on standard output; 0: it is none, or too narrow to fit anything to. */
static size_t terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < 40)
		return 0;
	return size.ws_col;
}

static void json_version(struct buf *b, const char *key, uint16_t version)
{
	if (version != CATALOG_OPEN)
		buf__printf(b, ",\"%s\":\"%d.%d\"", key, version >> 8, version & 0xff);
}

static void json_member(struct buf *b, const char *key, const char *text, size_t len)
{
	buf__printf(b, ",\"%s\":", key);
	json__string(b, text, len);
}

static void json_signatures(struct buf *b, const struct catalog_event *event, uint16_t python)
{
	const struct catalog_signature *s;
	const char *comma = "";
	size_t i, j;

	buf__lit(b, ",\"signatures\":[");
	for (i = 0; i < event->signatures_cnt; i++) {
		s = &event->signatures[i];
		if (!in_range(s->since, s->until, python))
			continue;
		buf__printf(b, "%s{\"args\":[", comma);
		comma = ",";
		for (j = 0; j < s->nargs; j++) {
			if (j)
				buf__char(b, ',');
			json__string(b, s->names[j], strlen(s->names[j]));
		}
		buf__lit(b, "]");
		json_version(b, "since", s->since);
		json_version(b, "until", s->until);
		buf__printf(b, ",\"documented\":%s}", s->documented ? "true" : "false");
	}
	buf__lit(b, "]");
}

static void json_sources(struct buf *b, const struct catalog_event *event)
{
	const char *rest = event->sources, *comma = "";
	struct source source;

	buf__lit(b, ",\"sources\":[");
	while (source__next(&rest, &source)) {
		buf__printf(b, "%s{\"language\":\"%.*s\"", comma, source.language_len,
		            source.language);
		comma = ",";
		json_member(b, "file", source.file, (size_t)source.file_len);
		json_member(b, "format", source.format, (size_t)source.format_len);
		json_member(b, "versions", source.versions, (size_t)source.versions_len);
		buf__lit(b, "}");
	}
	buf__lit(b, "]");
}

static void json_event(struct buf *b, const struct catalog_event *event, uint16_t python)
{
	buf__lit(b, "{\"event\":");
	json__string(b, event->name, event->name_len);
	json_member(b, "module", event->module, strlen(event->module));
	json_member(b, "category", event->category, strlen(event->category));
	buf__printf(b, ",\"severity\":%d", event->severity);
	json_member(b, "platform", event->platform, strlen(event->platform));
	buf__printf(b, ",\"linux\":%s", event->linux_ ? "true" : "false");
	buf__printf(b, ",\"documented\":%s", event->documented ? "true" : "false");
	if (event->alias)
		json_member(b, "alias", event->alias, strlen(event->alias));
	json_version(b, "since", event->since);
	json_version(b, "until", event->until);
	json_signatures(b, event, python);
	json_sources(b, event);
	buf__lit(b, "}\n");
}

static const char *severity_word(uint8_t severity)
{
	static const char *const words[] = {"",       "informational", "low",
	                                    "medium", "high",          "critical"};

	return severity < sizeof(words) / sizeof(words[0]) ? words[severity] : "";
}

static void text_details(struct buf *b, const struct catalog_event *event, uint16_t python)
{
	const struct catalog_signature *s;
	const char *rest = event->sources, *label = "arguments";
	struct source source;
	char range[24];
	size_t i;

	buf__printf(b, "%s\n", event->name);
	buf__printf(b, "  %-11s %s\n", "module", event->module);
	buf__printf(b, "  %-11s %s\n", "category", event->category);
	buf__printf(b, "  %-11s %d, %s\n", "severity", event->severity,
	            severity_word(event->severity));
	buf__printf(b, "  %-11s %s\n", "platform", event->platform);
	buf__printf(b, "  %-11s %s\n", "versions", range_text(event->since, event->until, range));
	if (event->alias && *event->sources)
		buf__printf(b, "  %-11s as %s\n", "documented", event->alias);
	else
		buf__printf(b, "  %-11s %s\n", "documented", event->documented ? "yes" : "no");
	for (i = 0; i < event->signatures_cnt; i++) {
		s = &event->signatures[i];
		if (!in_range(s->since, s->until, python))
			continue;
		buf__printf(b, "  %-11s %-9s ", label, range_text(s->since, s->until, range));
		append_names(b, s, 24, terminal_width());
		buf__lit(b, "\n");
		label = "";
	}
	label = "raised";
	if (!*rest && event->alias)
		buf__printf(b, "  %-11s as %s\n", label, event->alias);
	while (source__next(&rest, &source)) {
		buf__printf(b, "  %-11s %-9.*s %-2.*s  %.*s (%.*s)\n", label, source.versions_len,
		            source.versions, source.language_len, source.language, source.file_len,
		            source.file, source.format_len, source.format);
		label = "";
	}
}

/* The table: one line a signature, what is of the event only on the first. */
static void text_table(struct buf *b, const bool *selected, uint16_t python)
{
	static const char head[] = "EVENT";
	size_t width = sizeof(head) - 1, category = 8, i, j;
	const struct catalog_signature *s;
	const struct catalog_event *event;
	char range[24], severity[4];
	size_t start, columns;
	bool first;

	for (i = 0; i < catalog__count(); i++) {
		event = catalog__at(i);
		if (selected[i] && event->name_len > width)
			width = event->name_len;
		if (selected[i] && strlen(event->category) > category)
			category = strlen(event->category);
	}
	start = width + category + 34; /* three columns of 8 and the blanks between */
	columns = terminal_width();
	if (columns < start + 24)
		columns = 0;
	buf__printf(b, "%-*s  %-8s  %-*s  %s  %-8s  %s\n", (int)width, head, "VERSIONS",
	            (int)category, "CATEGORY", "SEVERITY", "PLATFORM", "ARGUMENTS");
	for (i = 0; i < catalog__count(); i++) {
		event = catalog__at(i);
		first = true;
		snprintf(severity, sizeof(severity), "%d", event->severity);
		for (j = 0; selected[i] && j < event->signatures_cnt; j++) {
			s = &event->signatures[j];
			if (!in_range(s->since, s->until, python))
				continue;
			buf__printf(b, "%-*s  %-8s  %-*s  %-8s  %-8s  ", (int)width,
			            first ? event->name : "", range_text(s->since, s->until, range),
			            (int)category, first ? event->category : "",
			            first ? severity : "", first ? event->platform : "");
			append_names(b, s, start, columns);
			buf__lit(b, "\n");
			first = false;
		}
	}
}

/* Says that no event has this name, and which are near. */
static void say_unknown(const char *name)
{
	struct buf said = BUF_INIT;

	nearest__append(&said, name);
	log__error("there is no event '%s'%s", name, said.data ? said.data : "");
	buf__free(&said);
}

/* Marks the events that one word of the command line names. An exit code. */
static int select_word(bool *selected, const char *word, uint16_t python)
{
	const struct catalog_event *event = catalog__find(word, strlen(word));
	struct pattern_list *list = NULL;
	int status = EXIT_FAIL;
	size_t i;

	if (event && !in_range(event->since, event->until, python)) {
		log__error("Python %d.%d has no event '%s'", python >> 8, python & 0xff, word);
		return EXIT_FAIL;
	}
	if (event) {
		selected[event->id] = true;
		return EXIT_OK;
	}
	if (!strpbrk(word, "*?[,!")) {
		say_unknown(word);
		return EXIT_FAIL;
	}
	list = pattern_list__new();
	switch (list ? pattern_list__add(list, word) : -ENOMEM) {
	case 0:
		for (i = 0; i < catalog__count(); i++) {
			event = catalog__at(i);
			if (!in_range(event->since, event->until, python) ||
			    !pattern_list__match(list, event->name, event->name_len))
				continue;
			selected[i] = true;
			status = EXIT_OK;
		}
		if (status != EXIT_OK)
			log__error("no event matches '%s'", word);
		break;
	case -EINVAL: /* said already */
		status = EXIT_USAGE;
		break;
	default:
		log__error("out of memory");
	}
	pattern_list__free(list);
	return status;
}

static int print_events(const struct events_options *opts)
{
	const struct catalog_event *only = NULL;
	size_t cnt = catalog__count(), i;
	struct buf out = BUF_INIT;
	int status = EXIT_OK;
	bool *selected;

	selected = calloc(cnt, sizeof(*selected));
	if (!selected) {
		log__error("out of memory");
		return EXIT_FAIL;
	}
	for (i = 0; i < opts->names_cnt && status == EXIT_OK; i++)
		status = select_word(selected, opts->names[i], opts->python);
	if (opts->names_cnt == 1)
		only = catalog__find(opts->names[0], strlen(opts->names[0]));
	for (i = 0; i < cnt && !opts->names_cnt; i++)
		selected[i] = in_range(catalog__at(i)->since, catalog__at(i)->until, opts->python);
	for (i = 0; i < cnt && opts->json; i++) {
		if (selected[i])
			json_event(&out, catalog__at(i), opts->python);
	}
	if (!opts->json && only)
		text_details(&out, only, opts->python);
	else if (!opts->json)
		text_table(&out, selected, opts->python);
	if (out.failed) {
		log__error("out of memory");
		status = EXIT_FAIL;
	}
	if (status == EXIT_OK && out.len)
		fwrite(out.data, 1, out.len, stdout); /* main() checks stdout at the end */
	buf__free(&out);
	free(selected);
	return status;
}

/* "3.9" to 0x0309; 0: it is no version of CPython that has audit events. */
static uint16_t parse_version(const char *text)
{
	unsigned int minor = 0;
	const char *p = text;

	if (p[0] != '3' || p[1] != '.' || !p[2])
		return 0;
	for (p += 2; *p; p++) {
		if (*p < '0' || *p > '9' || minor > 0xff)
			return 0;
		minor = minor * 10 + (unsigned int)(*p - '0');
	}
	if (minor > 0xff || (0x0300 | minor) < FIRST_VERSION)
		return 0;
	return (uint16_t)(0x0300 | minor);
}

/* An exit code; anything but EXIT_OK has been said. */
static int parse_options(int argc, char **argv, struct events_options *opts)
{
	enum { OPT_JSON = 256, OPT_PYTHON, OPT_SCHEMA };
	static const struct option longs[] = {
		{"json", no_argument, NULL, OPT_JSON},
		{"python", required_argument, NULL, OPT_PYTHON},
		{"json-schema", no_argument, NULL, OPT_SCHEMA},
		{0},
	};
	int c;

	optind = 0; /* glibc: start anew, also after another command line */
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		switch (c) {
		case OPT_JSON:
			opts->json = true;
			break;
		case OPT_SCHEMA:
			opts->schema = true;
			break;
		case OPT_PYTHON:
			opts->python = parse_version(optarg);
			if (opts->python)
				break;
			log__error("events: '%s' is no version of CPython with audit events, such "
			           "as 3.9",
			           optarg);
			return EXIT_USAGE;
		case ':':
			log__error("events: option '%s' needs a value; see 'pytrail help events'",
			           argv[optind - 1]);
			return EXIT_USAGE;
		default:
			if (optopt > 0 && optopt < OPT_JSON) /* of `-xy`, which is not done yet */
				log__error(
					"events: unknown option '-%c'; see 'pytrail help events'",
					optopt);
			else
				log__error("events: unknown option '%s'; see 'pytrail help events'",
				           argv[optind - 1]);
			return EXIT_USAGE;
		}
	}
	opts->names = argv + optind;
	opts->names_cnt = (size_t)(argc - optind);
	if (opts->schema && (opts->json || opts->python || opts->names_cnt)) {
		log__error("events: --json-schema goes with no other option and no name");
		return EXIT_USAGE;
	}
	return EXIT_OK;
}

int cmd_events(int argc, char **argv)
{
	struct events_options opts = {0};
	int status = parse_options(argc, argv, &opts);

	if (status != EXIT_OK)
		return status;
	if (opts.schema) {
		fputs(json_schema, stdout);
		return EXIT_OK;
	}
	return print_events(&opts);
}
