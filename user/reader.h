/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Records (bpf/wire.h) made safe to use: the one place that checks lengths. Nothing is copied; an
 * event points into its record, which must be 8-byte aligned and outlive it.
 */
#ifndef PYTRAIL_READER_H
#define PYTRAIL_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../bpf/wire.h"

struct call_site;
struct catalog_event;
struct process;

/* An audit record after its checks, and what user space adds to it. */
struct event {
	const struct pt_audit *audit;
	const char *name; /* not terminated, any bytes: UTF-8 is not certain */
	size_t name_len;
	uint8_t flags;        /* audit->flags, but for PT_AUDIT_NAME_CUT where the name is whole */
	const uint8_t *nodes; /* pt_node stream, NULL when undecoded */
	size_t nodes_len;
	const struct catalog_event *known; /* NULL: not in the table */
	const struct process *process;     /* NULL or facts of the process */
	const struct call_site *call_site; /* NULL: not known */
	uint64_t seq;                      /* gap-free number of this record in the stream */
	/* Room for a name that was not UTF-8 (audit->name_kind): `name` points here, so an event is
	 * not to be copied. Latin-1 grows most, to twice its length. */
	char name_utf8[2 * PT_NAME_MAX];
};

/*
 * Checks a record of `size` bytes (what the ring or the file said) and fills *out, `known`
 * included, what user space adds and seq not. A name in characters (audit->name_kind) becomes
 * UTF-8, up to its first NUL: to CPython's C code it ends there (up to 3.13; later versions refuse
 * such a name). A lone surrogate, which no name of an event can have since it must be encoded
 * (PyUnicode_AsUTF8), becomes the three bytes that it would have if it were a character, and so no
 * UTF-8.
 *
 * Returns 0; -EBADMSG when it is malformed: a lying length, an unknown version,
 * a name outside, a root that is not a tuple, nodes that do not nest, leaf payloads of a wrong
 * size, depth above PT_FRAMES_MAX. -EPROTO when it is not an audit record.
 */
int reader__audit(const void *record, size_t size, struct event *out);

/* The same for the common header of any record: NULL when malformed. */
const struct pt_rec *reader__header(const void *record, size_t size);
const struct pt_lost *reader__lost(const void *record, size_t size);

/* The path of the file is not terminated. NULL when malformed, or another kind. */
const struct pt_attach *reader__attach(const void *record, size_t size, const char **file);

struct process_facts {
	/* NULL when not known; not terminated */
	const char *exe, *argv, *cwd, *container, *cgroup, *ancestry, *venv, *names;
	size_t exe_len, argv_len, cwd_len, container_len, cgroup_len, ancestry_len, venv_len,
		names_len;
	unsigned hidden; /* enum process_hidden; a record has none */
};

/* Which facts have secrets taken out (user/redact/). */
enum process_hidden {
	PROCESS_HIDDEN_EXE = 1 << 0,
	PROCESS_HIDDEN_ARGV = 1 << 1,
	PROCESS_HIDDEN_CWD = 1 << 2,
};

/* Returns 0 or -EBADMSG. */
int reader__process(const void *record, size_t size, struct process_facts *out);

/* The texts of a struct pt_call_site: NULL when not known; not terminated, without a NUL. */
#define CALL_SITE_TEXT_MAX 4096 /* bytes of each */
struct call_site_texts {
	const char *module, *symbol;
	size_t module_len, symbol_len;
};

/* Returns 0 or -EBADMSG. */
int reader__call_site(const void *record, size_t size, struct call_site_texts *out);

/*
 * A walk over checked nodes: `it` must come from a record that reader__audit() accepted. A node's
 * true length is in `length` (characters, bytes, digits, items; UINT64_MAX: not known), its stored
 * bytes in data/len with the length prefix of PT_F_CUT leaves and containers taken off.
 */
struct node_iter {
	const uint8_t *pos, *end;
};

/*
 * Only in what redaction has made of an event, never in a record: a leaf in the place of a value
 * that is a secret. data: MARK_BYTES of hash (user/redact/mark.h); length: of the value,
 * UINT64_MAX: a number. And the flag of a text that has marks in the place of secrets.
 */
#define REDACTED_NODES_MAX (384 * 1024) /* bytes that the nodes of such an event have at most */
#define NODE_REDACTED      31
#define NODE_F_REDACTED    (1 << 7)

struct node {
	uint8_t kind;
	uint8_t flags;
	const uint8_t *data;
	size_t len;
	uint64_t length;
	/* PT_K_INT (as int64_t), PT_K_OBJECT and PT_K_UNREADABLE address, code's line */
	uint64_t value;
};

static inline struct node_iter node_iter__of(const struct event *ev)
{
	return (struct node_iter){ev->nodes, ev->nodes ? ev->nodes + ev->nodes_len : NULL};
}

static inline uint64_t node__load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Nodes and names are aligned. */
static inline size_t node__pad(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

/* Bytes that one character, digit or byte of a leaf takes. */
static inline size_t node__unit(uint8_t kind)
{
	switch (kind) {
	case PT_K_STR4:
	case PT_K_BIGINT:
		return 4;
	case PT_K_STR2:
		return 2;
	default:
		return 1;
	}
}

/* False at the end of the stream, which may come before open containers are closed. */
static inline bool node_iter__next(struct node_iter *it, struct node *out)
{
	const struct pt_node *n = (const void *)it->pos;
	size_t unit;

	if (it->pos == it->end)
		return false;
	out->kind = n->kind;
	out->flags = n->flags;
	out->data = it->pos + sizeof(*n);
	out->len = n->len;
	out->length = UINT64_MAX;
	out->value = 0;
	it->pos += sizeof(*n) + node__pad(n->len);

	if (n->kind >= PT_K_TUPLE) {
		if (n->kind <= PT_K_CODE) {
			uint64_t v = node__load64(out->data);

			out->data += 8;
			out->len = 0;
			if (n->kind == PT_K_CODE)
				out->value = v;
			else
				out->length = v;
		}
		return true;
	}
	unit = node__unit(n->kind);
	if (n->flags & PT_F_CUT || n->kind == NODE_REDACTED) {
		out->length = node__load64(out->data);
		out->data += 8;
		out->len -= 8;
	} else {
		out->length = n->kind == PT_K_OBJECT ? n->len - 8 : n->len / unit;
	}
	switch (n->kind) {
	case PT_K_INT:
	case PT_K_UNREADABLE:
		out->value = node__load64(out->data);
		break;
	case PT_K_OBJECT:
		out->value = node__load64(out->data);
		out->data += 8;
		out->len -= 8;
		break;
	}
	return true;
}

static inline bool node__is_container(const struct node *n)
{
	return n->kind >= PT_K_TUPLE;
}

#endif
