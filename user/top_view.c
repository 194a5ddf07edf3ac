// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "top_view.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/text.h"
#include "util/buf.h"

enum column {
	COL_PID,
	COL_UID,
	COL_PYTHON,
	COL_PROBE,
	COL_CONTAINER,
	COL_RATE,
	COL_TOTAL,
	COL_SEVERITY,
	COL_CATEGORY,
	COL_PROCESSES,
	COL_NAME, /* the last one of every view: as wide as there is room */
};

static const struct {
	const char *title;
	unsigned width;
	bool number; /* right-aligned, the greatest first */
} columns_of[] = {
	[COL_PID] = {"PID", 7, true},
	[COL_UID] = {"UID", 6, true},
	[COL_PYTHON] = {"PYTHON", 7, false},
	[COL_PROBE] = {"PROBE", 6, false},
	[COL_CONTAINER] = {"CONTAINER", 12, false},
	[COL_RATE] = {"EVENTS/S", 9, true},
	[COL_TOTAL] = {"TOTAL", 11, true},
	[COL_SEVERITY] = {"SEV", 3, true},
	[COL_CATEGORY] = {"CATEGORY", 13, false},
	[COL_PROCESSES] = {"PROCESSES", 9, true},
	[COL_NAME] = {NULL, 0, false},
};

static const struct {
	const char *name, *title; /* of COL_NAME */
	unsigned cnt, sort;
	enum column columns[8];
} views[TOP_VIEWS] = {
	[TOP_BY_PROCESS] = {"process",
                            "COMMAND",
                            8,
                            5,
                            {COL_PID, COL_UID, COL_PYTHON, COL_PROBE, COL_CONTAINER, COL_RATE,
                             COL_TOTAL, COL_NAME}},
	[TOP_BY_EVENT] =
		{"event", "EVENT", 5, 0, {COL_RATE, COL_TOTAL, COL_SEVERITY, COL_CATEGORY, COL_NAME}},
	[TOP_BY_CONTAINER] =
		{"container", "CONTAINER", 4, 0, {COL_RATE, COL_TOTAL, COL_PROCESSES, COL_NAME}},
};

void top_view__init(struct top_view *v, enum top_by by)
{
	int i;

	memset(v, 0, sizeof(*v));
	v->by = by;
	for (i = 0; i < TOP_VIEWS; i++)
		v->sort[i] = views[i].sort;
}

const char *top_view__name(enum top_by by)
{
	return views[by].name;
}

void top_view__sort_by(struct top_view *v, int step)
{
	unsigned cnt = views[v->by].cnt;

	v->sort[v->by] = (v->sort[v->by] + cnt + (unsigned)step) % cnt;
}

/* A cell's text, any bytes; number: room for one. */
static const char *cell(const struct tally_row *r, enum top_by by, enum column c, char number[32])
{
	const char *fmt = "%llu";
	unsigned long long v = 0;

	number[0] = '\0';
	switch (c) {
	case COL_PID:
		v = r->pid;
		break;
	case COL_UID:
		v = r->uid;
		break;
	case COL_PYTHON:
		if (r->py_version)
			snprintf(number, 32, "%u.%u.%u", r->py_version >> 24,
			         r->py_version >> 16 & 0xff, r->py_version >> 8 & 0xff);
		return r->py_version ? number : "-";
	case COL_PROBE:
		return r->probe == PT_PROBE_UPROBE ? "uprobe" : "usdt";
	case COL_CONTAINER:
		return r->container_name ? r->container_name : r->container ? r->container : "-";
	case COL_RATE:
		snprintf(number, 32, "%.1f", r->rate);
		return number;
	case COL_TOTAL:
		v = r->shown;
		break;
	case COL_SEVERITY:
		if (!r->severity)
			return "-";
		v = r->severity;
		break;
	case COL_CATEGORY:
		return r->category ? r->category : "-";
	case COL_PROCESSES:
		v = r->processes;
		break;
	case COL_NAME:
		if (by == TOP_BY_CONTAINER && !r->key_len)
			return "(none)";
		return r->name ? r->name : by == TOP_BY_PROCESS ? "?" : r->key;
	}
	snprintf(number, 32, fmt, v);
	return number;
}

/* For qsort(), which hands no context on. */
static const struct top_view *sorting;

static int three_way(double a, double b)
{
	return a < b ? -1 : a > b;
}

static int by_column(const struct tally_row *a, const struct tally_row *b, enum column c)
{
	char room_a[32], room_b[32];

	switch (c) {
	case COL_PID:
		return three_way(a->pid, b->pid);
	case COL_UID:
		return three_way(a->uid, b->uid);
	case COL_PYTHON:
		return three_way(a->py_version, b->py_version);
	case COL_RATE:
		return three_way(a->rate, b->rate);
	case COL_TOTAL:
		return three_way((double)a->shown, (double)b->shown);
	case COL_SEVERITY:
		return three_way(a->severity, b->severity);
	case COL_PROCESSES:
		return three_way((double)a->processes, (double)b->processes);
	default:
		return strcmp(cell(a, sorting->by, c, room_a), cell(b, sorting->by, c, room_b));
	}
}

static int compare(const void *a, const void *b)
{
	const struct tally_row *x = *(struct tally_row *const *)a;
	const struct tally_row *y = *(struct tally_row *const *)b;
	enum column c = views[sorting->by].columns[sorting->sort[sorting->by]];
	int order = by_column(x, y, c);

	/* numbers from the greatest, texts from A */
	if (columns_of[c].number != sorting->upwards)
		order = -order;
	if (order)
		return order;
	if (x->shown != y->shown)
		return x->shown < y->shown ? 1 : -1;
	/* in the same order at each look */
	if (x->key_len != y->key_len)
		return x->key_len < y->key_len ? -1 : 1;
	return memcmp(x->key, y->key, x->key_len);
}

static bool is_shown(const struct top_view *v, const struct tally_row *r)
{
	bool glob = strpbrk(v->filter, "*?[") != NULL;
	char number[32];
	unsigned i;

	if (!v->filter[0])
		return true;
	for (i = 0; i < views[v->by].cnt; i++) {
		enum column c = views[v->by].columns[i];
		const char *text;

		if (c == COL_RATE || c == COL_TOTAL || c == COL_SEVERITY || c == COL_PROCESSES)
			continue;
		text = cell(r, v->by, c, number);
		if (glob ? !fnmatch(v->filter, text, FNM_NOESCAPE)
		         : strcasestr(text, v->filter) != NULL)
			return true;
	}
	return false;
}

size_t top_view__rows(const struct top_view *v, struct top_count *t, struct tally_row ***out)
{
	size_t cnt = tally__rows(top_count__tally(t, v->by), out), i, n = 0;

	for (i = 0; i < cnt; i++) {
		if (is_shown(v, (*out)[i]))
			(*out)[n++] = (*out)[i];
	}
	sorting = v;
	qsort(*out, n, sizeof(**out), compare);
	return n;
}

static void put_text(struct line *l, const char *s, bool ascii)
{
	struct chars c = chars__utf8(s, strlen(s));
	uint32_t cp;

	while (!l->full && chars__next(&c, &cp))
		line__char(l, ascii && cp >= 0x7f && cp < 0xdc80 ? '?' : cp, 0);
}

static void put_blanks(struct line *l, unsigned n)
{
	while (n--)
		line__str(l, " ");
}

/* One cell: its text cut to the column, blanks beside it, two behind it. */
static void put_cell(struct line *l, const char *text, unsigned width, bool right, bool ascii)
{
	struct buf room = BUF_INIT;
	struct line in = {.out = &room, .limit = width};
	unsigned blanks;

	put_text(&in, text, ascii);
	blanks = in.cols < width ? width - in.cols : 0;
	if (right)
		put_blanks(l, blanks);
	if (l->limit - l->cols > in.cols) {
		buf__append(l->out, room.data, room.len);
		l->cols += in.cols;
		l->mark = l->out->len;
		l->mark_cols = l->cols;
	} else {
		put_text(l, text, ascii);
	}
	put_blanks(l, right ? 2 : blanks + 2);
	buf__free(&room);
}

static struct line line_of(unsigned columns, struct buf *out)
{
	return (struct line){.out = out, .limit = columns ? columns : UINT_MAX, .mark = out->len};
}

void top_view__titles(const struct top_view *v, unsigned columns, struct buf *out)
{
	struct line l = line_of(columns, out);
	unsigned i;

	for (i = 0; i + 1 < views[v->by].cnt; i++) {
		enum column c = views[v->by].columns[i];

		put_cell(&l, columns_of[c].title, columns_of[c].width, columns_of[c].number, false);
	}
	line__str(&l, views[v->by].title);
}

void top_view__row(const struct top_view *v, const struct tally_row *r, unsigned columns,
                   struct buf *out)
{
	struct line l = line_of(columns, out);
	char number[32];
	unsigned i;

	for (i = 0; i + 1 < views[v->by].cnt; i++) {
		enum column c = views[v->by].columns[i];
		const char *text = cell(r, v->by, c, number);
		/* an id is told by its first digits, as its tools show it */
		bool id = c == COL_CONTAINER && strlen(text) > columns_of[c].width;
		char cut[16];

		if (id)
			snprintf(cut, sizeof(cut), "%.*s", (int)columns_of[c].width, text);
		put_cell(&l, id ? cut : text, columns_of[c].width, columns_of[c].number, v->ascii);
	}
	put_text(&l, cell(r, v->by, COL_NAME, number), v->ascii);
}

bool top_view__others(const struct top_view *v, struct top_count *t, unsigned columns, struct buf *out)
{
	uint64_t events, rows = tally__dropped(top_count__tally(t, v->by), &events);
	struct line l = line_of(columns, out);
	char text[128];

	if (!rows && !events)
		return false;
	snprintf(text, sizeof(text), "%llu more, not counted for longest: %llu events",
	         (unsigned long long)rows, (unsigned long long)events);
	line__str(&l, text);
	return true;
}

void top_view__totals(const struct top_totals *s, unsigned columns, struct buf *out)
{
	struct line l = line_of(columns, out);
	char text[256];

	snprintf(text, sizeof(text),
	         "events %llu (%.1f/s)  filtered %llu  lost %llu  processes %llu  cpu %.1f%%",
	         (unsigned long long)s->events, s->rate, (unsigned long long)s->filtered,
	         (unsigned long long)s->lost, (unsigned long long)s->processes, s->cpu * 100);
	line__str(&l, text);
}
