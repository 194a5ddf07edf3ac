// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* `pytrail top`: who raises how many events, live on a full screen, or as plain text for
 * scripts. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "attach.h"
#include "commands.h"
#include "format/when.h"
#include "output.h"
#include "sink/sink.h"
#include "stats.h"
#include "top_count.h"
#include "top_screen.h"
#include "top_view.h"
#include "trace_loop.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/log.h"

struct top {
	struct trace_options opts;
	struct trace_loop *loop;
	struct top_count *count;
	struct top_view view;
	struct top_screen *screen; /* NULL: plain text */
	uint64_t next_ns;          /* when the figures are due, 0: at the start */
	uint64_t printed;          /* plain texts so far */
	struct buf text;
	struct sink *sink; /* of the plain texts */
	int failed;        /* -errno of it, said */
};

static const char *what(const struct top *t)
{
	static char text[64];
	size_t files = attach__files(session__attach(trace_loop__session(t->loop)));

	if (t->opts.pids_cnt)
		snprintf(text, sizeof(text), "%zu process%s%s", t->opts.pids_cnt,
		         t->opts.pids_cnt == 1 ? "" : "es",
		         t->opts.follow ? " and their children" : "");
	else
		snprintf(text, sizeof(text), "every process, %zu Python file%s", files,
		         files == 1 ? "" : "s");
	return text;
}

static void top__draw(struct top *t)
{
	top_screen__draw(t->screen, t->count, what(t), trace_loop__elapsed(t->loop));
}

static void put_table(struct top *t, enum top_by by)
{
	struct tally_row **rows;
	size_t cnt, i;

	t->view.by = by;
	cnt = top_view__rows(&t->view, t->count, &rows);
	buf__char(&t->text, '\n');
	top_view__titles(&t->view, 0, &t->text);
	buf__char(&t->text, '\n');
	for (i = 0; i < cnt; i++) {
		top_view__row(&t->view, rows[i], 0, &t->text);
		buf__char(&t->text, '\n');
	}
	if (top_view__others(&t->view, t->count, 0, &t->text))
		buf__char(&t->text, '\n');
}

/* All tables, or the one asked for, with a line of totals before and an empty one behind. */
static void top__print(struct top *t)
{
	struct buf *b = &t->text;
	char when[WHEN_UTC_LEN];
	int by;

	buf__reset(b);
	when__utc(when, (int64_t)clock__realtime());
	buf__append(b, when, sizeof(when));
	buf__lit(b, "  ");
	top_view__totals(top_count__totals(t->count), 0, b);
	buf__char(b, '\n');
	for (by = 0; by < TOP_VIEWS; by++) {
		if (!t->opts.by_given || by == (int)t->opts.by)
			put_table(t, (enum top_by)by);
	}
	buf__char(b, '\n');
	t->printed++;
	if (b->failed)
		log__error("out of memory");
	t->failed = b->failed ? -ENOMEM : sink__write(t->sink, b->data, b->len);
	if (t->failed)
		trace_loop__stop(t->loop);
}

static void top__tick(struct top *t, uint64_t now)
{
	struct pt_counters c = session__counters(trace_loop__session(t->loop));

	if (t->screen && top_screen__paused(t->screen))
		return;
	top_count__tick(t->count, &c, now);
}

static int on_due(void *ctx, uint64_t now)
{
	uint64_t interval, left;
	struct top *t = ctx;

	interval = (uint64_t)(t->opts.interval * 1e9);
	if (!t->next_ns) {
		/* a first, empty screen */
		t->next_ns = now + interval;
		top__tick(t, now);
		if (t->screen)
			top__draw(t);
	}
	if (now >= t->next_ns) {
		t->next_ns += interval;
		if (t->next_ns <= now) /* it was stopped, or suspended */
			t->next_ns = now + interval;
		top__tick(t, now);
		if (t->screen) {
			top__draw(t);
		} else {
			top__print(t);
			if (t->printed >= t->opts.batch)
				trace_loop__stop(t->loop);
		}
	}
	left = (t->next_ns - now) / 1000000 + 1;
	return left < INT_MAX ? (int)left : INT_MAX;
}

static int on_record(void *ctx, const void *record, size_t size)
{
	struct top *t = ctx;

	return top_count__record(t->count, record, size);
}

static void on_unwanted(void *ctx, const struct pt_task *task)
{
	const struct top *t = ctx;

	session__unwanted(trace_loop__session(t->loop), task);
}

static void on_input(void *ctx)
{
	struct top *t = ctx;

	if (top_screen__input(t->screen))
		trace_loop__stop(t->loop);
	else
		top__draw(t);
}

static void on_resized(void *ctx)
{
	struct top *t = ctx;

	if (!t->screen)
		return;
	top_screen__resize(t->screen);
	top__draw(t);
}

/* The end: what the ring still held counts too, and a batch that was cut short has its figures. */
static int top__finish(struct top *t)
{
	struct session *session = trace_loop__session(t->loop);
	struct output_stats out = {0};
	struct top_totals now;
	struct pt_counters c;

	/* at once: to detach takes some tenths of a second */
	top_screen__close(t->screen);
	t->screen = NULL;
	trace_loop__finish(t->loop);
	if (!t->failed && t->printed < t->opts.batch) {
		top__tick(t, clock__monotonic());
		top__print(t);
	}
	now = top_count__now(t->count);
	out.events = now.events;
	out.filtered = now.filtered;
	out.processes = now.processes;
	out.malformed = top_count__malformed(t->count);
	c = session__counters(session);
	stats__summary(&c, &out, trace_loop__elapsed(t->loop));
	return t->failed && t->failed != -EPIPE ? EXIT_FAIL : EXIT_OK;
}

static int top__run(struct top *t)
{
	struct trace_hooks hooks = {
		.record = on_record,
		.due = on_due,
		.input = on_input,
		.resized = on_resized,
		.input_fd = t->opts.batch ? -1 : STDIN_FILENO,
	};
	struct top_count_options counted = {
		.patterns = t->opts.patterns,
		.selection = t->opts.selection,
		.unwanted = on_unwanted,
		.unwanted_ctx = t,
	};
	int code;

	if (!t->opts.batch && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))) {
		log__error(
			"top: standard input and output must be a terminal; --once and --batch N "
			"write plain text");
		return EXIT_USAGE;
	}
	top_view__init(&t->view, t->opts.by);
	t->count = top_count__new(&counted);
	if (!t->count) {
		log__error("out of memory");
		return EXIT_FAIL;
	}
	if (sink__open(NULL, &t->sink))
		return EXIT_FAIL;
	t->opts.names_only = true;
	code = trace_loop__open(&t->opts, &hooks, t, &t->loop);
	if (code < 0 && !t->opts.batch)
		code = top_screen__open(&t->view, &t->screen);
	if (code >= 0)
		return code;
	trace_loop__run(t->loop);
	return top__finish(t);
}

int cmd_top(int argc, char **argv)
{
	struct top *t = calloc(1, sizeof(*t));
	int code;

	if (!t) {
		log__error("out of memory");
		return EXIT_FAIL;
	}
	code = trace_options__parse(&t->opts, argc, argv);
	if (code < 0)
		code = top__run(t);
	top_screen__close(t->screen);
	trace_loop__free(t->loop);
	top_count__free(t->count);
	if (t->sink)
		sink__close(t->sink);
	buf__free(&t->text);
	trace_options__free(&t->opts);
	free(t);
	return code;
}
