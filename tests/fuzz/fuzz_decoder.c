// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The kernel's decoder, both front ends, over memory made of any bytes. Of what it writes must
 * hold: the reader accepts it, each format renders it, it took no more steps than the limit, and no
 * byte in it is left from the event before, which was another process's.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Inlined into each other, and instrumented, they would take minutes to compile. */
#define PYD_FN static __attribute__((unused, noinline))
/* The second front end has no user in user/: it needs the state. */
#include "user/pymem.c"

#include "bpf/buildvalue.h"
#include "tests/fuzz/lines.h"
#include "user/format/format.h"
#include "user/layouts.h"
#include "user/reader.h"
#include "user/util/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASE  0x10000ull /* where the memory begins */
#define PAGES 8u
#define WORDS (PAGES * PYD_PAGE / 8)
#define KNOWN 0x100000ull /* where the known objects are said to be, 256 bytes each */

static const uint32_t versions[] = {0x030800f0, 0x030900f0, 0x030a00f0, 0x030b02f0,
                                    0x030c00f0, 0x030d00f0, 0x030e00f0};

enum front {
	FRONT_TUPLE,
	FRONT_VALUE,
	FRONT_FORMAT,
	FRONT_ARRAY,
};

/* The first bytes of an input; each word of memory follows as a byte that says what it is to be,
 * and 8 more. */
struct choices {
	uint8_t front, version, max_string, max_items, max_depth;
	uint8_t absent; /* a bit for each page */
	uint8_t changing;
	uint8_t reg;
	uint16_t start;
};

struct world {
	union {
		uint64_t words[WORDS];
		uint8_t bytes[WORDS * 8];
	};
	struct choices c;
	struct pt_site site;
	unsigned int reads;
};

/* A word by chance is a pointer, a type or a small number hardly ever: half of the choices make
 * one. */
static uint64_t word__make(uint8_t tag, uint64_t w)
{
	switch (tag & 7) {
	case 0:
	case 1:
		return BASE + w % (WORDS * 8) / 8 * 8;
	case 2:
		return w & 1 ? KNOWN + w / 2 % PT_KNOWN_MAX * 256 : KNOWN + w % 0x60000;
	case 3:
		return w % 300;
	case 4:
		return BASE + w % (WORDS * 8);
	default:
		return w;
	}
}

static void world__make(struct world *w, const uint8_t *data, size_t size)
{
	uint64_t word;
	size_t i, n = size / 9;

	memset(w->words, 0, sizeof(w->words));
	/* what there is of it fills all */
	for (i = 0; n && i < WORDS; i++) {
		memcpy(&word, data + i % n * 9 + 1, 8);
		w->words[i] = word__make(data[i % n * 9], word);
	}
	w->reads = 0;
}

/* Other threads change it while it is read. */
static void world__change(struct world *w)
{
	uint32_t at = w->reads * 2654435761u % WORDS;

	if (w->c.changing && w->reads % w->c.changing == 0)
		w->words[at] ^= w->words[(at + 1) % WORDS];
	w->reads++;
}

static int world__read(void *ctx, void *dst, size_t size, uint64_t addr)
{
	struct world *w = ctx;
	uint64_t page, last;

	world__change(w);
	if (addr < BASE || addr - BASE >= sizeof(w->bytes) || size > sizeof(w->bytes) - (addr - BASE))
		return -EFAULT;
	last = (addr - BASE + size - 1) / PYD_PAGE;
	for (page = (addr - BASE) / PYD_PAGE; size && page <= last; page++)
		if (w->c.absent & 1u << page)
			return -EFAULT;
	memcpy(dst, w->bytes + (addr - BASE), size);
	return 0;
}

static uint64_t world__word(const struct world *w, unsigned int i)
{
	return w->words[(w->c.start + i) % WORDS];
}

static int format__begin(struct pymem *m, const struct world *w)
{
	struct pyd_format *f = &m->state.format;
	int i;

	for (i = 0; i < 6; i++)
		f->regs[i] = world__word(w, (unsigned int)i);
	f->next_reg = w->c.reg % 7;
	f->next_fp = 48 + w->c.reg / 8 % 9 * 16;
	f->fp_area = w->c.reg & 128 ? world__word(w, 6) : 0;
	f->stack = world__word(w, 7);
	return pyf__start(&m->state, &m->site, BASE + w->c.start, sizeof(struct pt_audit));
}

static int array__begin(struct pymem *m, const struct world *w)
{
	uint64_t items = BASE + w->c.start * 8u, count = world__word(w, 1) % 300 + 1;

	if (!pyf__name(&m->state, &m->site, items, (uint32_t)(count > PYF_FIRST ? PYF_FIRST : count)))
		return -1;
	return pyf__start_array(&m->state, items, (uint32_t)count - 1, sizeof(struct pt_audit));
}

/* As the programs do (bpf/audit.bpf.h). */
static size_t second_front(struct pymem *m, const struct world *w, const void **record)
{
	struct pyd_state *s = &m->state;
	struct pt_audit *a = (struct pt_audit *)s->buf;
	unsigned int calls;
	int more;

	current = m;
	s->bias = m->o.bias;
	more = w->c.front % 4 == FRONT_FORMAT ? format__begin(m, w) : array__begin(m, w);
	if (more < 0)
		return 0;
	for (calls = 0; more; calls++) {
		if (calls > PYD_STEPS_MAX)
			abort();
		more = pyf__step(s, &m->site);
	}
	memset(a, 0, sizeof(*a));
	a->rec.size = s->out;
	a->rec.kind = PT_REC_AUDIT;
	a->rec.version = PT_WIRE_VERSION;
	a->py_version = m->site.py_version;
	a->flags = (__u8)(s->flags & PT_AUDIT_CUT);
	*record = s->buf;
	return s->out;
}

/* Decodes with scratch memory that holds `stale`. */
static size_t decode(struct pymem *m, const struct world *w, int stale, const void **record)
{
	size_t size;

	memset(&m->state, stale, sizeof(m->state));
	switch (w->c.front % 4) {
	case FRONT_TUPLE:
		size = pymem__tuple(m, BASE + w->c.start % (WORDS * 8), record);
		break;
	case FRONT_VALUE:
		size = pymem__value(m, BASE + w->c.start % (WORDS * 8), record);
		break;
	default:
		size = second_front(m, w, record);
	}
	if (size && (m->state.steps > PYD_STEPS_MAX + 1 || size > PT_RECORD_MAX))
		abort();
	return size;
}

static void render(const void *record, size_t size)
{
	static const char *const names[] = {"json", "text", "ecs", "cef"};
	const struct format_context ctx = {.instance = "0", .width = 80};
	static struct buf out;
	struct event ev;

	if (reader__audit(record, size, &ev))
		abort();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct format *f = format__find(names[i], strlen(names[i]));

		buf__reset(&out);
		f->event(&out, &ev, &ctx);
		line__check_text(out.data, out.len, false);
		if (i == 0)
			line__check_json(out.data, out.len, false);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	static struct pymem *m;
	static uint64_t first[PT_RECORD_MAX / 8];
	const struct pt_layout *layout;
	const void *record;
	size_t one, two, at;
	int i;

	if (size < sizeof(w.c) + 9)
		return -1;
	memcpy(&w.c, data, sizeof(w.c));
	layout = layouts__find(versions[w.c.version % (sizeof(versions) / sizeof(versions[0]))],
	                       false);
	if (!layout)
		abort();
	w.site = (struct pt_site){.layout = *layout,
	                          .py_version = (uint32_t)layout->py_version << 16};
	w.site.singletons = (struct pt_singletons){.ints = KNOWN + (1 << 16),
	                                           .ints_cnt = 262,
	                                           .int_size = 32,
	                                           .chars = KNOWN + (1 << 18),
	                                           .chars_cnt = 128,
	                                           .char_size = 48};
	for (i = 0; i < PT_KNOWN_MAX; i++)
		w.site.known[i] = KNOWN + (uint64_t)i * 256;
	if (!m)
		m = pymem__new(&(
			struct pymem_options){.site = &w.site, .read = world__read, .read_ctx = &w});
	if (!m)
		return -1;
	m->site = w.site;
	m->o.max_string = w.c.max_string & 1 ? PT_RECORD_MAX / 2 : w.c.max_string * 32u + 16;
	m->o.max_items = w.c.max_items + 1u;
	m->o.max_depth = w.c.max_depth % PT_DEPTH_MAX + 1u;

	world__make(&w, data + sizeof(w.c), size - sizeof(w.c));
	one = decode(m, &w, 0, &record);
	if (one) {
		memcpy(first, record, one);
		render(first, one);
	}
	world__make(&w, data + sizeof(w.c), size - sizeof(w.c));
	two = decode(m, &w, 0xa5, &record);
	for (at = 0; at < one && one == two; at++)
		if (((uint8_t *)first)[at] != ((const uint8_t *)record)[at])
			break;
	if (one != two || at < one) {
		fprintf(stderr, "%zu and %zu bytes, different from %zu on\n", one, two, at);
		abort();
	}
	return 0;
}
