// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Any bytes as a file for `pytrail replay`: records within it, each as long as it says, or one
 * complaint. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/wire.h"
#include "user/reader.h"
#include "user/record.h"
#include "user/util/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned complaints;

static void count(void *ctx, const char *line, size_t len)
{
	complaints++;
}

/* Behind a header that is right: what a fuzzer would need long to find. */
static int file_of(const uint8_t *data, size_t size, bool with_header)
{
	const struct record_header h = {
		.magic = "pytrail", .version = PT_WIRE_VERSION, .header_size = sizeof(h)};
	struct record_header head = h;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	head.magic[7] = '\n';
	if (fd < 0 || (with_header && write(fd, &head, sizeof(head)) != sizeof(head)) ||
	    write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET))
		abort();
	return fd;
}

static void read_all(int fd, size_t size)
{
	struct record_reader *r;
	size_t total = 0, len;
	const void *record;
	struct event ev;
	char path[64];
	int n;

	complaints = 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (record_reader__open(path, &r)) {
		if (complaints != 1)
			abort();
		return;
	}
	while ((n = record_reader__next(r, &record, &len)) > 0) {
		total += len;
		if (len < sizeof(struct pt_rec) || len > PT_RECORD_MAX || (uintptr_t)record % 8)
			abort();
		reader__audit(record, len, &ev);
	}
	if (total > size || complaints != (n < 0))
		abort();
	record_reader__close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd;

	if (!size)
		return -1;
	log__divert(count, NULL);
	fd = file_of(data + 1, size - 1, data[0] & 1);
	read_all(fd, size);
	close(fd);
	return 0;
}
