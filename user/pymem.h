/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The kernel's decoder (bpf/pydecode.h) compiled for the host, over the memory of a live process:
 * for the proof of a layout, and for tests. Reads by process_vm_readv(2): nothing of the process is
 * touched.
 */
#ifndef PYTRAIL_PYMEM_H
#define PYTRAIL_PYMEM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../bpf/wire.h"

struct pymem;

struct pymem_options {
	pid_t pid;
	const struct pt_site *site; /* layout, known; copied */
	uint64_t bias;              /* run-time minus link-time address of site->known */
	uint32_t max_string, max_items, max_depth; /* 0: the defaults of `trace` */
	/* Instead of process_vm_readv(): 0 when all of it was read (fuzzing). */
	int (*read)(void *ctx, void *dst, size_t size, uint64_t addr);
	void *read_ctx;
};

/* NULL: no memory. */
struct pymem *pymem__new(const struct pymem_options *o);
void pymem__free(struct pymem *m);

/*
 * Decodes the argument tuple at addr into an audit record, as the kernel would, with an empty name.
 * The record (valid until the next call) satisfies reader__audit(). Returns its size.
 */
size_t pymem__tuple(struct pymem *m, uint64_t addr, const void **record);
/* The same for one object of any type: the record's tuple has it as its only item. */
size_t pymem__value(struct pymem *m, uint64_t addr, const void **record);

/* Address of the value of a str key of a dict. 0; -ENOENT; -EFAULT when it is no dict that can be
 * read; -E2BIG when all calls together have looked at 65536 keys. */
int pymem__dict_get(struct pymem *m, uint64_t dict, const char *key, uint64_t *value);

/* 0 or -EFAULT. */
int pymem__read(struct pymem *m, void *dst, size_t size, uint64_t addr);

#endif
