/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "buf.h"
#include "digits.h"

#define BUF_MIN 256

bool buf__reserve_slow(struct buf *b, size_t more)
{
	size_t need, cap;
	char *data;

	if (b->failed || __builtin_add_overflow(b->len, more, &need))
		goto fail;
	cap = b->cap < BUF_MIN ? BUF_MIN : b->cap;
	while (cap < need) {
		if (__builtin_mul_overflow(cap, (size_t)2, &cap))
			goto fail;
	}
	data = realloc(b->data, cap);
	if (!data)
		goto fail;
	b->data = data;
	b->cap = cap;
	return true;

fail:
	b->failed = true;
	/* what is shorter is not to follow: there is no hole, only an end */
	b->cap = b->len;
	return false;
}

void buf__free(struct buf *b)
{
	free(b->data);
	*b = BUF_INIT;
}

void buf__printf(struct buf *b, const char *fmt, ...)
{
	size_t room = b->cap - b->len;
	va_list ap;
	int n;

	/* The common case fits into what is there: one pass. */
	va_start(ap, fmt);
	n = vsnprintf(room ? b->data + b->len : NULL, room, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if ((size_t)n >= room) {
		if (!buf__reserve(b, (size_t)n + 1))
			return;
		va_start(ap, fmt);
		n = vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
		va_end(ap);
		if (n < 0) {
			b->failed = true;
			return;
		}
	}
	b->len += (size_t)n;
}

const char digit_pairs[] = "0001020304050607080910111213141516171819"
			   "2021222324252627282930313233343536373839"
			   "4041424344454647484950515253545556575859"
			   "6061626364656667686970717273747576777879"
			   "8081828384858687888990919293949596979899";

void buf__u64(struct buf *b, uint64_t v)
{
	if (buf__reserve(b, DIGITS_MAX))
		b->len = (size_t)(digits__put(b->data + b->len, v) - b->data);
}

void buf__i64(struct buf *b, int64_t v)
{
	uint64_t magnitude = (uint64_t)v;

	if (v < 0) {
		buf__char(b, '-');
		magnitude = -magnitude;
	}
	buf__u64(b, magnitude);
}
