/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What stands in a secret's place: a keyed hash, so that the same secret is known again, and its
 * length. HMAC-SHA-256 (RFC 2104) cut to 128 bits. It has a key since a plain hash of what has
 * little entropy, which most passwords have, is as good as the password.
 */
#ifndef PYTRAIL_MARK_H
#define PYTRAIL_MARK_H

#include <stddef.h>
#include <stdint.h>

#include <nettle/hmac.h>

#define MARK_ALGORITHM "hmac-sha256-128"
#define MARK_BYTES     16
#define MARK_HEX       (2 * MARK_BYTES)
#define MARK_KEY_BYTES 32

/* "<redacted:hmac-sha256-128:…:12>": in the middle of a text. */
#define MARK_TEXT_MAX (sizeof("<redacted:" MARK_ALGORITHM "::>") + MARK_HEX + 20)

struct mark {
	struct hmac_sha256_ctx ctx;
};

void mark__init(struct mark *m, const uint8_t key[MARK_KEY_BYTES]);
void mark__hash(struct mark *m, const void *data, size_t len, uint8_t out[MARK_BYTES]);

/* Inline: the renderers that tests load into other processes need nothing else of this. */
static inline void mark__hex(char out[MARK_HEX], const uint8_t hash[MARK_BYTES])
{
	for (size_t i = 0; i < MARK_BYTES; i++) {
		out[2 * i] = "0123456789abcdef"[hash[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[hash[i] & 15];
	}
}

/* Writes the text, not terminated; returns its length. length: characters, UINT64_MAX: not
 * known. */
size_t mark__text(char *out, const uint8_t hash[MARK_BYTES], uint64_t length);

/*
 * Reads the key of a file, which is made (mode 0600, with a new key) where there is none. 0 or
 * -errno, said: the file is no regular one, others may read it, or it is too short.
 */
int mark_key__load(const char *path, uint8_t key[MARK_KEY_BYTES]);
/* A new key. 0 or -errno, said. */
int mark_key__new(uint8_t key[MARK_KEY_BYTES]);

#endif
