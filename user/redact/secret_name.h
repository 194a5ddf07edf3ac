/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Whether a name is that of something secret: `password`, `--api-key`, `X-Auth-Token`,
 * `clientSecret`. */
#ifndef PYTRAIL_SECRET_NAME_H
#define PYTRAIL_SECRET_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Globs of names in lower case, that users add. */
#define SECRET_NAMES_MAX 64
struct secret_names {
	size_t cnt;
	char *globs[SECRET_NAMES_MAX]; /* owned */
};

/* `query`: of a parameter in a URL, where `key`, `code` and `sig` are secrets, too. names: or
 * NULL. */
bool secret_name__is(const uint8_t *name, size_t len, bool query, const struct secret_names *names);

#endif
