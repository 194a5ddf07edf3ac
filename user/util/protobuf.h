/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The protobuf wire format, as far as OTLP needs it:
 * https://protobuf.dev/programming-guides/encoding. Nested messages are written in place: their
 * length is put before them when they are complete.
 */
#ifndef PYTRAIL_PROTOBUF_H
#define PYTRAIL_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

void protobuf__put_varint(struct buf *out, uint32_t field, uint64_t v);
void protobuf__put_fixed64(struct buf *out, uint32_t field, uint64_t v);
/* A string, which must be UTF-8, or bytes. */
void protobuf__put_bytes(struct buf *out, uint32_t field, const void *data, size_t len);

/* Makes all that was appended from `begin` on, an earlier out->len, the nested message `field`. */
void protobuf__nest(struct buf *out, uint32_t field, size_t begin);

struct protobuf_field {
	uint32_t number;
	uint64_t value;      /* of a varint or a fixed width */
	const uint8_t *data; /* of a length-delimited field, else NULL */
	size_t len;
};

/* The next field of a message, hostile or not. *pos moves behind it. False: the end, or not a
 * message: *bad. */
bool protobuf__next(const uint8_t **pos, const uint8_t *end, struct protobuf_field *out, bool *bad);

#endif
