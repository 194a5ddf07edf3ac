/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit_functions.h"
#include "binary.h"
#include "elf_file.h"
#include "layouts.h"
#include "probe_site.h"
#include "py_version.h"
#include "singletons.h"
#include "usdt_note.h"

/* PEP 578: every CPython since 3.8 has it, and nothing else does. */
#define AUDIT_FUNCTION "PySys_Audit"

/* By enum pt_known. All are in the dynamic symbol table of an executable or libpython. */
static const char *const known_names[PT_KNOWN_MAX] = {
	[PT_KNOWN_NONE] = "_Py_NoneStruct",
	[PT_KNOWN_TRUE] = "_Py_TrueStruct",
	[PT_KNOWN_FALSE] = "_Py_FalseStruct",
	[PT_KNOWN_STR] = "PyUnicode_Type",
	[PT_KNOWN_INT] = "PyLong_Type",
	[PT_KNOWN_TUPLE] = "PyTuple_Type",
	[PT_KNOWN_BYTES] = "PyBytes_Type",
	[PT_KNOWN_LIST] = "PyList_Type",
	[PT_KNOWN_DICT] = "PyDict_Type",
	[PT_KNOWN_FLOAT] = "PyFloat_Type",
	[PT_KNOWN_BYTEARRAY] = "PyByteArray_Type",
	[PT_KNOWN_SET] = "PySet_Type",
	[PT_KNOWN_FROZENSET] = "PyFrozenSet_Type",
	[PT_KNOWN_CODE] = "PyCode_Type",
	[PT_KNOWN_FUNCTION] = "PyFunction_Type",
	[PT_KNOWN_CFUNCTION] = "PyCFunction_Type",
	[PT_KNOWN_METHOD] = "PyMethod_Type",
	[PT_KNOWN_MODULE] = "PyModule_Type",
	[PT_KNOWN_BOOL] = "PyBool_Type",
	[PT_KNOWN_TYPE] = "PyType_Type",
};

static void set_once(uint64_t *where, uint64_t value)
{
	if (!*where)
		*where = value;
}

static void set_runtime(struct binary *b, const Elf64_Sym *sym)
{
	b->runtime = sym->st_value;
	b->runtime_size = sym->st_size;
}

/* What is looked for, by name in the order of strcmp(): anybody can make a file of nothing but
 * names that begin so. */
enum symbol_role { ROLE_AUDIT, ROLE_VERSION, ROLE_RUNTIME, ROLE_GETCODE, ROLE_NEWREF, ROLE_KNOWN };

struct wanted_symbol {
	const char *name;
	enum symbol_role role;
	size_t known;
};

#define WANTED_MAX (ROLE_KNOWN + PT_KNOWN_MAX)

struct symbol_scan {
	struct binary *binary;
	struct py_version_hints *hints;
	struct wanted_symbol wanted[WANTED_MAX];
	size_t wanted_cnt;
	bool has_audit;
};

static int compare_wanted(const void *a, const void *b)
{
	const struct wanted_symbol *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static size_t list_wanted(struct wanted_symbol list[WANTED_MAX])
{
	size_t n = 0;

	list[n++] = (struct wanted_symbol){AUDIT_FUNCTION, ROLE_AUDIT, 0};
	list[n++] = (struct wanted_symbol){"Py_Version", ROLE_VERSION, 0};
	list[n++] = (struct wanted_symbol){"_PyRuntime", ROLE_RUNTIME, 0};
	list[n++] = (struct wanted_symbol){"PyFrame_GetCode", ROLE_GETCODE, 0};
	list[n++] = (struct wanted_symbol){"Py_NewRef", ROLE_NEWREF, 0};
	for (size_t i = 0; i < PT_KNOWN_MAX; i++)
		if (known_names[i])
			list[n++] = (struct wanted_symbol){known_names[i], ROLE_KNOWN, i};
	qsort(list, n, sizeof(*list), compare_wanted);
	return n;
}

static bool on_symbol(void *ctx, const char *name, const Elf64_Sym *sym)
{
	struct wanted_symbol key = {.name = name};
	const struct wanted_symbol *found;
	struct symbol_scan *scan = ctx;

	/* Most names of a big table are dismissed here. */
	if (strncmp(name[0] == '_' ? name + 1 : name, "Py", 2))
		return true;
	found = bsearch(&key, scan->wanted, scan->wanted_cnt, sizeof(key), compare_wanted);
	if (!found)
		return true;
	switch (found->role) {
	case ROLE_AUDIT:
		scan->has_audit = true;
		break;
	case ROLE_VERSION:
		set_once(&scan->hints->version_object, sym->st_value);
		break;
	case ROLE_RUNTIME:
		if (!scan->binary->runtime)
			set_runtime(scan->binary, sym);
		break;
	case ROLE_GETCODE:
		scan->hints->has_frame_getcode = true;
		break;
	case ROLE_NEWREF:
		scan->hints->has_newref = true;
		break;
	case ROLE_KNOWN:
		set_once(&scan->binary->known[found->known], sym->st_value);
		break;
	}
	return true;
}

static bool knows_all(const struct binary *b)
{
	for (size_t i = 0; i < PT_KNOWN_MAX; i++)
		if (known_names[i] && !b->known[i])
			return false;
	return b->runtime != 0;
}

/* The full table only where the dynamic one, far smaller, is not enough: a static, unstripped
 * one. */
static bool find_symbols(struct elf_file *e, struct binary *b, struct py_version_hints *hints)
{
	struct symbol_scan scan = {.binary = b, .hints = hints};

	scan.wanted_cnt = list_wanted(scan.wanted);
	elf_file__each_symbol(e, true, on_symbol, &scan);
	if (!scan.has_audit || !knows_all(b))
		elf_file__each_symbol(e, false, on_symbol, &scan);
	hints->has_api = scan.has_audit;
	hints->runtime = b->runtime;
	return scan.has_audit;
}

/* Where the code of an address is in the file. */
static bool code_offset(const struct binary *b, uint64_t address, uint64_t *offset)
{
	for (size_t i = 0; i < b->segments_cnt; i++) {
		const struct binary_segment *s = &b->segments[i];

		if (address >= s->address && address - s->address < s->size) {
			*offset = address - s->address + s->offset;
			return true;
		}
	}
	return false;
}

static void add_site(struct elf_file *e, struct binary *b, const struct usdt_note *note, uint64_t base)
{
	/* Prelinking moves addresses but not those in notes; the section is there to tell by how
	 * much. */
	uint64_t moved = base && note->base ? base - note->base : 0;
	struct binary_site site = {.address = note->location + moved};

	if (b->sites_cnt == BINARY_SITES_MAX || !code_offset(b, site.address, &site.offset))
		return;
	/* A site with a semaphore that cannot be raised never fires: it is none. */
	if (note->semaphore &&
	    !elf_file__address_to_offset(e, note->semaphore + moved, &site.semaphore))
		return;
	site.semaphore_address = note->semaphore ? note->semaphore + moved : 0;
	for (size_t i = 0; i < b->sites_cnt; i++)
		if (b->sites[i].offset == site.offset)
			return;
	usdt__parse_args(elf_file__header(e)->e_machine, note->args, site.args, 2);
	b->sites[b->sites_cnt++] = site;
}

static bool is_audit(const struct usdt_note *note)
{
	return !strcmp(note->provider, "python") && !strcmp(note->name, "audit");
}

/* Bytes of notes that are looked at. Python's are 600, those of programs with a probe everywhere
 * some 100000. */
#define NOTES_MAX (4u << 20)

/* Calls for every python:audit note; with b NULL only says whether there is one. */
static bool find_sites(struct elf_file *e, struct binary *b)
{
	uint64_t base = 0, left = NOTES_MAX;
	size_t index = 0;
	Elf64_Shdr section;
	bool found = false;

	if (elf_file__find_section(e, ".stapsdt.base", &index, &section))
		base = section.sh_addr;
	for (index = 0; elf_file__find_section(e, ".note.stapsdt", &index, &section);) {
		struct usdt_iter it = {0};
		struct usdt_note note;
		void *data;

		if (section.sh_type != SHT_NOTE || section.sh_size > left)
			continue;
		left -= section.sh_size;
		data = elf_file__load(e, section.sh_offset, section.sh_size);
		if (!data)
			continue;
		it.data = data;
		it.len = section.sh_size;
		while (usdt_iter__next(&it, &note)) {
			if (!is_audit(&note))
				continue;
			found = true;
			if (b)
				add_site(e, b, &note, base);
		}
		free(data);
	}
	return found;
}

static void find_build_id_in(struct binary *b, const uint8_t *data, size_t len, size_t align)
{
	size_t pos = 0;

	while (pos < len && len - pos >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr nhdr;
		size_t name, desc;

		memcpy(&nhdr, data + pos, sizeof(nhdr));
		name = pos + sizeof(nhdr);
		desc = name + ((nhdr.n_namesz + align - 1) & ~(align - 1));
		if (desc > len || nhdr.n_descsz > len - desc)
			return;
		if (nhdr.n_type == NT_GNU_BUILD_ID && nhdr.n_namesz == 4 &&
		    !memcmp(data + name, "GNU", 4)) {
			for (size_t i = 0; i < nhdr.n_descsz && i < 20; i++)
				snprintf(b->build_id + 2 * i, 3, "%02x", data[desc + i]);
			return;
		}
		pos = desc + ((nhdr.n_descsz + align - 1) & ~(align - 1));
	}
}

static void find_build_id(struct elf_file *e, struct binary *b)
{
	const Elf64_Phdr *segments;
	size_t cnt;

	segments = elf_file__segments(e, &cnt);
	for (size_t i = 0; i < cnt && !b->build_id[0]; i++) {
		void *data;

		if (segments[i].p_type != PT_NOTE || segments[i].p_filesz > 65536)
			continue;
		data = elf_file__load(e, segments[i].p_offset, segments[i].p_filesz);
		if (data)
			find_build_id_in(b, data, segments[i].p_filesz,
			                 segments[i].p_align == 8 ? 8 : 4);
		free(data);
	}
}

static void find_segments(struct elf_file *e, struct binary *b)
{
	const Elf64_Phdr *segments;
	bool interp = false;
	uint64_t flags = 0;
	size_t cnt;

	segments = elf_file__segments(e, &cnt);
	for (size_t i = 0; i < cnt; i++) {
		const Elf64_Phdr *p = &segments[i];
		uint64_t end;
		char last;

		if (p->p_type == PT_INTERP)
			interp = true;
		if (p->p_type == PT_LOAD && p->p_flags & PF_X && p->p_filesz &&
		    b->segments_cnt < BINARY_SEGMENTS_MAX &&
		    !__builtin_add_overflow(p->p_offset, p->p_filesz, &end) &&
		    !elf_file__read(e, end - 1, &last, 1))
			b->segments[b->segments_cnt++] =
				(struct binary_segment){p->p_offset, p->p_filesz, p->p_vaddr};
	}
	elf_file__dynamic(e, DT_FLAGS_1, 0, &flags);
	b->machine = elf_file__header(e)->e_machine;
	b->shared = elf_file__header(e)->e_type == ET_DYN && !interp && !(flags & DF_1_PIE);
}

static void find_singletons(struct elf_file *e, struct binary *b)
{
	const struct pt_layout *layout = layouts__find(b->py_version, b->free_threaded);

	if (layout && b->runtime)
		singletons__find(e, b->runtime, b->runtime_size, layout, &b->singletons);
}

static bool prefer_usdt;

void binary__prefer_usdt(void)
{
	prefer_usdt = true;
}

static int analyse(struct elf_file *e, struct binary *b)
{
	struct py_version_hints hints = {.path = b->path};
	struct py_version version;
	bool has_audit;

	find_segments(e, b);
	find_sites(e, b);
	has_audit = find_symbols(e, b, &hints);
	if (!has_audit && !b->sites_cnt)
		return -ENOEXEC;
	py_version__find(e, &hints, &version);
	b->py_version = version.hex;
	b->free_threaded = version.free_threaded;
	memcpy(b->py_version_text, version.text, sizeof(b->py_version_text));
	find_build_id(e, b);
	find_singletons(e, b);
	/* What it does not find, b->missing says. */
	if (!b->sites_cnt || !prefer_usdt)
		audit_functions__find(e, b);
	return 0;
}

/* 0: this machine's */
static int open_file(uint16_t machine, int fd, struct elf_file **out)
{
	return machine ? elf_file__open_for(machine, fd, out) : elf_file__open(fd, out);
}

int binary__open(int fd, const char *path, struct binary **out)
{
	return binary__open_for(0, fd, path, out);
}

int binary__open_for(uint16_t machine, int fd, const char *path, struct binary **out)
{
	struct elf_file *e = NULL;
	struct binary *b;
	struct stat st;
	int err;

	*out = NULL;
	b = calloc(1, sizeof(*b));
	if (!b) {
		close(fd);
		return -ENOMEM;
	}
	b->fd = fd;
	b->path = strdup(path);
	err = b->path ? 0 : -ENOMEM;
	if (!err)
		err = fstat(fd, &st) < 0 ? -errno : 0;
	if (!err) {
		b->dev = st.st_dev;
		b->ino = st.st_ino;
		err = open_file(machine, fd, &e);
	}
	if (!err)
		err = analyse(e, b);
	elf_file__close(e);
	if (err) {
		binary__free(b);
		return err;
	}
	*out = b;
	return 0;
}

void binary__free(struct binary *b)
{
	if (!b)
		return;
	close(b->fd);
	free(b->path);
	free(b);
}

/* A static interpreter without dynamic symbols is known by its name only. */
static bool has_python_name(int fd)
{
	char link[64], path[4096], *slash;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	slash = strrchr(path, '/');
	return strstr(slash ? slash : path, "python") != NULL;
}

bool binary__is_candidate(int fd)
{
	struct elf_file *e;
	bool yes;

	if (elf_file__open(fd, &e))
		return false;
	yes = elf_file__exports(e, AUDIT_FUNCTION) || has_python_name(fd) || find_sites(e, NULL);
	elf_file__close(e);
	return yes;
}

void binary__fill_site(const struct binary *b, size_t index, struct pt_site *out)
{
	const struct binary_site *site = &b->sites[index];

	out->address = site->address;
	memcpy(out->args, site->args, sizeof(out->args));
	memcpy(out->known, b->known, sizeof(out->known));
	out->singletons = b->singletons;
	out->py_version = b->py_version;
	out->probe = PT_PROBE_USDT;
}

void binary__fill_entry(const struct binary *b, size_t index, struct pt_site *out)
{
	const struct binary_entry *entry = &b->entries[index];

	out->address = entry->address;
	probe_site__args(b->machine, entry->kind, entry->first_vararg, out->args);
	memcpy(out->known, b->known, sizeof(out->known));
	out->singletons = b->singletons;
	out->py_version = b->py_version;
	out->builtin_start = b->builtin_start;
	out->builtin_end = b->builtin_end;
	out->probe = PT_PROBE_UPROBE;
	out->entry = entry->kind;
	out->first_vararg = entry->first_vararg;
	out->stack_moved = entry->stack_moved;
}

bool binary__bias(const struct binary *b, uint64_t start, uint64_t offset, uint64_t *bias)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < b->segments_cnt; i++) {
		const struct binary_segment *s = &b->segments[i];

		/* The loader maps whole pages; a part of a segment can be mapped anew, or split
		 * off. */
		if (offset < (s->offset & ~(page - 1)) || offset >= s->offset + s->size)
			continue;
		*bias = start - offset + s->offset - s->address;
		return true;
	}
	return false;
}
