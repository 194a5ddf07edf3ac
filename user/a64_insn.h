/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One instruction of 64-bit Arm code, as far as the analyses ask: where it leads, which general
 * registers it writes, and of moves, address arithmetic and memory accesses what they do. A decoder
 * of our own, for all that needs is in the fixed places of a 32-bit word.
 *
 * Source: Arm Architecture Reference Manual for A-profile (DDI 0487), C4 "A64 instruction set
 * encoding".
 */
#ifndef PYTRAIL_A64_INSN_H
#define PYTRAIL_A64_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* x0 to x30 by their numbers, and: */
#define A64_FP   29
#define A64_LR   30
#define A64_SP   31
#define A64_ZERO 32
#define A64_REGS 33

enum a64_kind {
	A64_OTHER, /* does not change where it goes on, and writes no memory */
	A64_NOP,   /* and other hints: bti, paciasp, … */
	A64_CALL,
	A64_JUMP,
	A64_CONDITIONAL,
	A64_END,    /* ret, eret, traps, system calls: what follows is not simply the next one */
	A64_MOVE,   /* rd = rn */
	A64_ADD,    /* rd = rn + imm */
	A64_CONST,  /* rd = imm, also as adr and adrp: rd = an address */
	A64_LOAD,   /* of cnt registers of `size` bytes each, from rn + imm */
	A64_STORE,  /* the same */
	A64_MEMORY, /* writes memory in a way that is not described any further */
};

struct a64_insn {
	uint64_t address;
	uint32_t word;
	enum a64_kind kind;
	uint32_t written; /* mask of general registers, surely or maybe written; bit A64_SP: sp */
	bool has_target;
	uint64_t target; /* of a direct branch */
	bool wide;       /* A64_MOVE, A64_ADD: 64 bits. Otherwise the upper half of rd is cleared */
	uint8_t rd;      /* A64_MOVE, A64_ADD, A64_CONST */
	uint8_t rn;      /* and base of memory accesses */
	int64_t imm;
	bool vector; /* rt are vector registers; A64_OTHER: may write vector register rt[0] */
	uint8_t rt[2];
	/* A64_LOAD, A64_STORE */
	uint8_t cnt;  /* 1, 2 */
	uint8_t size; /* bytes of each: 1, 2, 4, 8, 16 */
	/* what is loaded or stored is the whole register as it is (no sign extension, …), at rn +
	 * imm */
	bool exact;
	bool writes_back; /* rn += step, too */
	int64_t step;
};

/* False: fewer than 4 bytes, or no instruction that is known (SVE among them). */
bool a64_insn__decode(const uint8_t *bytes, size_t len, uint64_t address, struct a64_insn *out);

/* The page or address that adr or adrp puts into rd: kind is A64_CONST then, too. */
bool a64_insn__is_adr(const struct a64_insn *insn);

/*
 * What a uprobe on it means (arch/arm64/kernel/probes/decode-insn.c): the kernel simulates direct
 * branches, br, blr, adr and adrp on every version from 5.10 on. Others it steps out of line, but
 * for exceptions, literal loads, exclusive accesses and some hints, which some version refuses or
 * runs wrong.
 */
bool a64_insn__is_simulated(const struct a64_insn *insn);
bool a64_insn__is_steppable(const struct a64_insn *insn);

#endif
