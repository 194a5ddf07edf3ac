// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Any bytes as what lies in a spool: the records of a segment (behind a head that fits), an item, a
 * cursor. Read by the reader's own code, from a file in memory.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/spool/cursor.h"
#include "user/spool/item.h"
#include "user/spool/record_stream.h"
#include "user/spool/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int file_of(const void *head, size_t head_len, const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, head, head_len) != (ssize_t)head_len ||
	    write(fd, data, size) != (ssize_t)size)
		abort();
	return fd;
}

static void as_segment(uint8_t *data, size_t size, bool final)
{
	struct record_stream rs = {.fd = -1};
	struct segment_head head;
	struct record_head h;
	const void *payload;
	uint64_t last = 0;
	struct item it;
	char name[64];
	int dir, fd, n;

	segment__make_head(&head, 1, 1, 1, 2);
	/* What a fuzzer would need long to find: a checksum that is right. */
	if (size >= sizeof(h)) {
		memcpy(&h, data, sizeof(h));
		h.len = h.len % size & ~7u;
		h.lane = 2;
		memcpy(data, &h, sizeof(h));
		if (sizeof(h) + h.len <= size)
			record__seal((struct record_head *)(void *)data, head.salt);
	}
	fd = file_of(&head, sizeof(head), data, size);
	dir = open("/proc/self/fd", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	/* record_stream__open() follows no link: the descriptor is put in by hand. */
	snprintf(name, sizeof(name), "%d", fd);
	if (record_stream__open(&rs, dir, name) >= 0)
		abort();
	close(dir);
	rs.fd = fd;
	rs.head = head;
	record_stream__unread(&rs, sizeof(head), 0);
	while ((n = record_stream__next(&rs, final, &h, &payload)) > 0) {
		if (h.seq <= last || h.lane != 2)
			abort();
		last = h.seq;
		if (item__decode(payload, h.len, &it) > (long)h.len)
			abort();
	}
	if (n < 0 || rs.bad_bytes > size)
		abort();
	record_stream__free(&rs);
}

static void as_cursor(const uint8_t *data, size_t size)
{
	int fd = file_of("", 0, data, size);
	uint64_t generation = 0;
	struct cursor c;

	if (!cursor__read(fd, &c, &generation) && !memchr(c.stream, 0, sizeof(c.stream)))
		abort();
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;
	struct item it;

	if (!size || size > 1 << 16)
		return -1;
	copy = malloc(size);
	memcpy(copy, data + 1, size - 1);
	item__decode(copy, size - 1, &it);
	as_cursor(copy, size - 1);
	as_segment(copy, size - 1, data[0] & 1);
	free(copy);
	return 0;
}
