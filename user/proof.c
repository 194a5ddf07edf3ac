// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "proof.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "attach.h"
#include "layouts.h"
#include "pymem.h"
#include "reader.h"
#include "util/log.h"
#include "util/patient.h"

/* Words of PyInterpreterState that are searched for the table of modules. It lies within the first
 * 11 KiB in 3.8 to 3.15 (imports.modules). */
#define INTERPRETER_WORDS 2048

/* _PyRuntime.interpreters.head, by version: Include/internal/pycore_runtime.h, offsets compiled
 * from each version's headers (3.13+: also _Py_DebugOffsets.runtime_state.interpreters_head). */
static const struct {
	uint32_t version;
	uint32_t head;
} interpreters_head[] = {
	{0x0308, 32}, {0x0309, 32},  {0x030a, 32},  {0x030b, 40},
	{0x030c, 40}, {0x030d, 632}, {0x030e, 808}, {0x030f, 936},
};

/* tp_name of the types among enum pt_known. */
static const struct {
	enum pt_known known;
	const char *name;
} type_names[] = {
	{PT_KNOWN_STR, "str"},
	{PT_KNOWN_INT, "int"},
	{PT_KNOWN_TUPLE, "tuple"},
	{PT_KNOWN_BYTES, "bytes"},
	{PT_KNOWN_LIST, "list"},
	{PT_KNOWN_DICT, "dict"},
	{PT_KNOWN_FLOAT, "float"},
	{PT_KNOWN_BYTEARRAY, "bytearray"},
	{PT_KNOWN_SET, "set"},
	{PT_KNOWN_FROZENSET, "frozenset"},
	{PT_KNOWN_CODE, "code"},
	{PT_KNOWN_FUNCTION, "function"},
	{PT_KNOWN_CFUNCTION, "builtin_function_or_method"},
	{PT_KNOWN_METHOD, "method"},
	{PT_KNOWN_MODULE, "module"},
	{PT_KNOWN_BOOL, "bool"},
	{PT_KNOWN_TYPE, "type"},
};

struct prover {
	struct pymem *mem;
	const struct pt_layout *layout;
	const struct binary *binary;
	uint64_t bias;
	char *reason;
	size_t size;
};

static enum proof_result refuted(struct prover *v, const char *what)
{
	snprintf(v->reason, v->size, "%s", what);
	return PROOF_REFUTED;
}

/*
 * What a program can change is no evidence against the layout: one that wraps the import system
 * replaces modules, and a hostile one could blind pytrail for every process of the file. It is only
 * not proven.
 */
static enum proof_result unproven(struct prover *v, const char *what)
{
	refuted(v, what);
	return PROOF_OPEN;
}

/* Decodes a value; its first node and an iterator behind it. False: malformed, which proves nothing
 * good. */
static bool first_node(struct prover *v, uint64_t addr, struct node *out, struct node_iter *it)
{
	const void *record;
	struct event ev;
	size_t size = pymem__value(v->mem, addr, &record);

	if (reader__audit(record, size, &ev))
		return false;
	*it = node_iter__of(&ev);
	return node_iter__next(it, out) && node_iter__next(it, out);
}

static bool node_is(const struct node *n, uint8_t kind, const char *text)
{
	return n->kind == kind && n->len == strlen(text) && !memcmp(n->data, text, n->len);
}

static enum proof_result prove_types(struct prover *v)
{
	struct node_iter it;
	struct node n;
	size_t i;

	for (i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++) {
		uint64_t addr = v->binary->known[type_names[i].known];

		if (!addr)
			continue;
		if (!first_node(v, addr + v->bias, &n, &it))
			return PROOF_OPEN;
		if (n.kind == PT_K_UNREADABLE)
			return PROOF_OPEN;
		if (!node_is(&n, PT_K_CLASS, type_names[i].name))
			return refuted(v, "a built-in type has another name than it should");
	}
	return PROOF_DONE;
}

/* The address of sys.modules: the interpreter's state holds a pointer to a dict that has
 * "builtins". */
static enum proof_result find_modules(struct prover *v, uint64_t *modules)
{
	static __thread uint64_t words[INTERPRETER_WORDS];
	uint64_t interp, builtins, type;
	uint32_t head = 0;
	size_t i, cnt = INTERPRETER_WORDS;

	for (i = 0; i < sizeof(interpreters_head) / sizeof(interpreters_head[0]); i++) {
		if (interpreters_head[i].version == v->layout->py_version)
			head = interpreters_head[i].head;
	}
	if (!head || !v->binary->runtime)
		return PROOF_OPEN;
	if (pymem__read(v->mem, &interp, sizeof(interp), v->binary->runtime + v->bias + head) ||
	    !interp)
		return PROOF_OPEN;
	/* 3.8's state is 5656 bytes: less where the whole cannot be read */
	while (cnt > 256 && pymem__read(v->mem, words, cnt * sizeof(words[0]), interp))
		cnt /= 2;
	for (i = 0; i < cnt; i++) {
		if (words[i] < 4096 || words[i] & 7 ||
		    pymem__read(v->mem, &type, sizeof(type), words[i] + v->layout->ob_type) ||
		    type != v->binary->known[PT_KNOWN_DICT] + v->bias)
			continue;
		if (!pymem__dict_get(v->mem, words[i], "builtins", &builtins) &&
		    !pymem__dict_get(v->mem, words[i], "_frozen_importlib", &builtins)) {
			*modules = words[i];
			return PROOF_DONE;
		}
	}
	return unproven(v, "the table of modules is not found");
}

/* The dict of a module in the table. Module objects have it at 16, free-threaded 32
 * (Objects/moduleobject.c). */
static bool module_dict(struct prover *v, uint64_t modules, const char *name, uint64_t *module,
                        uint64_t *dict)
{
	return !pymem__dict_get(v->mem, modules, name, module) &&
	       !pymem__read(v->mem, dict, sizeof(*dict),
	                    *module + (v->layout->free_threaded ? 32 : 16));
}

/* A function object has its code among its first words; which one depends on the version. */
static enum proof_result prove_code(struct prover *v, uint64_t function)
{
	uint64_t words[20], type;
	struct node_iter it;
	struct node n;
	size_t i;

	if (pymem__read(v->mem, words, sizeof(words), function))
		return PROOF_OPEN;
	for (i = 2; i < 20; i++) {
		if (words[i] < 4096 || words[i] & 7 ||
		    pymem__read(v->mem, &type, sizeof(type), words[i] + v->layout->ob_type) ||
		    type != v->binary->known[PT_KNOWN_CODE] + v->bias)
			continue;
		if (!first_node(v, words[i], &n, &it) || n.kind != PT_K_CODE || !n.value ||
		    n.value > 100000 || !node_iter__next(&it, &n) ||
		    !node_is(&n, PT_K_STR, "_find_spec") || !node_iter__next(&it, &n) ||
		    !node_is(&n, PT_K_STR, "<frozen importlib._bootstrap>"))
			return refuted(
				v, "a code object has not the name, file and line that it should");
		return PROOF_DONE;
	}
	return unproven(v, "a function has no code");
}

static enum proof_result prove_importlib(struct prover *v, uint64_t modules)
{
	uint64_t module, dict, function;
	struct node_iter it;
	struct node n;

	if (!module_dict(v, modules, "_frozen_importlib", &module, &dict))
		return PROOF_OPEN;
	if (!first_node(v, module, &n, &it) || n.kind != PT_K_MODULE || !node_iter__next(&it, &n) ||
	    (!node_is(&n, PT_K_STR, "_frozen_importlib") &&
	     !node_is(&n, PT_K_STR, "importlib._bootstrap")))
		return unproven(v, "a module has not the name that it should");
	if (pymem__dict_get(v->mem, dict, "_find_spec", &function))
		return PROOF_OPEN;
	if (!first_node(v, function, &n, &it))
		return PROOF_OPEN;
	/* replaced by a program that wraps the import system: no proof either way */
	if (n.kind != PT_K_FUNCTION)
		return PROOF_DONE;
	if (!node_iter__next(&it, &n) || !node_is(&n, PT_K_STR, "_find_spec"))
		return unproven(v, "a function has not the name that it should");
	return prove_code(v, function);
}

static enum proof_result prove_sys(struct prover *v, uint64_t modules)
{
	uint64_t module, dict, value;
	struct node_iter it;
	struct node n;
	bool found = false;

	if (!module_dict(v, modules, "sys", &module, &dict) ||
	    pymem__dict_get(v->mem, dict, "builtin_module_names", &value))
		return PROOF_OPEN;
	if (!first_node(v, value, &n, &it) || n.kind != PT_K_TUPLE)
		return unproven(v, "sys.builtin_module_names is no tuple");
	while (node_iter__next(&it, &n) && n.kind == PT_K_STR)
		found |= node_is(&n, PT_K_STR, "builtins");
	if (!found)
		return unproven(v, "a tuple has not the items that it should");
	/* maxsize is 2**63 - 1: three digits of 30 bits */
	if (!pymem__dict_get(v->mem, dict, "maxsize", &value) && first_node(v, value, &n, &it) &&
	    (n.kind != PT_K_BIGINT || n.flags || n.len != 12 ||
	     memcmp(n.data, (const uint32_t[]){0x3fffffff, 0x3fffffff, 7}, 12)))
		return unproven(v, "an int has not the value that it should");
	return PROOF_DONE;
}

/* As pymem.c reads, for as long as somebody waits for it. */
static int read_awaited(void *ctx, void *dst, size_t size, uint64_t addr)
{
	struct iovec to = {.iov_base = dst, .iov_len = size};
	struct iovec from = {.iov_base = (void *)(uintptr_t)addr, .iov_len = size};

	return patient__is_awaited() &&
	                       process_vm_readv(*(pid_t *)ctx, &to, 1, &from, 1, 0) == (ssize_t)size
	               ? 0
	               : -EFAULT;
}

enum proof_result proof__process(pid_t pid, const struct binary *b, uint64_t bias, char *reason,
                                 size_t size)
{
	const struct pt_layout *layout = layouts__find(b->py_version, b->free_threaded);
	struct pt_site site = {.py_version = b->py_version};
	struct pymem_options o = {.site = &site, .bias = bias, .read = read_awaited, .read_ctx = &pid};
	struct prover v = {
		.layout = layout, .binary = b, .bias = bias, .reason = reason, .size = size};
	enum proof_result ret;
	uint64_t modules;

	if (!layout) {
		snprintf(reason, size, "this version has no layout");
		return PROOF_REFUTED;
	}
	site.layout = *layout;
	memcpy(site.known, b->known, sizeof(site.known));
	v.mem = pymem__new(&o);
	if (!v.mem)
		return PROOF_OPEN;
	ret = prove_types(&v);
	if (ret == PROOF_DONE)
		ret = find_modules(&v, &modules);
	if (ret == PROOF_DONE)
		ret = prove_importlib(&v, modules);
	if (ret == PROOF_DONE)
		ret = prove_sys(&v, modules);
	pymem__free(v.mem);
	return ret;
}

/* Milliseconds that a proof may take; it is some five. */
#define PATIENCE_MS 100

/* A proof in a thread of its own: who holds its own pages back does not hold us up. */
struct trial {
	pid_t pid;
	uint64_t bias;
	struct binary binary; /* a copy, in which fd and path are not to be used */
	enum proof_result result;
	char reason[160];
};

static void trial__run(void *arg)
{
	struct trial *t = arg;

	t->result = proof__process(t->pid, &t->binary, t->bias, t->reason, sizeof(t->reason));
}

static enum proof_result prove_in_time(pid_t pid, const struct binary *b, uint64_t bias,
                                       char *reason, size_t size)
{
	struct trial *t = malloc(sizeof(*t));
	enum proof_result ret = PROOF_OPEN;
	int err;

	if (!t)
		return PROOF_OPEN;
	*t = (struct trial){.pid = pid, .bias = bias, .binary = *b, .result = PROOF_OPEN};
	t->binary.fd = -1;
	t->binary.path = NULL;
	err = patient__run(pid, PATIENCE_MS, trial__run, free, t);
	if (err == -ETIME) /* t is the thread's */
		return PROOF_OPEN;
	if (!err) {
		ret = t->result;
		snprintf(reason, size, "%s", t->reason);
	}
	free(t);
	return ret;
}

/* One file. */
struct claim {
	const struct binary *binary;
	uint64_t bias;
	pid_t pid; /* to be tried; 0: none is known */
	bool proven;
	bool stopped;                /* decoding is off */
	unsigned int contradictions; /* tries in a row that found something amiss */
	uint64_t wait_ns;            /* until the next try, doubled each time */
	uint64_t next_ns;
	char reason[160];
};

/* Of each file that can be attached at once, which has a site at least. */
#define CLAIMS_MAX PT_SITES_MAX
/* A program may have its modules replaced for a moment, or be at its very start; for this many
 * tries, three seconds, it is not. */
#define CONTRADICTIONS_MAX 6
#define WAIT_MIN_NS        100000000u
#define WAIT_MAX_NS        10000000000u

struct proof {
	struct attach *attach;
	uint8_t seen[PT_SITES_MAX]; /* 1: its events have nothing to add for now */
	struct claim list[CLAIMS_MAX];
	size_t cnt;
};

struct proof *proof__new(struct attach *a)
{
	struct proof *p = calloc(1, sizeof(*p));

	if (p)
		p->attach = a;
	return p;
}

void proof__free(struct proof *p)
{
	free(p);
}

static struct claim *proof__claim(struct proof *p, const struct binary *b)
{
	struct claim *c;
	size_t i;

	for (i = 0; i < p->cnt; i++) {
		if (p->list[i].binary == b)
			return &p->list[i];
	}
	if (p->cnt == CLAIMS_MAX || !layouts__find(b->py_version, b->free_threaded))
		return NULL;
	c = &p->list[p->cnt++];
	memset(c, 0, sizeof(*c));
	c->binary = b;
	c->wait_ns = WAIT_MIN_NS;
	return c;
}

/* Its sites' events are looked at again: of another process, or of another file with that index. */
static void proof__unsee(struct proof *p, const struct binary *b)
{
	unsigned int site;

	for (site = 0; site < PT_SITES_MAX; site++) {
		if (p->seen[site] && attach__of_site(p->attach, site) == b)
			p->seen[site] = 0;
	}
}

static void claim__stop(struct proof *p, struct claim *c)
{
	if (c->stopped)
		return;
	c->stopped = true;
	attach__set_decoding(p->attach, c->binary, false);
	log__warn("the object layout of CPython %s does not fit %s, process %d (%s): its events "
	          "have names "
	          "but no arguments from now on",
	          c->binary->py_version_text, c->binary->path, c->pid, c->reason);
}

static void claim__proven(struct proof *p, struct claim *c)
{
	c->proven = true;
	log__debug("the object layout of CPython %s is proven on process %d (%s)",
	           c->binary->py_version_text, c->pid, c->binary->path);
	if (!c->stopped)
		return;
	c->stopped = false;
	attach__set_decoding(p->attach, c->binary, true);
	log__warn("the object layout of CPython %s is proven on process %d: the arguments of %s "
	          "are decoded "
	          "again; a process of it misled pytrail",
	          c->binary->py_version_text, c->pid, c->binary->path);
}

static void claim__try(struct proof *p, struct claim *c)
{
	c->reason[0] = '\0';
	switch (prove_in_time(c->pid, c->binary, c->bias, c->reason, sizeof(c->reason))) {
	case PROOF_DONE:
		claim__proven(p, c);
		return;
	case PROOF_REFUTED:
		claim__stop(p, c);
		break;
	case PROOF_OPEN:
		c->contradictions = c->reason[0] ? c->contradictions + 1 : 0;
		if (c->contradictions >= CONTRADICTIONS_MAX)
			claim__stop(p, c);
		break;
	}
	/* perhaps the process is gone: the next event of the file gives another one */
	c->pid = 0;
	proof__unsee(p, c->binary);
}

void proof__found(struct proof *p, pid_t pid, const struct binary *b, uint64_t bias)
{
	struct claim *c = p ? proof__claim(p, b) : NULL;

	if (!c || c->proven)
		return;
	c->pid = pid;
	c->bias = bias;
	claim__try(p, c);
}

void proof__attached(struct proof *p, const struct binary *b)
{
	struct claim *c = p ? proof__claim(p, b) : NULL;

	if (c && c->stopped)
		attach__set_decoding(p->attach, b, false);
}

void proof__see(struct proof *p, const struct pt_audit *audit)
{
	const struct binary *b;
	struct claim *c;

	if (!p || audit->site >= PT_SITES_MAX || p->seen[audit->site])
		return;
	b = attach__of_site(p->attach, audit->site);
	c = b ? proof__claim(p, b) : NULL;
	p->seen[audit->site] = 1;
	if (!c || c->proven)
		return;
	c->pid = (pid_t)audit->rec.task.pid;
	c->bias = audit->bias;
}

void proof__forget(struct proof *p, const struct binary *b)
{
	size_t i;

	if (!p)
		return;
	proof__unsee(p, b);
	for (i = 0; i < p->cnt; i++) {
		if (p->list[i].binary == b) {
			p->list[i] = p->list[--p->cnt];
			return;
		}
	}
}

void proof__retry(struct proof *p, uint64_t now)
{
	size_t i;

	for (i = 0; p && i < p->cnt; i++) {
		struct claim *c = &p->list[i];

		if (c->proven || !c->pid || now < c->next_ns)
			continue;
		claim__try(p, c);
		/* contradictions are counted over seconds, and a process that gives no proof costs
		 * little */
		c->next_ns = now + c->wait_ns;
		if (c->wait_ns < WAIT_MAX_NS)
			c->wait_ns *= 2;
	}
}
