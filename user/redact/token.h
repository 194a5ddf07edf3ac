/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Tokens known by how they begin. */
#ifndef PYTRAIL_TOKEN_H
#define PYTRAIL_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the token that s begins with, 0: none. */
size_t token__length(const uint8_t *s, size_t len);

static inline bool token__starts(const uint8_t *s, size_t len)
{
	return token__length(s, len) > 0;
}

/* Whether a token can begin with that character. */
bool token__can_start(uint8_t c);

#endif
