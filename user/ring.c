// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Layout, from kernel/bpf/ringbuf.c: page 0 holds the consumer's position (writable by us), page 1
 * the producers', then the data, mapped twice in a row so that a record is never split. A record
 * has a header of 8 bytes: its length with two flags, and the page offset that we do not need.
 */
#include "ring.h"
#include "util/clock.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/bpf.h>

/* Bytes taken before they are given back, or an eighth of a small ring. */
#define GIVE_BACK 16384u

struct ring {
	uint64_t *consumer;       /* its page, writable */
	const uint64_t *producer; /* its page, then the data; read-only */
	const unsigned char *data;
	size_t size, page;
	size_t give_back; /* bytes */
};

int ring__open(int fd, size_t size, struct ring **out)
{
	struct ring *r = calloc(1, sizeof(*r));
	void *p;
	int err;

	if (!r)
		return -ENOMEM;
	r->size = size;
	r->page = (size_t)sysconf(_SC_PAGESIZE);
	r->give_back = size / 8 < GIVE_BACK ? size / 8 : GIVE_BACK;
	p = mmap(NULL, r->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		err = -errno;
		free(r);
		return err;
	}
	r->consumer = p;
	p = mmap(NULL, r->page + 2 * size, PROT_READ, MAP_SHARED, fd, (off_t)r->page);
	if (p == MAP_FAILED) {
		err = -errno;
		munmap(r->consumer, r->page);
		free(r);
		return err;
	}
	r->producer = p;
	r->data = (const unsigned char *)p + r->page;
	*out = r;
	return 0;
}

void ring__close(struct ring *r)
{
	if (!r)
		return;
	munmap((void *)(uintptr_t)r->producer, r->page + 2 * r->size);
	munmap(r->consumer, r->page);
	free(r);
}

static uint32_t record_length(const struct ring *r, uint64_t at)
{
	return __atomic_load_n((const uint32_t *)(r->data + (at & (r->size - 1))), __ATOMIC_ACQUIRE);
}

/* Records between two looks at the clock, which is a tenth of what a record takes. */
#define LOOK_AT_CLOCK 16

int ring__drain(struct ring *r, ring_record_fn fn, void *ctx, unsigned int max, uint64_t until_ns)
{
	/* only we write it */
	uint64_t at = *r->consumer, given = at, end;
	unsigned int n = 0;
	int ret = 0;

	end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
	while (at < end && n < max && !ret) {
		uint32_t len = record_length(r, at);
		const void *record = r->data + (at & (r->size - 1)) + BPF_RINGBUF_HDR_SZ;

		if (len & BPF_RINGBUF_BUSY_BIT)
			break; /* reserved, not written yet: the order is that of reservation */
		at += ((len & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT)) +
		       BPF_RINGBUF_HDR_SZ + 7) &
		      ~7u;
		if (!(len & BPF_RINGBUF_DISCARD_BIT)) {
			n++;
			ret = fn(ctx, record, len);
			if (n % LOOK_AT_CLOCK == 0 && clock__monotonic() >= until_ns)
				max = n;
		}
		if (at - given >= r->give_back) {
			__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
			given = at;
		}
		if (at == end)
			end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
	}
	if (at != given)
		__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
	return ret ? ret : (int)n;
}
