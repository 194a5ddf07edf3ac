/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Names to addresses with a time-out: getaddrinfo(3) has none, so it runs in a thread of its
 * own. */
#ifndef PYTRAIL_RESOLVE_H
#define PYTRAIL_RESOLVE_H

#include <stdint.h>

#include "waiter.h"

struct addrinfo;
struct buf;

/*
 * socktype: SOCK_STREAM or SOCK_DGRAM. 0 and *out, to be freed with freeaddrinfo(3); -ETIMEDOUT,
 * -ECANCELED, -EHOSTUNREACH when the name has no address, in all cases with half a sentence in
 * `why`.
 */
int resolve__host(const char *host, const char *port, int socktype, const struct waiter *w,
                  uint64_t deadline, struct addrinfo **out, struct buf *why);

#endif
