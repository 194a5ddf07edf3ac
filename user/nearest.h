/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is said to someone who misspelt the name of an event. */
#ifndef PYTRAIL_NEAREST_H
#define PYTRAIL_NEAREST_H

struct buf;

/* Appends "; did you mean 'a', 'b' or 'c'?" of up to three names that are near, or nothing, and a
 * NUL that is not counted: after it out->data is a string, unless memory ran out (out->failed). */
void nearest__append(struct buf *out, const char *name);

#endif
