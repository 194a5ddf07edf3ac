/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Decimal digits, two at a time and straight to where they are to be: room is the caller's. */
#ifndef PYTRAIL_DIGITS_H
#define PYTRAIL_DIGITS_H

#include <stdint.h>
#include <string.h>

#define DIGITS_MAX 20 /* of UINT64_MAX */

/* "00", "01" ... "99" */
extern const char digit_pairs[201];

static inline unsigned digits__count(uint64_t v)
{
	static const uint64_t powers[] = {
		1u,
		10u,
		100u,
		1000u,
		10000u,
		100000u,
		1000000u,
		10000000u,
		100000000u,
		1000000000u,
		10000000000u,
		100000000000u,
		1000000000000u,
		10000000000000u,
		100000000000000u,
		1000000000000000u,
		10000000000000000u,
		100000000000000000u,
		1000000000000000000u,
		10000000000000000000u,
	};
	/* 1233/4096 is a little above log10(2): right, or one too many */
	unsigned n = (unsigned)(64 - __builtin_clzll(v | 1)) * 1233 >> 12;

	return n + (v >= powers[n] || !v);
}

/* Exactly `cnt` digits of v, the lowest. */
static inline void digits__fixed(char *p, uint64_t v, unsigned cnt)
{
	while (cnt >= 2) {
		cnt -= 2;
		memcpy(p + cnt, digit_pairs + v % 100 * 2, 2);
		v /= 100;
	}
	if (cnt)
		*p = (char)('0' + v % 10);
}

/* As many as v has; returns what is behind them. */
static inline char *digits__put(char *p, uint64_t v)
{
	unsigned cnt;

	if (v < 10) {
		*p = (char)('0' + v);
		return p + 1;
	}
	cnt = digits__count(v);
	digits__fixed(p, v, cnt);
	return p + cnt;
}

#endif
