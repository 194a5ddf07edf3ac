// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "item.h"

#include <errno.h>
#include <string.h>

#include "../util/buf.h"

#define ITEM_VERSION 1

/* Texts follow in the order of their lengths, no padding between them, the whole padded to 8. */
struct item_head {
	uint32_t size; /* of all, padding included */
	uint16_t version;
	uint8_t kind;
	uint8_t severity;
	int64_t time_ns;
	uint64_t seq;
	uint8_t stream_len;
	uint8_t id_len;
	uint8_t entity_len;
	uint8_t category_len;
	uint8_t event_len;
	uint8_t reserved[3];
	uint32_t body_len;
	uint32_t reserved2;
};

_Static_assert(sizeof(struct item_head) == 40, "on disk");

static uint8_t cut(size_t len, size_t max)
{
	return (uint8_t)(len < max ? len : max);
}

static size_t padded(size_t len)
{
	return (len + 7) & ~(size_t)7;
}

int item__encode(const struct item *it, struct buf *out)
{
	static const char zero[8];
	struct item_head h = {
		.version = ITEM_VERSION,
		.kind = it->kind,
		.severity = it->severity,
		.time_ns = it->time_ns,
		.seq = it->seq,
		.stream_len = cut(it->stream.len, ITEM_STREAM_MAX),
		.id_len = cut(it->id.len, ITEM_ID_MAX),
		.entity_len = cut(it->entity.len, ITEM_ENTITY_MAX),
		.category_len = cut(it->category.len, ITEM_CATEGORY_MAX),
		.event_len = cut(it->event.len, ITEM_EVENT_MAX),
		.body_len = (uint32_t)it->body.len,
	};
	size_t len;

	if (it->body.len > ITEM_BODY_MAX)
		return -E2BIG;
	len = sizeof(h) + h.stream_len + h.id_len + h.entity_len + h.category_len + h.event_len +
	      it->body.len;
	h.size = (uint32_t)padded(len);
	if (!buf__reserve(out, h.size))
		return -ENOMEM;
	buf__append(out, &h, sizeof(h));
	buf__append(out, it->stream.s, h.stream_len);
	buf__append(out, it->id.s, h.id_len);
	buf__append(out, it->entity.s, h.entity_len);
	buf__append(out, it->category.s, h.category_len);
	buf__append(out, it->event.s, h.event_len);
	buf__append(out, it->body.s, it->body.len);
	buf__append(out, zero, h.size - len);
	return 0;
}

static struct item_text take(const char **p, size_t len)
{
	struct item_text t = {*p, len};

	*p += len;
	return t;
}

long item__decode(const void *data, size_t len, struct item *out)
{
	struct item_head h;
	const char *p = data;
	size_t want;

	if (len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, data, sizeof(h));
	want = sizeof(h) + h.stream_len + h.id_len + h.entity_len + h.category_len + h.event_len +
	       (size_t)h.body_len;
	if (h.version != ITEM_VERSION || h.kind < ITEM_AUDIT || h.kind > ITEM_ALERT ||
	    h.severity < 1 || h.severity > 5 || h.body_len > ITEM_BODY_MAX ||
	    h.stream_len > ITEM_STREAM_MAX || h.id_len > ITEM_ID_MAX ||
	    h.entity_len > ITEM_ENTITY_MAX || h.category_len > ITEM_CATEGORY_MAX ||
	    h.size != padded(want) || h.size > len)
		return -EBADMSG;
	p += sizeof(h);
	out->kind = h.kind;
	out->severity = h.severity;
	out->time_ns = h.time_ns;
	out->seq = h.seq;
	out->stream = take(&p, h.stream_len);
	out->id = take(&p, h.id_len);
	out->entity = take(&p, h.entity_len);
	out->category = take(&p, h.category_len);
	out->event = take(&p, h.event_len);
	out->body = take(&p, h.body_len);
	return (long)h.size;
}

struct item_text item__event_or_kind(const struct item *it)
{
	static const char *const kinds[] = {
		[ITEM_AUDIT] = "audit",
		[ITEM_PROCESS] = "process",
		[ITEM_LOST] = "lost",
		[ITEM_ALERT] = "alert",
	};
	const char *s = it->kind <= ITEM_ALERT ? kinds[it->kind] : NULL;

	if (it->event.len || !s)
		return it->event;
	return (struct item_text){s, strlen(s)};
}
