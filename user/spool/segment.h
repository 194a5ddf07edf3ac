/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The bytes of a segment file: a struct segment_head, then records, each a struct record_head and
 * the bytes of item__encode(). All in host byte order, all sizes multiples of 8. The checksums are
 * seeded with the segment's salt: bytes in an item that look like a record (a traced program
 * chooses some) are not taken for one when the place behind damaged bytes is looked for.
 */
#ifndef PYTRAIL_SEGMENT_H
#define PYTRAIL_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "item.h"

#define SEGMENT_MAGIC   0x47455354594c5450ull
#define SEGMENT_VERSION 1
#define RECORD_MAGIC    0x43525450u
/* The largest payload: a body and its texts. */
#define RECORD_PAYLOAD_MAX (ITEM_BODY_MAX + 1024)

struct segment_head {
	uint64_t magic;
	uint32_t version;
	uint32_t crc; /* of what follows */
	uint64_t spool_id;
	uint64_t run;   /* of the writer; counts its starts */
	uint64_t first; /* no record in it has a smaller seq; in the file's name, too */
	uint32_t salt;
	uint32_t lane;
	uint64_t reserved[2];
};

_Static_assert(sizeof(struct segment_head) == 64, "on disk");

struct record_head {
	uint32_t magic;
	uint32_t crc;   /* seeded with the salt; of what follows, the payload included */
	uint32_t len;   /* of the payload */
	uint8_t stream; /* index into the streams of the control file */
	uint8_t lane;
	uint16_t reserved;
	uint64_t seq;
	uint64_t ordinal;
};

_Static_assert(sizeof(struct record_head) == 32, "on disk");

void segment__make_head(struct segment_head *h, uint64_t spool_id, uint64_t run, uint64_t first,
                        unsigned lane);
/* 0; -EBADMSG: damaged; -EPROTO: of another version. */
int segment__check_head(const struct segment_head *h);

#define SEGMENT_NAME_SIZE 24
/* "3-00000000000000a1.seg" */
void segment__name(char out[SEGMENT_NAME_SIZE], unsigned lane, uint64_t first);
/* Whether it is such a name, and of what. */
bool segment__parse_name(const char *name, unsigned *lane, uint64_t *first);

/* Fills in magic and crc of a record whose payload follows it in memory. */
void record__seal(struct record_head *h, uint32_t salt);

/*
 * The record at p. Its size in bytes, head included, with *out filled; 0: it goes on beyond len
 * bytes, as far as can be told; -EBADMSG: there is none.
 */
long record__parse(const void *p, size_t len, uint32_t salt, struct record_head *out);

/* Bytes from p, a multiple of 8 and not 0, to the next record or the next that might be one; len if
 * there is none. */
size_t record__resync(const void *p, size_t len, uint32_t salt);

#endif
