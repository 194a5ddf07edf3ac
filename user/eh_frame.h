/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where the functions of a file begin and end, from its unwind tables, which a stripped file has,
 * too (PT_GNU_EH_FRAME: LSB Core, "DWARF Extensions"; encodings: the same, "DWARF Exception Header
 * Encoding"). A function split into a hot and a cold part has a range for each.
 */
#ifndef PYTRAIL_EH_FRAME_H
#define PYTRAIL_EH_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "elf_image.h"

struct eh_frame {
	const struct elf_image *image; /* borrowed */
	uint64_t header;               /* link-time address of .eh_frame_hdr */
	uint64_t table;                /* of its sorted table */
	uint64_t cnt;                  /* of entries in it */
};

/* False: no table, or none of the form that every linker makes. */
bool eh_frame__open(const struct elf_image *image, struct eh_frame *out);

/* The range [*start, *end) that holds the address. False: not covered. */
bool eh_frame__find(const struct eh_frame *f, uint64_t address, uint64_t *start, uint64_t *end);

#endif
