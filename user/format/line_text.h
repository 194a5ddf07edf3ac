/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Texts for the formats that are lines of key=value: UTF-8, one line, with the marks of a format
 * escaped. */
#ifndef PYTRAIL_LINE_TEXT_H
#define PYTRAIL_LINE_TEXT_H

#include <stddef.h>

struct buf;
struct node;

/*
 * How a format escapes. Alike in all: what is not UTF-8, and lone surrogates, as in
 * json__whole_string(); other controls, and what turns the direction of writing, as \x1b or \u202e.
 */
enum line_style {
	LINE_CEF_HEADER,  /* \ and | get a backslash; line ends become blanks */
	LINE_CEF_VALUE,   /* \ and = get a backslash; line ends become \n and \r, tabs "\t" */
	LINE_LEEF_HEADER, /* | becomes \x7c, line ends and tabs blanks */
	LINE_LEEF_VALUE,  /* tabs and line ends become \t, \n and \r, in characters */
};

void line_text__put(struct buf *out, enum line_style style, const char *s, size_t len);
void line_text__put_node(struct buf *out, enum line_style style, const struct node *n);

#endif
