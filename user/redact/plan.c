// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "plan.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules.h"
#include "../catalog.h"

struct redact_row {
	const char *event, *argument;
	unsigned rule;
	uint8_t how;
};

#include "redact_table.h"

struct plan {
	const struct redact_rules *rules;
	/* by id: NULL, or of each signature, and one for no signature */
	uint8_t (**events)[PLAN_ARGS];
	uint8_t own[PLAN_ARGS]; /* of an event that no table has */
};

_Static_assert(PLAN_ARGS == CATALOG_ARGS_MAX + 1, "each argument, and the rest");

/* What the rules say of an argument by name. */
static uint8_t how_of(const struct redact_rules *rules, const char *event, const char *argument)
{
	uint8_t how = HOW_TEXT;

	for (size_t i = 0; i < sizeof(redact_rows) / sizeof(redact_rows[0]); i++) {
		const struct redact_row *row = &redact_rows[i];

		if (rules->on & row->rule && !strcmp(row->event, event) &&
		    !strcmp(row->argument, argument))
			how = row->how;
	}
	for (size_t i = 0; i < rules->arguments_cnt; i++) {
		const struct redact_argument *a = &rules->arguments[i];

		if (!fnmatch(a->event, event, 0) && !fnmatch(a->argument, argument, 0))
			how = a->exclude ? HOW_RAW : HOW_VALUE;
	}
	return how;
}

/* Of one signature. Returns whether anything in it is special. */
static bool fill(const struct redact_rules *rules, const char *event,
                 const struct catalog_signature *sig, uint8_t out[PLAN_ARGS])
{
	bool special = false;

	for (size_t i = 0; i < sig->nargs; i++) {
		out[i] = how_of(rules, event, sig->names[i]);
		special |= out[i] != HOW_TEXT;
	}
	return special;
}

static bool has_secret(const uint8_t how[PLAN_ARGS])
{
	for (size_t i = 0; i < PLAN_ARGS; i++)
		if (how[i] != HOW_TEXT && how[i] != HOW_RAW)
			return true;
	return false;
}

/* 0 or -1: no memory. */
static int add_event(struct plan *p, const struct catalog_event *e)
{
	uint8_t(*how)[PLAN_ARGS] = calloc((size_t)e->signatures_cnt + 1, sizeof(*how));
	bool special = false, secret = false;

	if (!how)
		return -1;
	for (size_t i = 0; i < e->signatures_cnt; i++) {
		special |= fill(p->rules, e->name, &e->signatures[i], how[i]);
		secret |= has_secret(how[i]);
	}
	if (!special) {
		free(how);
		return 0;
	}
	/* Arguments without names, when some of those with one are secrets. */
	memset(how[e->signatures_cnt], secret ? HOW_VALUE : HOW_TEXT, PLAN_ARGS);
	p->events[e->id] = how;
	return 0;
}

struct plan *plan__new(const struct redact_rules *rules)
{
	struct plan *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->rules = rules;
	p->events = calloc(catalog__count(), sizeof(*p->events));
	if (!p->events) {
		free(p);
		return NULL;
	}
	for (size_t i = 0; i < catalog__count(); i++)
		if (add_event(p, catalog__at(i))) {
			plan__free(p);
			return NULL;
		}
	return p;
}

void plan__free(struct plan *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < catalog__count(); i++)
		free(p->events[i]);
	free(p->events);
	free(p);
}

/* Of an event that the table does not have: the user may know it. */
static const uint8_t *own_event(struct plan *p, const struct event *ev, uint64_t nargs)
{
	char name[2 * PT_NAME_MAX + 1], argument[16];
	bool special = false;

	if (!p->rules->arguments_cnt)
		return NULL;
	memcpy(name, ev->name, ev->name_len);
	name[ev->name_len] = '\0';
	for (size_t i = 0; i < PLAN_ARGS; i++) {
		snprintf(argument, sizeof(argument), "arg%zu", i);
		p->own[i] = how_of(p->rules, name, argument);
		special |= p->own[i] != HOW_TEXT;
	}
	return special ? p->own : NULL;
}

const uint8_t *plan__of(struct plan *p, const struct event *ev, uint64_t nargs)
{
	const struct catalog_signature *sig;
	uint8_t(*how)[PLAN_ARGS];

	if (!ev->known) {
		if (!(ev->audit->flags & PT_AUDIT_NAME_UNREADABLE) || !p->rules->on)
			return own_event(p, ev, nargs);
		memset(p->own, HOW_VALUE, sizeof(p->own));
		return p->own;
	}
	how = p->events[ev->known->id];
	if (!how || !nargs)
		return NULL;
	sig = catalog__signature(ev->known, nargs);
	return how[sig ? sig - ev->known->signatures : ev->known->signatures_cnt];
}
