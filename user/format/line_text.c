// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "line_text.h"

#include <string.h>

#include "chars.h"
#include "../util/buf.h"

/* Bytes that a character can become: \\ud800 of a lone surrogate in CEF. */
#define CHAR_MAX_BYTES 8

static const char hex[] = "0123456789abcdef";

static char *put_backslash(char *p, enum line_style style)
{
	*p++ = '\\';
	/* in LEEF it stands for itself */
	if (style == LINE_CEF_HEADER || style == LINE_CEF_VALUE)
		*p++ = '\\';
	return p;
}

/* \x1b, or \u202e of what is no byte: what a reader sees, not an escape of the format. */
static char *put_number(char *p, uint32_t cp, bool is_byte, enum line_style style)
{
	p = put_backslash(p, style);
	*p++ = is_byte ? 'x' : 'u';
	if (!is_byte) {
		*p++ = hex[cp >> 12 & 15];
		*p++ = hex[cp >> 8 & 15];
	}
	*p++ = hex[cp >> 4 & 15];
	*p++ = hex[cp & 15];
	return p;
}

static char *put_utf8(char *p, uint32_t cp)
{
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

static char *put_wide(char *p, uint32_t cp, enum line_style style)
{
	if (cp >= 0xdc80 && cp <= 0xdcff)
		return put_number(p, cp, true, style);
	if ((cp >= 0xd800 && cp <= 0xdfff) || cp < 0xa0 || chars__is_reordering(cp))
		return put_number(p, cp, false, style);
	return put_utf8(p, cp);
}

static char *put_line_end(char *p, uint32_t cp, enum line_style style)
{
	if (style == LINE_CEF_HEADER || style == LINE_LEEF_HEADER) {
		*p++ = ' ';
		return p;
	}
	/* of CEF its own escape, of LEEF characters */
	*p++ = '\\';
	*p++ = cp == '\n' ? 'n' : 'r';
	return p;
}

static char *put_tab(char *p, enum line_style style)
{
	if (style == LINE_CEF_HEADER || style == LINE_LEEF_HEADER) {
		*p++ = ' ';
		return p;
	}
	p = put_backslash(p, style);
	*p++ = 't';
	return p;
}

static char *put_char(char *p, uint32_t cp, enum line_style style)
{
	if (cp >= 0x80)
		return put_wide(p, cp, style);
	if (cp == '\n' || cp == '\r')
		return put_line_end(p, cp, style);
	if (cp == '\t')
		return put_tab(p, style);
	if (cp < 0x20 || cp == 0x7f)
		return put_number(p, cp, true, style);
	if (cp == '\\')
		return put_backslash(p, style);
	if (cp == '|' && style == LINE_LEEF_HEADER)
		return put_number(p, cp, true, style);
	if ((cp == '|' && style == LINE_CEF_HEADER) || (cp == '=' && style == LINE_CEF_VALUE))
		*p++ = '\\';
	*p++ = (char)cp;
	return p;
}

static void put_chars(struct buf *out, enum line_style style, struct chars c, size_t max)
{
	uint32_t cp;
	char *p;

	if (!buf__reserve(out, max * CHAR_MAX_BYTES))
		return;
	p = out->data + out->len;
	while (chars__next(&c, &cp))
		p = put_char(p, cp, style);
	out->len = (size_t)(p - out->data);
}

void line_text__put(struct buf *out, enum line_style style, const char *s, size_t len)
{
	put_chars(out, style, chars__utf8(s, len), len);
}

void line_text__put_node(struct buf *out, enum line_style style, const struct node *n)
{
	put_chars(out, style, chars__of(n), n->len);
}
