// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../util/buf.h"

/* Bytes of "x+y" in "x+y://…", 0: there is none (RFC 3986, 3.1). */
static size_t scheme_len(const char *to)
{
	size_t n = 0;

	if (!isalpha((unsigned char)to[0]))
		return 0;
	while (isalnum((unsigned char)to[n]) || (to[n] && strchr("+-.", to[n])))
		n++;
	return strncmp(to + n, "://", 3) != 0 ? 0 : n;
}

int target__kind(const char *to, const struct driver_ops **driver, struct buf *why)
{
	size_t len = scheme_len(to);
	bool first = true;

	*driver = driver__of_url(to);
	if (*driver || !len)
		return 0;
	buf__printf(why, "there is no receiver of the scheme '%.*s', there are ", (int)len, to);
	for (size_t i = 0; drivers[i]; i++)
		for (const char *const *s = drivers[i]->schemes; *s; s++) {
			buf__printf(why, "%s%s", first ? "" : ", ", *s);
			first = false;
		}
	return -EINVAL;
}

static int hex(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10
	                                    : -1;
}

/* In place. False: a bad escape, or a NUL. */
static bool decode(char *text)
{
	char *out = text;
	int high, low;

	for (; *text; text++) {
		if (*text != '%') {
			*out++ = *text;
			continue;
		}
		high = hex(text[1]);
		low = high < 0 ? -1 : hex(text[2]);
		if (low < 0)
			return false;
		*out = (char)(high * 16 + low);
		if (!*out++)
			return false;
		text += 2;
	}
	*out = '\0';
	return true;
}

static int take_pair(struct settings *s, char *pair, struct buf *why)
{
	char *value = strchr(pair, '=');
	int err;

	if (!value) {
		buf__printf(why, "'%s' in the URL's query has no value: write NAME=VALUE", pair);
		return -EINVAL;
	}
	*value++ = '\0';
	if (!decode(pair) || !decode(value)) {
		buf__printf(why, "'%s' in the URL's query: after '%%' come two hexadecimal digits",
		            pair);
		return -EINVAL;
	}
	err = settings__set(s, pair, value, why);
	return err && err != -ENOMEM ? -EINVAL : err;
}

int target__split(const char *to, struct settings *s, char **url, struct buf *why)
{
	char *copy = strdup(to), *query, *pair, *save;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	query = strchr(copy, '?');
	if (query) {
		*query++ = '\0';
		for (pair = strtok_r(query, "&", &save); pair && !err;
		     pair = strtok_r(NULL, "&", &save))
			err = take_pair(s, pair, why);
	}
	if (err)
		free(copy);
	else
		*url = copy;
	return err;
}
