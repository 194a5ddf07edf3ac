/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Record files (--record, replay): a header, then the records of bpf/wire.h as they came. */
#ifndef PYTRAIL_RECORD_H
#define PYTRAIL_RECORD_H

#include <stddef.h>
#include <stdint.h>

struct record_writer;
struct record_reader;

struct record_header {
	char magic[8];    /* "pytrail\n" */
	uint32_t version; /* PT_WIRE_VERSION */
	uint32_t header_size;
	int64_t realtime_offset_ns; /* CLOCK_REALTIME minus CLOCK_MONOTONIC */
	uint64_t instance_ns;
	char boot_id[40];
};

/* All return 0 or -errno, said with log__error already. "-" is standard output or input. */
int record_writer__open(const char *path, const struct record_header *h, struct record_writer **out);
int record_writer__write(struct record_writer *w, const void *record, size_t size);
int record_writer__close(struct record_writer *w);

int record_reader__open(const char *path, struct record_reader **out);
const struct record_header *record_reader__header(const struct record_reader *r);
/* 1 and the next record (valid until the next call, 8-byte aligned), 0 at the end, -EBADMSG for a
 * record that is torn or lies about its size (said, with the offset), -errno. */
int record_reader__next(struct record_reader *r, const void **record, size_t *size);
void record_reader__close(struct record_reader *r);

#endif
