/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Named values with a table that says which names there are, of what type, with which limits: of an
 * output, whether they come from the configuration file or from the query of a URL. A value is
 * checked when it is set.
 */
#ifndef PYTRAIL_SETTINGS_H
#define PYTRAIL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct settings;

enum setting_type {
	SETTING_STRING,
	SETTING_BOOL,    /* true, false, yes, no, on, off */
	SETTING_NUMBER,  /* a whole number */
	SETTING_SIZE,    /* bytes: K, M, G behind it are powers of 1024 */
	SETTING_SECONDS, /* ms, s, m, h, d behind it; seconds without */
	SETTING_CHOICE,  /* one of `choices` */
	SETTING_LIST,    /* strings; each call of settings__set() adds one */
	SETTING_PATH,    /* an absolute path */
	/*
	 * Never given in the clear: the absolute path of a file that has it, or credential:NAME for
	 * a file of $CREDENTIALS_DIRECTORY (systemd.exec(5)). settings__load_secrets() puts the
	 * content in its place.
	 */
	SETTING_SECRET,
};

struct setting {
	const char *name; /* NULL: the end of a table */
	enum setting_type type;
	const char *fallback; /* as text, NULL: there is none */
	const char *choices;  /* SETTING_CHOICE: "none|gzip|zstd" */
	double min, max;      /* of numbers, sizes, seconds; max 0: no limits */
	const char *help;     /* half a sentence for the documentation */
};

/* tables: all that may be given, ended by NULL; they must outlive the settings. NULL: no memory. */
struct settings *settings__new(const struct setting *const *tables);
void settings__free(struct settings *s); /* secrets are wiped */

/*
 * Sets one. 0; -ENOENT: there is no such name (what is said names the nearest); -EEXIST: it was set
 * before; -EINVAL: not a value of its type; -ENOMEM. All but the first append half a sentence to
 * `why`, such as "'batch_bytes' takes a size from 1K to 64M, not 'x'".
 */
int settings__set(struct settings *s, const char *name, const char *value, struct buf *why);

/* Whether it was set, other than by its fallback. */
bool settings__given(const struct settings *s, const char *name);

/* The value or its fallback. A name that no table has, or one of another type, is a bug: abort().
 * Valid as long as s. */
const char *settings__string(const struct settings *s,
                             const char *name); /* and choice, path; NULL: none */
bool settings__bool(const struct settings *s, const char *name);
uint64_t settings__number(const struct settings *s, const char *name); /* and size */
double settings__seconds(const struct settings *s, const char *name);
size_t settings__list(const struct settings *s, const char *name, const char *const **out);

/*
 * Reads what every given SETTING_SECRET names, once, without the newlines at its end; at most 1 MiB
 * of it. 0 or -errno with a sentence in `why`.
 */
int settings__load_secrets(struct settings *s, struct buf *why);
/* The secret's bytes, terminated beside; NULL: not given. After settings__load_secrets(). */
const char *settings__secret(const struct settings *s, const char *name, size_t *len);

/* Calls fn with every value that was given, secrets as loaded, in the order of the tables: to hand
 * them to another process, which takes them by settings__put(). */
void settings__each(const struct settings *s,
                    void (*fn)(void *ctx, const char *name, const char *value, size_t len),
                    void *ctx);
/* As settings__set() for what settings__each() gave: a secret's value is its content. */
int settings__put(struct settings *s, const char *name, const char *value, size_t len,
                  struct buf *why);

#endif
