// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Records made safe to use, see reader.h. The bytes are the traced process's, so each length is
 * compared with what is left before it is used, and the nesting is followed with a small stack of
 * kinds rather than with recursion.
 */
#include "reader.h"

#include <errno.h>
#include <string.h>

#include "catalog.h"

#define FLAGS_KNOWN (PT_F_CUT | PT_F_NEG | PT_F_UNREADABLE)

const struct pt_rec *reader__header(const void *record, size_t size)
{
	const struct pt_rec *rec = record;

	if (size < sizeof(*rec) || size > PT_RECORD_MAX || size % 8)
		return NULL;
	if (rec->size != size || rec->version != PT_WIRE_VERSION)
		return NULL;
	return rec;
}

const struct pt_lost *reader__lost(const void *record, size_t size)
{
	const struct pt_rec *rec = reader__header(record, size);

	if (!rec || rec->kind != PT_REC_LOST || size < sizeof(struct pt_lost))
		return NULL;
	return record;
}

const struct pt_attach *reader__attach(const void *record, size_t size, const char **file)
{
	const struct pt_rec *rec = reader__header(record, size);
	const struct pt_attach *a = record;

	if (!rec || (rec->kind != PT_REC_ATTACH && rec->kind != PT_REC_DETACH) ||
	    size < sizeof(*a) || a->file_len > size - sizeof(*a))
		return NULL;
	*file = (const char *)(a + 1);
	return a;
}

/* Whether a leaf of that kind may have `len` bytes, its length prefix taken off. */
static bool leaf_size_ok(uint8_t kind, size_t len)
{
	switch (kind) {
	case PT_K_NONE:
	case PT_K_FALSE:
	case PT_K_TRUE:
	case PT_K_UNDECODED:
		return len == 0;
	case PT_K_INT:
	case PT_K_FLOAT:
	case PT_K_UNREADABLE:
		return len == 8;
	case PT_K_BIGINT:
	case PT_K_STR4:
		return len % 4 == 0;
	case PT_K_STR2:
		return len % 2 == 0;
	case PT_K_OBJECT:
		return len >= 8;
	case PT_K_STR:
	case PT_K_UTF8:
	case PT_K_BYTES:
	case PT_K_BYTEARRAY:
	case PT_K_CLASS:
		return true;
	default:
		return false;
	}
}

static bool leaf_can_be_cut(uint8_t kind)
{
	return kind >= PT_K_STR ? kind <= PT_K_OBJECT : kind == PT_K_BIGINT;
}

static bool container_size_ok(uint8_t kind, size_t len)
{
	switch (kind) {
	case PT_K_TUPLE:
	case PT_K_LIST:
	case PT_K_DICT:
	case PT_K_SET:
	case PT_K_FROZENSET:
	case PT_K_CODE:
		return len == 8;
	case PT_K_FUNCTION:
	case PT_K_MODULE:
	case PT_K_METHOD:
		return len == 0;
	case PT_K_CFUNCTION:
	case PT_K_EXCEPTION:
		return true; /* a name */
	default:
		return false;
	}
}

/* The most children that a container of that kind has. */
static size_t children_max(uint8_t kind)
{
	switch (kind) {
	case PT_K_CODE:
	case PT_K_FUNCTION:
		return 2;
	case PT_K_CFUNCTION:
	case PT_K_MODULE:
	case PT_K_EXCEPTION:
	case PT_K_METHOD:
		return 1;
	default:
		return SIZE_MAX;
	}
}

static bool leaf_ok(const struct pt_node *n, const uint8_t *payload)
{
	size_t len = n->len;

	if (n->flags & PT_F_CUT) {
		if (len < 8 || !leaf_can_be_cut(n->kind))
			return false;
		len -= 8;
		/* An object's payload has its address before the name that was cut. */
		if (n->kind != PT_K_OBJECT && len / node__unit(n->kind) > node__load64(payload))
			return false;
	}
	return leaf_size_ok(n->kind, len);
}

/* Follows the nodes from the root to its end. `cut`: they may end early. */
static bool nodes_ok(const uint8_t *p, const uint8_t *end, bool cut)
{
	size_t left[PT_FRAMES_MAX];
	int depth = 0;

	if (p == end)
		return cut;
	do {
		const struct pt_node *n = (const void *)p;

		if ((size_t)(end - p) < sizeof(*n))
			return depth && cut && p == end;
		if (n->len > (size_t)(end - p) - sizeof(*n) ||
		    node__pad(n->len) > (size_t)(end - p) - sizeof(*n) || n->flags & ~FLAGS_KNOWN)
			return false;
		if (n->kind == PT_K_END) {
			if (!depth || n->len || n->flags)
				return false;
			depth--;
		} else {
			if (!depth ? n->kind != PT_K_TUPLE && n->kind != PT_K_UNREADABLE
			           : left[depth - 1]-- == 0)
				return false;
			if (n->kind < PT_K_TUPLE) {
				if (!leaf_ok(n, p + sizeof(*n)))
					return false;
			} else {
				if (depth == PT_FRAMES_MAX || !container_size_ok(n->kind, n->len))
					return false;
				left[depth++] = children_max(n->kind);
			}
		}
		p += sizeof(*n) + node__pad(n->len);
	} while (depth);
	return p == end;
}

static bool name_kind_ok(uint8_t kind, size_t len)
{
	return !kind || ((kind == 1 || kind == 2 || kind == 4) && len % kind == 0);
}

static uint32_t load_char(const uint8_t *p, uint8_t width)
{
	uint16_t two;
	uint32_t four;

	if (width == 1)
		return *p;
	if (width == 2) {
		memcpy(&two, p, sizeof(two));
		return two;
	}
	memcpy(&four, p, sizeof(four));
	return four > 0x10ffff ? 0xfffd : four;
}

/* UTF-8 (RFC 3629), surrogates not refused. Returns the bytes written. */
static size_t put_utf8(char *p, uint32_t c)
{
	size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (len == 1) {
		p[0] = (char)c;
		return 1;
	}
	for (size_t i = len; --i; c >>= 6)
		p[i] = (char)(0x80 | (c & 0x3f));
	p[0] = (char)(0xf00 >> len | c);
	return len;
}

/* A name in characters into UTF-8. */
static void convert_name(struct event *ev)
{
	uint8_t width = ev->audit->name_kind;
	const uint8_t *p = (const uint8_t *)ev->name, *end = p + ev->name_len;

	ev->name = ev->name_utf8;
	ev->name_len = 0;
	for (; p < end; p += width) {
		uint32_t c = load_char(p, width);

		if (!c) {
			ev->flags &= ~PT_AUDIT_NAME_CUT;
			return;
		}
		ev->name_len += put_utf8(ev->name_utf8 + ev->name_len, c);
	}
}

int reader__audit(const void *record, size_t size, struct event *out)
{
	const struct pt_rec *rec = reader__header(record, size);
	const struct pt_audit *a = record;
	size_t name_pad;

	if (!rec)
		return -EBADMSG;
	if (rec->kind != PT_REC_AUDIT)
		return -EPROTO;
	if (size < sizeof(*a))
		return -EBADMSG;
	name_pad = node__pad(a->name_len);
	if (a->name_len > PT_NAME_MAX || name_pad > size - sizeof(*a) ||
	    !name_kind_ok(a->name_kind, a->name_len))
		return -EBADMSG;

	memset(out, 0, offsetof(struct event, name_utf8));
	out->audit = a;
	out->flags = a->flags;
	out->name = (const char *)(a + 1);
	out->name_len = a->name_len;
	if (a->flags & PT_AUDIT_UNDECODED) {
		if (sizeof(*a) + name_pad != size)
			return -EBADMSG;
	} else {
		out->nodes = (const uint8_t *)out->name + name_pad;
		out->nodes_len = size - sizeof(*a) - name_pad;
		if (!nodes_ok(out->nodes, out->nodes + out->nodes_len, a->flags & PT_AUDIT_CUT))
			return -EBADMSG;
	}
	if (a->name_kind)
		convert_name(out);
	if (!(out->flags & (PT_AUDIT_NAME_CUT | PT_AUDIT_NAME_UNREADABLE)))
		out->known = catalog__find(out->name, out->name_len);
	return 0;
}

/* Takes a string of `len` bytes, or none for PT_UNKNOWN_LEN, from what is left. */
static bool take(const char **pos, size_t *left, uint32_t len, const char **out, size_t *out_len)
{
	*out = NULL;
	*out_len = 0;
	if (len == PT_UNKNOWN_LEN)
		return true;
	if (len > *left)
		return false;
	*out = *pos;
	*out_len = len;
	*pos += len;
	*left -= len;
	return true;
}

int reader__process(const void *record, size_t size, struct process_facts *out)
{
	const struct pt_rec *rec = reader__header(record, size);
	const struct pt_process *p = record;
	const char *pos;
	size_t left;

	memset(out, 0, sizeof(*out));
	if (!rec || rec->kind != PT_REC_PROCESS || size < sizeof(*p))
		return -EBADMSG;
	pos = (const char *)(p + 1);
	left = size - sizeof(*p);
	if (!take(&pos, &left, p->exe_len, &out->exe, &out->exe_len) ||
	    !take(&pos, &left, p->argv_len, &out->argv, &out->argv_len) ||
	    !take(&pos, &left, p->cwd_len, &out->cwd, &out->cwd_len) ||
	    !take(&pos, &left, p->container_len, &out->container, &out->container_len) ||
	    !take(&pos, &left, p->cgroup_len, &out->cgroup, &out->cgroup_len) ||
	    !take(&pos, &left, p->ancestry_len, &out->ancestry, &out->ancestry_len) ||
	    !take(&pos, &left, p->venv_len, &out->venv, &out->venv_len) ||
	    !take(&pos, &left, p->names_len, &out->names, &out->names_len)) {
		memset(out, 0, sizeof(*out));
		return -EBADMSG;
	}
	return 0;
}

/* As call sites have them: none is empty, and in C a NUL would end them. */
static bool text_ok(const char *s, size_t len)
{
	return !s || (len && len <= CALL_SITE_TEXT_MAX && !memchr(s, '\0', len));
}

int reader__call_site(const void *record, size_t size, struct call_site_texts *out)
{
	const struct pt_rec *rec = reader__header(record, size);
	const struct pt_call_site *c = record;
	const char *pos;
	size_t left;

	memset(out, 0, sizeof(*out));
	if (!rec || rec->kind != PT_REC_CALL_SITE || size < sizeof(*c))
		return -EBADMSG;
	pos = (const char *)(c + 1);
	left = size - sizeof(*c);
	if (!take(&pos, &left, c->module_len, &out->module, &out->module_len) ||
	    !take(&pos, &left, c->symbol_len, &out->symbol, &out->symbol_len) ||
	    !text_ok(out->module, out->module_len) || !text_ok(out->symbol, out->symbol_len)) {
		memset(out, 0, sizeof(*out));
		return -EBADMSG;
	}
	return 0;
}
