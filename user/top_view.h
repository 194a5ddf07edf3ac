/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One table of `pytrail top` as text: its columns, its rows sorted and filtered. What comes from
 * traced processes is escaped and cut by how wide it is shown.
 */
#ifndef PYTRAIL_TOP_VIEW_H
#define PYTRAIL_TOP_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "top_count.h"

struct buf;

#define TOP_FILTER_MAX 128

struct top_view {
	enum top_by by;
	unsigned sort[TOP_VIEWS];    /* the column that each view is sorted by */
	bool upwards;                /* the least first */
	char filter[TOP_FILTER_MAX]; /* part of a text, or a glob; "": all */
	bool ascii;                  /* the terminal knows nothing else */
};

void top_view__init(struct top_view *v, enum top_by by);

const char *top_view__name(enum top_by by); /* "process" */
/* The next column to sort by, or with -1 the one before. */
void top_view__sort_by(struct top_view *v, int step);

/* The rows to show, sorted; as of tally__rows(). */
size_t top_view__rows(const struct top_view *v, struct top_count *t, struct tally_row ***out);

/*
 * Appends a line without a newline, cut to `columns` (0: no limit): of titles, of a row, or of what
 * was dropped (false: nothing was).
 */
void top_view__titles(const struct top_view *v, unsigned columns, struct buf *out);
void top_view__row(const struct top_view *v, const struct tally_row *r, unsigned columns,
                   struct buf *out);
bool top_view__others(const struct top_view *v, struct top_count *t, unsigned columns,
                      struct buf *out);
/* "events 12 (3.0/s)  filtered 0  lost 0  processes 1  cpu 0.1%" */
void top_view__totals(const struct top_totals *totals, unsigned columns, struct buf *out);

#endif
