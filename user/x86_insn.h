/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One x86-64 instruction, decoded by Zydis, and the few questions that the analyses ask about it.
 * General registers are numbered as in instructions: rax 0, rcx, rdx, rbx, rsp 4, rbp, rsi, rdi,
 * r8.
 */
#ifndef PYTRAIL_X86_INSN_H
#define PYTRAIL_X86_INSN_H

#include <Zydis/Zydis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum x86_reg {
	X86_RAX,
	X86_RCX,
	X86_RDX,
	X86_RBX,
	X86_RSP,
	X86_RBP,
	X86_RSI,
	X86_RDI,
	X86_R8,
	X86_R9,
	X86_REGS = 16,
};

struct x86_insn {
	uint64_t address;
	uint64_t next; /* address of the instruction behind it */
	ZydisDecodedInstruction i;
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
};

/* False: built without the decoder (PYTRAIL_NO_DECODER), nothing below is of use then. */
bool x86_insn__can_decode(void);

/* False: not a whole, valid instruction. */
bool x86_insn__decode(const uint8_t *bytes, size_t len, uint64_t address, struct x86_insn *out);

/* Its mnemonic. */
const char *x86_insn__name(const struct x86_insn *insn);

/* The number of the general register that holds it (al and eax: rax), -1: not a general one. */
int x86_insn__reg(ZydisRegister reg);
/* Mask of the general registers that it writes, surely or maybe, the hidden operands included. */
uint32_t x86_insn__written(const struct x86_insn *insn);
/* The target of a direct jump or call. */
bool x86_insn__target(const struct x86_insn *insn, uint64_t *target);
/* The memory operand's address when it is relative to rip. */
bool x86_insn__rip_address(const struct x86_insn *insn, const ZydisDecodedOperand *op, uint64_t *out);

bool x86_insn__is_jump(const struct x86_insn *insn);
bool x86_insn__is_conditional(const struct x86_insn *insn);
bool x86_insn__is_call(const struct x86_insn *insn);
/* Anything behind which the next instruction does not simply follow, or the kernel does things. */
bool x86_insn__ends_flow(const struct x86_insn *insn);

#endif
