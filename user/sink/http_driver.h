/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The part of a driver that all HTTP presets have: a session, a URL, a body that is reused. */
#ifndef PYTRAIL_HTTP_DRIVER_H
#define PYTRAIL_HTTP_DRIVER_H

#include "http.h"

/* The first member of each preset's own struct. */
struct http_driver {
	struct driver driver;
	struct http *http;
	char *url;
	const char *host;
	const char *version;
	const char *boot_id;
	bool is_json; /* items are JSON objects; texts else */
	struct buf body;
};

/*
 * Allocates `size` bytes, a struct that begins with one http_driver, and opens the session. The URL
 * is to be set by the preset. 0 or -errno with `why`; to be closed by http_driver__close() then,
 * too, when *out is not NULL.
 */
int http_driver__open(const struct driver_ops *ops, size_t size, const struct driver_config *cfg,
                      const struct http_preset *preset, struct http_driver **out, struct buf *why);

/* driver_ops.interrupt and .close of presets that have no more to free. */
void http_driver__interrupt(struct driver *d);
void http_driver__close(struct driver *d);

/*
 * Whether an item can be sent as what its format promises, a JSON object on one line or a text on
 * one. Marks it as rejected in *mark when not.
 */
bool http_driver__takes(const struct http_driver *d, const struct item *it, uint8_t *mark);

/*
 * After a batch of which `sent` items were sent: makes *out by item when some were not, those stay
 * rejected. False: there is nothing to send at all, and *out says so.
 */
bool http_driver__has_some(size_t sent, struct delivery *out);
void http_driver__keep_rejected(size_t sent, size_t cnt, struct delivery *out);

/* Appends the item's body as a JSON value: the object, or the text as a string. */
void http_driver__append_value(const struct http_driver *d, const struct item *it, struct buf *out);

#endif
