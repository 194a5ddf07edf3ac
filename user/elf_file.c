/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf_file.h"

#define SEGMENTS_MAX 512
#define SECTIONS_MAX 65536
#define DYNAMIC_MAX  4096
#define CHUNK        (64u << 10)
#define NAMES_MAX    (64u << 20) /* bytes of a string table that are looked at */
#define SYMBOLS_MAX \
	2000000 /* of a table that are looked at; the largest interpreters have some 100000 */
#define HASH_STEPS 4096 /* longest chain that is followed: a ring is no chain */

/*
 * Bytes that are read of a file, each reading being counted as READ_LEAST at least: what its tables
 * say can make it more than it has, over and over. Of the largest interpreters it is 150 MB.
 */
#define READ_MAX   (512u << 20)
#define READ_LEAST 2048

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#error "architecture not supported"
#endif

struct elf_file {
	int fd;
	uint64_t size;
	uint64_t left; /* of READ_MAX */
	Elf64_Ehdr header;
	Elf64_Phdr *segments;
	size_t segments_cnt;
	Elf64_Shdr *sections; /* loaded when first asked for */
	size_t sections_cnt;
	bool sections_loaded;
	char *section_names;
	uint64_t section_names_len;
	Elf64_Dyn *dynamic; /* loaded when first asked for */
	size_t dynamic_cnt;
	bool dynamic_loaded;
};

int elf_file__read(struct elf_file *e, uint64_t offset, void *buf, size_t len)
{
	uint64_t price = len < READ_LEAST ? READ_LEAST : len;
	char *to = buf;

	if (offset > e->size || len > e->size - offset)
		return -ENOEXEC;
	if (price > e->left)
		return -EFBIG;
	e->left -= price;
	while (len) {
		ssize_t n = pread(e->fd, to, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0) /* cut since it was opened */
			return -ENOEXEC;
		to += n;
		offset += n;
		len -= n;
	}
	return 0;
}

void *elf_file__load(struct elf_file *e, uint64_t offset, uint64_t len)
{
	char *data;
	int err;

	if (offset > e->size || len > e->size - offset || len > ELF_FILE_LOAD_MAX) {
		errno = ENOEXEC;
		return NULL;
	}
	if (len > e->left) {
		errno = EFBIG;
		return NULL;
	}
	data = calloc(1, len + 1);
	if (!data)
		return NULL;
	err = elf_file__read(e, offset, data, len);
	if (err) {
		free(data);
		errno = -err;
		return NULL;
	}
	data[len] = '\0';
	return data;
}

static bool header_fits(const Elf64_Ehdr *h, uint16_t machine)
{
	const uint16_t one = 1;
	int data = *(const uint8_t *)&one ? ELFDATA2LSB : ELFDATA2MSB;

	return !memcmp(h->e_ident, ELFMAG, SELFMAG) && h->e_ident[EI_CLASS] == ELFCLASS64 &&
	       h->e_ident[EI_DATA] == data && h->e_machine == machine &&
	       (h->e_type == ET_EXEC || h->e_type == ET_DYN);
}

static int load_segments(struct elf_file *e)
{
	const Elf64_Ehdr *h = &e->header;

	/* The kernel refuses other entry sizes, too (fs/binfmt_elf.c, load_elf_phdrs). */
	if (h->e_phentsize != sizeof(Elf64_Phdr) || h->e_phnum == 0 || h->e_phnum > SEGMENTS_MAX)
		return -ENOEXEC;
	e->segments = elf_file__load(e, h->e_phoff, (uint64_t)h->e_phnum * sizeof(Elf64_Phdr));
	if (!e->segments)
		return -errno;
	e->segments_cnt = h->e_phnum;
	return 0;
}

int elf_file__open(int fd, struct elf_file **out)
{
	return elf_file__open_for(MACHINE, fd, out);
}

int elf_file__open_for(uint16_t machine, int fd, struct elf_file **out)
{
	struct elf_file *e;
	struct stat st;
	int err;

	*out = NULL;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOEXEC;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->fd = fd;
	e->left = READ_MAX;
	e->size = st.st_size;
	err = elf_file__read(e, 0, &e->header, sizeof(e->header));
	if (!err && !header_fits(&e->header, machine))
		err = -ENOEXEC;
	if (!err)
		err = load_segments(e);
	if (err) {
		elf_file__close(e);
		return err;
	}
	*out = e;
	return 0;
}

void elf_file__close(struct elf_file *e)
{
	if (!e)
		return;
	free(e->segments);
	free(e->sections);
	free(e->section_names);
	free(e->dynamic);
	free(e);
}

const Elf64_Ehdr *elf_file__header(const struct elf_file *e)
{
	return &e->header;
}

const Elf64_Phdr *elf_file__segments(const struct elf_file *e, size_t *cnt)
{
	*cnt = e->segments_cnt;
	return e->segments;
}

bool elf_file__address_to_offset(const struct elf_file *e, uint64_t address, uint64_t *offset)
{
	for (size_t i = 0; i < e->segments_cnt; i++) {
		const Elf64_Phdr *p = &e->segments[i];

		if (p->p_type != PT_LOAD || address < p->p_vaddr ||
		    address - p->p_vaddr >= p->p_filesz)
			continue;
		if (__builtin_add_overflow(p->p_offset, address - p->p_vaddr, offset))
			continue;
		if (*offset < e->size)
			return true;
	}
	return false;
}

int elf_file__read_address(struct elf_file *e, uint64_t address, void *buf, size_t len)
{
	uint64_t offset;

	if (!elf_file__address_to_offset(e, address, &offset))
		return -ENOEXEC;
	return elf_file__read(e, offset, buf, len);
}

static void load_sections(struct elf_file *e)
{
	const Elf64_Ehdr *h = &e->header;
	uint64_t cnt = h->e_shnum, names = h->e_shstrndx;
	Elf64_Shdr first;

	if (e->sections_loaded)
		return;
	e->sections_loaded = true;
	if (!h->e_shoff || h->e_shentsize != sizeof(Elf64_Shdr))
		return;
	if (elf_file__read(e, h->e_shoff, &first, sizeof(first)))
		return;
	/* gABI: what does not fit the header is in the first section header. */
	if (!cnt)
		cnt = first.sh_size;
	if (names == SHN_XINDEX)
		names = first.sh_link;
	if (cnt > SECTIONS_MAX || names >= cnt)
		return;
	e->sections = elf_file__load(e, h->e_shoff, cnt * sizeof(Elf64_Shdr));
	if (!e->sections)
		return;
	e->sections_cnt = cnt;
	if (e->sections[names].sh_type == SHT_NOBITS)
		return;
	e->section_names =
		elf_file__load(e, e->sections[names].sh_offset, e->sections[names].sh_size);
	if (e->section_names)
		e->section_names_len = e->sections[names].sh_size;
}

bool elf_file__find_section(struct elf_file *e, const char *name, size_t *index, Elf64_Shdr *out)
{
	load_sections(e);
	if (!e->section_names)
		return false;
	for (; *index < e->sections_cnt; ++*index) {
		const Elf64_Shdr *s = &e->sections[*index];

		/* The names are terminated behind their end by elf_file__load. */
		if (s->sh_name >= e->section_names_len || strcmp(e->section_names + s->sh_name, name))
			continue;
		*out = *s;
		++*index;
		return true;
	}
	return false;
}

static void load_dynamic(struct elf_file *e)
{
	if (e->dynamic_loaded)
		return;
	e->dynamic_loaded = true;
	for (size_t i = 0; i < e->segments_cnt; i++) {
		const Elf64_Phdr *p = &e->segments[i];
		uint64_t cnt = p->p_filesz / sizeof(Elf64_Dyn);

		if (p->p_type != PT_DYNAMIC)
			continue;
		if (cnt > DYNAMIC_MAX)
			cnt = DYNAMIC_MAX;
		e->dynamic = elf_file__load(e, p->p_offset, cnt * sizeof(Elf64_Dyn));
		if (!e->dynamic)
			return;
		while (e->dynamic_cnt < cnt && e->dynamic[e->dynamic_cnt].d_tag != DT_NULL)
			e->dynamic_cnt++;
		return;
	}
}

bool elf_file__dynamic(struct elf_file *e, int64_t tag, size_t index, uint64_t *value)
{
	load_dynamic(e);
	for (size_t i = 0; i < e->dynamic_cnt; i++) {
		if (e->dynamic[i].d_tag != tag || index--)
			continue;
		*value = e->dynamic[i].d_un.d_val;
		return true;
	}
	return false;
}

/* A terminated string at an address that the dynamic section gives, below `limit` bytes on. */
static bool read_string(struct elf_file *e, uint64_t address, uint64_t limit, char *buf, size_t size)
{
	uint64_t offset, n;

	if (!size || !elf_file__address_to_offset(e, address, &offset))
		return false;
	n = e->size - offset;
	if (n > limit)
		n = limit;
	if (n > size)
		n = size;
	return !elf_file__read(e, offset, buf, n) && memchr(buf, '\0', n);
}

/* The index-th string of the dynamic string table at that offset in it. */
static bool dynstr(struct elf_file *e, uint64_t at, char *buf, size_t size)
{
	uint64_t table, len;

	if (!elf_file__dynamic(e, DT_STRTAB, 0, &table) || !elf_file__dynamic(e, DT_STRSZ, 0, &len))
		return false;
	if (at >= len || __builtin_add_overflow(table, at, &table))
		return false;
	return read_string(e, table, len - at, buf, size);
}

bool elf_file__dynamic_string(struct elf_file *e, int64_t tag, size_t index, char *buf, size_t size)
{
	uint64_t at;

	return elf_file__dynamic(e, tag, index, &at) && dynstr(e, at, buf, size);
}

/* Whether symbol number n of the dynamic table is a definition of that name. */
static bool is_definition(struct elf_file *e, uint64_t symtab, uint64_t n, const char *name)
{
	char found[128];
	Elf64_Sym sym;

	if (__builtin_add_overflow(symtab, n * sizeof(sym), &symtab) ||
	    elf_file__read_address(e, symtab, &sym, sizeof(sym)))
		return false;
	return sym.st_shndx != SHN_UNDEF && dynstr(e, sym.st_name, found, sizeof(found)) &&
	       !strcmp(found, name);
}

/* The hash functions and tables: gABI chapter 5 (DT_HASH), glibc's elf/dl-lookup.c
 * (DT_GNU_HASH). */
static bool exports_gnu(struct elf_file *e, uint64_t table, uint64_t symtab, const char *name)
{
	uint32_t h = 5381, head[4], bucket, word;
	uint64_t buckets, chain, bloom;

	for (const char *c = name; *c; c++)
		h = h * 33 + (uint8_t)*c;
	/* nbuckets, symoffset, bloom_size, bloom_shift; then bloom words, buckets, chains */
	if (elf_file__read_address(e, table, head, sizeof(head)) || !head[0] || !head[2])
		return false;
	table += sizeof(head);
	if (elf_file__read_address(e, table + (uint64_t)(h / 64 % head[2]) * 8, &bloom, 8))
		return false;
	if (!(bloom >> (h % 64) & 1) || !(bloom >> ((h >> (head[3] & 31)) % 64) & 1))
		return false;
	buckets = table + (uint64_t)head[2] * 8;
	chain = buckets + (uint64_t)head[0] * 4;
	if (elf_file__read_address(e, buckets + (uint64_t)(h % head[0]) * 4, &bucket, 4) ||
	    bucket < head[1])
		return false;
	for (uint64_t i = bucket; i < (uint64_t)bucket + HASH_STEPS; i++) {
		if (elf_file__read_address(e, chain + (i - head[1]) * 4, &word, 4))
			return false;
		if ((word | 1) == (h | 1) && is_definition(e, symtab, i, name))
			return true;
		if (word & 1)
			return false;
	}
	return false;
}

static bool exports_sysv(struct elf_file *e, uint64_t table, uint64_t symtab, const char *name)
{
	uint32_t h = 0, head[2], n;

	for (const char *c = name; *c; c++) {
		h = (h << 4) + (uint8_t)*c;
		h ^= (h & 0xf0000000) >> 24;
		h &= 0x0fffffff;
	}
	if (elf_file__read_address(e, table, head, sizeof(head)) || !head[0])
		return false;
	table += sizeof(head);
	if (elf_file__read_address(e, table + (uint64_t)(h % head[0]) * 4, &n, 4))
		return false;
	for (int i = 0; n && n < head[1] && i < HASH_STEPS; i++) {
		if (is_definition(e, symtab, n, name))
			return true;
		if (elf_file__read_address(e, table + ((uint64_t)head[0] + n) * 4, &n, 4))
			return false;
	}
	return false;
}

bool elf_file__exports(struct elf_file *e, const char *name)
{
	uint64_t symtab, table;

	if (!elf_file__dynamic(e, DT_SYMTAB, 0, &symtab))
		return false;
	if (elf_file__dynamic(e, DT_GNU_HASH, 0, &table))
		return exports_gnu(e, table, symtab, name);
	if (elf_file__dynamic(e, DT_HASH, 0, &table))
		return exports_sysv(e, table, symtab, name);
	return false;
}

struct symbol_table {
	uint64_t offset, len; /* of the symbols */
	uint64_t names_offset, names_len;
};

static bool table_of_section(struct elf_file *e, bool dynamic, struct symbol_table *t)
{
	uint32_t type = dynamic ? SHT_DYNSYM : SHT_SYMTAB;

	load_sections(e);
	for (size_t i = 0; i < e->sections_cnt; i++) {
		const Elf64_Shdr *s = &e->sections[i], *names;

		if (s->sh_type != type || s->sh_entsize != sizeof(Elf64_Sym) ||
		    s->sh_link >= e->sections_cnt)
			continue;
		names = &e->sections[s->sh_link];
		if (names->sh_type != SHT_STRTAB)
			continue;
		*t = (struct symbol_table){s->sh_offset, s->sh_size, names->sh_offset,
		                           names->sh_size};
		return true;
	}
	return false;
}

/* Without section headers: nothing says how long the table is, but the linkers of the GNU tool
 * chain put the strings right behind it, and a symbol that is none does no harm here. */
static bool table_of_segment(struct elf_file *e, struct symbol_table *t)
{
	uint64_t symtab, strtab;

	if (!elf_file__dynamic(e, DT_SYMTAB, 0, &symtab) ||
	    !elf_file__dynamic(e, DT_STRTAB, 0, &strtab) ||
	    !elf_file__dynamic(e, DT_STRSZ, 0, &t->names_len) || strtab <= symtab)
		return false;
	t->len = strtab - symtab;
	return elf_file__address_to_offset(e, symtab, &t->offset) &&
	       elf_file__address_to_offset(e, strtab, &t->names_offset);
}

int elf_file__each_symbol(struct elf_file *e, bool dynamic,
                          bool (*cb)(void *ctx, const char *name, const Elf64_Sym *sym), void *ctx)
{
	struct symbol_table t;
	char *names;
	Elf64_Sym *syms;
	int err = 0;

	if (!table_of_section(e, dynamic, &t) && !(dynamic && table_of_segment(e, &t)))
		return -ENOENT;
	if (t.len > ELF_FILE_LOAD_MAX)
		return -ENOEXEC;
	if (t.len > SYMBOLS_MAX * sizeof(*syms))
		t.len = SYMBOLS_MAX * sizeof(*syms);
	if (t.names_len > NAMES_MAX)
		t.names_len = NAMES_MAX;
	names = elf_file__load(e, t.names_offset, t.names_len);
	syms = malloc(CHUNK);
	if (!names || !syms)
		err = names ? -ENOMEM : -errno;
	for (bool go = true; !err && go && t.len >= sizeof(*syms);) {
		uint64_t n = t.len < CHUNK ? t.len : CHUNK;

		n -= n % sizeof(*syms);
		err = elf_file__read(e, t.offset, syms, n);
		for (uint64_t i = 0; !err && go && i < n / sizeof(*syms); i++)
			if (syms[i].st_shndx != SHN_UNDEF && syms[i].st_name &&
			    syms[i].st_name < t.names_len)
				go = cb(ctx, names + syms[i].st_name, &syms[i]);
		t.offset += n;
		t.len -= n;
	}
	free(names);
	free(syms);
	return err;
}
