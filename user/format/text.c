// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The `text` format: one line an event for a person at a terminal. Time, pid, comm and event stand
 * in columns that are the same for all lines; nothing of the traced process can move the cursor,
 * change the colour, or make the line longer than the terminal is wide.
 */
#include "text.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "when.h"
#include "../catalog.h"
#include "../enrich/process.h"
#include "../util/columns.h"

#define PID_COLS   7 /* PID_MAX_LIMIT is 4194304 (include/linux/threads.h) */
#define COMM_COLS  15
#define EVENT_COLS 22
/* More combining characters than that on one letter are noise over the neighbouring lines. */
#define MARKS_MAX 4

/* Bytes of the nodes of (). */
#define EMPTY_TUPLE (2 * sizeof(struct pt_node) + 8)

#define ELLIPSIS    "\u2026"

/* Whether `cols` more fit; if not, ends the line with an ellipsis. */
static bool fits(struct line *l, unsigned cols)
{
	if (l->full)
		return false;
	if (cols <= l->limit - l->cols)
		return true;
	l->out->len = l->mark;
	buf__lit(l->out, ELLIPSIS);
	l->cols = l->mark_cols + 1;
	l->full = true;
	return false;
}

static void advance(struct line *l, unsigned cols)
{
	l->cols += cols;
	if (l->cols < l->limit) {
		l->mark = l->out->len;
		l->mark_cols = l->cols;
	}
}

void line__put(struct line *l, const char *s, size_t len)
{
	size_t room = l->limit - l->cols;

	if (l->full)
		return;
	if (len > room) {
		/* What fits with the ellipsis behind it. */
		size_t part = room ? room - 1 : 0;

		if (part) {
			buf__append(l->out, s, part);
			advance(l, (unsigned)part);
		}
		fits(l, UINT_MAX);
		return;
	}
	if (l->cols + len == l->limit && len) {
		buf__append(l->out, s, len - 1);
		advance(l, (unsigned)len - 1);
		s += len - 1;
		len = 1;
	}
	buf__append(l->out, s, len);
	advance(l, (unsigned)len);
}

void line__str(struct line *l, const char *s)
{
	line__put(l, s, strlen(s));
}

static void put_escape(struct line *l, uint32_t cp)
{
	char text[16];
	const char *fmt = cp < 0x100 ? "\\x%02x" : cp < 0x10000 ? "\\u%04x" : "\\U%08x";
	const char *s = text;

	if (cp == '\n')
		s = "\\n";
	else if (cp == '\r')
		s = "\\r";
	else if (cp == '\t')
		s = "\\t";
	else
		snprintf(text, sizeof(text), fmt, cp);
	/* An escape is shown whole or not at all. */
	if (fits(l, (unsigned)strlen(s)))
		line__str(l, s);
}

void line__char(struct line *l, uint32_t cp, uint32_t quote)
{
	char utf8[4];
	int cols;

	if (quote && (cp == quote || cp == '\\')) {
		if (fits(l, 2)) {
			char pair[2] = {'\\', (char)cp};

			line__put(l, pair, 2);
		}
		return;
	}
	cols = columns__of(cp);
	l->marks_run = cols ? 0 : l->marks_run + 1;
	if (cols < 0 || l->marks_run > MARKS_MAX) {
		put_escape(l, cp);
	} else if (fits(l, (unsigned)cols)) {
		buf__append(l->out, utf8, columns__utf8(utf8, cp));
		advance(l, (unsigned)cols);
	}
}

void line__chars(struct line *l, struct chars c, uint32_t quote)
{
	uint32_t cp;

	l->marks_run = 0;
	while (!l->full && chars__next(&c, &cp))
		line__char(l, cp, quote);
}

void line__color(struct line *l, const char *sgr)
{
	if (!l->color || l->full)
		return;
	buf__lit(l->out, "\033[");
	buf__str(l->out, sgr);
	buf__char(l->out, 'm');
	/* What stands before the mark is kept: colours that only rule what is dropped are, too. */
	if (l->cols < l->limit)
		l->mark = l->out->len; /* no columns: mark_cols stays */
}

static struct line line__new(struct buf *out, const struct format_context *ctx)
{
	return (struct line){
		.out = out,
		.limit = ctx->width ? ctx->width : UINT_MAX,
		.mark = out->len,
		.color = ctx->color,
	};
}

static void line__end(struct line *l)
{
	if (l->color)
		buf__lit(l->out, "\033[0m");
	buf__char(l->out, '\n');
}

static void pad(struct line *l, unsigned from, unsigned cols)
{
	static const char spaces[] = "                                ";

	if (l->cols - from < cols)
		line__put(l, spaces, cols - (l->cols - from));
}

/* Text cut to exactly `cols` columns. */
static void put_cell(struct line *l, struct chars c, unsigned cols)
{
	struct line cell = {.out = l->out, .mark = l->out->len};
	unsigned from = l->cols, room = l->limit - l->cols;

	if (!fits(l, 1))
		return;
	cell.limit = cols < room ? cols : room;
	line__chars(&cell, c, 0);
	if (cell.limit == room) {
		l->full = cell.full;
		l->mark = cell.mark;
		l->mark_cols = from + cell.mark_cols;
	}
	advance(l, cell.cols);
	pad(l, from, cols);
}

static void put_start(struct line *l, uint64_t time_ns, const struct pt_task *task,
                      const struct format_context *ctx)
{
	char text[32];

	line__color(l, "2");
	when__local(text, (int64_t)(time_ns + (uint64_t)ctx->realtime_offset_ns));
	line__put(l, text, WHEN_LOCAL_LEN);
	line__color(l, "0");
	if (task->pid)
		snprintf(text, sizeof(text), " %*u ", PID_COLS, task->pid);
	else
		snprintf(text, sizeof(text), " %*s ", PID_COLS, "");
	line__str(l, text);
	line__color(l, "36");
	put_cell(l, chars__utf8(task->comm, strnlen(task->comm, PT_COMM_LEN)), COMM_COLS);
	line__color(l, "0");
	line__put(l, "  ", 2);
}

/* Bold; yellow and red from severity 3 (medium) and 4 (high) on; unknown events magenta. */
static const char *event_color(const struct event *ev)
{
	if (!ev->known)
		return "1;35";
	return ev->known->severity >= 4 ? "1;31" : ev->known->severity == 3 ? "1;33" : "1";
}

static void text_event(struct buf *out, const struct event *ev, const struct format_context *ctx)
{
	struct line l = line__new(out, ctx);
	unsigned from;

	put_start(&l, ev->audit->rec.time_ns, &ev->audit->rec.task, ctx);
	from = l.cols;
	line__color(&l, event_color(ev));
	line__chars(&l, chars__utf8(ev->name, ev->name_len), 0);
	if (ev->flags & PT_AUDIT_NAME_CUT)
		line__char(&l, 0x2026, 0);
	if (ev->audit->flags & PT_AUDIT_NAME_UNREADABLE)
		line__str(&l, "<unreadable>");
	line__color(&l, "0");
	if (ev->nodes_len != EMPTY_TUPLE) {
		pad(&l, from, EVENT_COLS);
		line__put(&l, "  ", 2);
		text__args(&l, ev);
	}
	line__end(&l);
}

/* As JSON has it: whatever bytes a path has, these can be printed. */
static void put_quoted(struct line *l, const char *s, size_t len)
{
	struct buf quoted = BUF_INIT;

	json__string(&quoted, s, len);
	buf__char(&quoted, '\0');
	line__str(l, " ");
	if (!quoted.failed)
		line__str(l, quoted.data);
	buf__free(&quoted);
}

static void put_attach(struct line *l, const struct pt_attach *a)
{
	char text[64];

	line__str(l, " by ");
	line__str(l, probe__name(a->probe));
	if (a->rec.kind == PT_REC_DETACH) {
		line__str(l, ": ");
		line__str(l, detach_reason__name(a->reason));
	} else if (a->flags & PT_ATTACH_LATE) {
		snprintf(text, sizeof(text), ", late: it had run for %.3f s",
		         (double)a->late_ns / 1e9);
		line__str(l, text);
	}
}

static void text_process(struct buf *out, const struct pt_rec *rec, const char *what,
                         const struct process *facts, uint64_t seq, const struct format_context *ctx)
{
	struct line l = line__new(out, ctx);
	const char *file = facts->exe;
	const struct pt_attach *a = reader__attach(rec, rec->size, &file);

	put_start(&l, rec->time_ns, &rec->task, ctx);
	line__str(&l, what);
	if (file)
		put_quoted(&l, file, a ? a->file_len : strlen(file));
	if (a)
		put_attach(&l, a);
	line__end(&l);
}

static void text_lost(struct buf *out, const struct pt_lost *lost, uint64_t seq,
                      const struct format_context *ctx)
{
	struct line l = line__new(out, ctx);
	char text[64];

	put_start(&l, lost->last_ns, &lost->rec.task, ctx);
	line__color(&l, "1;37;41");
	snprintf(text, sizeof(text), "*** LOST %llu event%s: %s ***", (unsigned long long)lost->count,
	         lost->count == 1 ? "" : "s", lost_cause__name(lost->cause));
	line__str(&l, text);
	line__end(&l);
}

static void text_alert(struct buf *out, const struct alert *a, uint64_t seq,
                       const struct format_context *ctx)
{
	const struct pt_task nobody = {0};
	struct line l = line__new(out, ctx);

	put_start(&l, (uint64_t)(a->time_ns - ctx->realtime_offset_ns), a->task ? a->task : &nobody,
	          ctx);
	line__color(&l, "1;37;41");
	line__str(&l, "*** ");
	line__str(&l, a->alert);
	line__str(&l, ":");
	put_quoted(&l, a->message, strlen(a->message));
	line__str(&l, " ***");
	line__end(&l);
}

const struct format format_text = {"text", text_event, text_process, text_lost, NULL, text_alert};
