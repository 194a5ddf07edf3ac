/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* One instruction of a file, of whatever architecture the file is for: as much as searches in code
 * ask. */
#ifndef PYTRAIL_CODE_INSN_H
#define PYTRAIL_CODE_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf_image.h"

enum code_flow {
	CODE_ON, /* the next instruction follows */
	CODE_CALL,
	CODE_CONDITIONAL,
	CODE_JUMP, /* also indirect */
	CODE_END,  /* the next one does not simply follow: return, trap, system call */
};

struct code_insn {
	uint64_t address;
	uint64_t next; /* of the instruction behind it */
	enum code_flow flow;
	bool has_target;
	uint64_t target; /* of a direct branch */
	bool is_nop;
};

/* False: built without a decoder for this machine (EM_*), or there is none. */
bool code_insn__can_decode(unsigned machine);

/* Decodes what is at an address of the file's code. False: there is none, or it is not
 * understood. */
bool code_insn__at(const struct elf_image *image, uint64_t address, struct code_insn *out);

/* The word of data that a jump through memory takes its target from: of a stub of the procedure
 * linkage table. */
bool code_insn__stub_slot(const struct elf_image *image, uint64_t address, uint64_t *slot);

/* Addresses that straight code puts into registers, as far as its instructions show. */
struct code_values {
	uint32_t known; /* mask of registers */
	uint64_t of[32];
};

/* The effect of the instruction at an address, which code_insn__at() has found. */
void code_values__step(struct code_values *values, const struct elf_image *image, uint64_t address);
/* What the integer argument number n (from 0 on) of a call would be. */
bool code_values__argument(const struct code_values *values, const struct elf_image *image,
                           unsigned n, uint64_t *out);

#endif
