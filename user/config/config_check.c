// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Values whose own parsers know best what is wrong with them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../export/listen_address.h"
#include "../format/format.h"
#include "../installed.h"
#include "../confine/caps.h"
#include "../pattern.h"
#include "../redact/redact_options.h"
#include "../selection.h"
#include "../util/log.h"
#include "config_output.h"

/* What such a parser says of a value goes beside its place. */
struct said {
	const struct place *at;
	struct buf text;
};

static void on_line(void *ctx, const char *line, size_t len)
{
	struct said *s = ctx;

	buf__reset(&s->text);
	buf__append(&s->text, line, len);
}

static void listen_to(struct said *s, const struct place *at)
{
	*s = (struct said){.at = at};
	log__divert(on_line, s);
}

/* An error is a complaint; with err 0 what was said is a warning. */
static void hand_on(struct said *s, int err, struct complaints *c)
{
	static const char warning[] = "warning: ", error[] = "error: ";
	const char *text = s->text.data ? s->text.data : "";
	size_t len = s->text.len;

	log__divert(NULL, NULL);
	if (len >= sizeof(warning) - 1 && !memcmp(text, warning, sizeof(warning) - 1)) {
		text += sizeof(warning) - 1;
		len -= sizeof(warning) - 1;
	} else if (len >= sizeof(error) - 1 && !memcmp(text, error, sizeof(error) - 1)) {
		text += sizeof(error) - 1;
		len -= sizeof(error) - 1;
	}
	if (err)
		complain(c, s->at, "%.*s", (int)len, len ? text : "");
	else if (len)
		log__warn("%s:%u:%u: %.*s", s->at->file, s->at->line, s->at->column, (int)len, text);
	buf__free(&s->text);
}

static void check_events(const char *text, const struct place *at, struct complaints *c)
{
	struct pattern_list *l = pattern_list__new();
	struct said said;

	listen_to(&said, at);
	hand_on(&said, l ? pattern_list__add(l, text) : -ENOMEM, c);
	pattern_list__free(l);
}

/* The kind of a key of `trace.select`. */
static enum selection_kind selection_kind(const char *name)
{
	size_t i = 0;

	while (strcmp(sections[SECTION_SELECT].settings[i].name, name) != 0)
		i++;
	return (enum selection_kind)i;
}

static void check_select(const char *name, const char *text, const struct place *at,
                         struct complaints *c)
{
	struct selection *s = selection__new();
	struct said said;

	listen_to(&said, at);
	hand_on(&said, s ? selection__add(s, selection_kind(name), text) : -ENOMEM, c);
	selection__free(s);
}

static void check_rules(const char *text, const struct place *at, struct complaints *c)
{
	struct redact_options o = REDACT_OPTIONS_DEFAULT;
	struct said said;

	listen_to(&said, at);
	hand_on(&said, redact_options__rules(&o, text), c);
	redact_options__free(&o);
}

static void check_output_name(const char *text, const struct place *at, struct complaints *c)
{
	size_t len = strlen(text);

	if (len > OUTPUT_NAME_MAX || strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") != len)
		complain(c, at, "'name' takes up to %d of a-z, 0-9, _ and -, not '%s'",
		         OUTPUT_NAME_MAX, text);
}

void config__check_value(enum section_id id, const char *name, const char *text,
                         const struct place *at, struct complaints *c)
{
	struct listen_address address;
	struct buf why = BUF_INIT;

	if (id == SECTION_SELECT)
		check_select(name, text, at, c);
	else if (id == SECTION_REDACT && !strcmp(name, "rules"))
		check_rules(text, at, c);
	else if ((id == SECTION_TRACE || id == SECTION_OUTPUTS) && !strcmp(name, "events"))
		check_events(text, at, c);
	else if (id == SECTION_TRACE && !strcmp(name, "interpreters") && !installed__is_spec(text))
		complain(c, at,
		         "'interpreters' takes absolute globs separated by ':', with '+' in front "
		         "to "
		         "add them, or none, not '%s'",
		         text);
	else if (id == SECTION_OUTPUTS && !strcmp(name, "name"))
		check_output_name(text, at, c);
	else if (id == SECTION_OUTPUTS && !strcmp(name, "format") && !format__find(text, strlen(text)))
		complain(c, at, "there is no format '%s', there are %s", text, format__names());
	else if (id == SECTION_METRICS && !strcmp(name, "listen") &&
	         listen_address__parse(text, &address, &why))
		complain(c, at, "%.*s", (int)why.len, why.data);
	buf__free(&why);
}

int config__redact_options(const struct config *cfg, struct redact_options *o)
{
	const char *const *items;
	size_t n = settings__list(cfg->sections[SECTION_REDACT], "rules", &items);
	int err = 0;

	*o = REDACT_OPTIONS_DEFAULT;
	o->key = settings__string(cfg->sections[SECTION_REDACT], "key");
	for (size_t i = 0; i < n && !err; i++)
		err = redact_options__rules(o, items[i]);
	return err;
}

int config__trace_options(const struct config *cfg, struct trace_options *o)
{
	const struct settings *t = cfg->sections[SECTION_TRACE];
	const char *const *items;
	size_t n;
	int err;

	err = trace_options__init(o, false);
	if (err)
		return err;
	o->probe = (enum probe_mode)probe_mode__parse(settings__string(t, "probe"));
	o->interpreters = settings__string(t, "interpreters");
	o->hold_ms = (uint32_t)(settings__seconds(t, "hold_new") * 1000);
	format__take_attack(settings__string(t, "attack"), &o->attack_severity);
	o->processes = settings__bool(t, "processes");
	o->ring_size = ring_size__round(settings__number(t, "ring_size"));
	o->max_string = (uint32_t)settings__number(t, "max_string");
	o->max_items = (uint32_t)settings__number(t, "max_items");
	o->max_depth = (uint32_t)settings__number(t, "max_depth");
	o->no_confine = !settings__bool(t, "confine");
	if (o->no_confine)
		caps__keep_all();
	o->tamper = settings__bool(t, "tamper");
	o->bpf_stats = settings__bool(cfg->sections[SECTION_METRICS], "bpf_stats");
	o->max_rate = (uint32_t)settings__number(t, "max_rate");
	n = settings__list(t, "events", &items);
	for (size_t i = 0; i < n && !err; i++)
		err = pattern_list__add(o->patterns, items[i]);
	for (const struct setting *d = sections[SECTION_SELECT].settings; d->name; d++) {
		n = settings__list(cfg->sections[SECTION_SELECT], d->name, &items);
		for (size_t i = 0; i < n && !err; i++)
			err = selection__add(o->selection, selection_kind(d->name), items[i]);
	}
	return err;
}

static void append(void *ctx, const char *name, const char *value, size_t len)
{
	struct buf *b = ctx;

	buf__printf(b, "%s=%zu:", name, len);
	buf__append(b, value, len);
}

bool config__same_at_start(const struct config *a, const struct config *b)
{
	static const enum section_id ids[] = {SECTION_TRACE, SECTION_SELECT, SECTION_SPOOL,
	                                      SECTION_REDACT, SECTION_CONTROL};
	struct buf text[2] = {BUF_INIT, BUF_INIT};
	bool same;

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		settings__each(a->sections[ids[i]], append, &text[0]);
		settings__each(b->sections[ids[i]], append, &text[1]);
		buf__char(&text[0], '\n');
		buf__char(&text[1], '\n');
	}
	same = text[0].len == text[1].len && !memcmp(text[0].data, text[1].data, text[0].len);
	buf__free(&text[0]);
	buf__free(&text[1]);
	return same;
}
