/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What drivers say of a batch, in the same way. */
#ifndef PYTRAIL_DELIVERY_H
#define PYTRAIL_DELIVERY_H

#include "driver.h"

struct buf;

/* The status of every item for an error of user/net: DENIED for -EACCES, RETRY for all else. */
enum delivery_status delivery__of_error(int err);

/* Status and reason of the whole batch, the reason cut to what there is room for. */
void delivery__set(struct delivery *d, enum delivery_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As text that is not terminated; the buffer's content stays. */
void delivery__set_reason(struct delivery *d, const struct buf *why);

/*
 * From here on by item: all of them get `status`. Then items[i] may be set.
 */
void delivery__per_item(struct delivery *d, size_t cnt, enum delivery_status status);

/* Sets every item that has the status `from`. */
void delivery__replace(struct delivery *d, size_t cnt, enum delivery_status from,
                       enum delivery_status to);

#endif
