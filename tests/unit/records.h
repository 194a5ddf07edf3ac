/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Builds records for tests, sound ones and lying ones. Each function returns its builder. */
#ifndef PYTRAIL_TESTS_RECORDS_H
#define PYTRAIL_TESTS_RECORDS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/wire.h"
#include "user/reader.h"

struct rb {
	union {
		uint8_t bytes[2 * PT_RECORD_MAX];
		struct pt_rec rec;
		struct pt_audit audit;
		struct pt_lost lost;
		struct pt_process process;
		struct pt_call_site call_site;
		struct pt_attach attach;
		uint64_t align;
	};
	size_t size;
};

static inline void rb__raw(struct rb *b, const void *data, size_t len)
{
	if (b->size + len + 8 > sizeof(b->bytes))
		abort();
	if (len)
		memcpy(b->bytes + b->size, data, len);
	b->size += len;
	while (b->size % 8)
		b->bytes[b->size++] = 0;
	b->rec.size = (uint32_t)b->size;
}

static inline void rb__header(struct rb *b, uint16_t kind, size_t size)
{
	memset(b, 0, sizeof(*b));
	b->rec.kind = kind;
	b->rec.version = PT_WIRE_VERSION;
	b->rec.time_ns = 5000000123;
	b->rec.task.start_ns = 4000000000;
	b->rec.task.pid = 4242;
	b->rec.task.tid = 4243;
	b->rec.task.ppid = 4000;
	b->rec.task.uid = 1000;
	b->rec.task.gid = 100;
	b->rec.task.euid = 1000;
	b->rec.task.egid = 100;
	b->rec.task.loginuid = PT_UNSET_ID;
	b->rec.task.session_id = PT_UNSET_ID;
	memcpy(b->rec.task.comm, "python3", 8);
	b->size = size;
	b->rec.size = (uint32_t)size;
}

static inline void rb__audit(struct rb *b, const char *name)
{
	rb__header(b, PT_REC_AUDIT, sizeof(struct pt_audit));
	b->audit.py_version = 0x030b02f0;
	b->audit.probe = PT_PROBE_USDT;
	b->audit.name_len = (uint16_t)strlen(name);
	rb__raw(b, name, strlen(name));
}

static inline void rb__node(struct rb *b, uint8_t kind, uint8_t flags, const void *data, size_t len)
{
	struct pt_node n = {.kind = kind, .flags = flags, .len = (uint32_t)len};

	rb__raw(b, &n, sizeof(n));
	rb__raw(b, data, len);
}

static inline void rb__end(struct rb *b)
{
	rb__node(b, PT_K_END, 0, NULL, 0);
}

static inline void rb__u64(struct rb *b, uint8_t kind, uint8_t flags, uint64_t v)
{
	rb__node(b, kind, flags, &v, sizeof(v));
}

static inline void rb__text(struct rb *b, uint8_t kind, const char *s)
{
	rb__node(b, kind, 0, s, strlen(s));
}

static inline void rb__str(struct rb *b, const char *s)
{
	rb__text(b, PT_K_STR, s);
}

static inline void rb__float(struct rb *b, double v)
{
	rb__node(b, PT_K_FLOAT, 0, &v, sizeof(v));
}

/* A leaf cut to `len` bytes of a value that has `length` characters, bytes or digits. */
static inline void rb__cut(struct rb *b, uint8_t kind, uint64_t length, const void *data, size_t len)
{
	uint8_t *copy = malloc(len + 8);

	memcpy(copy, &length, 8);
	if (len)
		memcpy(copy + 8, data, len);
	rb__node(b, kind, PT_F_CUT, copy, len + 8);
	free(copy);
}

static inline void rb__object(struct rb *b, uint64_t address, const char *type)
{
	size_t len = strlen(type);
	uint8_t *copy = malloc(len + 8);

	memcpy(copy, &address, 8);
	memcpy(copy + 8, type, len);
	rb__node(b, PT_K_OBJECT, 0, copy, len + 8);
	free(copy);
}

static inline void rb__wide(struct rb *b, uint8_t kind, const uint32_t *cps, size_t cnt)
{
	uint16_t *two = malloc(cnt * 2 + 2);

	for (size_t i = 0; i < cnt; i++)
		two[i] = (uint16_t)cps[i];
	if (kind == PT_K_STR2)
		rb__node(b, kind, 0, two, cnt * 2);
	else
		rb__node(b, kind, 0, cps, cnt * 4);
	free(two);
}

#endif
