/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "probe_site_arch.h"
#include "x86_insn.h"

#define INSNS_MAX 64 /* of a prologue; the longest variadic one has 20 */

/* Integer arguments in order (x86-64 psABI 3.2.3), and the same in DWARF's numbering (its
 * 3.6.2). */
static const uint8_t args[] = {X86_RDI, X86_RSI, X86_RDX, X86_RCX, X86_R8, X86_R9};
static const uint8_t dwarf[] = {5, 4, 1, 2, 8, 9};

static bool is_cheap(const uint8_t *code, const struct x86_insn *insn)
{
	switch (code[0]) {
	case 0x90:          /* nop */
	case 0x50 ... 0x57: /* push */
		return insn->i.length == 1;
	case 0x41: /* REX.B alone: push of r8 to r15; with 90 it is an xchg */
		return insn->i.length == 2 && code[1] >= 0x50 && code[1] <= 0x57;
	case 0xeb: /* jmp */
	case 0xe9:
	case 0xe8:          /* call */
	case 0x70 ... 0x7f: /* jcc */
		return true;
	case 0x0f:
		return insn->i.length == 6 && code[1] >= 0x80 && code[1] <= 0x8f;
	default:
		return false;
	}
}

/* The stack as the instructions from the entry on leave it. */
struct frame {
	int64_t moved;     /* stack pointer at entry minus stack pointer now */
	bool has_rbp;      /* rbp points into the frame, too: */
	int64_t rbp_moved; /* stack pointer at entry minus rbp */
};

/* Whether a write to memory spares the return address and what lies above it: the stack's
 * arguments. Counters and the like in data (rip) do no harm. */
static bool write_is_harmless(const struct frame *frame, const ZydisDecodedOperand *op)
{
	int64_t moved, end;

	if (op->mem.base == ZYDIS_REGISTER_RIP)
		return true;
	if (op->mem.base == ZYDIS_REGISTER_RSP)
		moved = frame->moved;
	else if (op->mem.base == ZYDIS_REGISTER_RBP && frame->has_rbp)
		moved = frame->rbp_moved;
	else
		return false;
	if (op->mem.index != ZYDIS_REGISTER_NONE || op->mem.segment == ZYDIS_REGISTER_FS ||
	    op->mem.segment == ZYDIS_REGISTER_GS || !op->size)
		return false;
	end = (op->mem.disp.has_displacement ? op->mem.disp.value : 0) + op->size / 8;
	return end <= moved;
}

static bool is_imm(const ZydisDecodedOperand *op)
{
	return op->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && op->imm.value.s >= -(1 << 24) &&
	       op->imm.value.s <= 1 << 24;
}

static bool is_reg(const ZydisDecodedOperand *op, ZydisRegister reg)
{
	return op->type == ZYDIS_OPERAND_TYPE_REGISTER && op->reg.value == reg;
}

/* Takes the move of the stack pointer into account; false: not of the known kinds. */
static bool move_stack(const struct x86_insn *insn, struct frame *frame)
{
	const ZydisDecodedOperand *to = &insn->ops[0], *from = &insn->ops[1];

	switch (insn->i.mnemonic) {
	case ZYDIS_MNEMONIC_PUSH:
		if (insn->i.operand_width != 64)
			return false;
		frame->moved += 8;
		break;
	case ZYDIS_MNEMONIC_POP:
		if (insn->i.operand_width != 64 || to->type != ZYDIS_OPERAND_TYPE_REGISTER ||
		    is_reg(to, ZYDIS_REGISTER_RSP))
			return false;
		frame->moved -= 8;
		break;
	case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_ADD:
		if (!is_reg(to, ZYDIS_REGISTER_RSP) || !is_imm(from))
			return false;
		frame->moved += insn->i.mnemonic == ZYDIS_MNEMONIC_SUB ? from->imm.value.s
		                                                       : -from->imm.value.s;
		break;
	case ZYDIS_MNEMONIC_LEA:
		if (!is_reg(to, ZYDIS_REGISTER_RSP) || from->mem.base != ZYDIS_REGISTER_RSP ||
		    from->mem.index != ZYDIS_REGISTER_NONE || !from->mem.disp.has_displacement)
			return false;
		frame->moved -= from->mem.disp.value;
		break;
	default:
		return false;
	}
	return frame->moved >= 0 && frame->moved <= 1 << 24;
}

/* Whether the arguments are still there behind an instruction that is not cheap itself. */
static bool pass(const struct x86_insn *insn, uint32_t needed, struct frame *frame,
                 struct probe_site *out)
{
	const char *name = x86_insn__name(insn);
	uint32_t written = x86_insn__written(insn);
	unsigned at = (unsigned)(insn->address - out->address);

	if (x86_insn__ends_flow(insn))
		return probe_site__refuse(out, "%s at +%u before any cheap instruction", name, at);
	if (written & needed)
		return probe_site__refuse(out, "%s at +%u writes a register with an argument", name,
		                          at);
	for (size_t n = 0; n < insn->i.operand_count; n++) {
		const ZydisDecodedOperand *op = &insn->ops[n];

		/* A push is one below the stack pointer, by its nature. */
		if (op->type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    (op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) &&
		    insn->i.mnemonic != ZYDIS_MNEMONIC_PUSH && !write_is_harmless(frame, op))
			return probe_site__refuse(
				out, "%s at +%u writes to memory that may hold arguments", name, at);
	}
	if ((written & 1u << X86_RSP) && !move_stack(insn, frame))
		return probe_site__refuse(
			out, "%s at +%u moves the stack pointer in a way not known", name, at);
	if (written & 1u << X86_RBP) {
		frame->has_rbp = insn->i.mnemonic == ZYDIS_MNEMONIC_MOV &&
		                 is_reg(&insn->ops[0], ZYDIS_REGISTER_RBP) &&
		                 is_reg(&insn->ops[1], ZYDIS_REGISTER_RSP);
		frame->rbp_moved = frame->moved;
	}
	return true;
}

/* Whether a direct branch of the function leads behind its entry and up to the site: what is proven
 * of the straight line, and one hit for a call, would not hold. */
static bool is_branched_to(const uint8_t *code, size_t len, const struct probe_site *site,
                           uint64_t entry)
{
	struct x86_insn insn;
	uint64_t target;

	for (size_t pos = 0; pos < len; pos += insn.i.length) {
		if (!x86_insn__decode(code + pos, len - pos, entry + pos, &insn))
			return false; /* behind its end, or data: no jump either */
		if (!x86_insn__is_call(&insn) && x86_insn__target(&insn, &target) &&
		    target > entry && target <= site->address)
			return true;
	}
	return false;
}

static bool find_cheap(const uint8_t *code, size_t len, uint32_t needed, struct probe_site *out)
{
	const uint64_t entry = out->address;
	struct frame frame = {0};
	struct x86_insn insn;
	size_t pos = 0;

	for (int i = 0; i < INSNS_MAX; i++) {
		if (!x86_insn__decode(code + pos, len - pos, entry + pos, &insn))
			return probe_site__refuse(out, "unknown instruction at +%zu", pos);
		if (is_cheap(code + pos, &insn)) {
			out->address = insn.address;
			out->stack_moved = (uint32_t)frame.moved;
			if (!is_branched_to(code, len, out, entry))
				return true;
			out->address = entry;
			return probe_site__refuse(out,
			                          "the function branches back into its prologue");
		}
		if (!pass(&insn, needed, &frame, out))
			return false;
		pos += insn.i.length;
	}
	return probe_site__refuse(out, "no cheap instruction among the first %d", INSNS_MAX);
}

/* What is_prefix_bad() and the opcode tables of the kernel's uprobes refuse on some version. */
static bool can_be_stepped(const uint8_t *code, size_t len, struct probe_site *out)
{
	struct x86_insn insn;

	if (!x86_insn__decode(code, len, out->address, &insn))
		return probe_site__refuse(out, "unknown instruction at +0");
	for (unsigned i = 0; i < insn.i.raw.prefix_count; i++)
		switch (insn.i.raw.prefixes[i].value) {
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0xf0:
			return probe_site__refuse(
				out, "the kernel does not probe an instruction with prefix %02x",
				insn.i.raw.prefixes[i].value);
		}
	if (insn.i.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY ||
	    insn.i.meta.category == ZYDIS_CATEGORY_INTERRUPT ||
	    insn.i.meta.category == ZYDIS_CATEGORY_SYSTEM)
		return probe_site__refuse(out, "the kernel does not probe %s", x86_insn__name(&insn));
	return true;
}

const struct probe_site_arch probe_site_x86 = {
	.args = args,
	.dwarf = dwarf,
	.args_cnt = sizeof(args),
	.find_cheap = find_cheap,
	.can_be_stepped = can_be_stepped,
};
