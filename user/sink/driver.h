/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Drivers: how a batch of items reaches one kind of receiver. They run in the exporter, a process
 * without privileges that reads the spool; never in the one that holds the BPF programs. To add
 * one: a file here, and a row in driver.c.
 *
 * Each output has a thread of its own (export/worker.h), so a driver may block: within its
 * time-out, and until driver_ops.interrupt. The worker owns everything that is the same for all
 * receivers: which items, batches by number, size and time, back-off with full jitter, holding,
 * splitting, bisecting, dead letters, the cursor, figures. A driver owns the protocol: it sends a
 * batch and tells truthfully what the receiver made of it. "Delivered" is what the receiver has
 * acknowledged in the strongest way that its protocol has; where there is none (UDP, plain TCP
 * syslog) that is what the documentation says.
 */
#ifndef PYTRAIL_DRIVER_H
#define PYTRAIL_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../spool/item.h"
#include "../util/settings.h"

struct buf;
struct driver;

enum delivery_status {
	DELIVERY_OK = 0, /* acknowledged, or there already (409 of a document that exists) */
	DELIVERY_RETRY,  /* not now: refused, reset, timed out, 408, 429, 5xx */
	DELIVERY_DENIED, /* who we are is not accepted: 401, 403, TLS, SASL: hold, and an alarm */
	/* 413, or above the receiver's limit for a message: smaller batches will do */
	DELIVERY_TOO_LARGE,
	DELIVERY_REJECTED, /* 400: something in it will never be accepted */
};

/* What became of a batch. Zeroed by the worker before driver_ops.send. */
struct delivery {
	enum delivery_status status; /* of every item, unless per_item */
	bool per_item;               /* items[i] says it, an enum delivery_status each */
	uint8_t *items;              /* the worker's: room for one of each item of the batch */
	double retry_after;          /* seconds the receiver asks to wait; 0: did not say */
	int code;                    /* of the protocol (HTTP's status), 0: none; for the figures */
	/* for people: why not; any bytes that a peer sent, the log escapes them */
	char reason[256];
	size_t bytes_sent; /* on the wire, after compression, as well as known */
	/* With DELIVERY_OK: of the batch, how many the receiver says it threw away without saying
	 * which, for good (OTLP's partial_success): to be counted as rejected, not sent again. */
	size_t dropped;
};

/* All of it stays as it is for as long as the driver is open. */
struct driver_config {
	const char *output; /* the output's name, for messages */
	const char *url;    /* as given, its query taken off: "kafka://host:9092/topic" */
	/* driver_settings and driver_ops.settings, secrets loaded */
	const struct settings *settings;
	const char *format; /* name of the format of the items: "ecs" */
	const char *host;   /* this host's name */
	const char *boot_id;
	const char *version; /* pytrail's */
};

struct driver_ops {
	const char *name;    /* "elasticsearch" */
	const char *summary; /* half a sentence for the documentation */
	/* what "delivered" means, sentences for the documentation; NULL: acknowledged */
	const char *delivered;
	const char *const *schemes;      /* of its URLs, NULL-terminated: "elasticsearch+https" */
	const char *default_format;      /* of an output that names none */
	const struct setting *settings;  /* beside driver_settings; NULL: none */
	size_t batch_items, batch_bytes; /* what suits it unless set; 0: the worker's own */
	/*
	 * Checks url and settings and loads libraries; connects nothing (the receiver may come
	 * later). 0 and *out, or -errno with a sentence appended to `why`.
	 */
	int (*open)(const struct driver_config *cfg, struct driver **out, struct buf *why);
	/* Sends cnt > 0 items in their order, and waits for the answer. The items stay valid during
	 * the call only. */
	void (*send)(struct driver *d, const struct item *items, size_t cnt, struct delivery *out);
	/* From another thread: a send() that waits gives up soon, with DELIVERY_RETRY for what is
	 * not acknowledged; so do later ones. */
	void (*interrupt)(struct driver *d);
	void (*close)(struct driver *d);
};

/* The first member of each driver's own struct. */
struct driver {
	const struct driver_ops *ops;
};

/* Settings of every output that has a driver: batch_*, timeout, compression, tls_*, and so on. */
extern const struct setting driver_settings[];

/* All drivers, NULL-terminated. */
extern const struct driver_ops *const drivers[];

/* By the scheme of a URL ("kafka" of "kafka://…"); NULL: none. */
const struct driver_ops *driver__of_url(const char *url);

#endif
