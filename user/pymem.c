// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "pymem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

/* The decoder has no context argument for its reads: the one that decodes in this thread. */
static __thread struct pymem *current;

static int host_read(void *dst, size_t size, uint64_t addr);
static long host_read_str(void *dst, size_t size, uint64_t addr);
static uint32_t host_max_string(void);
static uint32_t host_max_items(void);
static uint32_t host_max_depth(void);

#define PYD_READ(dst, size, addr)      host_read((dst), (size), (addr))
#define PYD_READ_SLOW(dst, size, addr) host_read((dst), (size), (addr))
#define PYD_READ_STR(dst, size, addr)  host_read_str((dst), (size), (addr))
#define PYD_MAX_STRING                 host_max_string()
#define PYD_MAX_ITEMS                  host_max_items()
#define PYD_MAX_DEPTH                  host_max_depth()

#include "../bpf/pydecode.h"

/* As in the kernel (bpf/pytrail.bpf.c). */

/* Keys that pymem__dict_get() looks at in all: a program can have a dict of any size. */
#define KEYS_MAX 65536

struct pymem {
	struct pymem_options o;
	uint32_t keys; /* looked at so far */
	struct pt_site site;
	struct pyd_state state;
};

static uint32_t host_max_string(void)
{
	return current->o.max_string;
}

static uint32_t host_max_items(void)
{
	return current->o.max_items;
}

static uint32_t host_max_depth(void)
{
	return current->o.max_depth;
}

/* bpf_probe_read_user() zeroes the destination when it fails. */
static int host_read(void *dst, size_t size, uint64_t addr)
{
	struct iovec to = {.iov_base = dst, .iov_len = size};
	struct iovec from = {.iov_base = (void *)(uintptr_t)addr, .iov_len = size};
	int err;

	if (current->o.read)
		err = current->o.read(current->o.read_ctx, dst, size, addr);
	else
		err = process_vm_readv(current->o.pid, &to, 1, &from, 1, 0) == (ssize_t)size
		              ? 0
		              : -EFAULT;
	if (err)
		memset(dst, 0, size);
	return err;
}

/* As bpf_probe_read_user_str(): bytes with the NUL, cut at size - 1; -EFAULT when there is none to
 * read. */
static long host_read_str(void *dst, size_t size, uint64_t addr)
{
	char *out = dst;
	size_t n = 0;

	while (n < size) {
		size_t page = PYD_PAGE - (size_t)((addr + n) & (PYD_PAGE - 1)), chunk = size - n;
		char *nul;

		if (chunk > page)
			chunk = page;
		if (host_read(out + n, chunk, addr + n))
			return -EFAULT;
		nul = memchr(out + n, 0, chunk);
		if (nul) {
			size_t len = (size_t)(nul - out) + 1;

			memset(nul, 0, size - len + 1);
			return (long)len;
		}
		n += chunk;
	}
	out[size - 1] = '\0';
	return (long)size;
}

struct pymem *pymem__new(const struct pymem_options *o)
{
	struct pymem *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->o = *o;
	m->site = *o->site;
	if (!m->o.max_string)
		m->o.max_string = 4096;
	if (!m->o.max_items)
		m->o.max_items = 128;
	if (!m->o.max_depth)
		m->o.max_depth = 4;
	return m;
}

void pymem__free(struct pymem *m)
{
	free(m);
}

static size_t pymem__run(struct pymem *m, int more, const void **record)
{
	struct pyd_state *s = &m->state;
	struct pt_audit *a = (struct pt_audit *)s->buf;

	while (more)
		more = pyd__steps(s, &m->site, 0);
	memset(a, 0, sizeof(*a));
	a->rec.size = s->out;
	a->rec.kind = PT_REC_AUDIT;
	a->rec.version = PT_WIRE_VERSION;
	a->bias = m->o.bias;
	a->py_version = m->site.py_version;
	a->flags = (__u8)(s->flags & PT_AUDIT_CUT);
	if (m->site.layout.free_threaded)
		a->flags |= PT_AUDIT_FREE_THREADED;
	*record = s->buf;
	return s->out;
}

size_t pymem__tuple(struct pymem *m, uint64_t addr, const void **record)
{
	current = m;
	m->state.bias = m->o.bias;
	return pymem__run(m, pyd__start(&m->state, &m->site, addr, sizeof(struct pt_audit)), record);
}

/* A state whose root is a tuple of one: the object. */
static void pymem__start_value(struct pymem *m, uint64_t addr)
{
	struct pyd_state *s = &m->state;

	current = m;
	pyd__start(s, &m->site, 0, sizeof(struct pt_audit));
	s->bias = m->o.bias;
	s->out = sizeof(struct pt_audit);
	pyd__open_words(s, addr, 0, 1);
	pyd__emit8(s, PT_K_TUPLE, 0, 1);
}

size_t pymem__value(struct pymem *m, uint64_t addr, const void **record)
{
	pymem__start_value(m, addr);
	return pymem__run(m, 1, record);
}

/* Whether the object at addr is a str that equals key, by decoding it. */
static int pymem__is_str(struct pymem *m, uint64_t addr, const char *key)
{
	const struct pt_node *node;
	const void *record;
	size_t len = strlen(key);

	pymem__value(m, addr, &record);
	/* behind the header and the root's node with its length */
	node = (const struct pt_node *)((const char *)record + sizeof(struct pt_audit) + 16);
	return node->kind == PT_K_STR && !node->flags && node->len == len &&
	       !memcmp(node + 1, key, len);
}

int pymem__dict_get(struct pymem *m, uint64_t dict, const char *key, uint64_t *value)
{
	struct pyd_frame frame;
	__u64 child;

	pymem__start_value(m, dict);
	if (pyd__next(&m->state, 0, &child) == PYD_VALUE)
		pyd__value(&m->state, &m->site, child);
	if (m->state.depth != 2)
		return -EFAULT;
	frame = m->state.frames[1];
	if (frame.mode < PYD_F_DICT || frame.mode == PYD_F_SET)
		return -EFAULT;
	for (;;) {
		if (!frame.have && frame.left)
			pyd__refill(&m->state, &frame);
		if (!frame.have)
			return -ENOENT;
		if (m->keys++ >= KEYS_MAX)
			return -E2BIG;
		frame.on_value = 0;
		if (!pyd__child(&frame, &child))
			continue;
		if (pymem__is_str(m, child, key)) {
			*value = frame.value;
			return 0;
		}
	}
}

int pymem__read(struct pymem *m, void *dst, size_t size, uint64_t addr)
{
	current = m;
	return host_read(dst, size, addr);
}
