/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit_symbols.h"
#include "debugdata.h"

#define FUNCTIONS_MAX (1u << 20)
#define SUFFIX_MAX    256 /* bytes, of all that compilers put behind a name */

struct scan {
	struct audit_symbols *symbols;
	size_t room;
	size_t exported_room;
	bool dynamic; /* the table being read is .dynsym */
	bool keep;    /* the functions' ranges, too */
	int err;
};

/* The name itself or with a suffix of a compiler's (".constprop.0", ".lto_priv.1", ".llvm.123"),
 * but not a part of a function that has been split off. */
static bool is_copy_of(const char *name, const char *function)
{
	size_t len = strlen(function);
	char suffix[SUFFIX_MAX];

	if (strncmp(name, function, len))
		return false;
	if (!name[len])
		return true;
	/* one name can be a million symbols', and as long as the file is */
	if (name[len] != '.' || strnlen(name + len, sizeof(suffix)) == sizeof(suffix))
		return false;
	strcpy(suffix, name + len);
	return !strstr(suffix, ".cold") && !strstr(suffix, ".part");
}

static void set_once(uint64_t *where, uint64_t value)
{
	if (!*where)
		*where = value;
}

static void add_copy(struct audit_symbols *s, uint64_t address)
{
	for (size_t i = 0; i < s->copies_cnt; i++)
		if (s->copies[i] == address)
			return;
	if (s->copies_cnt < AUDIT_COPIES_MAX)
		s->copies[s->copies_cnt++] = address;
}

static void keep_range(struct scan *scan, const Elf64_Sym *sym)
{
	struct audit_symbols *s = scan->symbols;
	struct code_range *more;

	if (!sym->st_size || s->functions_cnt == FUNCTIONS_MAX ||
	    sym->st_value + sym->st_size < sym->st_value)
		return;
	if (s->functions_cnt == scan->room) {
		scan->room = scan->room ? 2 * scan->room : 1024;
		more = realloc(s->functions, scan->room * sizeof(*more));
		if (!more) {
			scan->err = -ENOMEM;
			return;
		}
		s->functions = more;
	}
	s->functions[s->functions_cnt++] =
		(struct code_range){sym->st_value, sym->st_value + sym->st_size};
}

static void keep_exported(struct scan *scan, uint64_t address)
{
	struct audit_symbols *s = scan->symbols;
	uint64_t *more;

	if (s->exported_cnt == FUNCTIONS_MAX)
		return;
	if (s->exported_cnt == scan->exported_room) {
		scan->exported_room = scan->exported_room ? 2 * scan->exported_room : 4096;
		more = realloc(s->exported, scan->exported_room * sizeof(*more));
		if (!more) {
			scan->err = -ENOMEM;
			return;
		}
		s->exported = more;
	}
	s->exported[s->exported_cnt++] = address;
}

static bool on_symbol(void *ctx, const char *name, const Elf64_Sym *sym)
{
	struct scan *scan = ctx;
	struct audit_symbols *s = scan->symbols;

	if (ELF64_ST_TYPE(sym->st_info) != STT_FUNC)
		return true;
	if (scan->keep)
		keep_range(scan, sym);
	if (scan->dynamic)
		keep_exported(scan, sym->st_value);
	if (!strcmp(name, "PySys_Audit"))
		set_once(&s->pysys_audit, sym->st_value);
	else if (is_copy_of(name, "_PySys_Audit"))
		add_copy(s, sym->st_value);
	else if (is_copy_of(name, "sys_audit_tstate"))
		set_once(&s->tstate, sym->st_value);
	else if (is_copy_of(name, "sys_audit"))
		set_once(&s->builtin, sym->st_value);
	return !scan->err;
}

static int compare(const void *a, const void *b)
{
	const struct code_range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static int compare_addresses(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int audit_symbols__load(struct elf_file *e, const struct elf_image *image, struct audit_symbols *out)
{
	struct scan scan = {.symbols = out};
	int err;

	*out = (struct audit_symbols){0};
	out->has_frames = eh_frame__open(image, &out->frames);
	scan.keep = !out->has_frames;
	scan.dynamic = true;
	elf_file__each_symbol(e, true, on_symbol, &scan);
	scan.dynamic = false;
	err = elf_file__each_symbol(e, false, on_symbol, &scan);
	if (err)
		err = debugdata__each_symbol(e, on_symbol, &scan);
	out->complete = !err;
	if (out->exported_cnt)
		qsort(out->exported, out->exported_cnt, sizeof(*out->exported), compare_addresses);
	if (out->functions_cnt)
		qsort(out->functions, out->functions_cnt, sizeof(*out->functions), compare);
	return scan.err;
}

void audit_symbols__free(struct audit_symbols *s)
{
	free(s->functions);
	free(s->exported);
	*s = (struct audit_symbols){0};
}

bool audit_symbols__function(const struct audit_symbols *s, uint64_t address, struct code_range *out)
{
	size_t low = 0, high = s->functions_cnt;

	if (s->has_frames && eh_frame__find(&s->frames, address, &out->start, &out->end))
		return true;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->functions[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address >= s->functions[low - 1].end)
		return false;
	*out = s->functions[low - 1];
	return true;
}

bool audit_symbols__is_exported(const struct audit_symbols *s, uint64_t address)
{
	return s->exported_cnt &&
	       bsearch(&address, s->exported, s->exported_cnt, sizeof(address), compare_addresses);
}
