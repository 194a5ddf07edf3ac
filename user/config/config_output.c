// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "config_output.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../format/format.h"
#include "../pattern.h"
#include "../sink/file_dest.h"
#include "../sink/target.h"
#include "../util/buf.h"
#include "../util/nearest_word.h"

/* An item of the list on its way to a struct config_output. */
struct item_load {
	const struct tree *tree;
	struct complaints *c;
	const struct setting *tables[4];
	struct places places;
	char where[64]; /* how messages call it */
};

static const struct tree *value_of(const struct tree *t, const char *key)
{
	for (size_t i = 0; i + 1 < t->cnt; i += 2)
		if (!strcmp(t->items[i].text, key))
			return &t->items[i + 1];
	return NULL;
}

void config_output__clear(struct config_output *o)
{
	free(o->to);
	settings__free(o->settings);
	pattern_list__free(o->patterns);
	memset(o, 0, sizeof(*o));
}

/* Which settings there are depends on the receiver, so "to" is looked at first. */
static int find_driver(struct item_load *l, struct config_output *o)
{
	const struct tree *to = value_of(l->tree, "to");
	struct buf why = BUF_INIT;
	int err;

	if (!to || to->kind != TREE_SCALAR || !*to->text) {
		complain(l->c, to ? &to->place : &l->tree->place,
		         "an output needs 'to': a receiver's URL, or the absolute path of a file");
		return -EINVAL;
	}
	err = target__kind(to->text, &o->driver, &why);
	if (!err && !o->driver && to->text[0] != '/') {
		buf__printf(&why, "'to' takes a receiver's URL or an absolute path, not '%s'",
		            to->text);
		err = -EINVAL;
	}
	if (err)
		complain(l->c, &to->place, "%.*s", (int)why.len, why.data);
	buf__free(&why);
	l->tables[0] = sections[SECTION_OUTPUTS].settings;
	l->tables[1] = o->driver ? driver_settings : file_settings;
	l->tables[2] = o->driver ? o->driver->settings : NULL;
	snprintf(l->where, sizeof(l->where), "an output to %s",
	         o->driver ? o->driver->name : "a file");
	return err;
}

struct file_target {
	struct buf text;
	bool any;
};

/* A setting of a file becomes part of its destination, where sinks look for it. */
static void add_file_setting(void *ctx, const char *name, const char *value, size_t len)
{
	const struct setting *d = file_settings;
	struct file_target *t = ctx;

	while (d->name && strcmp(d->name, name) != 0)
		d++;
	if (!d->name)
		return;
	buf__printf(&t->text, "%c%s=", t->any ? '&' : '?', name);
	for (size_t i = 0; i < len; i++)
		buf__printf(&t->text, isalnum((unsigned char)value[i]) ? "%c" : "%%%02X",
		            (unsigned char)value[i]);
	t->any = true;
}

static int take_file(struct config_output *o, const char *to, struct buf *why)
{
	struct file_target t = {.any = strchr(to, '?')};
	struct settings *settings;
	char *path;
	int err;

	buf__str(&t.text, to);
	settings__each(o->settings, add_file_setting, &t);
	buf__char(&t.text, '\0');
	o->to = t.text.data;
	if (t.text.failed)
		return -ENOMEM;
	err = file_dest__parse(o->to, &path, &settings, why);
	if (!err) {
		free(path);
		settings__free(settings);
	}
	return err;
}

/* The URL without its query, whose settings are set. */
static int take_target(struct item_load *l, struct config_output *o)
{
	const struct tree *to = value_of(l->tree, "to");
	struct buf why = BUF_INIT;
	int err = 0;

	if (o->driver)
		err = target__split(to->text, o->settings, &o->to, &why);
	else
		err = take_file(o, to->text, &why);
	if (err)
		complain(l->c, &to->place, "%.*s", (int)why.len, why.data ? why.data : "");
	buf__free(&why);
	return err;
}

static int take_patterns(struct config_output *o)
{
	const char *const *items;
	size_t n = settings__list(o->settings, "events", &items);
	int err = 0;

	if (!n)
		return 0;
	o->patterns = pattern_list__new();
	if (!o->patterns)
		return -ENOMEM;
	for (size_t i = 0; i < n && !err; i++)
		err = pattern_list__add(o->patterns, items[i]);
	return err;
}

static int finish(struct item_load *l, struct config *cfg, struct config_output *o)
{
	const char *format = settings__string(o->settings, "format");

	o->name = settings__string(o->settings, "name");
	if (!o->name) {
		complain(l->c, &l->tree->place, "an output needs a 'name'");
		return -EINVAL;
	}
	for (size_t i = 0; i < cfg->outputs_cnt; i++)
		if (!strcmp(cfg->outputs[i].name, o->name)) {
			const struct place *at = &cfg->outputs[i].place;

			complain(l->c, &o->place,
			         "there are two outputs of the name '%s': at %s:%u:%u, too",
			         o->name, at->file, at->line, at->column);
			return -EINVAL;
		}
	if (!format)
		format = o->driver && o->driver->default_format ? o->driver->default_format : "json";
	o->format = format__find(format, strlen(format));
	if (!o->format) {
		complain(l->c, &o->place, "there is no format '%s', there are %s", format,
		         format__names());
		return -EINVAL;
	}
	o->min_severity = (unsigned)settings__number(o->settings, "min_severity");
	o->redact = settings__bool(o->settings, "redact");
	return take_patterns(o);
}

void config__add_output(struct config *cfg, const struct tree *t, struct complaints *c)
{
	struct config_output *o = &cfg->outputs[cfg->outputs_cnt];
	struct item_load l = {.tree = t, .c = c};
	unsigned before = c->cnt;

	if (t->kind != TREE_MAPPING) {
		complain(c, &t->place, "an output is made of keys: 'name:', 'to:', …");
		return;
	}
	if (cfg->outputs_cnt == CONFIG_OUTPUTS_MAX) {
		complain(c, &t->place, "there are more than %d outputs", CONFIG_OUTPUTS_MAX);
		return;
	}
	o->place = t->place;
	if (!find_driver(&l, o) && (o->settings = settings__new(l.tables))) {
		for (size_t i = 0; i + 1 < t->cnt; i += 2)
			config__set(o->settings, l.tables, SECTION_OUTPUTS, l.where, &t->items[i],
			            &t->items[i + 1], &l.places, c);
		take_target(&l, o);
		if (c->cnt == before)
			finish(&l, cfg, o);
	}
	if (c->cnt == before && o->settings)
		cfg->outputs_cnt++;
	else
		config_output__clear(o);
}
