/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <string.h>

#include "a64_insn.h"

static uint32_t bits(uint32_t word, unsigned high, unsigned low)
{
	return word >> low & (uint32_t)((1ull << (high - low + 1)) - 1);
}

static int64_t signed_bits(uint32_t word, unsigned high, unsigned low)
{
	unsigned width = high - low + 1;

	return (int64_t)((uint64_t)bits(word, high, low) << (64 - width)) >> (64 - width);
}

/* Register 31 is sp in some places, and in others the one that is always zero. */
static uint8_t or_zero(uint32_t reg)
{
	return reg == 31 ? A64_ZERO : (uint8_t)reg;
}

static uint32_t mask_of(uint8_t reg)
{
	return reg < A64_ZERO ? 1u << reg : 0;
}

static void branch_to(struct a64_insn *i, enum a64_kind kind, int64_t words)
{
	i->kind = kind;
	i->has_target = true;
	i->target = i->address + (uint64_t)words * 4;
}

/* C4.1.92 "Data Processing -- Immediate" */
static bool immediate(struct a64_insn *i)
{
	uint32_t w = i->word;
	bool wide = w >> 31;

	i->rd = or_zero(bits(w, 4, 0));
	i->rn = or_zero(bits(w, 9, 5));
	i->wide = wide;
	switch (bits(w, 25, 23)) {
	case 0: /* adr, adrp */
	case 1:
		i->kind = A64_CONST;
		i->imm = (int64_t)((uint64_t)signed_bits(w, 23, 5) << 2 | bits(w, 30, 29));
		i->imm = wide ? (int64_t)((i->address & ~0xfffull) + (uint64_t)i->imm * 4096)
		              : (int64_t)(i->address + (uint64_t)i->imm);
		break;
	case 2: /* add, sub; with flags there is no sp to write */
		i->rn = bits(w, 9, 5);
		if (!(w & 1u << 29))
			i->rd = bits(w, 4, 0);
		i->kind = A64_ADD;
		i->imm = (int64_t)bits(w, 21, 10) << (w & 1u << 22 ? 12 : 0);
		if (w & 1u << 30)
			i->imm = -i->imm;
		break;
	case 3: /* addg, subg, minimum and maximum */
		i->rd = bits(w, 4, 0);
		break;
	case 4: /* and, orr, eor of a mask: they write sp but for ands */
		if (bits(w, 30, 29) != 3)
			i->rd = bits(w, 4, 0);
		break;
	case 5: /* movn, movz, movk */
		if (bits(w, 30, 29) == 1 || (!wide && w & 1u << 22))
			return false;
		if (bits(w, 30, 29) == 3)
			break;
		i->kind = A64_CONST;
		i->imm = (int64_t)((uint64_t)bits(w, 20, 5) << 16 * bits(w, 22, 21));
		if (!bits(w, 30, 29))
			i->imm = ~i->imm;
		if (!wide)
			i->imm = (int64_t)(uint32_t)i->imm;
		break;
	default: /* bit fields, extract */
		break;
	}
	i->written = mask_of(i->rd);
	return true;
}

/* C4.1.93 "Branches, Exception Generating and System instructions" */
static bool branch(struct a64_insn *i)
{
	uint32_t w = i->word;

	if (bits(w, 30, 26) == 0x05) { /* b, bl */
		branch_to(i, w >> 31 ? A64_CALL : A64_JUMP, signed_bits(w, 25, 0));
		i->written = w >> 31 ? 1u << A64_LR : 0;
	} else if (bits(w, 31, 25) == 0x2a) { /* b.cond, bc.cond */
		if (w & 1u << 24)
			return false;
		branch_to(i, A64_CONDITIONAL, signed_bits(w, 23, 5));
	} else if (bits(w, 30, 25) == 0x1a) { /* cbz, cbnz */
		branch_to(i, A64_CONDITIONAL, signed_bits(w, 23, 5));
	} else if (bits(w, 30, 25) == 0x1b) { /* tbz, tbnz */
		branch_to(i, A64_CONDITIONAL, signed_bits(w, 18, 5));
	} else if (bits(w, 31, 25) == 0x6b) { /* br, blr, ret, also with authentication */
		switch (bits(w, 23, 21)) {
		case 0:
			i->kind = A64_JUMP;
			break;
		case 1:
			i->kind = A64_CALL;
			i->written = 1u << A64_LR;
			break;
		default:
			i->kind = A64_END;
		}
	} else if (bits(w, 31, 12) ==
	           0xd5032) { /* hints; what pac and xpac write is still the same pointer */
		i->kind = A64_NOP;
	} else if (bits(w, 31, 20) == 0xd53) { /* mrs */
		i->written = mask_of(or_zero(bits(w, 4, 0)));
	} else if (bits(w, 31, 12) == 0xd5033) { /* barriers */
		i->kind = A64_OTHER;
	} else {
		i->kind = A64_END; /* svc, brk, msr, … */
	}
	return true;
}

static void transfer(struct a64_insn *i, bool load, unsigned cnt, unsigned size)
{
	uint32_t w = i->word;

	i->kind = load ? A64_LOAD : A64_STORE;
	i->rn = bits(w, 9, 5);
	i->vector = w & 1u << 26;
	i->rt[0] = i->vector ? bits(w, 4, 0) : or_zero(bits(w, 4, 0));
	i->rt[1] = i->vector ? bits(w, 14, 10) : or_zero(bits(w, 14, 10));
	i->cnt = cnt;
	i->size = size;
	i->exact = true;
	if (load && !i->vector)
		i->written = mask_of(i->rt[0]) | (cnt > 1 ? mask_of(i->rt[1]) : 0);
}

static void index_by(struct a64_insn *i, unsigned mode, int64_t by)
{
	/* 1 behind, 3 before, otherwise the base stays as it is */
	i->imm = mode == 1 ? 0 : by;
	i->writes_back = mode & 1;
	i->step = i->writes_back ? by : 0;
	if (i->writes_back)
		i->written |= 1u << i->rn;
}

/* ldp, stp and their like */
static bool pair(struct a64_insn *i)
{
	uint32_t w = i->word, opc = bits(w, 31, 30), mode = bits(w, 24, 23);
	bool vector = w & 1u << 26, load = w & 1u << 22;
	unsigned size = vector ? 4u << opc : (opc & 2 ? 8 : 4);

	if (opc == 3)
		return false;
	transfer(i, load, 2, size);
	if (!vector && opc == 1) { /* ldpsw; stgp, whose offset is in tags */
		i->exact = false;
		size = load ? 4 : 16;
		i->size = load ? 4 : 8;
	}
	index_by(i, mode, signed_bits(w, 21, 15) * size);
	return true;
}

/* ldr, str and their like, of one register */
static bool single(struct a64_insn *i)
{
	uint32_t w = i->word, opc = bits(w, 23, 22), size = 1u << bits(w, 31, 30);
	bool vector = w & 1u << 26, load = opc != 0;

	if (vector) {
		load = opc & 1;
		if (opc & 2)
			size = 16;
	}
	if (!(w & 1u << 24) && w & 1u << 21 && (bits(w, 11, 10) != 2)) {
		/* atomics, ldraa: what they write is in rt; the memory, too */
		i->kind = A64_MEMORY;
		i->rn = bits(w, 9, 5);
		i->written = mask_of(or_zero(bits(w, 4, 0))) | 1u << i->rn;
		return true;
	}
	transfer(i, load, 1, size);
	if (!vector && opc > 1) {
		if (size == 8) { /* prefetches */
			i->kind = A64_OTHER;
			i->written = 0;
			return true;
		}
		i->exact = false; /* sign extension */
	}
	if (w & 1u << 24)
		i->imm = (int64_t)bits(w, 21, 10) * size;
	else if (w & 1u << 21)
		i->exact = false; /* plus a register */
	else
		index_by(i, bits(w, 11, 10), signed_bits(w, 20, 12));
	return true;
}

/* C4.1.94 "Loads and Stores" */
static bool memory(struct a64_insn *i)
{
	uint32_t w = i->word;

	switch (bits(w, 29, 28)) {
	case 2:
		return pair(i);
	case 3:
		return single(i);
	case 1:
		if (!(w & 1u << 24)) { /* from beside the code */
			transfer(i, true, 1,
			         w & 1u << 26 ? 4u << bits(w, 31, 30) : 4u << bits(w, 30, 30));
			i->exact = false;
			i->rn = A64_ZERO;
			if (!i->vector && bits(w, 31, 30) == 3) { /* prefetch */
				i->kind = A64_OTHER;
				i->written = 0;
			}
			return true;
		}
		/* ordered and not scaled; tags; copies of memory write their three registers */
		i->kind = A64_MEMORY;
		i->rn = bits(w, 9, 5);
		i->written = mask_of(or_zero(bits(w, 4, 0))) | 1u << i->rn |
		             mask_of(or_zero(bits(w, 20, 16)));
		return true;
	default:
		/* exclusive and ordered, compare and swap; structures of vectors */
		i->kind = A64_MEMORY;
		i->rn = bits(w, 9, 5);
		if (w & 1u << 26)
			i->written = w & 1u << 23 ? 1u << i->rn : 0;
		else
			i->written = mask_of(or_zero(bits(w, 4, 0))) |
			             mask_of(or_zero(bits(w, 14, 10))) |
			             mask_of(or_zero(bits(w, 20, 16)));
		return true;
	}
}

/* C4.1.95 "Data Processing -- Register" */
static bool registers(struct a64_insn *i)
{
	uint32_t w = i->word;

	i->rd = or_zero(bits(w, 4, 0));
	i->written = mask_of(i->rd);
	if (bits(w, 30, 21) == 0x150 && bits(w, 15, 10) == 0 &&
	    bits(w, 9, 5) == 31) { /* mov: orr of zero */
		i->kind = A64_MOVE;
		i->rn = or_zero(bits(w, 20, 16));
		i->wide = w >> 31;
	} else if (bits(w, 28, 21) == 0x59) { /* add, sub of an extended register */
		if (!(w & 1u << 29))
			i->written = 1u << bits(w, 4, 0);
	} else if (bits(w, 28, 21) == 0xd2) { /* ccmp: flags only */
		i->written = 0;
	}
	return true;
}

bool a64_insn__decode(const uint8_t *bytes, size_t len, uint64_t address, struct a64_insn *out)
{
	struct a64_insn *i = out;

	if (len < 4)
		return false;
	*i = (struct a64_insn){.address = address, .kind = A64_OTHER};
	memcpy(&i->word, bytes, sizeof(i->word));
	switch (bits(i->word, 28, 25)) {
	case 8:
	case 9:
		return immediate(i);
	case 10:
	case 11:
		return branch(i);
	case 4:
	case 6:
	case 12:
	case 14:
		return memory(i);
	case 5:
	case 13:
		return registers(i);
	case 7:
	case 15:
		/* of vectors; some write a general register, whose number is there */
		i->vector = true;
		i->rt[0] = bits(i->word, 4, 0);
		i->written = mask_of(or_zero(i->rt[0]));
		return true;
	default:
		return false;
	}
}

bool a64_insn__is_adr(const struct a64_insn *insn)
{
	return bits(insn->word, 28, 24) == 0x10;
}

static bool is_literal(uint32_t word)
{
	return bits(word, 29, 27) == 3 && !bits(word, 25, 24);
}

bool a64_insn__is_simulated(const struct a64_insn *insn)
{
	uint32_t w = insn->word;

	switch (insn->kind) {
	case A64_JUMP:
	case A64_CALL: /* of those by a register only br and blr */
		return insn->has_target || (w & 0xffdffc1f) == 0xd61f0000;
	case A64_CONDITIONAL:
		return !(bits(w, 31, 25) == 0x2a && w & 1u << 4); /* bc.cond */
	default:
		return a64_insn__is_adr(insn);
	}
}

bool a64_insn__is_steppable(const struct a64_insn *insn)
{
	static const uint64_t hints = 1ull << 0 | 1ull << 7 | 1ull << 8 | 1ull << 10 | 0xfull << 24 |
	                              1ull << 32 | 1ull << 34 | 1ull << 36 | 1ull << 38;
	uint32_t w = insn->word;

	switch (insn->kind) {
	case A64_END:
	case A64_JUMP:
	case A64_CALL:
	case A64_CONDITIONAL:
		return false;
	case A64_NOP: /* nop, xpaclri, paci*, bti */
		return bits(w, 11, 5) < 64 && hints >> bits(w, 11, 5) & 1;
	case A64_MEMORY: /* exclusive ones lose their monitor; copies of memory restart */
		return bits(w, 29, 28) == 3;
	default:
		return !a64_insn__is_adr(insn) && !is_literal(w);
	}
}
