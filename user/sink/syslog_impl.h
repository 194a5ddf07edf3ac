/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Between syslog.c, which makes the messages, and the transports that carry them. */
#ifndef PYTRAIL_SYSLOG_IMPL_H
#define PYTRAIL_SYSLOG_IMPL_H

#include "../net/endpoint.h"
#include "../net/stream.h"
#include "../net/waiter.h"
#include "../util/buf.h"
#include "driver.h"
#include "syslog_message.h"

enum syslog_framing {
	FRAMING_OCTETS, /* RFC 6587, 3.4.1 */
	FRAMING_NEWLINE,
	FRAMING_NUL,
};

struct syslog {
	struct driver base;
	struct syslog_style style;
	enum syslog_framing framing;
	struct endpoint to;
	double timeout;     /* seconds */
	size_t max_message; /* bytes, 0: none */
	struct waiter waiter;
	struct tls_client *tls; /* NULL: none */
	struct stream stream;
	int datagrams; /* a connected socket, -1: none */
	bool is_unix;
	struct buf out; /* a batch, or a message, as it goes over the wire */
	struct buf message;
	struct buf why;
};

/* One datagram a message, over UDP or a unix socket. A unix socket that is a stream:
 * -EPROTOTYPE. */
int syslog_datagram__send(struct syslog *s, const struct item *items, size_t cnt,
                          struct delivery *out);
void syslog_datagram__close(struct syslog *s);

/* Framed messages over TCP, TLS or a unix socket. */
void syslog_stream__send(struct syslog *s, const struct item *items, size_t cnt,
                         struct delivery *out);

/* The message into s->message. False: it is too large, and out says so of item i. */
bool syslog__build(struct syslog *s, const struct item *items, size_t i, bool one_line,
                   struct delivery *out);

#endif
