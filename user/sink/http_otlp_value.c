// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "http_otlp_value.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../util/protobuf.h"
#include "http_json.h"

#define DEPTH_MAX  64 /* of the events' own, see bpf/wire.h, and what formats wrap around them */
#define NUMBER_MAX 1024

/* Numbers of the fields of common.proto. */
enum { ANY_STRING = 1, ANY_BOOL = 2, ANY_INT = 3, ANY_DOUBLE = 4, ANY_ARRAY = 5, ANY_KVLIST = 6 };
enum { VALUES = 1 };                   /* of ArrayValue and KeyValueList */
enum { PAIR_KEY = 1, PAIR_VALUE = 2 }; /* of KeyValue */

struct cursor {
	struct otlp_encoder *e;
	const char *p, *end;
	int depth;
};

static bool value(struct cursor *c);

static void put_text(struct otlp_encoder *e)
{
	e->out->failed = e->out->failed || e->text.failed;
	if (e->json) {
		buf__lit(e->out, "{\"stringValue\":");
		http_json__append_string(e->out, e->text.data, e->text.len);
		buf__char(e->out, '}');
	} else {
		protobuf__put_bytes(e->out, ANY_STRING, e->text.data, e->text.len);
	}
}

void otlp__string(struct otlp_encoder *e, struct item_text s)
{
	buf__reset(&e->text);
	http_json__append_utf8(&e->text, s.s, s.len);
	put_text(e);
}

void otlp__attribute(struct otlp_encoder *e, unsigned field, const char *key, struct item_text v,
                     bool *first)
{
	size_t pair = e->out->len, inner;

	if (e->json) {
		buf__str(e->out, *first ? "{\"key\":" : ",{\"key\":");
		http_json__append_string(e->out, key, strlen(key));
		buf__lit(e->out, ",\"value\":");
		otlp__string(e, v);
		buf__char(e->out, '}');
	} else {
		protobuf__put_bytes(e->out, PAIR_KEY, key, strlen(key));
		inner = e->out->len;
		otlp__string(e, v);
		protobuf__nest(e->out, PAIR_VALUE, inner);
		protobuf__nest(e->out, field, pair);
	}
	*first = false;
}

static void skip_space(struct cursor *c)
{
	while (c->p < c->end && strchr(" \t\r\n", *c->p) && *c->p)
		c->p++;
}

static bool take(struct cursor *c, char wanted)
{
	skip_space(c);
	if (c->p == c->end || *c->p != wanted)
		return false;
	c->p++;
	return true;
}

static bool hex4(struct cursor *c, uint32_t *out)
{
	*out = 0;
	if (c->end - c->p < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdef", *d;
		char ch = *c->p++;

		if (ch >= 'A' && ch <= 'F')
			ch = (char)(ch + 'a' - 'A');
		d = ch ? strchr(digits, ch) : NULL;
		if (!d)
			return false;
		*out = *out << 4 | (uint32_t)(d - digits);
	}
	return true;
}

/* Behind a backslash. A surrogate without its other half becomes U+FFFD. */
static bool escape(struct cursor *c)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	struct buf *text = &c->e->text;
	const char *at;
	uint32_t high, low;

	if (c->p == c->end || !*c->p)
		return false;
	at = strchr(from, *c->p);
	if (at) {
		buf__char(text, to[at - from]);
		c->p++;
		return true;
	}
	if (*c->p++ != 'u' || !hex4(c, &high))
		return false;
	if (high >= 0xd800 && high < 0xdc00 && c->end - c->p >= 6 && c->p[0] == '\\' &&
	    c->p[1] == 'u') {
		const char *back = c->p;

		c->p += 2;
		if (!hex4(c, &low))
			return false;
		if (low >= 0xdc00 && low < 0xe000)
			high = 0x10000 + ((high & 0x3ff) << 10 | (low & 0x3ff));
		else
			c->p = back;
	}
	http_json__append_code_point(text, high);
	return true;
}

/* Into e->text. */
static bool string(struct cursor *c)
{
	buf__reset(&c->e->text);
	if (!take(c, '"'))
		return false;
	while (c->p < c->end) {
		const char *run = c->p;

		while (c->p < c->end && *c->p != '"' && *c->p != '\\')
			c->p++;
		http_json__append_utf8(&c->e->text, run, (size_t)(c->p - run));
		if (c->p == c->end)
			return false;
		if (*c->p++ == '"')
			return !c->e->text.failed;
		if (!escape(c))
			return false;
	}
	return false;
}

static bool digits(const char **p)
{
	const char *begin = *p;

	while (**p >= '0' && **p <= '9')
		(*p)++;
	return *p > begin;
}

/* RFC 8259 §6. *whole: without fraction and exponent. */
static bool is_number(const char *p, bool *whole)
{
	p += *p == '-';
	if (*p == '0')
		p++;
	else if (!digits(&p))
		return false;
	*whole = !*p;
	if (*p == '.' && (p++, !digits(&p)))
		return false;
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '+' || *p == '-';
		if (!digits(&p))
			return false;
	}
	return !*p;
}

static void put_integer(struct otlp_encoder *e, long long v)
{
	if (e->json)
		buf__printf(e->out, "{\"intValue\":\"%lld\"}", v);
	else
		protobuf__put_varint(e->out, ANY_INT, (uint64_t)v);
}

static void put_double(struct otlp_encoder *e, double v, const char *text)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	if (e->json)
		buf__printf(e->out, "{\"doubleValue\":%s}", text);
	else
		protobuf__put_fixed64(e->out, ANY_DOUBLE, bits);
}

static bool number(struct cursor *c)
{
	struct otlp_encoder *e = c->e;
	char text[NUMBER_MAX + 1];
	bool whole = false;
	size_t len = 0;
	long long v;
	double d;

	while (c->p < c->end && *c->p && strchr("+-0123456789.eE", *c->p) && len < NUMBER_MAX)
		text[len++] = *c->p++;
	text[len] = '\0';
	if (!is_number(text, &whole))
		return false;
	errno = 0;
	v = whole ? strtoll(text, NULL, 10) : 0;
	d = whole ? 0 : strtod(text, NULL);
	if ((whole && errno) || !isfinite(d)) { /* exact all the same */
		buf__reset(&e->text);
		buf__append(&e->text, text, len);
		put_text(e);
	} else if (whole) {
		put_integer(e, v);
	} else {
		put_double(e, d, text);
	}
	return true;
}

static bool word(struct cursor *c, const char *w)
{
	size_t len = strlen(w);

	if ((size_t)(c->end - c->p) < len || memcmp(c->p, w, len))
		return false;
	c->p += len;
	return true;
}

static bool simple(struct cursor *c)
{
	struct otlp_encoder *e = c->e;
	bool yes = word(c, "true");

	if (yes || word(c, "false")) {
		if (e->json)
			buf__printf(e->out, "{\"boolValue\":%s}", yes ? "true" : "false");
		else
			protobuf__put_varint(e->out, ANY_BOOL, yes);
		return true;
	}
	if (word(c, "null")) { /* no value is set */
		if (e->json)
			buf__lit(e->out, "{}");
		return true;
	}
	return number(c);
}

/* One element of an array, or a member of an object. */
static bool element(struct cursor *c, bool object)
{
	struct otlp_encoder *e = c->e;
	size_t begin = e->out->len, inner;

	if (!object) {
		if (!value(c))
			return false;
	} else {
		if (!string(c) || !take(c, ':'))
			return false;
		if (e->json) {
			buf__lit(e->out, "{\"key\":");
			http_json__append_string(e->out, e->text.data, e->text.len);
			buf__lit(e->out, ",\"value\":");
		} else {
			protobuf__put_bytes(e->out, PAIR_KEY, e->text.data, e->text.len);
		}
		inner = e->out->len;
		if (!value(c))
			return false;
		if (e->json)
			buf__char(e->out, '}');
		else
			protobuf__nest(e->out, PAIR_VALUE, inner);
	}
	if (!e->json)
		protobuf__nest(e->out, VALUES, begin);
	return true;
}

static bool container(struct cursor *c, bool object)
{
	struct otlp_encoder *e = c->e;
	size_t begin = e->out->len;
	char close = object ? '}' : ']';

	c->p++;
	if (++c->depth > DEPTH_MAX)
		return false;
	if (e->json)
		buf__str(e->out, object ? "{\"kvlistValue\":{\"values\":["
		                        : "{\"arrayValue\":{\"values\":[");
	if (!take(c, close)) {
		do {
			if (!element(c, object))
				return false;
			skip_space(c);
			if (e->json && c->p < c->end && *c->p == ',')
				buf__char(e->out, ',');
		} while (take(c, ','));
		if (!take(c, close))
			return false;
	}
	if (e->json)
		buf__lit(e->out, "]}}");
	else
		protobuf__nest(e->out, object ? ANY_KVLIST : ANY_ARRAY, begin);
	c->depth--;
	return true;
}

static bool value(struct cursor *c)
{
	skip_space(c);
	if (c->p == c->end)
		return false;
	if (*c->p == '{' || *c->p == '[')
		return container(c, *c->p == '{');
	if (*c->p != '"')
		return simple(c);
	if (!string(c))
		return false;
	put_text(c->e);
	return true;
}

bool otlp__structure(struct otlp_encoder *e, struct item_text json)
{
	struct cursor c = {.e = e, .p = json.s, .end = json.s + json.len};
	size_t begin = e->out->len;
	bool good = value(&c);

	skip_space(&c);
	if (good && c.p == c.end)
		return true;
	e->out->len = begin;
	return false;
}
