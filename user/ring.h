/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The consumer's side of a BPF ring buffer, as libbpf's ring_buffer__consume(), but for two things:
 * a drain is bounded, for a producer that never pauses would keep it for ever (libbpf got
 * ring_buffer__consume_n() in 1.5, Debian 12 has 1.1); and space is given back to the producers
 * once for many records, since the position lies in a cache line that each of them reads for each
 * record.
 */
#ifndef PYTRAIL_RING_H
#define PYTRAIL_RING_H

#include <stddef.h>
#include <stdint.h>

struct ring;

/* Not 0 ends ring__drain(), which returns it; the record counts as taken. */
typedef int (*ring_record_fn)(void *ctx, const void *record, size_t size);

/* fd: of a BPF_MAP_TYPE_RINGBUF map of `size` bytes of data; not taken over. 0 and *out, or
 * -errno. */
int ring__open(int fd, size_t size, struct ring **out);
void ring__close(struct ring *r);

/* Hands waiting records to fn, at most max of them, and not for much longer than until_ns
 * (CLOCK_MONOTONIC). Returns their number, or what fn returned. */
int ring__drain(struct ring *r, ring_record_fn fn, void *ctx, unsigned int max, uint64_t until_ns);

#endif
