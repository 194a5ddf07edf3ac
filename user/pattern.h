/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* -e PATTERNS: names and globs of events, comma-separated, `!` excludes. */
#ifndef PYTRAIL_PATTERN_H
#define PYTRAIL_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

struct pattern_list;

struct pattern_list *pattern_list__new(void);
void pattern_list__free(struct pattern_list *l);
/* 0, -EINVAL (malformed: said with log__error), -ENOMEM. Warns of names that the table does not
 * have. */
int pattern_list__add(struct pattern_list *l, const char *patterns);
bool pattern_list__empty(const struct pattern_list *l);
/* Whether only events named in full can be wanted: there are including patterns, and none is a
 * glob. */
bool pattern_list__only_names(const struct pattern_list *l);
/* The i-th pattern when it is an including one without a glob (terminated), else NULL. */
const char *pattern_list__name(const struct pattern_list *l, size_t i);
size_t pattern_list__count(const struct pattern_list *l);
/* Wanted: matches an including pattern (or there is none) and no excluding one. */
bool pattern_list__match(const struct pattern_list *l, const char *name, size_t len);

#endif
