/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A table of text for a terminal: columns aligned by how wide their cells are shown. */
#ifndef PYTRAIL_TABLE_H
#define PYTRAIL_TABLE_H

#include <stddef.h>

#include "util/buf.h"

struct table {
	unsigned columns;
	struct buf text;  /* the cells' texts one after the other */
	struct buf cells; /* struct table_cell, row by row */
};

/* Free with table__free(). */
void table__init(struct table *t, unsigned columns);
void table__free(struct table *t);

/* The next cell. What must not reach a terminal as it is (controls, bad UTF-8) is escaped: \x1b. */
void table__cell(struct table *t, const char *text);

/* Appends all rows to out, two blanks between columns, none at the end of a line. An empty cell is
 * shown as "-", unless it is in the last column. A lack of memory shows in out->failed. */
void table__render(const struct table *t, struct buf *out);

#endif
