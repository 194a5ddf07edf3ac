/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <string.h>

#include "audit_walk.h"
#include "x86_insn.h"

#define SLOTS_MAX 48
#define STEPS_MAX 512
#define PATHS_MAX 16

enum value_kind {
	UNKNOWN,
	ENTRY, /* what register n held at the function's entry */
	FRAME, /* the stack pointer at the entry plus n */
	CONST, /* n */
};

struct value {
	enum value_kind kind;
	int64_t n;
};

/* What is stored in the frame, at an offset from the stack pointer at the entry. */
struct slot {
	int64_t offset;
	uint32_t size;
	struct value value;
};

struct state {
	uint64_t pc;
	struct value regs[X86_REGS];
	struct slot slots[SLOTS_MAX];
	size_t slots_cnt;
};

static const struct value unknown;

static void state__init(struct state *s, uint64_t function)
{
	*s = (struct state){.pc = function};
	for (int i = 0; i < X86_REGS; i++)
		s->regs[i] = (struct value){ENTRY, i};
	s->regs[X86_RSP] = (struct value){FRAME, 0};
}

static void forget(struct state *s, int64_t offset, uint32_t size)
{
	for (size_t i = 0; i < s->slots_cnt;) {
		const struct slot *slot = &s->slots[i];

		if (slot->offset < offset + size && offset < slot->offset + slot->size)
			s->slots[i] = s->slots[--s->slots_cnt];
		else
			i++;
	}
}

/* A value that there is no room for is not known then: the proof fails, no more. */
static void store(struct state *s, int64_t offset, uint32_t size, struct value value)
{
	forget(s, offset, size);
	if (value.kind != UNKNOWN && s->slots_cnt < SLOTS_MAX)
		s->slots[s->slots_cnt++] = (struct slot){offset, size, value};
}

static struct value load(const struct state *s, int64_t offset, uint32_t size)
{
	for (size_t i = 0; i < s->slots_cnt; i++) {
		const struct slot *slot = &s->slots[i];
		int64_t into = offset - slot->offset;

		if (slot->offset == offset && slot->size == size)
			return slot->value;
		/* A part of a constant: both halves of a va_list's first word are stored at once. */
		if (slot->value.kind == CONST && into >= 0 && into + size <= slot->size && size == 4)
			return (struct value){CONST,
			                      (int64_t)(uint32_t)(slot->value.n >> (8 * into))};
	}
	return unknown;
}

static struct value address_of(const struct state *s, const ZydisDecodedOperand *op)
{
	int base = x86_insn__reg(op->mem.base);

	if (base < 0 || op->mem.index != ZYDIS_REGISTER_NONE || s->regs[base].kind != FRAME ||
	    op->mem.segment == ZYDIS_REGISTER_FS || op->mem.segment == ZYDIS_REGISTER_GS)
		return unknown;
	return (struct value){
		FRAME, s->regs[base].n + (op->mem.disp.has_displacement ? op->mem.disp.value : 0)};
}

/* 64-bit registers, words of the frame, and constants; parts of registers are not followed. */
static struct value eval(const struct state *s, const ZydisDecodedOperand *op)
{
	struct value at;

	switch (op->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		if (x86_insn__reg(op->reg.value) < 0 || op->size != 64)
			return unknown;
		return s->regs[x86_insn__reg(op->reg.value)];
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		return (struct value){CONST, op->imm.value.s};
	case ZYDIS_OPERAND_TYPE_MEMORY:
		at = address_of(s, op);
		return at.kind == FRAME && op->size == 64 ? load(s, at.n, 8) : unknown;
	default:
		return unknown;
	}
}

static void set_operand(struct state *s, const ZydisDecodedOperand *op, struct value value)
{
	struct value at;
	int reg;

	if (op->type == ZYDIS_OPERAND_TYPE_REGISTER) {
		reg = x86_insn__reg(op->reg.value);
		if (reg < 0)
			return;
		if (op->size == 32 && value.kind == CONST) /* the upper half is cleared */
			value.n = (int64_t)(uint32_t)value.n;
		else if (op->size != 64)
			value = unknown;
		s->regs[reg] = value;
	} else if (op->type == ZYDIS_OPERAND_TYPE_MEMORY) {
		at = address_of(s, op);
		/* Elsewhere: the frame's address has not been given away, so it is not this frame. */
		if (at.kind == FRAME)
			store(s, at.n, op->size / 8u, value);
	}
}

static void add(struct state *s, int reg, int64_t n)
{
	if (s->regs[reg].kind == FRAME && n >= -(1 << 24) && n <= 1 << 24)
		s->regs[reg].n += n;
	else
		s->regs[reg] = unknown;
}

static void pop(struct state *s, const ZydisDecodedOperand *to)
{
	struct value value = unknown;

	if (s->regs[X86_RSP].kind == FRAME)
		value = load(s, s->regs[X86_RSP].n, 8);
	add(s, X86_RSP, 8);
	set_operand(s, to, value);
}

static void clobber(struct state *s, const struct x86_insn *insn)
{
	uint32_t written = x86_insn__written(insn);

	for (int i = 0; i < X86_REGS; i++)
		if (written & 1u << i)
			s->regs[i] = unknown;
	for (size_t n = 0; n < insn->i.operand_count; n++)
		if (insn->ops[n].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    (insn->ops[n].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
			set_operand(s, &insn->ops[n], unknown);
}

/* The effect of an instruction that is not a branch. */
static void execute(struct state *s, const struct x86_insn *insn)
{
	const ZydisDecodedOperand *to = &insn->ops[0], *from = &insn->ops[1];
	int reg = to->type == ZYDIS_OPERAND_TYPE_REGISTER ? x86_insn__reg(to->reg.value) : -1;
	struct value value;

	switch (insn->i.mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
		set_operand(s, to, eval(s, from));
		return;
	case ZYDIS_MNEMONIC_LEA:
		set_operand(s, to, address_of(s, from));
		return;
	case ZYDIS_MNEMONIC_PUSH:
		value = eval(s, to);
		add(s, X86_RSP, -8);
		if (s->regs[X86_RSP].kind == FRAME)
			store(s, s->regs[X86_RSP].n, 8, value);
		return;
	case ZYDIS_MNEMONIC_POP:
		pop(s, to);
		return;
	case ZYDIS_MNEMONIC_LEAVE:
		s->regs[X86_RSP] = s->regs[X86_RBP];
		value = unknown;
		if (s->regs[X86_RSP].kind == FRAME)
			value = load(s, s->regs[X86_RSP].n, 8);
		add(s, X86_RSP, 8);
		s->regs[X86_RBP] = value;
		return;
	case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_ADD:
		if (reg < 0 || to->size != 64 || from->type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
			break;
		add(s, reg,
		    insn->i.mnemonic == ZYDIS_MNEMONIC_ADD ? from->imm.value.s : -from->imm.value.s);
		return;
	default:
		break;
	}
	clobber(s, insn);
}

/* The callee keeps rbx, rbp, rsp and r12 to r15 (psABI 3.2.1); the frame is not known to it. */
static void forget_call(struct state *s)
{
	static const uint8_t scratch[] = {X86_RAX, X86_RCX, X86_RDX, X86_RSI, X86_RDI,
	                                  X86_R8,  X86_R9,  10,      11};

	for (size_t i = 0; i < sizeof(scratch); i++)
		s->regs[scratch[i]] = unknown;
}

static bool is(struct value value, enum value_kind kind, int64_t n)
{
	return value.kind == kind && value.n == n;
}

/* Whether rsi, rdx, rcx are (event, format, va_list *) of a function with that many parameters. */
static bool passes_arguments(const struct state *s, unsigned first_vararg)
{
	static const uint8_t args[] = {X86_RDI, X86_RSI, X86_RDX};
	struct value list = s->regs[X86_RCX];

	if (list.kind != FRAME || !is(s->regs[X86_RSI], ENTRY, args[first_vararg - 2]) ||
	    !is(s->regs[X86_RDX], ENTRY, args[first_vararg - 1]))
		return false;
	/* gp_offset, fp_offset, overflow_arg_area (behind the return address), reg_save_area */
	return is(load(s, list.n, 4), CONST, 8 * first_vararg) &&
	       is(load(s, list.n + 4, 4), CONST, 6 * 8) && is(load(s, list.n + 8, 8), FRAME, 8) &&
	       load(s, list.n + 16, 8).kind == FRAME;
}

static bool fetch(const struct elf_image *image, struct state *s, struct x86_insn *insn)
{
	const uint8_t *code;
	size_t len;

	code = elf_image__code(image, s->pc, &len);
	if (!code || !x86_insn__decode(code, len, s->pc, insn))
		return false;
	s->pc = insn->next;
	return true;
}

/* Whether this call is the one that is looked for; *callee is 0 as long as any one will do. */
static bool is_wanted(const struct state *s, const struct x86_insn *insn, unsigned first_vararg,
                      uint64_t *callee)
{
	uint64_t target;

	if (!x86_insn__target(insn, &target) || (*callee && target != *callee))
		return false;
	if (first_vararg && !passes_arguments(s, first_vararg))
		return false;
	*callee = target;
	return true;
}

/* Follows every way through the function to the first call that is wanted. */
static bool walk(const struct elf_image *image, uint64_t function, unsigned first_vararg,
                 uint64_t *callee)
{
	struct state paths[PATHS_MAX];
	size_t paths_cnt = 1;
	struct x86_insn insn;
	uint64_t target;

	state__init(&paths[0], function);
	for (int step = 0; paths_cnt && step < STEPS_MAX; step++) {
		struct state *s = &paths[paths_cnt - 1];

		if (!fetch(image, s, &insn))
			return false;
		if (!x86_insn__ends_flow(&insn)) {
			execute(s, &insn);
		} else if (x86_insn__is_call(&insn)) {
			if (is_wanted(s, &insn, first_vararg, callee))
				paths_cnt--;
			else
				forget_call(s);
		} else if (!x86_insn__target(&insn, &target)) {
			return false;
		} else if (x86_insn__is_conditional(&insn)) {
			if (paths_cnt == PATHS_MAX)
				return false;
			paths[paths_cnt] = *s;
			paths[paths_cnt++].pc = target;
		} else {
			s->pc = target;
		}
	}
	return !paths_cnt;
}

bool audit_walk__callee(const struct elf_image *image, uint64_t function, unsigned first_vararg,
                        uint64_t *callee)
{
	*callee = 0;
	return first_vararg >= 2 && first_vararg <= 3 && walk(image, function, first_vararg, callee);
}

bool audit_walk__reaches(const struct elf_image *image, uint64_t function, uint64_t callee)
{
	return callee && walk(image, function, 0, &callee);
}

/* Where a register's value at the entry has been saved. */
static bool saved_at(const struct state *s, int reg, int64_t *offset)
{
	for (size_t i = 0; i < s->slots_cnt; i++)
		if (is(s->slots[i].value, ENTRY, reg) && s->slots[i].size == 8) {
			*offset = s->slots[i].offset;
			return true;
		}
	return false;
}

int audit_walk__first_vararg(const struct elf_image *image, uint64_t function)
{
	static const uint8_t regs[] = {X86_RDI, X86_RSI, X86_RDX, X86_RCX, X86_R8, X86_R9};
	struct x86_insn insn;
	int64_t last, at;
	bool tests_al = false;
	struct state s;
	int first = 5;

	state__init(&s, function);
	for (int step = 0; step < 64; step++) {
		if (!fetch(image, &s, &insn))
			return -1;
		/* al says whether there are any in xmm registers. */
		if (insn.i.mnemonic == ZYDIS_MNEMONIC_TEST &&
		    insn.ops[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    insn.ops[0].reg.value == ZYDIS_REGISTER_AL && is(s.regs[X86_RAX], ENTRY, X86_RAX))
			tests_al = true;
		if (x86_insn__is_conditional(&insn))
			continue;
		if (x86_insn__ends_flow(&insn))
			break;
		execute(&s, &insn);
	}
	if (!tests_al || !saved_at(&s, regs[5], &last))
		return -1;
	while (first && saved_at(&s, regs[first - 1], &at) && at == last - 8 * (6 - first))
		first--;
	return first;
}
