// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../util/buf.h"

/* Of functions that contain others (hand-written assembly), how many starts are looked back at. */
#define NESTED_MAX 8

struct entry {
	uint64_t address;
	uint64_t size;
	uint32_t name; /* offset in names */
	uint8_t rank;  /* of several names of an address the lowest is taken */
};

struct symbols {
	struct entry *v;
	size_t cnt, cap;
	struct buf names;
	int err;
};

/* Exported names are the ones that people know; among them none is better: the first in the
 * file. */
static uint8_t rank_of(const Elf64_Sym *sym)
{
	switch (ELF64_ST_BIND(sym->st_info)) {
	case STB_GLOBAL:
		return 0;
	case STB_WEAK:
		return 1;
	default:
		return 2;
	}
}

static bool add(void *ctx, const char *name, const Elf64_Sym *sym)
{
	unsigned type = ELF64_ST_TYPE(sym->st_info);
	struct symbols *s = ctx;
	size_t len;

	if (type != STT_FUNC && type != STT_GNU_IFUNC)
		return true;
	len = strnlen(name, SYMBOL_NAME_MAX + 1);
	if (!len || len > SYMBOL_NAME_MAX)
		return true;
	if (s->cnt == SYMBOLS_MAX || s->names.len + len + 1 > SYMBOLS_NAMES_MAX) {
		s->err = -E2BIG;
		return false;
	}
	if (s->cnt == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 256;
		struct entry *v = realloc(s->v, cap * sizeof(*v));

		if (!v) {
			s->err = -ENOMEM;
			return false;
		}
		s->v = v;
		s->cap = cap;
	}
	s->v[s->cnt++] = (struct entry){
		.address = sym->st_value,
		.size = sym->st_size,
		.name = (uint32_t)s->names.len,
		.rank = rank_of(sym),
	};
	buf__append(&s->names, name, len + 1);
	if (s->names.failed)
		s->err = -ENOMEM;
	return !s->err;
}

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank - y->rank;
	return x->name < y->name ? -1 : x->name > y->name;
}

/* One entry an address, with the largest size that any of its names has. */
static void merge(struct symbols *s)
{
	size_t to = 0;

	for (size_t i = 0; i < s->cnt; i++) {
		if (to && s->v[to - 1].address == s->v[i].address) {
			if (s->v[to - 1].size < s->v[i].size)
				s->v[to - 1].size = s->v[i].size;
		} else {
			s->v[to++] = s->v[i];
		}
	}
	s->cnt = to;
}

static int load_table(struct symbols *s, struct elf_file *e, bool dynamic)
{
	int err = elf_file__each_symbol(e, dynamic, add, s);

	if (!err)
		err = s->err;
	return err || s->cnt ? err : -ENOENT;
}

/* Gives back what growing took too much. */
static void shrink(struct symbols *s)
{
	void *v = realloc(s->v, s->cnt * sizeof(*s->v)), *names;

	if (v) {
		s->v = v;
		s->cap = s->cnt;
	}
	names = realloc(s->names.data, s->names.len);
	if (names) {
		s->names.data = names;
		s->names.cap = s->names.len;
	}
}

int symbols__load(struct elf_file *e, struct symbols **out)
{
	struct symbols *s = calloc(1, sizeof(*s));
	int err;

	*out = NULL;
	if (!s)
		return -ENOMEM;
	err = load_table(s, e, false);
	if (err == -ENOENT || err == -ENOEXEC) {
		s->cnt = 0;
		buf__reset(&s->names);
		err = load_table(s, e, true);
	}
	if (err) {
		symbols__free(s);
		return err;
	}
	qsort(s->v, s->cnt, sizeof(*s->v), compare);
	merge(s);
	shrink(s);
	*out = s;
	return 0;
}

void symbols__free(struct symbols *s)
{
	if (!s)
		return;
	free(s->v);
	buf__free(&s->names);
	free(s);
}

size_t symbols__bytes(const struct symbols *s)
{
	return sizeof(*s) + s->cap * sizeof(*s->v) + s->names.cap;
}

static bool covers(const struct symbols *s, size_t i, uint64_t address)
{
	const struct entry *e = &s->v[i];

	if (e->size)
		return address - e->address < e->size;
	return i + 1 < s->cnt && address < s->v[i + 1].address;
}

bool symbols__find(const struct symbols *s, uint64_t address, struct symbol *out)
{
	size_t low = 0, high = s->cnt;

	/* How many begin at the address or before it. */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->v[mid].address <= address)
			low = mid + 1;
		else
			high = mid;
	}
	for (size_t i = low; i-- && low - i <= NESTED_MAX;) {
		if (!covers(s, i, address))
			continue;
		out->name = s->names.data + s->v[i].name;
		out->address = s->v[i].address;
		return true;
	}
	return false;
}
