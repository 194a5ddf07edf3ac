// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Numbers as Python writes them: floats by their shortest digits, ints exact at any size. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

/* Bits of a digit of CPython's int: PyLong_SHIFT on every 64-bit build. */
#define DIGIT_BITS 30
#define DIGIT_MASK ((1u << DIGIT_BITS) - 1)
/* Two digits are 60 bits, 15 hexadecimal digits. */
#define PAIR_HEX 15

/* Adds one to the last digit of "d.ddde±x". False when that carries out of the first one. */
static bool next_up(char *text)
{
	char *p = strchr(text, 'e');

	while (p-- > text) {
		if (*p < '0' || *p > '9')
			continue; /* the decimal point, which is the locale's */
		if (*p != '9') {
			++*p;
			return true;
		}
		*p = '0';
	}
	return false;
}

/* Writes v with so many digits; true when they read back as v. */
static bool reads_back(char text[48], double v, int digits)
{
	int exp;

	snprintf(text, 48, "%.*e", digits - 1, v);
	if (strtod(text, NULL) == v)
		return true;
	/*
	 * Below a power of two the doubles lie twice as close: the nearest decimal can be too low,
	 * and the one above it still read back.
	 */
	return frexp(v, &exp) == 0.5 && next_up(text) && strtod(text, NULL) == v;
}

/*
 * The shortest decimal digits that read back as v (positive, finite, not 0): digits in out, their
 * number returned, the decimal exponent of the first in *exp. A decimal of 15 digits or fewer
 * survives the way through a normal double, so that the search starts there.
 */
static int shortest(double v, char *out, int *exp)
{
	char text[48] = "", *e;
	int n = 0;

	for (int digits = v < DBL_MIN ? 1 : DBL_DIG; digits <= 17; digits++)
		if (reads_back(text, v, digits))
			break;
	e = strchr(text, 'e');
	for (char *p = text; p < e; p++)
		if (*p >= '0' && *p <= '9')
			out[n++] = *p;
	while (n > 1 && out[n - 1] == '0')
		n--;
	*exp = (int)strtol(e + 1, NULL, 10);
	return n;
}

static char *put_small(char *p, unsigned v)
{
	if (v >= 100)
		*p++ = (char)('0' + v / 100);
	*p++ = (char)('0' + v / 10 % 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

/* float_repr_style "short" of CPython (Python/pystrtod.c): an exponent below -4 and from 16 on. */
size_t float__repr(char *out, double v)
{
	char digits[24] = "", *p = out;
	int n, exp;

	if (isnan(v))
		return (size_t)(stpcpy(out, "nan") - out);
	if (signbit(v)) {
		*p++ = '-';
		v = -v;
	}
	if (isinf(v))
		return (size_t)(stpcpy(p, "inf") - out);
	if (v == 0)
		return (size_t)(stpcpy(p, "0.0") - out);
	n = shortest(v, digits, &exp);
	if (exp < -4 || exp >= 16) {
		*p++ = digits[0];
		if (n > 1) {
			*p++ = '.';
			p = mempcpy(p, digits + 1, (size_t)n - 1);
		}
		*p++ = 'e';
		*p++ = exp < 0 ? '-' : '+';
		p = put_small(p, (unsigned)abs(exp));
	} else if (exp < 0) {
		p = stpcpy(p, "0.");
		for (int i = -1; i > exp; i--)
			*p++ = '0';
		p = mempcpy(p, digits, (size_t)n);
	} else {
		for (int i = 0; i <= exp; i++)
			*p++ = i < n ? digits[i] : '0';
		*p++ = '.';
		if (n > exp + 1)
			p = mempcpy(p, digits + exp + 1, (size_t)(n - exp - 1));
		else
			*p++ = '0';
	}
	return (size_t)(p - out);
}

void json__float(struct buf *out, double v)
{
	char text[FLOAT_REPR_MAX];

	if (isfinite(v)) {
		buf__append(out, text, float__repr(text, v));
	} else {
		buf__lit(out, "{\"$float\":\"");
		buf__append(out, text, float__repr(text, v));
		buf__lit(out, "\"}");
	}
}

static uint32_t digit(const struct node *n, size_t i)
{
	uint32_t d;

	memcpy(&d, n->data + i * 4, sizeof(d));
	return d & DIGIT_MASK;
}

/* Two digits at once, from the least significant end. */
static uint64_t pair(const struct node *n, size_t i)
{
	size_t digits = n->len / 4;
	uint64_t v = digit(n, 2 * i);

	if (2 * i + 1 < digits)
		v |= (uint64_t)digit(n, 2 * i + 1) << DIGIT_BITS;
	return v;
}

/* How many pairs there are without those that are zero at the top. */
static size_t pairs(const struct node *n)
{
	size_t cnt = (n->len / 4 + 1) / 2;

	while (cnt && !pair(n, cnt - 1))
		cnt--;
	return cnt;
}

static unsigned hex_digits(uint64_t v)
{
	return v ? (63u - (unsigned)__builtin_clzll(v)) / 4 + 1 : 1;
}

bool bigint__u64(const struct node *n, uint64_t *v)
{
	size_t cnt = pairs(n);

	*v = cnt ? pair(n, 0) : 0;
	if (cnt < 2)
		return true;
	if (cnt > 2 || pair(n, 1) > 0xf)
		return false;
	*v |= pair(n, 1) << 60;
	return true;
}

void bigint__hex(struct buf *out, const struct node *n)
{
	size_t cnt = pairs(n);
	uint64_t v = cnt ? pair(n, cnt - 1) : 0;
	unsigned width = hex_digits(v);
	char *p;

	if (!buf__reserve(out, cnt * PAIR_HEX + 1))
		return;
	p = out->data + out->len;
	for (;;) {
		for (unsigned i = width; i-- > 0;)
			*p++ = "0123456789abcdef"[v >> 4 * i & 15];
		if (cnt <= 1)
			break;
		cnt--;
		v = pair(n, cnt - 1);
		width = PAIR_HEX;
	}
	out->len = (size_t)(p - out->data);
}

uint64_t bigint__hex_length(const struct node *n)
{
	size_t stored = n->len / 4, cnt = pairs(n);
	uint64_t dropped;

	/* Lengths that no memory could hold are lies: not known. */
	if (n->length == UINT64_MAX || n->length < stored || n->length >> 56)
		return UINT64_MAX;
	dropped = (n->length - stored) / 2 * PAIR_HEX;
	return dropped + (cnt ? (cnt - 1) * PAIR_HEX + hex_digits(pair(n, cnt - 1)) : 1);
}

void json__bigint(struct buf *out, const struct node *n)
{
	bool neg = n->flags & PT_F_NEG;
	uint64_t v;

	if (!(n->flags & PT_F_CUT) && bigint__u64(n, &v) && (!neg || v <= 1ull << 63)) {
		if (neg && v)
			buf__char(out, '-');
		buf__u64(out, v);
		return;
	}
	buf__lit(out, "{\"$int\":\"");
	if (neg)
		buf__char(out, '-');
	buf__lit(out, "0x");
	bigint__hex(out, n);
	buf__lit(out, "\"}");
}
