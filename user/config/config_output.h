/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* One item of `outputs:`; and what its file shares with config.c. */
#ifndef PYTRAIL_CONFIG_OUTPUT_H
#define PYTRAIL_CONFIG_OUTPUT_H

#include "config.h"

struct nearest_word;

/* Where keys were given, to say it of those given twice. */
#define PLACES_MAX 128
struct places {
	struct {
		const char *key; /* not owned */
		struct place at;
	} items[PLACES_MAX];
	size_t cnt;
};

struct place *places__find(struct places *p, const char *key);
void places__add(struct places *p, const char *key, const struct place *at);

/* Sets a key of a section that `where` names for people ("'spool'"). */
void config__set(struct settings *s, const struct setting *const *tables, enum section_id id,
                 const char *where, const struct tree *key, const struct tree *value,
                 struct places *places, struct complaints *c);
void config__unknown_key(struct complaints *c, const struct tree *key, const char *where,
                         const struct nearest_word *near);

/* What a key's type does not tell of its value. */
void config__check_value(enum section_id id, const char *name, const char *text,
                         const struct place *at, struct complaints *c);

/* Appends an output unless there is something wrong with it. */
void config__add_output(struct config *cfg, const struct tree *t, struct complaints *c);
void config_output__clear(struct config_output *o);

#endif
