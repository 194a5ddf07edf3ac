/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "code_insn.h"

#include "a64_insn.h"
#include "x86_insn.h"

static bool is_a64(const struct elf_image *image)
{
	return elf_image__machine(image) == EM_AARCH64;
}

static bool x86_at(const struct elf_image *image, uint64_t address, struct x86_insn *out)
{
	const uint8_t *code;
	size_t len;

	code = elf_image__code(image, address, &len);
	return code && x86_insn__decode(code, len, address, out);
}

static bool a64_at(const struct elf_image *image, uint64_t address, struct a64_insn *out)
{
	const uint8_t *code;
	size_t len;

	code = elf_image__code(image, address, &len);
	return code && a64_insn__decode(code, len, address, out);
}

bool code_insn__can_decode(unsigned machine)
{
	return machine == EM_AARCH64 || (machine == EM_X86_64 && x86_insn__can_decode());
}

static void from_x86(const struct x86_insn *insn, struct code_insn *out)
{
	out->next = insn->next;
	out->has_target = x86_insn__target(insn, &out->target);
	out->is_nop = insn->i.mnemonic == ZYDIS_MNEMONIC_NOP;
	if (x86_insn__is_call(insn))
		out->flow = CODE_CALL;
	else if (x86_insn__is_conditional(insn))
		out->flow = CODE_CONDITIONAL;
	else if (x86_insn__is_jump(insn))
		out->flow = CODE_JUMP;
	else if (x86_insn__ends_flow(insn))
		out->flow = CODE_END;
}

static void from_a64(const struct a64_insn *insn, struct code_insn *out)
{
	out->next = insn->address + 4;
	out->has_target = insn->has_target;
	out->target = insn->target;
	switch (insn->kind) {
	case A64_NOP:
		out->is_nop = true;
		break;
	case A64_CALL:
		out->flow = CODE_CALL;
		break;
	case A64_CONDITIONAL:
		out->flow = CODE_CONDITIONAL;
		break;
	case A64_JUMP:
		out->flow = CODE_JUMP;
		break;
	case A64_END:
		out->flow = CODE_END;
		break;
	default:
		break;
	}
}

bool code_insn__at(const struct elf_image *image, uint64_t address, struct code_insn *out)
{
	struct x86_insn x86;
	struct a64_insn a64;

	*out = (struct code_insn){.address = address};
	if (is_a64(image)) {
		if (!a64_at(image, address, &a64))
			return false;
		from_a64(&a64, out);
	} else {
		if (!x86_at(image, address, &x86))
			return false;
		from_x86(&x86, out);
	}
	return true;
}

/* jmp *slot(%rip) */
static bool x86_stub_slot(const struct elf_image *image, uint64_t address, uint64_t *slot)
{
	struct x86_insn insn;

	for (int i = 0; i < 2; i++) {
		if (!x86_at(image, address, &insn))
			return false;
		if (x86_insn__is_jump(&insn))
			return x86_insn__rip_address(&insn, &insn.ops[0], slot);
		if (insn.i.mnemonic != ZYDIS_MNEMONIC_ENDBR64)
			return false;
		address = insn.next;
	}
	return false;
}

/* adrp x16, page; ldr x17, [x16, #n]; add x16, x16, #n; br x17, maybe behind a bti (aaelf64, sample
 * stubs) */
static bool a64_stub_slot(const struct elf_image *image, uint64_t address, uint64_t *slot)
{
	struct a64_insn insn;
	uint64_t page;

	if (!a64_at(image, address, &insn))
		return false;
	if (insn.kind == A64_NOP && !a64_at(image, address += 4, &insn))
		return false;
	if (!a64_insn__is_adr(&insn) || insn.rd != 16)
		return false;
	page = (uint64_t)insn.imm;
	if (!a64_at(image, address + 4, &insn) || insn.kind != A64_LOAD || insn.vector ||
	    insn.cnt != 1 || insn.size != 8 || insn.rt[0] != 17 || insn.rn != 16)
		return false;
	*slot = page + (uint64_t)insn.imm;
	if (!a64_at(image, address + 8, &insn) || insn.kind != A64_ADD ||
	    !a64_at(image, address + 12, &insn))
		return false;
	return insn.kind == A64_JUMP && !insn.has_target && (insn.word >> 5 & 31) == 17;
}

bool code_insn__stub_slot(const struct elf_image *image, uint64_t address, uint64_t *slot)
{
	return is_a64(image) ? a64_stub_slot(image, address, slot)
	                     : x86_stub_slot(image, address, slot);
}

static void x86_values(struct code_values *values, const struct x86_insn *insn)
{
	const ZydisDecodedOperand *to = &insn->ops[0], *from = &insn->ops[1];
	uint64_t value;
	bool known = false;
	int reg;

	values->known &= ~x86_insn__written(insn);
	if (to->type != ZYDIS_OPERAND_TYPE_REGISTER)
		return;
	reg = x86_insn__reg(to->reg.value);
	if (insn->i.mnemonic == ZYDIS_MNEMONIC_LEA) {
		known = x86_insn__rip_address(insn, from, &value);
	} else if (insn->i.mnemonic == ZYDIS_MNEMONIC_MOV &&
	           from->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
		known = true;
		value = from->imm.value.u;
	}
	if (known && reg >= 0) {
		values->of[reg] = value;
		values->known |= 1u << reg;
	}
}

static void a64_values(struct code_values *values, const struct a64_insn *insn)
{
	bool known = false;
	uint64_t value = 0;

	if (insn->kind == A64_CONST) {
		known = true;
		value = (uint64_t)insn->imm;
	} else if (insn->kind == A64_ADD || insn->kind == A64_MOVE) {
		known = insn->wide && insn->rn < 32 && values->known >> insn->rn & 1;
		value = known ? values->of[insn->rn] + (uint64_t)insn->imm : 0;
	}
	values->known &= ~insn->written;
	if (known && insn->rd < 32) {
		values->of[insn->rd] = value;
		values->known |= 1u << insn->rd;
	}
}

void code_values__step(struct code_values *values, const struct elf_image *image, uint64_t address)
{
	struct x86_insn x86;
	struct a64_insn a64;

	if (is_a64(image)) {
		if (a64_at(image, address, &a64))
			a64_values(values, &a64);
	} else if (x86_at(image, address, &x86)) {
		x86_values(values, &x86);
	}
}

bool code_values__argument(const struct code_values *values, const struct elf_image *image,
                           unsigned n, uint64_t *out)
{
	static const uint8_t x86[] = {X86_RDI, X86_RSI, X86_RDX, X86_RCX, X86_R8, X86_R9};
	unsigned reg = is_a64(image) ? n : x86[n < sizeof(x86) ? n : 0];

	if (n >= sizeof(x86) || !(values->known >> reg & 1))
		return false;
	*out = values->of[reg];
	return true;
}
