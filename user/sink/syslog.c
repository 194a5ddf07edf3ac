// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The syslog driver: which transport a URL means, and its settings. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../net/tls.h"
#include "delivery.h"
#include "drivers.h"
#include "syslog_impl.h"

#define UDP_MAX 65507 /* of IPv4; of IPv6 20 more */

static const struct setting syslog_settings[] = {
	SYSLOG_MESSAGE_SETTINGS,
	{"framing", SETTING_CHOICE, NULL, "octet-counting|newline|nul", 0, 0,
         "how messages are told apart over TCP and TLS (octet-counting) and unix stream sockets "
         "(newline)"},
	{0},
};

static const char *const syslog_schemes[] = {"syslog+unix", "syslog+udp", "syslog+tcp",
                                             "syslog+tls", NULL};

bool syslog__build(struct syslog *s, const struct item *items, size_t i, bool one_line,
                   struct delivery *out)
{
	buf__reset(&s->message);
	syslog_message__build(&s->style, &items[i], one_line, &s->message);
	if (s->message.failed) {
		out->items[i] = DELIVERY_RETRY;
		return false;
	}
	if (!s->max_message || s->message.len <= s->max_message)
		return true;
	out->items[i] = DELIVERY_REJECTED;
	buf__reset(&s->why);
	buf__printf(&s->why, "a message of %zu bytes is above the limit of %zu", s->message.len,
	            s->max_message);
	return false;
}

static enum syslog_framing framing(const struct driver_config *cfg, bool is_unix)
{
	const char *word = settings__string(cfg->settings, "framing");

	if (!word)
		return is_unix ? FRAMING_NEWLINE : FRAMING_OCTETS;
	return !strcmp(word, "nul")       ? FRAMING_NUL
	       : !strcmp(word, "newline") ? FRAMING_NEWLINE
	                                  : FRAMING_OCTETS;
}

static bool is_datagram(const struct syslog *s)
{
	return !strcmp(s->to.scheme, "syslog+udp");
}

static int configure(struct syslog *s, const struct driver_config *cfg, struct buf *why)
{
	bool tls = endpoint__is(cfg->url, "syslog+tls");
	int err;

	s->is_unix = endpoint__is(cfg->url, "syslog+unix");
	if (s->is_unix)
		err = endpoint__parse_path(cfg->url, "/dev/log", &s->to, why);
	else
		err = endpoint__parse(cfg->url, tls ? "6514" : "514", &s->to, why);
	if (err)
		return err;
	if (!s->is_unix && s->to.path[0] && strcmp(s->to.path, "/")) {
		buf__printf(why, "'%s' has a path: syslog has none", cfg->url);
		return -EINVAL;
	}
	s->timeout = settings__seconds(cfg->settings, "timeout");
	s->framing = framing(cfg, s->is_unix);
	if (settings__given(cfg->settings, "max_message"))
		s->max_message = settings__number(cfg->settings, "max_message");
	if (is_datagram(s) && (!s->max_message || s->max_message > UDP_MAX))
		s->max_message = UDP_MAX;
	syslog_style__init(&s->style, cfg, s->is_unix);
	return tls ? tls_client__new(cfg->settings, &s->tls, why) : 0;
}

static void syslog_close(struct driver *d)
{
	struct syslog *s = (struct syslog *)d;

	syslog_datagram__close(s);
	stream__close(&s->stream);
	tls_client__free(s->tls);
	waiter__close(&s->waiter);
	buf__free(&s->out);
	buf__free(&s->message);
	buf__free(&s->why);
	free(s);
}

static int syslog_open(const struct driver_config *cfg, struct driver **out, struct buf *why)
{
	struct syslog *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->base.ops = &syslog_driver;
	s->datagrams = -1;
	s->stream = STREAM_CLOSED;
	err = waiter__init(&s->waiter);
	if (!err)
		err = configure(s, cfg, why);
	if (err) {
		syslog_close(&s->base);
		return err;
	}
	*out = &s->base;
	return 0;
}

static void syslog_send(struct driver *d, const struct item *items, size_t cnt, struct delivery *out)
{
	struct syslog *s = (struct syslog *)d;

	/* a unix socket may be of either kind, and another after the receiver's restart */
	if ((is_datagram(s) || (s->is_unix && s->stream.fd < 0)) &&
	    !syslog_datagram__send(s, items, cnt, out))
		return;
	syslog_stream__send(s, items, cnt, out);
}

static void syslog_interrupt(struct driver *d)
{
	waiter__interrupt(&((struct syslog *)d)->waiter);
}

const struct driver_ops syslog_driver = {
	.name = "syslog",
	.summary = "RFC 5424 messages over a unix socket, UDP, TCP or TLS",
	.delivered =
		"Over TCP and TLS: the receiver's kernel has acknowledged the whole batch, and "
		"the connection still stood then; what a receiver that dies had not read of it "
		"is lost, which relp does not. A connection that broke within a batch has all of "
		"it sent again. Over UDP: this kernel took it, and no ICMP error came while the "
		"batch was sent. Over a unix socket: it is in the receiver's queue, or read by "
		"it.",
	.schemes = syslog_schemes,
	.default_format = "json",
	.settings = syslog_settings,
	.batch_items = 1000,
	.batch_bytes = 1 << 20,
	.open = syslog_open,
	.send = syslog_send,
	.interrupt = syslog_interrupt,
	.close = syslog_close,
};
