/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Procedure call and va_list: Procedure Call Standard for the Arm 64-bit Architecture (aapcs64),
 * 6.1, 6.8, 10.1.5 and appendix B. */
#include "a64_insn.h"
#include "walk_arch.h"

_Static_assert(A64_REGS <= FRAME_REGS, "one for each register");

/* A 64-bit register; the one that is always zero is a constant. */
static struct value reg_value(const struct frame_values *s, uint8_t reg)
{
	return reg == A64_ZERO ? (struct value){CONST, 0} : s->regs[reg];
}

static struct value low_half(struct value value)
{
	return value.kind == CONST ? (struct value){CONST, (int64_t)(uint32_t)value.n}
	                           : value_unknown;
}

static void clobber(struct frame_values *s, const struct a64_insn *insn)
{
	for (int i = 0; i < A64_ZERO; i++)
		if (insn->written & 1u << i)
			s->regs[i] = value_unknown;
}

static void store(struct frame_values *s, int64_t at, const struct a64_insn *insn, int n)
{
	uint8_t rt = insn->rt[n];

	if (!insn->vector) {
		struct value value = insn->exact ? reg_value(s, rt) : value_unknown;

		frame_values__store(s, at, insn->size, insn->size == 8 ? value : low_half(value));
		return;
	}
	/* the first eight may hold arguments */
	if (insn->size >= 8 && rt == 7)
		s->vectors = true;
	frame_values__store(s, at, insn->size < 8 ? insn->size : 8,
	                    insn->size >= 8 ? s->halves[rt][0] : value_unknown);
	if (insn->size == 16)
		frame_values__store(s, at + 8, 8, s->halves[rt][1]);
}

/* at: NULL when it is not known, or not in the frame. */
static void load(struct frame_values *s, const int64_t *at, const struct a64_insn *insn, int n)
{
	int64_t from = at ? *at + n * insn->size : 0;
	uint8_t rt = insn->rt[n];

	if (insn->vector) {
		s->halves[rt][0] = at && insn->size >= 8 ? frame_values__load(s, from, 8)
		                                         : value_unknown;
		s->halves[rt][1] = at && insn->size == 16 ? frame_values__load(s, from + 8, 8)
		                                          : value_unknown;
	} else if (rt != A64_ZERO) {
		s->regs[rt] = at && insn->exact && insn->size >= 4
		                      ? frame_values__load(s, from, insn->size)
		                      : value_unknown;
	}
}

static void access(struct frame_values *s, const struct a64_insn *insn)
{
	struct value base = reg_value(s, insn->rn);
	bool in_frame = base.kind == FRAME;
	int64_t at = in_frame ? base.n + insn->imm : 0;

	if (insn->kind == A64_LOAD) {
		/* both are read before either is written: a base may be one of them */
		for (int n = 0; n < insn->cnt; n++)
			load(s, in_frame ? &at : NULL, insn, n);
	} else if (in_frame && !insn->exact) {
		s->slots_cnt = 0; /* somewhere in it */
	} else if (in_frame) {
		for (int n = 0; n < insn->cnt; n++)
			store(s, at + n * insn->size, insn, n);
	}
	/* Elsewhere: the frame's address has not been given away, so it is not this frame. */
	if (insn->writes_back) {
		s->regs[insn->rn] = base;
		frame_values__add(s, insn->rn, insn->step);
	}
}

static void execute(struct frame_values *s, const struct a64_insn *insn)
{
	struct value value;

	switch (insn->kind) {
	case A64_MOVE:
		value = reg_value(s, insn->rn);
		if (insn->rd != A64_ZERO)
			s->regs[insn->rd] = insn->wide ? value : low_half(value);
		break;
	case A64_ADD:
		value = s->regs[insn->rn];
		clobber(s, insn);
		if (insn->rd == A64_ZERO || !insn->wide)
			break;
		s->regs[insn->rd] = value;
		frame_values__add(s, insn->rd, insn->imm);
		break;
	case A64_CONST:
		if (insn->rd != A64_ZERO)
			s->regs[insn->rd] = (struct value){CONST, insn->imm};
		break;
	case A64_LOAD:
	case A64_STORE:
		access(s, insn);
		break;
	case A64_MEMORY:
		if (reg_value(s, insn->rn).kind == FRAME)
			s->slots_cnt = 0;
		for (int i = 0; i < FRAME_PARTS; i++)
			s->halves[i][0] = s->halves[i][1] = value_unknown;
		clobber(s, insn);
		break;
	default:
		if (insn->vector)
			s->halves[insn->rt[0]][0] = s->halves[insn->rt[0]][1] = value_unknown;
		clobber(s, insn);
	}
}

static bool decode(const struct elf_image *image, uint64_t address, struct a64_insn *out)
{
	const uint8_t *code;
	size_t len;

	code = elf_image__code(image, address, &len);
	return code && a64_insn__decode(code, len, address, out);
}

/*
 * Whether a call asks for the place of a thread-local variable: ldr xn, [x0, #k]; add x0, x0, #k;
 * blr xn. It changes x0 and the return address, no other register ("ELF for the Arm 64-bit
 * Architecture", TLS descriptors).
 */
static bool is_tls_call(const struct elf_image *image, const struct a64_insn *call)
{
	struct a64_insn add, ldr;

	return !call->has_target && decode(image, call->address - 4, &add) &&
	       decode(image, call->address - 8, &ldr) && add.kind == A64_ADD && !add.rd &&
	       !add.rn && ldr.kind == A64_LOAD && !ldr.vector && ldr.cnt == 1 && ldr.size == 8 &&
	       !ldr.rn && ldr.imm == add.imm && ldr.rt[0] == (call->word >> 5 & 31);
}

static bool step(const struct elf_image *image, struct frame_values *s, struct walk_step *out)
{
	struct a64_insn insn;

	*out = (struct walk_step){.flow = WALK_ON};
	if (!decode(image, s->pc, &insn))
		return false;
	s->pc += 4;
	out->has_target = insn.has_target;
	out->target = insn.target;
	switch (insn.kind) {
	case A64_CALL:
		if (is_tls_call(image, &insn))
			s->regs[0] = s->regs[A64_LR] = value_unknown;
		else
			out->flow = WALK_CALL;
		break;
	case A64_CONDITIONAL:
		out->flow = WALK_CONDITIONAL;
		break;
	case A64_JUMP:
	case A64_END:
		out->flow = WALK_JUMP;
		break;
	default:
		execute(s, &insn);
	}
	return true;
}

/* x19 to x29 and sp are kept; what is kept of vector registers is of no use here. */
static void forget_call(struct frame_values *s)
{
	for (int i = 0; i <= 18; i++)
		s->regs[i] = value_unknown;
	s->regs[A64_LR] = value_unknown;
	for (int i = 0; i < FRAME_PARTS; i++)
		s->halves[i][0] = s->halves[i][1] = value_unknown;
}

static const uint8_t args[] = {0, 1, 2, 3, 4, 5, 6, 7};

/* A va_list is {stack @0, gr_top @8, vr_top @16, int gr_offs @24, vr_offs @28}, and passed by its
 * address. */
static bool passes_arguments(const struct frame_values *s, unsigned first_vararg)
{
	struct value list = s->regs[3], top;
	int64_t left = 8 * ((int64_t)sizeof(args) - first_vararg);

	if (list.kind != FRAME || !value__is(s->regs[1], ENTRY, first_vararg - 2) ||
	    !value__is(s->regs[2], ENTRY, first_vararg - 1))
		return false;
	top = frame_values__load(s, list.n + 8, 8);
	return value__is(frame_values__load(s, list.n, 8), FRAME, 0) && top.kind == FRAME &&
	       value__is(frame_values__load(s, list.n + 24, 4), CONST, (int64_t)(uint32_t)-left);
}

const struct walk_arch walk_a64 = {
	.sp = A64_SP,
	.args = args,
	.args_cnt = sizeof(args),
	.step = step,
	.forget_call = forget_call,
	.passes_arguments = passes_arguments,
};
