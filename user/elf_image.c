/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elf_image.h"

#define IMAGE_MAX      (128u << 20) /* bytes of all segments; the largest interpreters have 40 MB */
#define SEGMENTS_MAX   16
#define RELOCATION_MAX (64u << 20) /* bytes of a relocation table */

struct elf_image {
	struct elf_image_segment segments[SEGMENTS_MAX];
	uint8_t *owned[SEGMENTS_MAX];
	size_t segments_cnt;
	uint16_t machine;
	uint64_t eh_frame_hdr;
	uint64_t dynamic_symbols; /* address of the table, 0: none */
};

static const struct elf_image_segment *segment_of(const struct elf_image *image, uint64_t address)
{
	for (size_t i = 0; i < image->segments_cnt; i++) {
		const struct elf_image_segment *s = &image->segments[i];

		if (address >= s->address && address - s->address < s->len)
			return s;
	}
	return NULL;
}

const uint8_t *elf_image__at(const struct elf_image *image, uint64_t address, size_t *len)
{
	const struct elf_image_segment *s = segment_of(image, address);

	if (!s)
		return NULL;
	*len = s->len - (address - s->address);
	return s->bytes + (address - s->address);
}

const uint8_t *elf_image__code(const struct elf_image *image, uint64_t address, size_t *len)
{
	const struct elf_image_segment *s = segment_of(image, address);

	return s && s->executable ? elf_image__at(image, address, len) : NULL;
}

bool elf_image__word(const struct elf_image *image, uint64_t address, uint64_t *word)
{
	const uint8_t *p;
	size_t len;

	p = elf_image__at(image, address, &len);
	if (!p || len < sizeof(*word))
		return false;
	memcpy(word, p, sizeof(*word));
	return true;
}

static void put_word(struct elf_image *image, uint64_t address, uint64_t word)
{
	for (size_t i = 0; i < image->segments_cnt; i++) {
		const struct elf_image_segment *s = &image->segments[i];

		if (address < s->address || address - s->address >= s->len)
			continue;
		if (s->len - (address - s->address) >= sizeof(word))
			memcpy(image->owned[i] + (address - s->address), &word, sizeof(word));
		return;
	}
}

/* The value of a dynamic symbol that the file itself defines. */
static bool symbol_value(const struct elf_image *image, uint32_t n, uint64_t *value)
{
	uint64_t table = image->dynamic_symbols;
	const uint8_t *p;
	Elf64_Sym sym;
	size_t len;

	if (!n || !table || __builtin_add_overflow(table, n * sizeof(sym), &table))
		return false;
	p = elf_image__at(image, table, &len);
	if (!p || len < sizeof(sym))
		return false;
	memcpy(&sym, p, sizeof(sym));
	if (sym.st_shndx == SHN_UNDEF || ELF64_ST_TYPE(sym.st_info) == STT_GNU_IFUNC)
		return false;
	*value = sym.st_value;
	return true;
}

/* What the dynamic linker does to a file's own addresses. */
struct relocations {
	uint16_t machine;
	uint32_t relative;
	uint32_t absolute; /* of a symbol, plus the addend */
	uint32_t glob_dat;
	uint32_t jump_slot;
};

static const struct relocations relocations[] = {
	{EM_X86_64, R_X86_64_RELATIVE, R_X86_64_64, R_X86_64_GLOB_DAT, R_X86_64_JUMP_SLOT},
	{EM_AARCH64, R_AARCH64_RELATIVE, R_AARCH64_ABS64, R_AARCH64_GLOB_DAT, R_AARCH64_JUMP_SLOT},
};

static const struct relocations *relocations_of(uint16_t machine)
{
	for (size_t i = 0; i < sizeof(relocations) / sizeof(relocations[0]); i++)
		if (relocations[i].machine == machine)
			return &relocations[i];
	return NULL;
}

static void relocate(struct elf_image *image, const struct relocations *kinds, const Elf64_Rela *r,
                     bool in_place)
{
	uint64_t addend = (uint64_t)r->r_addend, value;
	uint32_t kind = ELF64_R_TYPE(r->r_info);

	if (kind == kinds->relative) {
		if (!in_place)
			put_word(image, r->r_offset, addend);
	} else if (kind == kinds->absolute) {
		if (in_place && !elf_image__word(image, r->r_offset, &addend))
			return;
		if (symbol_value(image, ELF64_R_SYM(r->r_info), &value))
			put_word(image, r->r_offset, value + addend);
	} else if (kind == kinds->glob_dat || kind == kinds->jump_slot) {
		if (symbol_value(image, ELF64_R_SYM(r->r_info), &value))
			put_word(image, r->r_offset, value);
	}
}

/* A table of relocations that the dynamic section names. RELR has nothing to do at bias 0, and REL
 * but little: their words hold the address already. */
static int relocate_table(struct elf_file *e, struct elf_image *image, int64_t table_tag,
                          int64_t size_tag, bool rela)
{
	const struct relocations *kinds = relocations_of(image->machine);
	size_t step = rela ? sizeof(Elf64_Rela) : sizeof(Elf64_Rel);
	uint64_t table, size, offset;
	uint8_t *data;

	if (!kinds || !elf_file__dynamic(e, table_tag, 0, &table) ||
	    !elf_file__dynamic(e, size_tag, 0, &size) || !size)
		return 0;
	if (size > RELOCATION_MAX || !elf_file__address_to_offset(e, table, &offset))
		return -ENOEXEC;
	/* A copy: relocations must not change the table that they are read from. */
	data = elf_file__load(e, offset, size);
	if (!data)
		return -errno;
	for (uint64_t pos = 0; pos + step <= size; pos += step) {
		Elf64_Rela r = {0};

		memcpy(&r, data + pos, step);
		relocate(image, kinds, &r, !rela);
	}
	free(data);
	return 0;
}

static int load_segments(struct elf_file *e, struct elf_image *image)
{
	const Elf64_Phdr *p;
	uint64_t total = 0;
	size_t cnt;

	p = elf_file__segments(e, &cnt);
	for (size_t i = 0; i < cnt; i++) {
		struct elf_image_segment *s = &image->segments[image->segments_cnt];

		if (p[i].p_type == PT_GNU_EH_FRAME)
			image->eh_frame_hdr = p[i].p_vaddr;
		if (p[i].p_type != PT_LOAD || !p[i].p_filesz)
			continue;
		if (image->segments_cnt == SEGMENTS_MAX || p[i].p_filesz > IMAGE_MAX ||
		    p[i].p_vaddr + p[i].p_filesz < p[i].p_vaddr)
			return -ENOEXEC;
		total += p[i].p_filesz;
		if (total > IMAGE_MAX)
			return -ENOEXEC;
		s->bytes = elf_file__load(e, p[i].p_offset, p[i].p_filesz);
		if (!s->bytes)
			return -errno;
		image->owned[image->segments_cnt++] = (uint8_t *)s->bytes;
		s->address = p[i].p_vaddr;
		s->len = p[i].p_filesz;
		s->executable = p[i].p_flags & PF_X;
		s->writable = p[i].p_flags & PF_W;
	}
	return image->segments_cnt ? 0 : -ENOEXEC;
}

int elf_image__load(struct elf_file *e, struct elf_image **out)
{
	struct elf_image *image;
	uint64_t type = DT_RELA;
	int err;

	*out = NULL;
	image = calloc(1, sizeof(*image));
	if (!image)
		return -ENOMEM;
	image->machine = elf_file__header(e)->e_machine;
	err = load_segments(e, image);
	elf_file__dynamic(e, DT_SYMTAB, 0, &image->dynamic_symbols);
	if (!err)
		err = relocate_table(e, image, DT_RELA, DT_RELASZ, true);
	if (!err)
		err = relocate_table(e, image, DT_REL, DT_RELSZ, false);
	elf_file__dynamic(e, DT_PLTREL, 0, &type);
	if (!err)
		err = relocate_table(e, image, DT_JMPREL, DT_PLTRELSZ, type == DT_RELA);
	if (err) {
		elf_image__free(image);
		return err;
	}
	*out = image;
	return 0;
}

void elf_image__free(struct elf_image *image)
{
	if (!image)
		return;
	for (size_t i = 0; i < image->segments_cnt; i++)
		free(image->owned[i]);
	free(image);
}

const struct elf_image_segment *elf_image__segments(const struct elf_image *image, size_t *cnt)
{
	*cnt = image->segments_cnt;
	return image->segments;
}

uint64_t elf_image__eh_frame_hdr(const struct elf_image *image)
{
	return image->eh_frame_hdr;
}

uint16_t elf_image__machine(const struct elf_image *image)
{
	return image->machine;
}
