/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How each argument of each event is redacted: events/redact.tsv and the user's rules, made ready
 * once. */
#ifndef PYTRAIL_REDACT_PLAN_H
#define PYTRAIL_REDACT_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "../reader.h"

struct plan;
struct redact_rules;

enum how {
	HOW_TEXT,    /* only what is looked for everywhere */
	HOW_VALUE,   /* all of it */
	HOW_ENV,     /* an environment */
	HOW_COMMAND, /* a command line */
	HOW_LOGIN,   /* a line of a protocol */
	HOW_RAW,     /* nothing at all: the user excluded it */
	/* of values in those */
	HOW_VARIABLE, /* NAME=VALUE */
	HOW_WORD,     /* of a command line */
};

/* rules must outlive it. NULL: no memory. */
struct plan *plan__new(const struct redact_rules *rules);
void plan__free(struct plan *p);

/*
 * Of each of an event's nargs arguments the how, PLAN_ARGS of them; the last one is that of all the
 * rest. NULL: HOW_TEXT all of them. Valid until the next call. What is a secret by its name, and
 * comes in a number that no version of CPython is known to raise, or an event whose name could not
 * be read, is HOW_VALUE as a whole.
 */
#define PLAN_ARGS 17
const uint8_t *plan__of(struct plan *p, const struct event *ev, uint64_t nargs);

#endif
