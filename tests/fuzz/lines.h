/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What must hold of any rendering: one line, UTF-8, nothing that a terminal obeys; of some formats
 * JSON. */
#ifndef PYTRAIL_TESTS_LINES_H
#define PYTRAIL_TESTS_LINES_H

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/format/chars.h"

static inline void line__check_text(const char *s, size_t len, bool tabs)
{
	struct chars c = chars__utf8(s, len);
	uint32_t cp;

	if (!len || s[len - 1] != '\n')
		abort();
	c.end--;
	while (chars__next(&c, &cp))
		if ((cp < 0x20 && !(tabs && cp == '\t')) || (cp >= 0x7f && cp < 0xa0) ||
		    (cp >= 0xdc80 && cp <= 0xdcff))
			abort();
}

/* A recursive reader of RFC 8259 that aborts at the first mistake; the text is UTF-8 already.
 * whole: a surrogate must have its other half. */
struct json_text {
	const char *p, *end;
	bool whole;
	int depth;
};

static inline void json_text__need(struct json_text *j, char c)
{
	if (j->p >= j->end || *j->p++ != c)
		abort();
}

static inline unsigned json_text__hex4(struct json_text *j)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++, j->p++) {
		if (j->p >= j->end || !isxdigit((unsigned char)*j->p))
			abort();
		v = v << 4 | (unsigned)(*j->p <= '9' ? *j->p - '0' : (*j->p | 0x20) - 'a' + 10);
	}
	return v;
}

static inline void json_text__escape(struct json_text *j)
{
	unsigned v;

	if (j->p >= j->end)
		abort();
	if (*j->p != 'u') {
		if (!strchr("\"\\/bfnrt", *j->p++))
			abort();
		return;
	}
	j->p++;
	v = json_text__hex4(j);
	if (j->whole && v >= 0xd800 && v <= 0xdfff)
		abort(); /* pairs are not written so */
}

static inline void json_text__string(struct json_text *j)
{
	json_text__need(j, '"');
	for (;;) {
		if (j->p >= j->end)
			abort();
		if (*j->p == '"')
			break;
		if (*j->p++ == '\\')
			json_text__escape(j);
	}
	j->p++;
}

static inline void json_text__number(struct json_text *j)
{
	char *end;

	if (*j->p == '-')
		j->p++;
	if (j->p >= j->end || !isdigit((unsigned char)*j->p) ||
	    (*j->p == '0' && j->p + 1 < j->end && isdigit((unsigned char)j->p[1])))
		abort();
	strtod(j->p, &end); /* a newline follows at the latest */
	j->p = end;
}

static inline void json_text__value(struct json_text *j)
{
	static const char *const words[] = {"null", "true", "false"};

	if (j->p >= j->end || ++j->depth > 64)
		abort();
	if (*j->p == '{' || *j->p == '[') {
		char close = *j->p == '{' ? '}' : ']';

		j->p++;
		for (bool first = true; j->p < j->end && *j->p != close; first = false) {
			if (!first)
				json_text__need(j, ',');
			if (close == '}') {
				json_text__string(j);
				json_text__need(j, ':');
			}
			json_text__value(j);
		}
		json_text__need(j, close);
	} else if (*j->p == '"') {
		json_text__string(j);
	} else if (*j->p == '-' || isdigit((unsigned char)*j->p)) {
		json_text__number(j);
	} else {
		size_t i = 0;

		while (i < 3 && strncmp(j->p, words[i], strlen(words[i])) != 0)
			i++;
		if (i == 3)
			abort();
		j->p += strlen(words[i]);
	}
	j->depth--;
}

/* One object, then the newline. */
static inline void line__check_json(const char *s, size_t len, bool whole)
{
	struct json_text j = {s, s + len - 1, whole, 0};

	if (*s != '{')
		abort();
	json_text__value(&j);
	if (j.p != j.end)
		abort();
}

#endif
