// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../util/buf.h"
#include "../util/clock.h"
#include "resolve.h"
#include "tls.h"

static int say(struct buf *why, int err, const char *what)
{
	if (why->len)
		buf__lit(why, "; ");
	buf__printf(why, "%s: %s", what,
	            err == -EPIPE       ? "the receiver has closed the connection"
	            : err == -ETIMEDOUT ? "timed out"
	            : err == -ECANCELED ? "interrupted"
	                                : strerror(-err));
	return err;
}

static void set_options(int fd, double timeout)
{
	unsigned ms = (unsigned)(timeout * 1000);

	/* unacknowledged data, and a silent peer, end the connection */
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){60}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

/* A non-blocking connect that is waited for. The new socket or -errno. */
static int connect_to(int family, const struct sockaddr *addr, socklen_t len,
                      const struct waiter *w, uint64_t deadline)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), err;
	socklen_t err_len = sizeof(err);

	if (fd < 0)
		return -errno;
	err = connect(fd, addr, len) ? -errno : 0;
	if (err == -EINPROGRESS) {
		err = waiter__poll(w, fd, POLLOUT, deadline);
		if (!err && !getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &err_len))
			err = -err;
	}
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* The first address that answers. */
static int connect_any(const struct addrinfo *list, const struct waiter *w, uint64_t deadline)
{
	int fd = -EHOSTUNREACH, left = 0;

	for (const struct addrinfo *a = list; a; a = a->ai_next)
		left++;
	for (const struct addrinfo *a = list; a; a = a->ai_next, left--) {
		uint64_t now = clock__monotonic();
		uint64_t share = deadline > now ? (deadline - now) / (uint64_t)left : 0;

		fd = connect_to(a->ai_family, a->ai_addr, a->ai_addrlen, w, now + share);
		if (fd >= 0 || fd == -ECANCELED)
			return fd;
	}
	return fd;
}

int stream__connect(struct stream *s, const char *host, const char *port, struct tls_client *tls,
                    const struct waiter *w, double timeout, struct buf *why)
{
	uint64_t deadline = waiter__deadline(timeout);
	struct addrinfo *list;
	int err;

	*s = (struct stream){.fd = -1, .waiter = w, .timeout = timeout};
	err = resolve__host(host, port, SOCK_STREAM, w, deadline, &list, why);
	if (err)
		return err;
	s->fd = connect_any(list, w, deadline);
	freeaddrinfo(list);
	if (s->fd < 0) {
		err = s->fd;
		s->fd = -1;
		return say(why, err, "connecting failed");
	}
	set_options(s->fd, timeout);
	if (tls)
		err = tls__connect(tls, s->fd, host, w, deadline, &s->tls, why);
	if (err)
		stream__close(s);
	return err;
}

int stream__connect_unix(struct stream *s, const char *path, const struct waiter *w, double timeout,
                         struct buf *why)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	*s = (struct stream){.fd = -1, .waiter = w, .timeout = timeout};
	if (strlen(path) >= sizeof(addr.sun_path))
		return say(why, -ENAMETOOLONG, path);
	strcpy(addr.sun_path, path);
	s->fd = connect_to(AF_UNIX, (struct sockaddr *)&addr, sizeof(addr), w,
	                   waiter__deadline(timeout));
	if (s->fd < 0) {
		int err = s->fd;

		s->fd = -1;
		return say(why, err, "connecting failed");
	}
	return 0;
}

void stream__close(struct stream *s)
{
	tls__free(s->tls);
	s->tls = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static ssize_t write_some(struct stream *s, const char *data, size_t len, short *events,
                          struct buf *why)
{
	ssize_t n;

	*events = POLLOUT;
	if (s->tls)
		return tls__write(s->tls, data, len, events, why);
	n = send(s->fd, data, len, MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

int stream__write(struct stream *s, const void *data, size_t len, struct buf *why)
{
	uint64_t deadline = waiter__deadline(s->timeout);
	const char *p = data;

	while (len) {
		short events;
		ssize_t n = write_some(s, p, len, &events, why);
		int err = (int)n;

		if (n > 0) {
			p += n;
			len -= (size_t)n;
			deadline = waiter__deadline(s->timeout);
			/* a receiver that reads as fast as this writes would hide the interrupt */
			err = waiter__interrupted(s->waiter) ? -ECANCELED : 0;
		} else if (err == -EAGAIN || err == -EINTR) {
			err = waiter__poll(s->waiter, s->fd, events, deadline);
		}
		if (err)
			return say(why, err, "sending failed");
	}
	return 0;
}

static ssize_t read_some(struct stream *s, void *data, size_t len, short *events, struct buf *why)
{
	ssize_t n;

	*events = POLLIN;
	if (s->tls)
		return tls__read(s->tls, data, len, events, why);
	n = recv(s->fd, data, len, 0);
	return n < 0 ? -errno : n ? n : -EPIPE;
}

ssize_t stream__read(struct stream *s, void *data, size_t len, bool wait, struct buf *why)
{
	uint64_t deadline = waiter__deadline(s->timeout);

	for (;;) {
		short events;
		ssize_t n = read_some(s, data, len, &events, why);
		int err;

		if (n > 0 || (n == -EAGAIN && !wait))
			return n;
		err = (int)n;
		if (err == -EAGAIN || err == -EINTR)
			err = waiter__poll(s->waiter, s->fd, events, deadline);
		if (err)
			return say(why, err, "waiting for the answer failed");
	}
}

int stream__check(struct stream *s, struct buf *why)
{
	char waste[512];
	ssize_t n;

	/* bounded: a peer that sends without end is no reason to stay here */
	for (int i = 0; i < 64; i++) {
		n = stream__read(s, waste, sizeof(waste), false, why);
		if (n < 0)
			return n == -EAGAIN ? 0 : (int)n;
	}
	return 0;
}

int stream__drain(struct stream *s, struct buf *why)
{
	uint64_t deadline = waiter__deadline(s->timeout), pause = 100000;
	int left, before = -1, err;

	for (;;) {
		err = stream__check(s, why);
		if (err)
			return err;
		if (ioctl(s->fd, SIOCOUTQ, &left) || !left)
			return stream__check(s, why);
		if (left != before)
			deadline = waiter__deadline(s->timeout);
		before = left;
		if (clock__monotonic() > deadline)
			return say(why, -ETIMEDOUT, "waiting for the receiver to take what was sent");
		/* the kernel tells nobody when the queue has drained */
		err = waiter__poll(s->waiter, -1, 0, clock__monotonic() + pause);
		if (err != -ETIMEDOUT)
			return say(why, err, "waiting for the receiver to take what was sent");
		pause = pause < 20000000 ? pause * 2 : pause;
	}
}
