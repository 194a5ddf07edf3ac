/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "walk_arch.h"
#include "x86_insn.h"

static struct value address_of(const struct frame_values *s, const ZydisDecodedOperand *op)
{
	int base = x86_insn__reg(op->mem.base);

	if (base < 0 || op->mem.index != ZYDIS_REGISTER_NONE || s->regs[base].kind != FRAME ||
	    op->mem.segment == ZYDIS_REGISTER_FS || op->mem.segment == ZYDIS_REGISTER_GS)
		return value_unknown;
	return (struct value){
		FRAME, s->regs[base].n + (op->mem.disp.has_displacement ? op->mem.disp.value : 0)};
}

/* 64-bit registers, words of the frame, and constants; parts of registers are not followed. */
static struct value eval(const struct frame_values *s, const ZydisDecodedOperand *op)
{
	struct value at;

	switch (op->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		if (x86_insn__reg(op->reg.value) < 0 || op->size != 64)
			return value_unknown;
		return s->regs[x86_insn__reg(op->reg.value)];
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		return (struct value){CONST, op->imm.value.s};
	case ZYDIS_OPERAND_TYPE_MEMORY:
		at = address_of(s, op);
		return at.kind == FRAME && op->size == 64 ? frame_values__load(s, at.n, 8)
		                                          : value_unknown;
	default:
		return value_unknown;
	}
}

static void set_operand(struct frame_values *s, const ZydisDecodedOperand *op, struct value value)
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
			value = value_unknown;
		s->regs[reg] = value;
	} else if (op->type == ZYDIS_OPERAND_TYPE_MEMORY) {
		at = address_of(s, op);
		/* Elsewhere: the frame's address has not been given away, so it is not this
		 * frame. */
		if (at.kind == FRAME)
			frame_values__store(s, at.n, op->size / 8u, value);
	}
}

static void pop(struct frame_values *s, const ZydisDecodedOperand *to)
{
	struct value value = value_unknown;

	if (s->regs[X86_RSP].kind == FRAME)
		value = frame_values__load(s, s->regs[X86_RSP].n, 8);
	frame_values__add(s, X86_RSP, 8);
	set_operand(s, to, value);
}

static void clobber(struct frame_values *s, const struct x86_insn *insn)
{
	uint32_t written = x86_insn__written(insn);

	for (int i = 0; i < X86_REGS; i++)
		if (written & 1u << i)
			s->regs[i] = value_unknown;
	for (size_t n = 0; n < insn->i.operand_count; n++)
		if (insn->ops[n].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    (insn->ops[n].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
			set_operand(s, &insn->ops[n], value_unknown);
}

/* The effect of an instruction that is not a branch. */
static void execute(struct frame_values *s, const struct x86_insn *insn)
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
		frame_values__add(s, X86_RSP, -8);
		if (s->regs[X86_RSP].kind == FRAME)
			frame_values__store(s, s->regs[X86_RSP].n, 8, value);
		return;
	case ZYDIS_MNEMONIC_POP:
		pop(s, to);
		return;
	case ZYDIS_MNEMONIC_LEAVE:
		s->regs[X86_RSP] = s->regs[X86_RBP];
		value = value_unknown;
		if (s->regs[X86_RSP].kind == FRAME)
			value = frame_values__load(s, s->regs[X86_RSP].n, 8);
		frame_values__add(s, X86_RSP, 8);
		s->regs[X86_RBP] = value;
		return;
	case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_ADD:
		if (reg < 0 || to->size != 64 || from->type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
			break;
		frame_values__add(s, reg,
		                  insn->i.mnemonic == ZYDIS_MNEMONIC_ADD ? from->imm.value.s
		                                                         : -from->imm.value.s);
		return;
	default:
		break;
	}
	clobber(s, insn);
}

/* The callee keeps rbx, rbp, rsp and r12 to r15 (psABI 3.2.1); the frame is not known to it. */
static void forget_call(struct frame_values *s)
{
	static const uint8_t scratch[] = {X86_RAX, X86_RCX, X86_RDX, X86_RSI, X86_RDI,
	                                  X86_R8,  X86_R9,  10,      11};

	for (size_t i = 0; i < sizeof(scratch); i++)
		s->regs[scratch[i]] = value_unknown;
}

/* Whether rsi, rdx, rcx are (event, format, va_list *) of a function with that many parameters. */
static bool passes_arguments(const struct frame_values *s, unsigned first_vararg)
{
	static const uint8_t args[] = {X86_RDI, X86_RSI, X86_RDX};
	struct value list = s->regs[X86_RCX];

	if (list.kind != FRAME || !value__is(s->regs[X86_RSI], ENTRY, args[first_vararg - 2]) ||
	    !value__is(s->regs[X86_RDX], ENTRY, args[first_vararg - 1]))
		return false;
	/* gp_offset, fp_offset, overflow_arg_area (behind the return address), reg_save_area */
	return value__is(frame_values__load(s, list.n, 4), CONST, 8 * first_vararg) &&
	       value__is(frame_values__load(s, list.n + 4, 4), CONST, 6 * 8) &&
	       value__is(frame_values__load(s, list.n + 8, 8), FRAME, 8) &&
	       frame_values__load(s, list.n + 16, 8).kind == FRAME;
}

static bool step(const struct elf_image *image, struct frame_values *s, struct walk_step *out)
{
	struct x86_insn insn;
	const uint8_t *code;
	size_t len;

	*out = (struct walk_step){.flow = WALK_ON};
	code = elf_image__code(image, s->pc, &len);
	if (!code || !x86_insn__decode(code, len, s->pc, &insn))
		return false;
	s->pc = insn.next;
	/* al says whether there are any arguments in xmm registers */
	if (insn.i.mnemonic == ZYDIS_MNEMONIC_TEST &&
	    insn.ops[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
	    insn.ops[0].reg.value == ZYDIS_REGISTER_AL && value__is(s->regs[X86_RAX], ENTRY, X86_RAX))
		s->vectors = true;
	if (!x86_insn__ends_flow(&insn)) {
		execute(s, &insn);
		return true;
	}
	out->has_target = x86_insn__target(&insn, &out->target);
	if (x86_insn__is_call(&insn))
		out->flow = WALK_CALL;
	else if (x86_insn__is_conditional(&insn))
		out->flow = WALK_CONDITIONAL;
	else
		out->flow = WALK_JUMP;
	return true;
}

static const uint8_t args[] = {X86_RDI, X86_RSI, X86_RDX, X86_RCX, X86_R8, X86_R9};

const struct walk_arch walk_x86 = {
	.sp = X86_RSP,
	.args = args,
	.args_cnt = sizeof(args),
	.step = step,
	.forget_call = forget_call,
	.passes_arguments = passes_arguments,
};
