/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is redacted: the rules that are on, and the user's own. */
#ifndef PYTRAIL_REDACT_RULES_H
#define PYTRAIL_REDACT_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "secret_name.h"

enum redact_rule {
	RULE_INPUT = 1 << 0,   /* what was typed into input() */
	RULE_SEND = 1 << 1,    /* bodies and log-ins sent by http.client, smtplib and the like */
	RULE_ENV = 1 << 2,     /* values of environment variables */
	RULE_COMMAND = 1 << 3, /* secrets in command lines and source code */
	RULE_URL = 1 << 4,     /* passwords and tokens in URLs, wherever they are */
	RULE_NAMES = 1 << 5,   /* values of dicts under secret names, wherever they are */
	RULES_ALL = (1 << 6) - 1,
};

#define REDACT_ARGUMENTS_MAX 64

/* A user's EVENT:ARGUMENT, both globs: all of it; or, excluded, none of it whatever else says
 * so. */
struct redact_argument {
	bool exclude;
	char *event, *argument; /* owned */
};

struct redact_rules {
	unsigned on; /* enum redact_rule */
	struct secret_names names;
	size_t arguments_cnt;
	struct redact_argument arguments[REDACT_ARGUMENTS_MAX];
};

/* All rules, none of the user's. */
#define REDACT_RULES_DEFAULT ((struct redact_rules){.on = RULES_ALL})

/*
 * Takes a comma-separated list, item by item: the name of a rule (`input`, `send`, `env`,
 * `command`, `url`, `names`), `all` or `none`; EVENT:ARGUMENT, globs; `name=GLOB`, one more secret
 * name. `!` in front of a rule or an argument turns it off. 0, -EINVAL, said with log__error
 * (`option` is what is wrong), -ENOMEM.
 */
int redact_rules__add(struct redact_rules *rules, const char *option, const char *list);
void redact_rules__free(struct redact_rules *rules);

/* Whether there is nothing to redact by them. */
bool redact_rules__empty(const struct redact_rules *rules);

#endif
