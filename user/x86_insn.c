/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "x86_insn.h"

/* All of Zydis that is called, not only declared, is called here. */
#ifdef PYTRAIL_NO_DECODER

bool x86_insn__can_decode(void)
{
	return false;
}

bool x86_insn__decode(const uint8_t *bytes, size_t len, uint64_t address, struct x86_insn *out)
{
	return false;
}

const char *x86_insn__name(const struct x86_insn *insn)
{
	return "";
}

static ZydisRegister whole_register(ZydisRegister reg)
{
	return ZYDIS_REGISTER_NONE;
}

static bool absolute_address(const struct x86_insn *insn, const ZydisDecodedOperand *op, uint64_t *out)
{
	return false;
}

#else

bool x86_insn__can_decode(void)
{
	return true;
}

bool x86_insn__decode(const uint8_t *bytes, size_t len, uint64_t address, struct x86_insn *out)
{
	ZydisDecoder decoder;

	if (!ZYAN_SUCCESS(
		    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
	    !ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, len, &out->i, out->ops)))
		return false;
	out->address = address;
	out->next = address + out->i.length;
	return true;
}

const char *x86_insn__name(const struct x86_insn *insn)
{
	return ZydisMnemonicGetString(insn->i.mnemonic);
}

static ZydisRegister whole_register(ZydisRegister reg)
{
	return ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
}

static bool absolute_address(const struct x86_insn *insn, const ZydisDecodedOperand *op, uint64_t *out)
{
	return ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&insn->i, op, insn->address, out));
}

#endif

int x86_insn__reg(ZydisRegister reg)
{
	ZydisRegister whole = whole_register(reg);

	if (whole < ZYDIS_REGISTER_RAX || whole > ZYDIS_REGISTER_R15)
		return -1;
	return (int)(whole - ZYDIS_REGISTER_RAX);
}

uint32_t x86_insn__written(const struct x86_insn *insn)
{
	uint32_t mask = 0;

	for (size_t n = 0; n < insn->i.operand_count; n++) {
		const ZydisDecodedOperand *op = &insn->ops[n];
		int reg;

		if (op->type != ZYDIS_OPERAND_TYPE_REGISTER ||
		    !(op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
			continue;
		reg = x86_insn__reg(op->reg.value);
		if (reg >= 0)
			mask |= 1u << reg;
	}
	return mask;
}

bool x86_insn__is_conditional(const struct x86_insn *insn)
{
	return insn->i.meta.category == ZYDIS_CATEGORY_COND_BR;
}

bool x86_insn__is_jump(const struct x86_insn *insn)
{
	return insn->i.meta.category == ZYDIS_CATEGORY_UNCOND_BR;
}

bool x86_insn__is_call(const struct x86_insn *insn)
{
	return insn->i.meta.category == ZYDIS_CATEGORY_CALL;
}

bool x86_insn__ends_flow(const struct x86_insn *insn)
{
	switch (insn->i.meta.category) {
	case ZYDIS_CATEGORY_CALL:
	case ZYDIS_CATEGORY_COND_BR:
	case ZYDIS_CATEGORY_UNCOND_BR:
	case ZYDIS_CATEGORY_RET:
	case ZYDIS_CATEGORY_INTERRUPT:
	case ZYDIS_CATEGORY_SYSCALL:
	case ZYDIS_CATEGORY_SYSRET:
	case ZYDIS_CATEGORY_SYSTEM:
	case ZYDIS_CATEGORY_IO:
	case ZYDIS_CATEGORY_IOSTRINGOP:
		return true;
	default:
		break;
	}
	switch (insn->i.mnemonic) {
	case ZYDIS_MNEMONIC_HLT:
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
	case ZYDIS_MNEMONIC_XABORT:
	case ZYDIS_MNEMONIC_XBEGIN:
		return true;
	default:
		return false;
	}
}

bool x86_insn__target(const struct x86_insn *insn, uint64_t *target)
{
	if (!x86_insn__is_call(insn) && !x86_insn__is_jump(insn) && !x86_insn__is_conditional(insn))
		return false;
	if (insn->ops[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE || !insn->ops[0].imm.is_relative)
		return false;
	return absolute_address(insn, &insn->ops[0], target);
}

bool x86_insn__rip_address(const struct x86_insn *insn, const ZydisDecodedOperand *op, uint64_t *out)
{
	if (op->type != ZYDIS_OPERAND_TYPE_MEMORY || op->mem.base != ZYDIS_REGISTER_RIP)
		return false;
	return absolute_address(insn, op, out);
}
