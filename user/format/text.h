/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A line of the `text` format that grows until it is as wide as the terminal. */
#ifndef PYTRAIL_TEXT_H
#define PYTRAIL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chars.h"
#include "../util/buf.h"

struct line {
	struct buf *out;
	unsigned limit;     /* columns, UINT_MAX: no limit */
	unsigned cols;      /* used */
	size_t mark;        /* in out: where an ellipsis can go in place of what follows */
	unsigned mark_cols; /* used there */
	bool full;          /* nothing more is taken */
	bool color;
	unsigned marks_run; /* combining characters in a row */
};

/* ASCII text that takes a column a byte. */
void line__put(struct line *l, const char *s, size_t len);
void line__str(struct line *l, const char *s);
/* A character, escaped as Python's repr() does when it can't be shown; quote: the one to escape, or
 * 0. */
void line__char(struct line *l, uint32_t cp, uint32_t quote);
void line__chars(struct line *l, struct chars c, uint32_t quote);
/* An escape sequence of SGR parameters ("1;31"), when there is colour. */
void line__color(struct line *l, const char *sgr);

/* text_value.c: `path='/etc/passwd', mode='r'` */
void text__args(struct line *l, const struct event *ev);

#endif
