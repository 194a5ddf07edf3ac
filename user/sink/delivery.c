// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "delivery.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../util/buf.h"

enum delivery_status delivery__of_error(int err)
{
	return err == -EACCES ? DELIVERY_DENIED : DELIVERY_RETRY;
}

void delivery__set(struct delivery *d, enum delivery_status status, const char *fmt, ...)
{
	va_list args;

	d->status = status;
	d->per_item = false;
	va_start(args, fmt);
	vsnprintf(d->reason, sizeof(d->reason), fmt, args);
	va_end(args);
}

void delivery__set_reason(struct delivery *d, const struct buf *why)
{
	size_t len = why->len < sizeof(d->reason) ? why->len : sizeof(d->reason) - 1;

	if (len)
		memcpy(d->reason, why->data, len);
	d->reason[len] = '\0';
}

void delivery__per_item(struct delivery *d, size_t cnt, enum delivery_status status)
{
	d->per_item = true;
	d->status = status;
	memset(d->items, status, cnt);
}

void delivery__replace(struct delivery *d, size_t cnt, enum delivery_status from,
                       enum delivery_status to)
{
	for (size_t i = 0; i < cnt; i++)
		if (d->items[i] == from)
			d->items[i] = (uint8_t)to;
}
