// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Syslog by datagrams. RFC 5426: UDP has no acknowledgement: what is delivered here is what the
 * kernel took and what no ICMP error came back for while the batch was sent. Over a unix socket the
 * receiver's queue has it.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../net/resolve.h"
#include "delivery.h"
#include "syslog_impl.h"

void syslog_datagram__close(struct syslog *s)
{
	if (s->datagrams >= 0)
		close(s->datagrams);
	s->datagrams = -1;
}

static int open_socket(struct syslog *s, int family, const struct sockaddr *addr, socklen_t len)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	/* a message has to fit into the send buffer */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){4 << 20}, sizeof(int));
	if (connect(fd, addr, len)) {
		err = -errno;
		close(fd);
		return err;
	}
	s->datagrams = fd;
	return 0;
}

static int connect_unix(struct syslog *s)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	if (strlen(s->to.path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, s->to.path);
	return open_socket(s, AF_UNIX, (struct sockaddr *)&addr, sizeof(addr));
}

static int connect_udp(struct syslog *s)
{
	struct addrinfo *list;
	int err = resolve__host(s->to.host, s->to.port, SOCK_DGRAM, &s->waiter,
	                        waiter__deadline(s->timeout), &list, &s->why);

	if (err)
		return err;
	err = -EHOSTUNREACH;
	for (struct addrinfo *a = list; a && err; a = a->ai_next)
		err = open_socket(s, a->ai_family, a->ai_addr, a->ai_addrlen);
	freeaddrinfo(list);
	return err;
}

/* Waits while the receiver's queue, or our buffer, is full. */
static int send_one(struct syslog *s)
{
	uint64_t deadline = waiter__deadline(s->timeout);

	for (;;) {
		int err = send(s->datagrams, s->message.data, s->message.len, MSG_NOSIGNAL) < 0
		                  ? -errno
		                  : 0;

		if (err == -EAGAIN)
			err = waiter__poll(&s->waiter, s->datagrams, POLLOUT, deadline);
		else if (err == -ENOBUFS) /* the device's queue: nothing tells when there is room */
			err = waiter__poll(&s->waiter, -1, 0, waiter__deadline(0.01)) == -ECANCELED
			              ? -ECANCELED
			              : 0;
		else if (err != -EINTR)
			return err;
		if (err && err != -EINTR)
			return err;
	}
}

/* What ICMP has said of the datagrams before, ECONNREFUSED as a rule. */
static int pending_error(struct syslog *s)
{
	int err = 0;
	socklen_t len = sizeof(err);

	getsockopt(s->datagrams, SOL_SOCKET, SO_ERROR, &err, &len);
	return -err;
}

static int send_all(struct syslog *s, const struct item *items, size_t cnt, struct delivery *out)
{
	int err;

	for (size_t i = 0; i < cnt; i++) {
		if (!syslog__build(s, items, i, false, out))
			continue;
		err = waiter__interrupted(&s->waiter) ? -ECANCELED : send_one(s);
		if (err == -EMSGSIZE) {
			out->items[i] = DELIVERY_REJECTED;
			buf__reset(&s->why);
			buf__printf(&s->why, "%zu bytes are too much for a datagram", s->message.len);
			continue;
		}
		if (err)
			return err;
		out->bytes_sent += s->message.len;
	}
	return pending_error(s);
}

int syslog_datagram__send(struct syslog *s, const struct item *items, size_t cnt, struct delivery *out)
{
	int err = 0;

	delivery__per_item(out, cnt, DELIVERY_OK);
	buf__reset(&s->why);
	if (s->datagrams >= 0 && pending_error(s))
		syslog_datagram__close(s); /* of the batch before, which is too late to be told */
	if (s->datagrams < 0)
		err = s->is_unix ? connect_unix(s) : connect_udp(s);
	if (err == -EPROTOTYPE)
		return err;
	if (!err && (err = send_all(s, items, cnt, out)))
		buf__reset(&s->why);
	if (err) {
		syslog_datagram__close(s);
		delivery__replace(out, cnt, DELIVERY_OK, DELIVERY_RETRY);
		if (!s->why.len)
			buf__printf(&s->why, "sending failed: %s", strerror(-err));
	}
	delivery__set_reason(out, &s->why);
	return 0;
}
