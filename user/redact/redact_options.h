/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* --redact and --redact-key, and the same of the configuration. */
#ifndef PYTRAIL_REDACT_OPTIONS_H
#define PYTRAIL_REDACT_OPTIONS_H

#include <stdbool.h>

#include "rules.h"

struct redact;

struct redact_options {
	struct redact_rules rules;
	bool given;      /* --redact: terminals and files, too */
	const char *key; /* file, NULL: a new key for this run */
};

#define REDACT_OPTIONS_DEFAULT ((struct redact_options){.rules = REDACT_RULES_DEFAULT})

/* --redact[=RULES], list NULL: no more than the default. 0 or -errno, said. */
int redact_options__rules(struct redact_options *o, const char *list);

/* Makes what they say; *out is NULL when that is nothing. Takes the rules over. 0 or -errno,
 * said. */
int redact_options__open(struct redact_options *o, struct redact **out);

void redact_options__free(struct redact_options *o);

#endif
