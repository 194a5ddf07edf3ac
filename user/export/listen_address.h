/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Where figures are served: on this host only. */
#ifndef PYTRAIL_LISTEN_ADDRESS_H
#define PYTRAIL_LISTEN_ADDRESS_H

#include <sys/socket.h>

struct buf;

struct listen_address {
	struct sockaddr_storage addr;
	socklen_t len;
};

/* "127.0.0.1:9464", "[::1]:9464", "localhost:9464", "unix:/run/pytrail/metrics.sock". 0, or -EINVAL
 * with a sentence in `why`: so for what is not a loopback address. */
int listen_address__parse(const char *text, struct listen_address *out, struct buf *why);

/* A listening socket (a unix socket that was left there is replaced; all may connect to it), or
 * -errno. */
int listen_address__open(const struct listen_address *a);

#endif
