/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Base64 with padding (RFC 4648 §4). */
#ifndef PYTRAIL_BASE64_H
#define PYTRAIL_BASE64_H

#include <stddef.h>

struct buf;

/* Appends the text of len bytes, which may be none. */
void base64__append(struct buf *out, const void *data, size_t len);

#endif
