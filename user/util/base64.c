// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "base64.h"

#include <stdint.h>

#include "buf.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64__append(struct buf *out, const void *data, size_t len)
{
	const uint8_t *s = data;
	char *p;

	if (!buf__reserve(out, len / 3 * 4 + 4))
		return;
	p = out->data + out->len;
	for (; len >= 3; len -= 3, s += 3) {
		uint32_t v = (uint32_t)s[0] << 16 | (uint32_t)s[1] << 8 | s[2];

		*p++ = digits[v >> 18];
		*p++ = digits[v >> 12 & 63];
		*p++ = digits[v >> 6 & 63];
		*p++ = digits[v & 63];
	}
	if (len) {
		uint32_t v = (uint32_t)s[0] << 16 | (len > 1 ? (uint32_t)s[1] << 8 : 0);

		*p++ = digits[v >> 18];
		*p++ = digits[v >> 12 & 63];
		*p++ = len > 1 ? digits[v >> 6 & 63] : '=';
		*p++ = '=';
	}
	out->len = (size_t)(p - out->data);
}
