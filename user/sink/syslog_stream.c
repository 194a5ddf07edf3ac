// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Syslog over a connection (RFC 6587, RFC 5425). The receiver says nothing: a batch counts as
 * delivered when the peer's kernel has acknowledged its last byte and the connection still stood
 * then. What a receiver that dies had not read of that is lost; only RELP knows better.
 */
#include <errno.h>
#include <string.h>

#include "delivery.h"
#include "syslog_impl.h"

static int connect_stream(struct syslog *s)
{
	if (s->is_unix)
		return stream__connect_unix(&s->stream, s->to.path, &s->waiter, s->timeout, &s->why);
	return stream__connect(&s->stream, s->to.host, s->to.port, s->tls, &s->waiter, s->timeout,
	                       &s->why);
}

static void put_framed(struct syslog *s)
{
	if (s->framing == FRAMING_OCTETS)
		buf__printf(&s->out, "%zu ", s->message.len);
	buf__append(&s->out, s->message.data, s->message.len);
	if (s->framing != FRAMING_OCTETS)
		buf__char(&s->out, s->framing == FRAMING_NUL ? '\0' : '\n');
}

/* A connection that is fresh or was still standing a moment ago. */
static int ensure_connected(struct syslog *s)
{
	struct buf closed = BUF_INIT;
	int err = 0;

	/* receivers close idle connections: no reason to wait, unless a new one fails, too */
	if (s->stream.fd >= 0 && stream__check(&s->stream, &closed))
		stream__close(&s->stream);
	if (s->stream.fd < 0)
		err = connect_stream(s);
	buf__free(&closed);
	return err;
}

void syslog_stream__send(struct syslog *s, const struct item *items, size_t cnt, struct delivery *out)
{
	int err;

	delivery__per_item(out, cnt, DELIVERY_OK);
	buf__reset(&s->why);
	buf__reset(&s->out);
	for (size_t i = 0; i < cnt; i++)
		if (syslog__build(s, items, i, s->framing != FRAMING_OCTETS, out))
			put_framed(s);
	err = s->out.failed ? -ENOMEM : s->out.len ? ensure_connected(s) : 0;
	if (!err && s->out.len)
		err = stream__write(&s->stream, s->out.data, s->out.len, &s->why);
	if (!err && s->out.len)
		err = stream__drain(&s->stream, &s->why);
	if (err) {
		stream__close(&s->stream);
		delivery__replace(out, cnt, DELIVERY_OK, delivery__of_error(err));
	} else {
		out->bytes_sent = s->out.len;
	}
	delivery__set_reason(out, &s->why);
}
