/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * An ELF file as it lies in memory: the bytes of its PT_LOADs at their link-time addresses, with
 * the relocations done that the dynamic linker does to the file's own addresses (bias 0), so that a
 * pointer in data is a plain word, PIE or not. The file may be the attacker's.
 *
 * Relocations: gABI chapter 4 (REL, RELA), its addition for DT_RELR; the x86-64 psABI and the ELF
 * for the Arm 64-bit Architecture (aaelf64) for the types.
 */
#ifndef PYTRAIL_ELF_IMAGE_H
#define PYTRAIL_ELF_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf_file.h"

struct elf_image;

struct elf_image_segment {
	uint64_t address;
	const uint8_t *bytes; /* borrowed from the image */
	size_t len;           /* what the file has; the rest (.bss) is zero and not there */
	bool executable;
	bool writable; /* before the dynamic linker protects what it has relocated */
};

/* 0 and *out (free with elf_image__free), -ENOEXEC: malformed or larger than an interpreter would
 * ever be, -errno. The file is not needed any more afterwards. */
int elf_image__load(struct elf_file *e, struct elf_image **out);
void elf_image__free(struct elf_image *image);

const struct elf_image_segment *elf_image__segments(const struct elf_image *image, size_t *cnt);

/* The bytes from an address on, *len of them, to the end of its segment. NULL: the file has
 * none. */
const uint8_t *elf_image__at(const struct elf_image *image, uint64_t address, size_t *len);
/* The same, in an executable segment only. */
const uint8_t *elf_image__code(const struct elf_image *image, uint64_t address, size_t *len);
/* The word at an address, after relocation. */
bool elf_image__word(const struct elf_image *image, uint64_t address, uint64_t *word);

/* The address of PT_GNU_EH_FRAME (.eh_frame_hdr), 0: there is none. */
uint64_t elf_image__eh_frame_hdr(const struct elf_image *image);

/* EM_X86_64, EM_AARCH64. */
uint16_t elf_image__machine(const struct elf_image *image);

#endif
