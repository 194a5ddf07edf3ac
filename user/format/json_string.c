// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * JSON strings (RFC 8259 §7). Beside what JSON asks for, DEL, the C1 controls, U+2028/2029 and what
 * turns the direction of writing are escaped: a line of output can be shown by a terminal, and read
 * as JavaScript, without harm.
 * Lone surrogates are escaped as they are, which is what Python's json does with them, or, for
 * readers that refuse such strings, written out as Python's "backslashreplace" does: \x80, \ud800.
 */
#include <string.h>

#include "json.h"

#define ONES  0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

/*
 * Non-zero when one of 8 bytes can't be copied as it is: below 0x20, a quote, a backslash, DEL or
 * above. The sums can carry only out of a byte that already has its high bit set.
 */
static inline uint64_t unclean8(uint64_t w)
{
	uint64_t quote = w ^ ONES * '"', back = w ^ ONES * '\\';

	return ((w - ONES * 0x20) | (quote - ONES) | (back - ONES) | (w + ONES) | w) & HIGHS;
}

static const char hex[] = "0123456789abcdef";

static inline char *put_escape(char *p, uint32_t cp)
{
	p[0] = '\\';
	p[1] = 'u';
	p[2] = hex[cp >> 12 & 15];
	p[3] = hex[cp >> 8 & 15];
	p[4] = hex[cp >> 4 & 15];
	p[5] = hex[cp & 15];
	return p + 6;
}

/* A lone surrogate in characters of its own: the byte that it stands for, or its number. */
static char *put_surrogate(char *p, uint32_t cp)
{
	*p++ = '\\';
	if (cp < 0xdc80 || cp > 0xdcff)
		return put_escape(p, cp);
	p[0] = '\\';
	p[1] = 'x';
	p[2] = hex[cp >> 4 & 15];
	p[3] = hex[cp & 15];
	return p + 4;
}

/* One character that is not plain, at most 6 bytes, 7 of a character of two bytes or more. */
static char *put_special(char *p, uint32_t cp, bool whole)
{
	static const char shorts[] = "btn\0fr"; /* U+0008 to U+000D */

	if (cp < 0x80) {
		if (cp == '"' || cp == '\\') {
			*p++ = '\\';
			*p++ = (char)cp;
			return p;
		}
		if (cp >= 8 && cp <= 13 && cp != 11) {
			*p++ = '\\';
			*p++ = shorts[cp - 8];
			return p;
		}
		if (cp < 0x20 || cp == 0x7f)
			return put_escape(p, cp);
		*p++ = (char)cp;
		return p;
	}
	if (whole && cp >= 0xd800 && cp <= 0xdfff)
		return put_surrogate(p, cp);
	if (cp < 0xa0 || (cp >= 0xd800 && cp <= 0xdfff) || chars__is_reordering(cp))
		return put_escape(p, cp);
	if (cp < 0x800) {
		*p++ = (char)(0xc0 | cp >> 6);
	} else {
		if (cp < 0x10000) {
			*p++ = (char)(0xe0 | cp >> 12);
		} else {
			*p++ = (char)(0xf0 | cp >> 18);
			*p++ = (char)(0x80 | (cp >> 12 & 0x3f));
		}
		*p++ = (char)(0x80 | (cp >> 6 & 0x3f));
	}
	*p++ = (char)(0x80 | (cp & 0x3f));
	return p;
}

/* What the above lets pass. */
static inline bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* 1 to 7 bytes, and zeros above them; none behind them is read. */
static inline uint64_t load_tail(const uint8_t *s, size_t n)
{
	uint32_t low, high;

	if (n < 4)
		return s[0] | (uint64_t)s[n / 2] << (n / 2 * 8) | (uint64_t)s[n - 1] << ((n - 1) * 8);
	memcpy(&low, s, 4);
	memcpy(&high, s + n - 4, 4);
	return low | (uint64_t)high << ((n - 4) * 8);
}

/* Runs of plain ASCII go 8 bytes at a time; there is room for 6 bytes a byte of input, plus 8. */
static char *put_bytes(char *p, const uint8_t *s, const uint8_t *end, bool latin1, bool whole)
{
	while (s < end) {
		while (end - s >= 8) {
			uint64_t w;

			memcpy(&w, s, 8);
			memcpy(p, &w, 8);
			w = unclean8(w);
			if (w) {
				/* Borrows run upwards only: below the lowest mark all is plain. */
				size_t plain = (size_t)__builtin_ctzll(w) / 8;

				s += plain;
				p += plain;
				break;
			}
			s += 8;
			p += 8;
		}
		if (end - s < 8 && end > s) {
			size_t n = (size_t)(end - s);
			uint64_t w = load_tail(s, n);

			if (!(unclean8(w) & ((1ull << n * 8) - 1))) {
				memcpy(p, &w, 8);
				return p + n;
			}
		}
		/* One that is not plain, and those around it. */
		for (int i = 0; i < 8 && s < end; i++) {
			if (is_plain(*s)) {
				*p++ = (char)*s++;
				continue;
			}
			p = put_special(p, latin1 ? *s++ : chars__utf8_next(&s, end), whole);
		}
	}
	return p;
}

static void put_string(struct buf *out, const char *s, size_t len, bool whole)
{
	const uint8_t *bytes = (const uint8_t *)s;
	char *p;

	if (!buf__reserve(out, len * 6 + 16))
		return;
	p = out->data + out->len;
	*p++ = '"';
	p = put_bytes(p, bytes, bytes + len, false, whole);
	*p++ = '"';
	out->len = (size_t)(p - out->data);
}

static void put_node_string(struct buf *out, const struct node *n, bool whole)
{
	struct chars c = chars__of(n);
	uint32_t cp;
	char *p;

	if (!buf__reserve(out, n->len * 6 + 16))
		return;
	p = out->data + out->len;
	*p++ = '"';
	if (n->kind != PT_K_STR2 && n->kind != PT_K_STR4)
		p = put_bytes(p, c.p, c.end, n->kind == PT_K_STR, whole);
	else
		while (chars__next(&c, &cp))
			p = put_special(p, cp, whole);
	*p++ = '"';
	out->len = (size_t)(p - out->data);
}

void json__string(struct buf *out, const char *s, size_t len)
{
	put_string(out, s, len, false);
}

void json__whole_string(struct buf *out, const char *s, size_t len)
{
	put_string(out, s, len, true);
}

void json__node_string(struct buf *out, const struct node *n)
{
	put_node_string(out, n, false);
}

void json__whole_node_string(struct buf *out, const struct node *n)
{
	put_node_string(out, n, true);
}
