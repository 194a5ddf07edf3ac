/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* FNV-1a, as RFC 9923 defines it: identifiers from a few numbers, no protection from forgery. */
#ifndef PYTRAIL_FNV_H
#define PYTRAIL_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV64_INIT 0xcbf29ce484222325ull

static inline uint64_t fnv64__add(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h;
}

#define FNV128_INIT ((unsigned __int128)0x6c62272e07bb0142ull << 64 | 0x62b821756295c58dull)

static inline unsigned __int128 fnv128__add(unsigned __int128 h, const void *data, size_t len)
{
	const unsigned __int128 prime = (unsigned __int128)1 << 88 | 0x13b;
	const uint8_t *p = data;

	while (len--)
		h = (h ^ *p++) * prime;
	return h;
}

/* 16 lower-case hexadecimal digits, no NUL. */
static inline void fnv__hex(char out[16], uint64_t v)
{
	for (int i = 0; i < 16; i++)
		out[i] = "0123456789abcdef"[v >> (60 - 4 * i) & 15];
}

#endif
