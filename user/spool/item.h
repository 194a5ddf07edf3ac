/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One rendered record on its way to a receiver, with the little that receivers want to know of it
 * beside its bytes: what the collector puts into the spool, and what an output takes out of it. The
 * bytes on disk are those of item__encode(); they are trusted no more than the disk is.
 */
#ifndef PYTRAIL_ITEM_H
#define PYTRAIL_ITEM_H

#include <stddef.h>
#include <stdint.h>

struct buf;

enum item_kind {
	ITEM_AUDIT = 1,
	ITEM_PROCESS = 2,
	ITEM_LOST = 3,
	ITEM_ALERT = 4,
};

#define ITEM_STREAM_MAX   15 /* bytes */
#define ITEM_ID_MAX       63
#define ITEM_ENTITY_MAX   63
#define ITEM_CATEGORY_MAX 31
#define ITEM_EVENT_MAX    255
#define ITEM_BODY_MAX     (16u << 20)

/* A text that is not terminated and not owned. */
struct item_text {
	const char *s;
	size_t len;
};

struct item {
	uint8_t kind;     /* enum item_kind */
	uint8_t severity; /* 1 informational to 5 critical; what goes first when room is short: 1 */
	int64_t time_ns;  /* of the event, CLOCK_REALTIME */
	uint64_t seq;     /* "seq" of the record: gap-free in the collector's stream */
	/* How it is rendered: a format's name, "ecs", and "+raw" behind it when nothing is
	 * redacted. An output takes the items of one stream. */
	struct item_text stream;
	struct item_text id; /* "…-17", as "id" of the json format: the same in every stream */
	struct item_text entity; /* entity_id of the process, or empty */
	/* name of the audit event as rendered: valid UTF-8 without controls; or empty */
	struct item_text event;
	struct item_text category; /* events/audit.tsv, or empty */
	/* the record as its format renders it, without a newline at its end */
	struct item_text body;
};

/* Appends the item's bytes (a multiple of 8). Texts beyond their limits are cut, but for the body:
 * an item with a larger one is refused, -E2BIG. 0, -ENOMEM with out->failed set. */
int item__encode(const struct item *it, struct buf *out);

/*
 * Fills *out with pointers into data, which must stay. Returns the number of bytes of the item, or
 * -EBADMSG: a lying length, an unknown version or kind.
 */
long item__decode(const void *data, size_t len, struct item *out);

/* The event's name; of an item without one "audit", "process", "lost" or "alert". */
struct item_text item__event_or_kind(const struct item *it);

#endif
