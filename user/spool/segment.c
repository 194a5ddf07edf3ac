// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "segment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "spool.h"
#include "../util/clock.h"
#include "../util/crc32c.h"

#define HEAD_CHECKED   offsetof(struct segment_head, spool_id)
#define RECORD_CHECKED offsetof(struct record_head, len)

void segment__make_head(struct segment_head *h, uint64_t spool_id, uint64_t run, uint64_t first,
                        unsigned lane)
{
	*h = (struct segment_head){
		.magic = SEGMENT_MAGIC,
		.version = SEGMENT_VERSION,
		.spool_id = spool_id,
		.run = run,
		.first = first,
		.lane = lane,
	};
	if (getrandom(&h->salt, sizeof(h->salt), GRND_NONBLOCK) != sizeof(h->salt))
		h->salt = (uint32_t)clock__monotonic();
	h->crc = crc32c(0, (const char *)h + HEAD_CHECKED, sizeof(*h) - HEAD_CHECKED);
}

int segment__check_head(const struct segment_head *h)
{
	if (h->magic != SEGMENT_MAGIC)
		return -EBADMSG;
	if (h->version != SEGMENT_VERSION)
		return -EPROTO;
	if (h->crc != crc32c(0, (const char *)h + HEAD_CHECKED, sizeof(*h) - HEAD_CHECKED) ||
	    h->lane < 1 || h->lane > SPOOL_LANES)
		return -EBADMSG;
	return 0;
}

void segment__name(char out[SEGMENT_NAME_SIZE], unsigned lane, uint64_t first)
{
	snprintf(out, SEGMENT_NAME_SIZE, "%u-%016llx.seg", lane % 10, (unsigned long long)first);
}

bool segment__parse_name(const char *name, unsigned *lane, uint64_t *first)
{
	char again[SEGMENT_NAME_SIZE];

	if (strlen(name) != SEGMENT_NAME_SIZE - 2 || name[0] < '1' || name[0] > '0' + SPOOL_LANES)
		return false;
	*lane = (unsigned)(name[0] - '0');
	*first = strtoull(name + 2, NULL, 16);
	/* strtoull() takes more than is written: signs, blanks, capitals. */
	segment__name(again, *lane, *first);
	return !strcmp(name, again);
}

static uint32_t record__crc(const struct record_head *h, const void *payload, uint32_t salt)
{
	uint32_t crc = crc32c(salt, (const char *)h + RECORD_CHECKED, sizeof(*h) - RECORD_CHECKED);

	return crc32c(crc, payload, h->len);
}

void record__seal(struct record_head *h, uint32_t salt)
{
	h->magic = RECORD_MAGIC;
	h->crc = record__crc(h, h + 1, salt);
}

long record__parse(const void *p, size_t len, uint32_t salt, struct record_head *out)
{
	if (len < sizeof(*out))
		return 0;
	memcpy(out, p, sizeof(*out));
	if (out->magic != RECORD_MAGIC || out->len > RECORD_PAYLOAD_MAX || out->len % 8 ||
	    out->lane < 1 || out->lane > SPOOL_LANES || out->stream >= SPOOL_STREAMS_MAX)
		return -EBADMSG;
	if (len - sizeof(*out) < out->len)
		return 0;
	if (out->crc != record__crc(out, (const char *)p + sizeof(*out), salt))
		return -EBADMSG;
	return (long)(sizeof(*out) + out->len);
}

size_t record__resync(const void *p, size_t len, uint32_t salt)
{
	struct record_head h;
	size_t off;

	for (off = 8; off + 8 <= len; off += 8)
		if (record__parse((const char *)p + off, len - off, salt, &h) >= 0)
			return off;
	return len;
}
