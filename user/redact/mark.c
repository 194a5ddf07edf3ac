// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "mark.h"

#include <string.h>

void mark__init(struct mark *m, const uint8_t key[MARK_KEY_BYTES])
{
	hmac_sha256_set_key(&m->ctx, MARK_KEY_BYTES, key);
}

void mark__hash(struct mark *m, const void *data, size_t len, uint8_t out[MARK_BYTES])
{
	hmac_sha256_update(&m->ctx, len, data);
	/* makes the state ready for the next one, too */
	hmac_sha256_digest(&m->ctx, MARK_BYTES, out);
}

size_t mark__text(char *out, const uint8_t hash[MARK_BYTES], uint64_t length)
{
	char *p = stpcpy(out, "<redacted:" MARK_ALGORITHM ":");
	char digits[20];
	size_t n = sizeof(digits);

	mark__hex(p, hash);
	p += MARK_HEX;
	if (length != UINT64_MAX) {
		*p++ = ':';
		do {
			digits[--n] = (char)('0' + length % 10);
			length /= 10;
		} while (length);
		p = mempcpy(p, digits + n, sizeof(digits) - n);
	}
	*p++ = '>';
	return (size_t)(p - out);
}
