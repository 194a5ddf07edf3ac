// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "http_driver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delivery.h"
#include "http_json.h"

int http_driver__open(const struct driver_ops *ops, size_t size, const struct driver_config *cfg,
                      const struct http_preset *preset, struct http_driver **out, struct buf *why)
{
	struct http_driver *d = calloc(1, size);

	*out = d;
	if (!d) {
		buf__str(why, "out of memory");
		return -ENOMEM;
	}
	d->driver.ops = ops;
	d->host = cfg->host;
	d->version = cfg->version;
	d->boot_id = cfg->boot_id;
	d->is_json = http_json__is_format(cfg->format);
	return http__open(cfg, preset, &d->http, why);
}

void http_driver__interrupt(struct driver *d)
{
	http__interrupt(((struct http_driver *)d)->http);
}

void http_driver__close(struct driver *driver)
{
	struct http_driver *d = (struct http_driver *)driver;

	if (!d)
		return;
	http__close(d->http);
	free(d->url);
	buf__free(&d->body);
	free(d);
}

bool http_driver__takes(const struct http_driver *d, const struct item *it, uint8_t *mark)
{
	bool good = d->is_json ? http_json__is_object(it)
	                       : it->body.len && !memchr(it->body.s, '\n', it->body.len);

	*mark = good ? DELIVERY_OK : DELIVERY_REJECTED;
	return good;
}

bool http_driver__has_some(size_t sent, struct delivery *out)
{
	if (!sent)
		delivery__set(out, DELIVERY_REJECTED, "no event is what its format promises");
	return sent;
}

void http_driver__keep_rejected(size_t sent, size_t cnt, struct delivery *out)
{
	if (sent == cnt || out->per_item)
		return;
	out->per_item = true;
	for (size_t i = 0; i < cnt; i++)
		if (out->items[i] != DELIVERY_REJECTED)
			out->items[i] = (uint8_t)out->status;
}

void http_driver__append_value(const struct http_driver *d, const struct item *it, struct buf *out)
{
	if (d->is_json)
		buf__append(out, it->body.s, it->body.len);
	else
		http_json__append_string(out, it->body.s, it->body.len);
}
