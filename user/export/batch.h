/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Items on their way to a receiver, copied out of the spool, and what has become of each. */
#ifndef PYTRAIL_BATCH_H
#define PYTRAIL_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../spool/item.h"
#include "../spool/reader.h"

struct batch_block;

enum batch_fate { BATCH_PENDING, BATCH_DELIVERED, BATCH_DEAD };

struct batch_entry {
	enum batch_fate fate;
	struct spool_mark mark; /* behind it */
	bool is_loss; /* tells of items that are not there; not an item of the stream itself */
	/* Up to and with it, since the batch's first: */
	uint64_t filtered, lost;
};

struct batch {
	struct item *items;
	struct batch_entry *entries;
	size_t cnt, cap;
	size_t bytes;               /* of the items' bodies */
	uint64_t filtered;          /* items that were looked at and not taken, so far */
	uint64_t lost;              /* items that the losses among them tell of */
	size_t settled;             /* entries at the front that are not pending */
	uint64_t delivered, dead;   /* of these */
	struct batch_block *blocks; /* kept from batch to batch */
};

/* 0 or -ENOMEM. mark.ordinal is not looked at; the item's texts are copied. */
int batch__add(struct batch *b, const struct item *it, const struct spool_mark *mark);
void batch__reset(struct batch *b);
void batch__free(struct batch *b);

/* The first pending one from `from` on, cnt if there is none. */
size_t batch__pending(const struct batch *b, size_t from);
/* Sets `settled` anew. */
void batch__advance(struct batch *b);

#endif
