/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A connection to a receiver: TCP, TLS or a unix socket; with time-outs, and ended by its waiter's
 * interrupt. All calls return -errno: -ECANCELED interrupted, -ETIMEDOUT, -EPIPE the peer has
 * closed, -EACCES TLS that one side does not accept, others of the socket; half a sentence in
 * `why`.
 */
#ifndef PYTRAIL_STREAM_H
#define PYTRAIL_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "waiter.h"

struct buf;
struct tls;
struct tls_client;

struct stream {
	int fd; /* -1: not connected */
	struct tls *tls;
	const struct waiter *waiter;
	double timeout; /* seconds without any progress */
};

#define STREAM_CLOSED ((struct stream){.fd = -1})

/* tls: NULL: none. Each address of the host gets its share of the time-out. */
int stream__connect(struct stream *s, const char *host, const char *port, struct tls_client *tls,
                    const struct waiter *w, double timeout, struct buf *why);
int stream__connect_unix(struct stream *s, const char *path, const struct waiter *w, double timeout,
                         struct buf *why);
void stream__close(struct stream *s);

/* All of it is with the kernel then, not with the peer. */
int stream__write(struct stream *s, const void *data, size_t len, struct buf *why);

/* What there is, at least one byte. wait: false: -EAGAIN when there is nothing. */
ssize_t stream__read(struct stream *s, void *data, size_t len, bool wait, struct buf *why);

/*
 * Whether the connection still stands, as far as can be told without waiting: for protocols in
 * which the receiver says nothing; what it says is thrown away. 0 or -errno.
 */
int stream__check(struct stream *s, struct buf *why);

/* Waits until the peer's kernel has acknowledged all that was written (SIOCOUTQ), then
 * stream__check(). */
int stream__drain(struct stream *s, struct buf *why);

#endif
