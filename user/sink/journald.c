// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The journald driver: entries with all fields, over journald's native protocol
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL, which is documented to be stable): "NAME=value\n",
 * or "NAME\n", the length as 64 bits little endian, the value and "\n"; in a datagram, or in a
 * sealed memfd when it is too large.
 *
 * The protocol is spoken here and not by sd_journal_sendv(), which tells success when there is no
 * journald (ENOENT), and blocks without any limit, not to be interrupted, while journald is
 * stopped. What the socket's queue has taken is delivered: the socket is held by systemd while
 * journald is restarted.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../format/when.h"
#include "../net/endpoint.h"
#include "../net/waiter.h"
#include "../util/buf.h"
#include "delivery.h"
#include "drivers.h"
#include "syslog_message.h"

#define SOCKET_PATH "/run/systemd/journal/socket"

static const struct setting journald_settings[] = {
	{"identifier", SETTING_STRING, "pytrail", NULL, 0, 0, "SYSLOG_IDENTIFIER: journalctl -t"},
	{0},
};

static const char *const journald_schemes[] = {"journald", NULL};

struct journald {
	struct driver base;
	struct waiter waiter;
	struct endpoint to;
	double timeout;
	char *identifier;
	int fd; /* -1: not connected */
	struct buf entry;
};

static void put_field(struct buf *out, const char *name, const char *value, size_t len)
{
	uint64_t size = htole64(len);

	buf__str(out, name);
	if (memchr(value, '\n', len)) {
		buf__char(out, '\n');
		buf__append(out, &size, sizeof(size));
	} else {
		buf__char(out, '=');
	}
	buf__append(out, value, len);
	buf__char(out, '\n');
}

/* A field when it has a value. */
static void put_text(struct buf *out, const char *name, struct item_text v)
{
	if (v.len)
		put_field(out, name, v.s, v.len);
}

static void build(struct journald *j, const struct item *it)
{
	char when[WHEN_UTC_LEN];
	struct buf *b = &j->entry;

	buf__reset(b);
	put_field(b, "MESSAGE", it->body.len ? it->body.s : "", it->body.len);
	buf__printf(b, "PRIORITY=%u\n", syslog_severity(it));
	put_field(b, "SYSLOG_IDENTIFIER", j->identifier, strlen(j->identifier));
	put_text(b, "PYTRAIL_ID", it->id);
	put_text(b, "PYTRAIL_EVENT", item__event_or_kind(it));
	put_text(b, "PYTRAIL_CATEGORY", it->category);
	put_text(b, "PYTRAIL_ENTITY_ID", it->entity);
	put_text(b, "PYTRAIL_FORMAT", it->stream);
	buf__printf(b, "PYTRAIL_SEVERITY=%u\nPYTRAIL_SEQ=%llu\n", it->severity,
	            (unsigned long long)it->seq);
	when__utc(when, it->time_ns);
	put_field(b, "PYTRAIL_TIME", when, sizeof(when));
}

static int connect_socket(struct journald *j)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	strcpy(addr.sun_path, j->to.path);
	j->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (j->fd < 0)
		return -errno;
	setsockopt(j->fd, SOL_SOCKET, SO_SNDBUF, &(int){8 << 20}, sizeof(int));
	return connect(j->fd, (struct sockaddr *)&addr, sizeof(addr)) ? -errno : 0;
}

/* Sends when there is room; fd -1: the entry itself. */
static int send_message(struct journald *j, int fd)
{
	uint64_t deadline = waiter__deadline(j->timeout);
	struct iovec iov = {j->entry.data, j->entry.len};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.head = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct msghdr with_data = {.msg_iov = &iov, .msg_iovlen = 1};
	struct msghdr with_fd = {.msg_control = &control, .msg_controllen = sizeof(control)};
	int err;

	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	for (;;) {
		if (sendmsg(j->fd, fd < 0 ? &with_data : &with_fd, MSG_NOSIGNAL) >= 0)
			return 0;
		err = -errno;
		if (err == -EAGAIN)
			err = waiter__poll(&j->waiter, j->fd, POLLOUT, deadline);
		if (err && err != -EINTR)
			return err;
	}
}

/* What does not fit into a datagram goes as a file that can no longer be changed. */
static int send_as_file(struct journald *j)
{
	int fd = memfd_create("pytrail-entry", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t done = 0;
	int err = 0;

	if (fd < 0)
		return -errno;
	while (!err && done < j->entry.len) {
		ssize_t n = write(fd, j->entry.data + done, j->entry.len - done);

		if (n < 0 && errno != EINTR)
			err = -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	if (!err && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL))
		err = -errno;
	if (!err)
		err = send_message(j, fd);
	close(fd);
	return err;
}

static int send_item(struct journald *j, const struct item *it)
{
	int err;

	build(j, it);
	if (j->entry.failed)
		return -ENOMEM;
	if (waiter__interrupted(&j->waiter))
		return -ECANCELED;
	err = send_message(j, -1);
	return err == -EMSGSIZE || err == -ENOBUFS ? send_as_file(j) : err;
}

static void disconnect(struct journald *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
}

static void journald_send(struct driver *d, const struct item *items, size_t cnt, struct delivery *out)
{
	struct journald *j = (struct journald *)d;
	int err = j->fd < 0 ? connect_socket(j) : 0;

	delivery__per_item(out, cnt, DELIVERY_RETRY);
	for (size_t i = 0; !err && i < cnt; i++) {
		err = send_item(j, &items[i]);
		/* a journald that runs without systemd's socket comes back with another one */
		if (err == -ECONNREFUSED || err == -ENOTCONN || err == -ECONNRESET) {
			disconnect(j);
			err = connect_socket(j);
			if (!err)
				err = send_item(j, &items[i]);
		}
		if (err)
			break;
		out->items[i] = DELIVERY_OK;
		out->bytes_sent += j->entry.len;
	}
	if (!err)
		return;
	disconnect(j);
	if (err == -EACCES || err == -EPERM)
		delivery__replace(out, cnt, DELIVERY_RETRY, DELIVERY_DENIED);
	snprintf(out->reason, sizeof(out->reason), "sending to '%.200s' failed: %s", j->to.path,
	         err == -ETIMEDOUT   ? "timed out"
	         : err == -ECANCELED ? "interrupted"
	                             : strerror(-err));
}

static void journald_interrupt(struct driver *d)
{
	waiter__interrupt(&((struct journald *)d)->waiter);
}

static void journald_close(struct driver *d)
{
	struct journald *j = (struct journald *)d;

	disconnect(j);
	waiter__close(&j->waiter);
	buf__free(&j->entry);
	free(j->identifier);
	free(j);
}

static int configure(struct journald *j, const struct driver_config *cfg, struct buf *why)
{
	int err = endpoint__parse_path(cfg->url, SOCKET_PATH, &j->to, why);

	if (err)
		return err;
	if (strlen(j->to.path) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
		buf__printf(why, "'%s' is too long for a socket's path", j->to.path);
		return -EINVAL;
	}
	j->timeout = settings__seconds(cfg->settings, "timeout");
	j->identifier = strdup(settings__string(cfg->settings, "identifier"));
	return j->identifier ? 0 : -ENOMEM;
}

static int journald_open(const struct driver_config *cfg, struct driver **out, struct buf *why)
{
	struct journald *j = calloc(1, sizeof(*j));
	int err;

	if (!j)
		return -ENOMEM;
	j->base.ops = &journald_driver;
	j->fd = -1;
	err = waiter__init(&j->waiter);
	if (!err)
		err = configure(j, cfg, why);
	if (err) {
		journald_close(&j->base);
		return err;
	}
	*out = &j->base;
	return 0;
}

const struct driver_ops journald_driver = {
	.name = "journald",
	.summary =
		"entries of the systemd journal, with the fields PYTRAIL_ID, PYTRAIL_EVENT, "
		"PYTRAIL_CATEGORY, PYTRAIL_ENTITY_ID, PYTRAIL_SEVERITY, PYTRAIL_SEQ, PYTRAIL_TIME",
	.delivered =
		"It is in the queue of journald's socket, which systemd holds while journald is "
		"restarted.",
	.schemes = journald_schemes,
	.default_format = "json",
	.settings = journald_settings,
	.batch_items = 1000,
	.open = journald_open,
	.send = journald_send,
	.interrupt = journald_interrupt,
	.close = journald_close,
};
