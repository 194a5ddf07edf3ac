// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The outputs of a command line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../config/config_output.h"
#include "../pattern.h"
#include "../sink/target.h"
#include "../util/log.h"
#include "outlets.h"

/* "ecs:https://…", "https://…", "json:/file", "json": the format, NULL: by the receiver; and the
 * rest. */
static int split(const char *spec, struct config_output *o, const char **dest)
{
	size_t len = strcspn(spec, ":");
	struct branch_target target;
	int err;

	o->format = format__find(spec, len);
	if (!o->format && (!strncmp(spec + len, "://", 3) || driver__of_url(spec))) {
		*dest = spec;
		return 0;
	}
	err = branch_target__parse(spec, &target);
	*dest = err ? NULL : target.dest;
	return err;
}

static int take_settings(struct config_output *o, const char *spec, const char *dest, size_t i,
                         struct buf *why)
{
	const struct setting *tables[] = {sections[SECTION_OUTPUTS].settings, driver_settings,
	                                  o->driver->settings, NULL};
	const char *const *items, *name = o->driver->default_format;
	char number[OUTPUT_NAME_MAX + 1];
	int err;
	size_t n;

	o->settings = settings__new(tables);
	if (!o->settings)
		return -ENOMEM;
	err = target__split(dest, o->settings, &o->to, why);
	snprintf(number, sizeof(number), "%s-%zu", o->driver->name, i + 1);
	if (!err && !settings__given(o->settings, "name"))
		err = settings__set(o->settings, "name", number, why);
	if (!err)
		err = settings__load_secrets(o->settings, why);
	if (err)
		return err;
	if (!o->format && settings__given(o->settings, "format"))
		name = settings__string(o->settings, "format");
	if (!o->format)
		o->format = format__find(name ? name : "json", strlen(name ? name : "json"));
	if (!o->format) {
		buf__printf(why, "there is no format '%s', there are %s", name, format__names());
		return -EINVAL;
	}
	o->name = settings__string(o->settings, "name");
	o->min_severity = (unsigned)settings__number(o->settings, "min_severity");
	o->redact = settings__bool(o->settings, "redact");
	n = settings__list(o->settings, "events", &items);
	if (n && !(o->patterns = pattern_list__new()))
		return -ENOMEM;
	for (size_t k = 0; k < n && !err; k++)
		err = pattern_list__add(o->patterns, items[k]);
	return err;
}

static int take_spec(struct config_output *o, const char *spec, size_t i, bool redact)
{
	struct buf why = BUF_INIT;
	const char *dest;
	int err = split(spec, o, &dest);

	if (!err && dest)
		err = target__kind(dest, &o->driver, &why);
	if (!err && o->driver) {
		err = take_settings(o, spec, dest, i, &why);
	} else if (!err) {
		o->redact = redact;
		o->to = dest ? strdup(dest) : NULL;
		if (dest && !o->to)
			err = -ENOMEM;
	}
	if (why.len)
		log__error("-o %.*s: %.*s", (int)strcspn(spec, "?"), spec, (int)why.len, why.data);
	else if (err == -ENOMEM)
		log__error("out of memory");
	buf__free(&why);
	return err && err != -ENOMEM ? -EINVAL : err;
}

int outlets__parse(const char *const *specs, size_t cnt, bool redact, struct config_output **out,
                   size_t *out_cnt)
{
	const char *fallback = isatty(STDOUT_FILENO) ? "text" : "json";
	struct config_output *list;
	int err = 0;

	*out_cnt = cnt ? cnt : 1;
	list = calloc(*out_cnt, sizeof(*list));
	if (!list) {
		log__error("out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; i < *out_cnt && !err; i++)
		err = take_spec(&list[i], cnt ? specs[i] : fallback, i, redact);
	*out = list;
	return err;
}
