// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "protobuf.h"

#include <string.h>

#include "buf.h"

enum wire_type { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

#define VARINT_MAX 10 /* bytes */

static size_t encode(uint8_t out[VARINT_MAX], uint64_t v)
{
	size_t n = 0;

	while (v >= 0x80) {
		out[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	out[n++] = (uint8_t)v;
	return n;
}

static void put_raw(struct buf *out, uint64_t v)
{
	uint8_t bytes[VARINT_MAX];

	buf__append(out, bytes, encode(bytes, v));
}

static void put_tag(struct buf *out, uint32_t field, enum wire_type type)
{
	put_raw(out, (uint64_t)field << 3 | type);
}

void protobuf__put_varint(struct buf *out, uint32_t field, uint64_t v)
{
	put_tag(out, field, VARINT);
	put_raw(out, v);
}

void protobuf__put_fixed64(struct buf *out, uint32_t field, uint64_t v)
{
	put_tag(out, field, FIXED64);
	for (int i = 0; i < 8; i++)
		buf__char(out, (char)(v >> (8 * i)));
}

void protobuf__put_bytes(struct buf *out, uint32_t field, const void *data, size_t len)
{
	put_tag(out, field, BYTES);
	put_raw(out, len);
	buf__append(out, data, len);
}

void protobuf__nest(struct buf *out, uint32_t field, size_t begin)
{
	uint8_t head[2 * VARINT_MAX];
	size_t len = out->len - begin, n = encode(head, (uint64_t)field << 3 | BYTES);

	n += encode(head + n, len);
	if (!buf__reserve(out, n))
		return;
	memmove(out->data + begin + n, out->data + begin, len);
	memcpy(out->data + begin, head, n);
	out->len += n;
}

static bool take_varint(const uint8_t **pos, const uint8_t *end, uint64_t *out)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < VARINT_MAX && *pos < end; i++) {
		uint8_t b = *(*pos)++;

		v |= (uint64_t)(b & 0x7f) << (7 * i);
		if (!(b & 0x80)) {
			*out = v;
			return true;
		}
	}
	return false;
}

static bool take_fixed(const uint8_t **pos, const uint8_t *end, size_t width, uint64_t *out)
{
	if ((size_t)(end - *pos) < width)
		return false;
	*out = 0;
	for (size_t i = 0; i < width; i++)
		*out |= (uint64_t) * (*pos)++ << (8 * i);
	return true;
}

static bool take_field(const uint8_t **pos, const uint8_t *end, struct protobuf_field *out)
{
	uint64_t tag, len;

	if (!take_varint(pos, end, &tag) || tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
		return false;
	*out = (struct protobuf_field){.number = (uint32_t)(tag >> 3)};
	switch (tag & 7) {
	case VARINT:
		return take_varint(pos, end, &out->value);
	case FIXED64:
		return take_fixed(pos, end, 8, &out->value);
	case FIXED32:
		return take_fixed(pos, end, 4, &out->value);
	case BYTES:
		if (!take_varint(pos, end, &len) || len > (size_t)(end - *pos))
			return false;
		out->data = *pos;
		out->len = (size_t)len;
		*pos += len;
		return true;
	default: /* groups have been gone since proto3 */
		return false;
	}
}

bool protobuf__next(const uint8_t **pos, const uint8_t *end, struct protobuf_field *out, bool *bad)
{
	*bad = false;
	if (*pos == end)
		return false;
	*bad = !take_field(pos, end, out);
	return !*bad;
}
