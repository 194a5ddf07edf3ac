/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Small ELF files made by hand, for tests of what reads them: the headers, symbols, probe notes and
 * strings that a CPython has, each where the test wants it.
 */
#ifndef PYTRAIL_TESTS_ELF_IMAGE_H
#define PYTRAIL_TESTS_ELF_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define IMAGE_SIZE 8192

/* Where things are in the file, and the two segments. */
#define IMAGE_DYNSYM          0x0200
#define IMAGE_DYNSTR          0x0600
#define IMAGE_HASH            0x0900
#define IMAGE_RODATA          0x0b00
#define IMAGE_BUILD_ID        0x0c00
#define IMAGE_CODE            0x0d00
#define IMAGE_DATA            0x1000 /* the second segment begins here */
#define IMAGE_DYNAMIC         0x1000
#define IMAGE_VERSION         0x1100
#define IMAGE_RUNTIME         0x1180
#define IMAGE_SEM             0x11f0
#define IMAGE_NOTES           0x1200 /* not in a segment */
#define IMAGE_SHSTRTAB        0x1800
#define IMAGE_SHDRS           0x1900

#define IMAGE_TEXT_ADDRESS    0x400000
#define IMAGE_DATA_ADDRESS    0x605000 /* of IMAGE_DATA */
#define IMAGE_BASE_ADDRESS    0x400f00 /* of section .stapsdt.base */

#define IMAGE_IN_TEXT(offset) (IMAGE_TEXT_ADDRESS + (uint64_t)(offset))
#define IMAGE_IN_DATA(offset) (IMAGE_DATA_ADDRESS + (uint64_t)(offset)-IMAGE_DATA)

#if defined(__x86_64__)
#define IMAGE_MACHINE EM_X86_64
#else
#define IMAGE_MACHINE EM_AARCH64
#endif

struct image {
	uint8_t data[IMAGE_SIZE];
	size_t symbols;
	size_t strings;
	size_t notes;
	size_t rodata;
	size_t dynamic;
};

static inline void image__put(struct image *im, size_t at, const void *what, size_t len)
{
	memcpy(im->data + at, what, len);
}

static inline uint32_t image__string(struct image *im, const char *s)
{
	size_t at = im->strings;

	image__put(im, IMAGE_DYNSTR + at, s, strlen(s) + 1);
	im->strings += strlen(s) + 1;
	return (uint32_t)at;
}

static inline void image__dynamic(struct image *im, int64_t tag, uint64_t value)
{
	Elf64_Dyn d = {.d_tag = tag, .d_un.d_val = value};

	image__put(im, IMAGE_DYNAMIC + im->dynamic++ * sizeof(d), &d, sizeof(d));
}

/* A dynamic symbol; section SHN_UNDEF: not defined here. */
static inline void image__symbol(struct image *im, const char *name, uint64_t address, bool defined)
{
	Elf64_Sym sym = {
		.st_name = image__string(im, name),
		.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT),
		.st_shndx = defined ? 1 : SHN_UNDEF,
		.st_value = address,
	};

	image__put(im, IMAGE_DYNSYM + im->symbols++ * sizeof(sym), &sym, sizeof(sym));
}

static inline void image__rodata(struct image *im, const char *s)
{
	image__put(im, IMAGE_RODATA + im->rodata, s, strlen(s) + 1);
	im->rodata += strlen(s) + 1;
}

static inline void image__note(struct image *im, const char *provider, const char *name,
                               const char *args, uint64_t location, uint64_t base, uint64_t semaphore)
{
	uint64_t addr[3] = {location, base, semaphore};
	size_t at = IMAGE_NOTES + im->notes, len = sizeof(addr);
	Elf64_Nhdr nhdr = {.n_namesz = 8, .n_type = 3};

	image__put(im, at + sizeof(nhdr), "stapsdt", 8);
	image__put(im, at + sizeof(nhdr) + 8, addr, sizeof(addr));
	for (int i = 0; i < 3; i++) {
		const char *s = i == 0 ? provider : i == 1 ? name : args;

		image__put(im, at + sizeof(nhdr) + 8 + len, s, strlen(s) + 1);
		len += strlen(s) + 1;
	}
	nhdr.n_descsz = (uint32_t)len;
	image__put(im, at, &nhdr, sizeof(nhdr));
	im->notes += sizeof(nhdr) + 8 + ((len + 3) & ~(size_t)3);
}

/* An empty one: no symbols but the null one, no notes. */
static inline void image__init(struct image *im)
{
	memset(im, 0, sizeof(*im));
	im->symbols = 1;
	im->strings = 1;
	im->rodata = 1;
}

static inline uint32_t image__gnu_hash(const char *s)
{
	uint32_t h = 5381;

	while (*s)
		h = h * 33 + (uint8_t)*s++;
	return h;
}

/* One bucket with every symbol in it. */
static inline void image__hash(struct image *im, bool gnu)
{
	uint32_t words[128] = {0};
	size_t n = 0, i;

	if (gnu) {
		words[n++] = 1; /* buckets */
		words[n++] = 1; /* first symbol */
		words[n++] = 1; /* words in the bloom filter */
		words[n++] = 6;
		words[n++] = ~0u;
		words[n++] = ~0u;
		words[n++] = 1;
		for (i = 1; i < im->symbols; i++) {
			Elf64_Sym sym;

			memcpy(&sym, im->data + IMAGE_DYNSYM + i * sizeof(sym), sizeof(sym));
			words[n] = image__gnu_hash((char *)im->data + IMAGE_DYNSTR + sym.st_name);
			words[n] = (words[n] & ~1u) | (i + 1 == im->symbols);
			n++;
		}
	} else {
		words[n++] = 1;
		words[n++] = (uint32_t)im->symbols;
		words[n++] = im->symbols > 1 ? 1 : 0;
		for (i = 0; i < im->symbols; i++)
			words[n++] = i && i + 1 < im->symbols ? (uint32_t)i + 1 : 0;
	}
	image__put(im, IMAGE_HASH, words, n * sizeof(words[0]));
	image__dynamic(im, gnu ? DT_GNU_HASH : DT_HASH, IMAGE_IN_TEXT(IMAGE_HASH));
}

struct image_section {
	const char *name;
	Elf64_Shdr header;
};

static inline void image__sections(struct image *im, uint64_t base_address)
{
	const struct image_section all[] = {
		{"", {0}},
		{".text", {.sh_type = SHT_PROGBITS, .sh_offset = IMAGE_CODE, .sh_size = 0x200}},
		{".dynsym",
	         {.sh_type = SHT_DYNSYM,
	          .sh_offset = IMAGE_DYNSYM,
	          .sh_size = im->symbols * sizeof(Elf64_Sym),
	          .sh_entsize = sizeof(Elf64_Sym),
	          .sh_link = 3}},
		{".dynstr",
	         {.sh_type = SHT_STRTAB, .sh_offset = IMAGE_DYNSTR, .sh_size = im->strings}},
		{".rodata",
	         {.sh_type = SHT_PROGBITS, .sh_offset = IMAGE_RODATA, .sh_size = im->rodata}},
		{".note.stapsdt",
	         {.sh_type = SHT_NOTE, .sh_offset = IMAGE_NOTES, .sh_size = im->notes}},
		{".stapsdt.base", {.sh_type = SHT_PROGBITS, .sh_addr = base_address}},
		{".shstrtab", {.sh_type = SHT_STRTAB, .sh_offset = IMAGE_SHSTRTAB, .sh_size = 0x100}},
	};
	const size_t cnt = sizeof(all) / sizeof(all[0]);
	size_t names = IMAGE_SHSTRTAB;

	for (size_t i = 0; i < cnt; i++) {
		Elf64_Shdr h = all[i].header;

		h.sh_name = (uint32_t)(names - IMAGE_SHSTRTAB);
		image__put(im, names, all[i].name, strlen(all[i].name) + 1);
		names += strlen(all[i].name) + 1;
		image__put(im, IMAGE_SHDRS + i * sizeof(h), &h, sizeof(h));
	}
	Elf64_Ehdr *header = (Elf64_Ehdr *)im->data;

	header->e_shoff = IMAGE_SHDRS;
	header->e_shentsize = sizeof(Elf64_Shdr);
	header->e_shnum = (uint16_t)cnt;
	header->e_shstrndx = (uint16_t)(cnt - 1);
}

/* Writes the headers, when all else is there. base_address: of .stapsdt.base, 0: no sections. */
static inline void image__finish(struct image *im, bool gnu_hash, uint64_t base_address)
{
	const Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_DYN,
		.e_machine = IMAGE_MACHINE,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 4,
	};
	const Elf64_Phdr segments[] = {
		{.p_type = PT_LOAD,
	         .p_flags = PF_R | PF_X,
	         .p_vaddr = IMAGE_TEXT_ADDRESS,
	         .p_filesz = IMAGE_DATA,
	         .p_memsz = IMAGE_DATA},
		{.p_type = PT_LOAD,
	         .p_flags = PF_R | PF_W,
	         .p_offset = IMAGE_DATA,
	         .p_vaddr = IMAGE_DATA_ADDRESS,
	         .p_filesz = 0x200,
	         .p_memsz = 0x1000},
		{.p_type = PT_DYNAMIC, .p_offset = IMAGE_DYNAMIC, .p_filesz = 0x100},
		{.p_type = PT_NOTE, .p_offset = IMAGE_BUILD_ID, .p_filesz = 36, .p_align = 4},
	};
	const Elf64_Nhdr build_id = {.n_namesz = 4, .n_descsz = 20, .n_type = NT_GNU_BUILD_ID};

	image__put(im, 0, &header, sizeof(header));
	image__put(im, sizeof(header), segments, sizeof(segments));
	image__put(im, IMAGE_BUILD_ID, &build_id, sizeof(build_id));
	image__put(im, IMAGE_BUILD_ID + sizeof(build_id), "GNU", 4);
	for (int i = 0; i < 20; i++)
		im->data[IMAGE_BUILD_ID + sizeof(build_id) + 4 + i] = (uint8_t)(0xa0 + i);
	image__dynamic(im, DT_SYMTAB, IMAGE_IN_TEXT(IMAGE_DYNSYM));
	/* Right behind the symbols, as linkers do, for a reader that has no section headers. */
	image__dynamic(im, DT_STRTAB, IMAGE_IN_TEXT(IMAGE_DYNSTR));
	image__dynamic(im, DT_STRSZ, im->strings);
	image__hash(im, gnu_hash);
	if (base_address)
		image__sections(im, base_address);
}

/* A descriptor of a file with these bytes, -1 on error. */
static inline int image__fd(const void *data, size_t len)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, data, len) != (ssize_t)len) {
		close(fd);
		return -1;
	}
	return fd;
}

#endif
