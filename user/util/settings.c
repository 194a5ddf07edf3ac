// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "nearest_word.h"
#include "setting_text.h"

#define SECRET_MAX (1u << 20)

struct value {
	const struct setting *def;
	bool given;
	bool loaded; /* a secret's text is its content */
	char *text;  /* owned, terminated */
	size_t len;  /* of text */
	union setting_value v;
	char **items; /* of a list, owned */
	size_t items_cnt;
};

struct settings {
	struct value *values;
	size_t cnt;
};

static void wipe(char *text, size_t len)
{
	if (text)
		explicit_bzero(text, len);
	free(text);
}

struct settings *settings__new(const struct setting *const *tables)
{
	struct settings *s = calloc(1, sizeof(*s));
	size_t cnt = 0, i;

	for (i = 0; tables[i]; i++)
		for (const struct setting *d = tables[i]; d->name; d++)
			cnt++;
	if (!s || !(s->values = calloc(cnt + 1, sizeof(*s->values)))) {
		free(s);
		return NULL;
	}
	for (i = 0; tables[i]; i++)
		for (const struct setting *d = tables[i]; d->name; d++) {
			struct value *v = &s->values[s->cnt++];

			v->def = d;
			if (d->fallback && setting__parse(d, d->fallback, &v->v, NULL))
				abort(); /* the table is wrong */
		}
	return s;
}

void settings__free(struct settings *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->cnt; i++) {
		struct value *v = &s->values[i];

		wipe(v->text, v->len);
		for (size_t k = 0; k < v->items_cnt; k++)
			free(v->items[k]);
		free(v->items);
	}
	free(s->values);
	free(s);
}

static struct value *find(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->cnt; i++)
		if (!strcmp(s->values[i].def->name, name))
			return &s->values[i];
	return NULL;
}

static void say_unknown(const struct settings *s, const char *name, struct buf *why)
{
	struct nearest_word near = {.wanted = name};

	for (size_t i = 0; i < s->cnt; i++)
		nearest_word__offer(&near, s->values[i].def->name);
	buf__printf(why, "there is no setting '%s' here", name);
	if (near.best)
		buf__printf(why, "; did you mean '%s'?", near.best);
}

static int add_item(struct value *v, const char *text)
{
	char **items = reallocarray(v->items, v->items_cnt + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	v->items = items;
	items[v->items_cnt] = strdup(text);
	if (!items[v->items_cnt])
		return -ENOMEM;
	v->items_cnt++;
	v->given = true;
	return 0;
}

static int put_text(struct value *v, const char *text, size_t len)
{
	v->text = malloc(len + 1);
	if (!v->text)
		return -ENOMEM;
	memcpy(v->text, text, len);
	v->text[len] = '\0';
	v->len = len;
	v->given = true;
	return 0;
}

/* Where a value may be put: *out, or an error with its reason. */
static int place(struct settings *s, const char *name, struct value **out, struct buf *why)
{
	struct value *v = find(s, name);

	if (!v) {
		say_unknown(s, name, why);
		return -ENOENT;
	}
	if (v->given && v->def->type != SETTING_LIST) {
		buf__printf(why, "'%s' is given twice", name);
		return -EEXIST;
	}
	*out = v;
	return 0;
}

int settings__set(struct settings *s, const char *name, const char *value, struct buf *why)
{
	struct value *v;
	int err = place(s, name, &v, why);

	if (!err)
		err = setting__parse(v->def, value, &v->v, why);
	if (err)
		return err;
	if (v->def->type == SETTING_LIST)
		return add_item(v, value);
	return put_text(v, value, strlen(value));
}

int settings__put(struct settings *s, const char *name, const char *value, size_t len, struct buf *why)
{
	struct value *v;
	int err;

	if (strlen(value) != len) { /* only a secret may have a NUL in it */
		err = place(s, name, &v, why);
		if (!err && v->def->type != SETTING_SECRET)
			err = -EINVAL;
	} else {
		err = place(s, name, &v, why);
		if (!err && v->def->type != SETTING_SECRET)
			return settings__set(s, name, value, why);
	}
	if (err)
		return err;
	v->loaded = true;
	return put_text(v, value, len);
}

/* The value of one of two types; anything else is a bug. */
static const struct value *get(const struct settings *s, const char *name, unsigned types)
{
	const struct value *v = find(s, name);

	if (!v || !(1u << v->def->type & types))
		abort();
	return v;
}

bool settings__given(const struct settings *s, const char *name)
{
	return get(s, name, ~0u)->given;
}

const char *settings__string(const struct settings *s, const char *name)
{
	const struct value *v =
		get(s, name, 1u << SETTING_STRING | 1u << SETTING_CHOICE | 1u << SETTING_PATH);

	return v->given ? v->text : v->def->fallback;
}

bool settings__bool(const struct settings *s, const char *name)
{
	return get(s, name, 1u << SETTING_BOOL)->v.flag;
}

uint64_t settings__number(const struct settings *s, const char *name)
{
	return get(s, name, 1u << SETTING_NUMBER | 1u << SETTING_SIZE)->v.number;
}

double settings__seconds(const struct settings *s, const char *name)
{
	return get(s, name, 1u << SETTING_SECONDS)->v.seconds;
}

size_t settings__list(const struct settings *s, const char *name, const char *const **out)
{
	const struct value *v = get(s, name, 1u << SETTING_LIST);

	*out = (const char *const *)v->items;
	return v->items_cnt;
}

/* The whole file, with the newlines at its end taken off. */
static int read_secret(int fd, char **out, size_t *len)
{
	char *text = malloc(SECRET_MAX + 1);
	size_t have = 0;
	ssize_t n = 1;

	if (!text)
		return -ENOMEM;
	while (n && have < SECRET_MAX) {
		n = read(fd, text + have, SECRET_MAX - have);
		if (n < 0 && errno != EINTR) {
			int err = -errno;

			wipe(text, have);
			return err;
		}
		if (n > 0)
			have += (size_t)n;
	}
	while (have && (text[have - 1] == '\n' || text[have - 1] == '\r'))
		have--;
	text[have] = '\0';
	*out = text;
	*len = have;
	return 0;
}

static int load_secret(struct value *v, struct buf *why)
{
	const char *name = v->text, *dir = "";
	struct buf path = BUF_INIT;
	char *text = NULL;
	size_t len = 0;
	int fd, err;

	if (!strncmp(name, "credential:", 11)) {
		dir = getenv("CREDENTIALS_DIRECTORY");
		if (!dir || !*dir) {
			buf__printf(
				why,
				"'%s' names a credential, but there is no CREDENTIALS_DIRECTORY: "
				"set LoadCredential= in the unit, or name a file",
				v->def->name);
			return -ENOENT;
		}
		name += 11;
	}
	buf__printf(&path, "%s%s%s", dir, *dir ? "/" : "", name);
	buf__char(&path, '\0');
	if (path.failed) {
		buf__free(&path);
		return -ENOMEM;
	}
	fd = open(path.data, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	err = fd < 0 ? -errno : read_secret(fd, &text, &len);
	if (fd >= 0)
		close(fd);
	if (err)
		buf__printf(why, "'%s' cannot be read from '%s': %s", v->def->name, path.data,
		            strerror(-err));
	buf__free(&path);
	if (err)
		return err;
	free(v->text);
	v->text = text;
	v->len = len;
	v->loaded = true;
	return 0;
}

int settings__load_secrets(struct settings *s, struct buf *why)
{
	int err = 0;

	for (size_t i = 0; i < s->cnt && !err; i++) {
		struct value *v = &s->values[i];

		if (v->def->type == SETTING_SECRET && v->given && !v->loaded)
			err = load_secret(v, why);
	}
	return err;
}

const char *settings__secret(const struct settings *s, const char *name, size_t *len)
{
	const struct value *v = get(s, name, 1u << SETTING_SECRET);

	if (!v->loaded)
		return NULL;
	if (len)
		*len = v->len;
	return v->text;
}

void settings__each(const struct settings *s,
                    void (*fn)(void *ctx, const char *name, const char *value, size_t len), void *ctx)
{
	for (size_t i = 0; i < s->cnt; i++) {
		const struct value *v = &s->values[i];

		if (!v->given)
			continue;
		if (v->def->type != SETTING_LIST)
			fn(ctx, v->def->name, v->text, v->len);
		for (size_t k = 0; k < v->items_cnt; k++)
			fn(ctx, v->def->name, v->items[k], strlen(v->items[k]));
	}
}
