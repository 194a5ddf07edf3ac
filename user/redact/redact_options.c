// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "redact_options.h"

#include <errno.h>
#include <string.h>

#include "redact.h"
#include "../util/log.h"

int redact_options__rules(struct redact_options *o, const char *list)
{
	o->given = true;
	return list ? redact_rules__add(&o->rules, "--redact", list) : 0;
}

int redact_options__open(struct redact_options *o, struct redact **out)
{
	uint8_t key[MARK_KEY_BYTES];
	int err;

	*out = NULL;
	if (redact_rules__empty(&o->rules))
		return 0;
	err = o->key ? mark_key__load(o->key, key) : mark_key__new(key);
	if (err)
		return err;
	*out = redact__new(&o->rules, key);
	explicit_bzero(key, sizeof(key));
	if (*out)
		return 0;
	log__error("out of memory");
	return -ENOMEM;
}

void redact_options__free(struct redact_options *o)
{
	redact_rules__free(&o->rules);
}
