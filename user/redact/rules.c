// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "rules.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../util/log.h"

static const struct {
	const char *name;
	unsigned rules;
} named[] = {
	{"input", RULE_INPUT}, {"send", RULE_SEND},   {"env", RULE_ENV},  {"command", RULE_COMMAND},
	{"url", RULE_URL},     {"names", RULE_NAMES}, {"all", RULES_ALL},
};

static int add_argument(struct redact_rules *rules, const char *option, bool exclude,
                        const char *item, size_t len)
{
	const char *colon = memchr(item, ':', len);
	size_t event = (size_t)(colon - item);
	struct redact_argument *a = &rules->arguments[rules->arguments_cnt];

	if (!event || event + 1 == len || memchr(colon + 1, ':', len - event - 1)) {
		log__error("%s: '%.*s' is no EVENT:ARGUMENT", option, (int)len, item);
		return -EINVAL;
	}
	if (rules->arguments_cnt == REDACT_ARGUMENTS_MAX) {
		log__error("%s: there can be %d of EVENT:ARGUMENT at most", option,
		           REDACT_ARGUMENTS_MAX);
		return -EINVAL;
	}
	a->exclude = exclude;
	a->event = strndup(item, event);
	a->argument = strndup(colon + 1, len - event - 1);
	if (!a->event || !a->argument) {
		free(a->event);
		free(a->argument);
		log__error("out of memory");
		return -ENOMEM;
	}
	rules->arguments_cnt++;
	return 0;
}

static int add_name(struct redact_rules *rules, const char *option, const char *glob, size_t len)
{
	char *copy;

	if (!len || rules->names.cnt == SECRET_NAMES_MAX) {
		log__error(len ? "%s: there can be %d secret names at most"
		               : "%s: a name is missing behind 'name='",
		           option, SECRET_NAMES_MAX);
		return -EINVAL;
	}
	copy = strndup(glob, len);
	if (!copy) {
		log__error("out of memory");
		return -ENOMEM;
	}
	for (char *p = copy; *p; p++)
		*p = (char)(*p == '-' ? '_' : tolower((unsigned char)*p));
	rules->names.globs[rules->names.cnt++] = copy;
	return 0;
}

static int add_item(struct redact_rules *rules, const char *option, const char *item, size_t len)
{
	bool exclude = len && *item == '!';

	if (exclude) {
		item++;
		len--;
	}
	if (len == 4 && !memcmp(item, "none", 4) && !exclude) {
		redact_rules__free(rules);
		return 0;
	}
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (strlen(named[i].name) == len && !memcmp(named[i].name, item, len)) {
			rules->on = exclude ? rules->on & ~named[i].rules
			                    : rules->on | named[i].rules;
			return 0;
		}
	if (len >= 5 && !memcmp(item, "name=", 5) && !exclude)
		return add_name(rules, option, item + 5, len - 5);
	if (memchr(item, ':', len))
		return add_argument(rules, option, exclude, item, len);
	log__error("%s: '%.*s' is no rule: there are input, send, env, command, url, names, all, "
	           "none, "
	           "EVENT:ARGUMENT and name=GLOB",
	           option, (int)len, item);
	return -EINVAL;
}

int redact_rules__add(struct redact_rules *rules, const char *option, const char *list)
{
	do {
		size_t len = strcspn(list, ",");
		int err = add_item(rules, option, list, len);

		if (err)
			return err;
		list += len;
	} while (*list++);
	return 0;
}

void redact_rules__free(struct redact_rules *rules)
{
	for (size_t i = 0; i < rules->arguments_cnt; i++) {
		free(rules->arguments[i].event);
		free(rules->arguments[i].argument);
	}
	for (size_t i = 0; i < rules->names.cnt; i++)
		free(rules->names.globs[i]);
	memset(rules, 0, sizeof(*rules));
}

bool redact_rules__empty(const struct redact_rules *rules)
{
	for (size_t i = 0; i < rules->arguments_cnt; i++)
		if (!rules->arguments[i].exclude)
			return false;
	return !rules->on;
}
