/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * TLS 1.2 and 1.3 as a client, by OpenSSL, which is loaded when it is used. The receiver's
 * certificate and name are checked unless tls_verify is off. Sockets are non-blocking.
 */
#ifndef PYTRAIL_TLS_H
#define PYTRAIL_TLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "waiter.h"

struct buf;
struct settings;
struct tls;
struct tls_client;

/* Loads OpenSSL and what the tls_* of driver_settings name. 0, or -errno with a sentence in
 * `why`. */
int tls_client__new(const struct settings *s, struct tls_client **out, struct buf *why);
void tls_client__free(struct tls_client *c);

/*
 * Shakes hands on a connected socket. host: as in the URL; tls_name goes before it. 0 and *out;
 * -EACCES when one side does not accept the other (certificate, name, version, not TLS at all),
 * -ECONNRESET, -ETIMEDOUT, -ECANCELED; half a sentence in `why`. Blocks SIGPIPE in the calling
 * thread.
 */
int tls__connect(struct tls_client *c, int fd, const char *host, const struct waiter *w,
                 uint64_t deadline, struct tls **out, struct buf *why);

/*
 * Bytes done, never 0 for len > 0. -EAGAIN: wait for *events (poll(2)) and call again with the same
 * data; -EPIPE: the peer has ended the connection in good order; -ECONNRESET otherwise; -EACCES: it
 * says that it does not accept us (half a sentence in `why`).
 */
ssize_t tls__read(struct tls *t, void *data, size_t len, short *events, struct buf *why);
ssize_t tls__write(struct tls *t, const void *data, size_t len, short *events, struct buf *why);

/* Tells the peer that this is the end, as well as that goes without waiting. The socket stays
 * open. */
void tls__free(struct tls *t);

#endif
