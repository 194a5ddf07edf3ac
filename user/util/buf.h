/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A growing byte buffer that one thread appends to and reuses: no allocation once it is warm. */
#ifndef PYTRAIL_BUF_H
#define PYTRAIL_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
	char *data; /* owned; not NUL-terminated */
	size_t len;
	size_t cap;
	bool failed; /* an append ran out of memory: the content is not complete */
};

#define BUF_INIT ((struct buf){0})

/* Makes room for `more` bytes behind len. Returns false, and sets failed, without memory. */
bool buf__reserve_slow(struct buf *b, size_t more);
void buf__free(struct buf *b);

/* As printf; appends nothing and sets failed on error. */
void buf__printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static inline bool buf__reserve(struct buf *b, size_t more)
{
	return (b->cap - b->len >= more) || buf__reserve_slow(b, more);
}

static inline void buf__append(struct buf *b, const void *data, size_t len)
{
	if (len && buf__reserve(b, len)) {
		memcpy(b->data + b->len, data, len);
		b->len += len;
	}
}

static inline void buf__char(struct buf *b, char c)
{
	if (buf__reserve(b, 1))
		b->data[b->len++] = c;
}

static inline void buf__str(struct buf *b, const char *s)
{
	buf__append(b, s, strlen(s));
}

/* For literals: the length is known to the compiler. */
#define buf__lit(b, s) buf__append((b), "" s, sizeof(s) - 1)

static inline void buf__reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

/* Decimal digits of an integer. */
void buf__u64(struct buf *b, uint64_t v);
void buf__i64(struct buf *b, int64_t v);

#endif
