// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pattern.h"
#include "../util/nearest_word.h"
#include "config_output.h"

struct load {
	struct config *cfg;
	struct complaints *c;
	struct places places[SECTIONS];
};

struct place *places__find(struct places *p, const char *key)
{
	for (size_t i = 0; i < p->cnt; i++)
		if (!strcmp(p->items[i].key, key))
			return &p->items[i].at;
	return NULL;
}

void places__add(struct places *p, const char *key, const struct place *at)
{
	if (p->cnt < PLACES_MAX) {
		p->items[p->cnt].key = key;
		p->items[p->cnt++].at = *at;
	}
}

/* Hands a sentence of settings__set() on, with its place. */
static void complain_why(struct complaints *c, const struct place *at, int err, struct buf *why)
{
	if (err == -ENOMEM || why->failed)
		complain(c, at, "out of memory");
	else
		complain(c, at, "%.*s", (int)why->len, why->data);
	buf__reset(why);
}

static void set_one(struct settings *s, enum section_id id, const struct setting *def,
                    const struct tree *key, const struct tree *value, struct places *places,
                    struct complaints *c)
{
	const struct place *before = places__find(places, key->text);
	struct buf why = BUF_INIT;
	int err;

	if (value->kind != TREE_SCALAR) {
		complain(c, &value->place, "'%s' takes one value, not %s", key->text,
		         value->kind == TREE_SEQUENCE ? "a list" : "a section");
		return;
	}
	if (!value->quoted &&
	    (!*value->text || !strcmp(value->text, "~") || !strcmp(value->text, "null"))) {
		complain(c, &value->place, "'%s' has no value", key->text);
		return;
	}
	err = settings__set(s, key->text, value->text, &why);
	if (err == -EEXIST && before)
		complain(c, &key->place, "'%s' is given twice: at %s:%u:%u, too", key->text,
		         before->file, before->line, before->column);
	else if (err)
		complain_why(c, err == -ENOENT ? &key->place : &value->place, err, &why);
	else if (def->type != SETTING_LIST)
		places__add(places, def->name, &key->place);
	if (!err)
		config__check_value(id, def->name, value->text, &value->place, c);
	buf__free(&why);
}

static const struct setting *find_setting(const struct setting *const *tables, const char *name,
                                          struct nearest_word *near)
{
	for (; *tables; tables++)
		for (const struct setting *d = *tables; d->name; d++) {
			if (!strcmp(d->name, name))
				return d;
			nearest_word__offer(near, d->name);
		}
	return NULL;
}

void config__unknown_key(struct complaints *c, const struct tree *key, const char *where,
                         const struct nearest_word *near)
{
	if (near->best)
		complain(c, &key->place, "there is no key '%s' in %s; did you mean '%s'?",
		         key->text, where, near->best);
	else
		complain(c, &key->place, "there is no key '%s' in %s", key->text, where);
}

void config__set(struct settings *s, const struct setting *const *tables, enum section_id id,
                 const char *where, const struct tree *key, const struct tree *value,
                 struct places *places, struct complaints *c)
{
	struct nearest_word near = {.wanted = key->text};
	const struct setting *def = find_setting(tables, key->text, &near);

	if (!def) {
		config__unknown_key(c, key, where, &near);
		return;
	}
	if (def->type == SETTING_LIST && value->kind == TREE_SEQUENCE) {
		for (size_t i = 0; i < value->cnt; i++)
			set_one(s, id, def, key, &value->items[i], places, c);
		return;
	}
	set_one(s, id, def, key, value, places, c);
}

/* The section of a key below another one ("": the top). */
static enum section_id find_section(const char *below, const char *key, struct nearest_word *near)
{
	size_t len = strlen(below);

	for (size_t i = 0; i < SECTIONS; i++) {
		const char *name = sections[i].name;

		if (strncmp(name, below, len) != 0 || strchr(name + len, '.'))
			continue;
		if (!strcmp(name + len, key))
			return (enum section_id)i;
		nearest_word__offer(near, name + len);
	}
	return SECTIONS;
}

static void take_section(struct load *l, enum section_id id, const struct tree *t)
{
	const struct setting *const tables[] = {sections[id].settings, NULL};
	char where[64], below[64];

	snprintf(where, sizeof(where), "'%s'", sections[id].name);
	snprintf(below, sizeof(below), "%s.", sections[id].name);
	if (t->kind == TREE_SCALAR && !t->quoted && !*t->text)
		return; /* all of it commented out */
	if (t->kind != TREE_MAPPING) {
		complain(l->c, &t->place, "'%s' is a section: keys below it, each with its value",
		         sections[id].name);
		return;
	}
	for (size_t i = 0; i + 1 < t->cnt; i += 2) {
		struct nearest_word near = {.wanted = t->items[i].text};
		enum section_id inner = find_section(below, t->items[i].text, &near);

		if (inner != SECTIONS)
			take_section(l, inner, &t->items[i + 1]);
		else
			config__set(l->cfg->sections[id], tables, id, where, &t->items[i],
			            &t->items[i + 1], &l->places[id], l->c);
	}
}

static void take_outputs(struct load *l, const struct tree *t)
{
	if (t->kind == TREE_SCALAR && !t->quoted && !*t->text)
		return;
	if (t->kind != TREE_SEQUENCE) {
		complain(l->c, &t->place, "'outputs' is a list: each output begins with '- name:'");
		return;
	}
	for (size_t i = 0; i < t->cnt; i++)
		config__add_output(l->cfg, &t->items[i], l->c);
}

static bool is_repeated(const struct tree *root, size_t i, struct complaints *c)
{
	for (size_t k = 0; k < i; k += 2)
		if (!strcmp(root->items[k].text, root->items[i].text)) {
			complain(c, &root->items[i].place, "'%s' is given twice: at %s:%u:%u, too",
			         root->items[i].text, root->items[k].place.file,
			         root->items[k].place.line, root->items[k].place.column);
			return true;
		}
	return false;
}

static void take_root(struct load *l, const struct tree *root)
{
	if (root->kind != TREE_MAPPING) {
		complain(l->c, &root->place,
		         "a configuration is made of sections, such as 'outputs:'");
		return;
	}
	for (size_t i = 0; i + 1 < root->cnt; i += 2) {
		const struct tree *key = &root->items[i], *value = &root->items[i + 1];
		struct nearest_word near = {.wanted = key->text};
		enum section_id id = find_section("", key->text, &near);

		if (is_repeated(root, i, l->c))
			continue;
		if (id == SECTIONS)
			config__unknown_key(l->c, key, "the configuration", &near);
		else if (id == SECTION_OUTPUTS)
			take_outputs(l, value);
		else
			take_section(l, id, value);
	}
}

static void take_file(struct load *l, const char *path)
{
	struct config *cfg = l->cfg;
	char **files = reallocarray(cfg->files, cfg->files_cnt + 1, sizeof(*files));
	struct tree *root;

	if (files)
		cfg->files = files;
	if (!files || !(files[cfg->files_cnt] = strdup(path))) {
		complain(l->c, NULL, "out of memory");
		return;
	}
	root = yaml_tree__load(files[cfg->files_cnt++], l->c);
	if (root)
		take_root(l, root);
	yaml_tree__free(root);
}

static int is_fragment(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return e->d_name[0] != '.' && len > 5 && !strcmp(e->d_name + len - 5, ".yaml");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void take_fragments(struct load *l, const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX], file[PATH_MAX];
	struct dirent **names;
	int n;

	snprintf(dir, sizeof(dir), "%.*sconf.d", slash ? (int)(slash - path + 1) : 0, path);
	n = scandir(dir, &names, is_fragment, by_bytes);
	if (n < 0) {
		if (errno != ENOENT)
			complain(l->c, &(struct place){.file = dir}, "cannot be read: %s",
			         strerror(errno));
		return;
	}
	for (int i = 0; i < n; i++) {
		if (snprintf(file, sizeof(file), "%s/%s", dir, names[i]->d_name) < (int)sizeof(file))
			take_file(l, file);
		free(names[i]);
	}
	free(names);
}

static struct config *config__new(void)
{
	struct config *cfg = calloc(1, sizeof(*cfg));

	if (!cfg)
		return NULL;
	cfg->outputs = calloc(CONFIG_OUTPUTS_MAX, sizeof(*cfg->outputs));
	for (size_t i = 0; i < SECTIONS && cfg->outputs; i++) {
		const struct setting *const tables[] = {sections[i].settings, NULL};

		if (i == SECTION_OUTPUTS)
			continue;
		cfg->sections[i] = settings__new(tables);
		if (!cfg->sections[i]) {
			config__free(cfg);
			return NULL;
		}
	}
	if (!cfg->outputs) {
		config__free(cfg);
		return NULL;
	}
	return cfg;
}

void config__free(struct config *cfg)
{
	if (!cfg)
		return;
	for (size_t i = 0; i < SECTIONS; i++)
		settings__free(cfg->sections[i]);
	for (size_t i = 0; i < cfg->outputs_cnt; i++)
		config_output__clear(&cfg->outputs[i]);
	for (size_t i = 0; i < cfg->files_cnt; i++)
		free(cfg->files[i]);
	free(cfg->outputs);
	free(cfg->files);
	free(cfg);
}

int config__load(const char *path, struct config **out, struct complaints *c)
{
	struct load l = {.cfg = config__new(), .c = c};
	unsigned before = c->cnt;

	if (!l.cfg) {
		complain(c, NULL, "out of memory");
		return -ENOMEM;
	}
	take_file(&l, path);
	take_fragments(&l, path);
	if (!l.cfg->outputs_cnt && c->cnt == before)
		complain(c, &(struct place){.file = path},
		         "there is no output: say under 'outputs:' where events go");
	if (c->cnt != before) {
		config__free(l.cfg);
		return -EINVAL;
	}
	*out = l.cfg;
	return 0;
}

int config__load_secrets(struct config *cfg, struct complaints *c)
{
	struct buf why = BUF_INIT;
	int ret = 0;

	for (size_t i = 0; i < cfg->outputs_cnt; i++) {
		struct config_output *o = &cfg->outputs[i];
		int err = settings__load_secrets(o->settings, &why);

		if (err) {
			complain_why(c, &o->place, err, &why);
			ret = -EINVAL;
		}
	}
	buf__free(&why);
	return ret;
}

struct config *config__open(const char *path)
{
	struct complaints c = {0};
	struct config *cfg = NULL;

	if (!config__load(path, &cfg, &c) && config__load_secrets(cfg, &c)) {
		config__free(cfg);
		cfg = NULL;
	}
	complaints__say(&c);
	return cfg;
}
