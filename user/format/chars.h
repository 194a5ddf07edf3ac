/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The characters of a value, whatever its layout: CPython's three widths, or a C string in UTF-8.
 * What is no character comes out as one that says so: a byte that is not UTF-8 as U+DC80 to U+DCFF
 * (as Python's surrogateescape), a code point above U+10FFFF as U+FFFD.
 */
#ifndef PYTRAIL_CHARS_H
#define PYTRAIL_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../reader.h"

struct chars {
	const uint8_t *p, *end;
	uint8_t kind; /* PT_K_STR, PT_K_STR2, PT_K_STR4, all else UTF-8 */
};

static inline struct chars chars__of(const struct node *n)
{
	return (struct chars){n->data, n->data + n->len, n->kind};
}

static inline struct chars chars__utf8(const char *s, size_t len)
{
	return (struct chars){(const uint8_t *)s, (const uint8_t *)s + len, PT_K_UTF8};
}

/*
 * One character of UTF-8, at least one byte being left. Overlong forms, surrogates and what is
 * above U+10FFFF are not UTF-8 (RFC 3629, table 3-7 of the Unicode standard).
 */
static inline uint32_t chars__utf8_next(const uint8_t **pos, const uint8_t *end)
{
	const uint8_t *p = *pos;
	size_t left = (size_t)(end - p);
	uint32_t c = *p;

	*pos = p + 1;
	if (c < 0x80)
		return c;
	if (c >= 0xc2 && c < 0xe0 && left > 1 && (p[1] & 0xc0) == 0x80) {
		*pos = p + 2;
		return (c & 0x1f) << 6 | (p[1] & 0x3f);
	}
	if ((c & 0xf0) == 0xe0 && left > 2 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80) {
		uint32_t cp = (c & 0xf) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f);

		if (cp >= 0x800 && (cp < 0xd800 || cp > 0xdfff)) {
			*pos = p + 3;
			return cp;
		}
	}
	if (c >= 0xf0 && c < 0xf5 && left > 3 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80 &&
	    (p[3] & 0xc0) == 0x80) {
		uint32_t cp = (c & 7) << 18 | (p[1] & 0x3f) << 12 | (p[2] & 0x3f) << 6 |
		              (p[3] & 0x3f);

		if (cp >= 0x10000 && cp <= 0x10ffff) {
			*pos = p + 4;
			return cp;
		}
	}
	return 0xdc00 | c;
}

/* Line separators, and the marks, embeddings, overrides and isolates of Unicode TR 9 §2. */
static inline bool chars__is_reordering(uint32_t cp)
{
	return (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) || cp == 0x200e ||
	       cp == 0x200f || cp == 0x61c;
}

/* False at the end. A last character of which bytes are missing is left out. */
static inline bool chars__next(struct chars *c, uint32_t *out)
{
	if (c->p >= c->end)
		return false;
	if (c->kind == PT_K_STR) {
		*out = *c->p++;
	} else if (c->kind == PT_K_STR2) {
		uint16_t v;

		memcpy(&v, c->p, sizeof(v));
		c->p += sizeof(v);
		*out = v;
	} else if (c->kind == PT_K_STR4) {
		memcpy(out, c->p, sizeof(*out));
		c->p += sizeof(*out);
		if (*out > 0x10ffff)
			*out = 0xfffd;
	} else {
		*out = chars__utf8_next(&c->p, c->end);
	}
	return true;
}

#endif
