// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "http_json.h"

#include <string.h>

#include "../format/chars.h"
#include "../util/buf.h"

/* Far more than any answer has. jansson descends by recursion, up to 2048: more stack than a thread
 * may have. */
#define DEPTH_MAX 32

static bool is_shallow(const char *data, size_t len)
{
	bool quoted = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = data[i];

		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
		} else if (c == '"') {
			quoted = true;
		} else if (c == '[' || c == '{') {
			if (++depth > DEPTH_MAX)
				return false;
		} else if (c == ']' || c == '}') {
			depth--;
		}
	}
	return true;
}

json_t *http_json__parse(const char *data, size_t len)
{
	json_error_t error;

	return is_shallow(data, len) ? json_loadb(data, len, 0, &error) : NULL;
}

const char *http_json__string(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s ? s : "";
}

long long http_json__integer(const json_t *object, const char *name)
{
	const json_t *v = json_object_get(object, name);

	return json_is_integer(v) ? json_integer_value(v) : -1;
}

void http_json__append_code_point(struct buf *out, uint32_t c)
{
	char utf8[4];
	size_t n = 1;

	if (c >= 0xd800 && c <= 0xdfff)
		c = 0xfffd;
	if (c < 0x80) {
		utf8[0] = (char)c;
	} else if (c < 0x800) {
		utf8[0] = (char)(0xc0 | c >> 6);
		n = 2;
	} else if (c < 0x10000) {
		utf8[0] = (char)(0xe0 | c >> 12);
		n = 3;
	} else {
		utf8[0] = (char)(0xf0 | c >> 18);
		n = 4;
	}
	for (size_t i = 1; i < n; i++)
		utf8[i] = (char)(0x80 | (c >> (6 * (n - 1 - i)) & 0x3f));
	buf__append(out, utf8, n);
}

void http_json__append_utf8(struct buf *out, const char *s, size_t len)
{
	struct chars in = chars__utf8(s, len);
	uint32_t c;

	while (chars__next(&in, &c))
		http_json__append_code_point(out, c);
}

static void append_escaped(struct buf *out, unsigned char c)
{
	static const char short_form[] = "btnvfr"; /* of 8 to 13; JSON has no \v */

	if (c == '"' || c == '\\') {
		buf__char(out, '\\');
		buf__char(out, (char)c);
	} else if (c >= 8 && c <= 13 && c != 11) {
		buf__char(out, '\\');
		buf__char(out, short_form[c - 8]);
	} else {
		buf__printf(out, "\\u%04x", c);
	}
}

void http_json__append_string(struct buf *out, const char *s, size_t len)
{
	const char *end, *run;

	buf__char(out, '"');
	s = len ? s : "";
	end = s + len;
	run = s;
	while (s < end) {
		unsigned char c = (unsigned char)*s;

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			s++;
			continue;
		}
		buf__append(out, run, (size_t)(s - run));
		if (c < 0x80) {
			append_escaped(out, c);
			s++;
		} else {
			const uint8_t *p = (const uint8_t *)s;

			http_json__append_code_point(out, chars__utf8_next(&p, (const uint8_t *)end));
			s = (const char *)p;
		}
		run = s;
	}
	buf__append(out, run, (size_t)(s - run));
	buf__char(out, '"');
}

bool http_json__is_format(const char *format)
{
	static const char *const names[] = {"json", "ecs", "ocsf"};
	size_t len = strcspn(format, "+"); /* "+raw" */

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i]) == len && !strncmp(names[i], format, len))
			return true;
	return false;
}

bool http_json__is_object(const struct item *it)
{
	size_t len = it->body.len;

	return len >= 2 && it->body.s[0] == '{' && it->body.s[len - 1] == '}' &&
	       !memchr(it->body.s, '\n', len);
}
