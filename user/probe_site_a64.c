/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "a64_insn.h"
#include "probe_site_arch.h"

#define INSNS_MAX 64 /* of a prologue */
#define MOVED_MAX (1 << 24)

/* Integer arguments in order (aapcs64 6.8.2); DWARF numbers them as they are (aadwarf64 4.1). */
static const uint8_t args[] = {0, 1, 2, 3, 4, 5, 6, 7};

/* The stack as the instructions from the entry on leave it. */
struct frame {
	int64_t moved;    /* stack pointer at entry minus stack pointer now */
	bool has_fp;      /* x29 points into the frame, too: */
	int64_t fp_moved; /* stack pointer at entry minus x29 */
};

/* Whether what it writes to memory spares the caller's frame: the stack's arguments. */
static bool write_is_harmless(const struct frame *frame, const struct a64_insn *insn)
{
	int64_t moved;

	if (insn->kind == A64_MEMORY || !insn->exact)
		return false;
	if (insn->rn == A64_SP)
		moved = frame->moved;
	else if (insn->rn == A64_FP && frame->has_fp)
		moved = frame->fp_moved;
	else
		return false;
	return insn->imm + insn->cnt * insn->size <= moved;
}

/* Takes the move of the stack pointer into account; false: not of the known kinds. */
static bool move_stack(const struct a64_insn *insn, struct frame *frame)
{
	if (insn->kind == A64_ADD && insn->wide && insn->rn == A64_SP)
		frame->moved -= insn->imm;
	else if ((insn->kind == A64_STORE || insn->kind == A64_LOAD) && insn->rn == A64_SP)
		frame->moved -= insn->step;
	else
		return false;
	return frame->moved >= 0 && frame->moved <= MOVED_MAX;
}

/* Whether the arguments are still there behind an instruction that is not cheap itself. */
static bool pass(const struct a64_insn *insn, uint32_t needed, struct frame *frame,
                 struct probe_site *out)
{
	unsigned at = (unsigned)(insn->address - out->address);

	if (insn->kind == A64_END || insn->kind == A64_JUMP || insn->kind == A64_CALL ||
	    insn->kind == A64_CONDITIONAL)
		return probe_site__refuse(out, "%08x at +%u before any cheap instruction",
		                          insn->word, at);
	if (insn->written & needed)
		return probe_site__refuse(out, "%08x at +%u writes a register with an argument",
		                          insn->word, at);
	if ((insn->kind == A64_STORE || insn->kind == A64_MEMORY) && !write_is_harmless(frame, insn))
		return probe_site__refuse(out, "%08x at +%u writes to memory that may hold arguments",
		                          insn->word, at);
	if (insn->written & 1u << A64_FP) {
		frame->has_fp = insn->kind == A64_ADD && insn->wide && insn->rn == A64_SP;
		frame->fp_moved = frame->moved - (frame->has_fp ? insn->imm : 0);
	}
	if (insn->written & 1u << A64_SP && !move_stack(insn, frame))
		return probe_site__refuse(out,
		                          "%08x at +%u moves the stack pointer in a way not known",
		                          insn->word, at);
	return true;
}

/* Whether a direct branch of the function leads behind its entry and up to the site. */
static bool is_branched_to(const uint8_t *code, size_t len, const struct probe_site *site,
                           uint64_t entry)
{
	struct a64_insn insn;

	for (size_t pos = 0; pos + 4 <= len; pos += 4)
		if (a64_insn__decode(code + pos, len - pos, entry + pos, &insn) && insn.has_target &&
		    insn.kind != A64_CALL && insn.target > entry && insn.target <= site->address)
			return true;
	return false;
}

static bool find_cheap(const uint8_t *code, size_t len, uint32_t needed, struct probe_site *out)
{
	const uint64_t entry = out->address;
	struct frame frame = {0};
	struct a64_insn insn;

	for (size_t pos = 0; pos < 4 * INSNS_MAX; pos += 4) {
		if (pos > len || !a64_insn__decode(code + pos, len - pos, entry + pos, &insn))
			return probe_site__refuse(out, "unknown instruction at +%zu", pos);
		if (a64_insn__is_simulated(&insn)) {
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
	}
	return probe_site__refuse(out, "no cheap instruction among the first %d", INSNS_MAX);
}

static bool can_be_stepped(const uint8_t *code, size_t len, struct probe_site *out)
{
	struct a64_insn insn;

	if (!a64_insn__decode(code, len, out->address, &insn))
		return probe_site__refuse(out, "unknown instruction at +0");
	if (!a64_insn__is_steppable(&insn))
		return probe_site__refuse(out, "the kernel does not probe %08x", insn.word);
	return true;
}

const struct probe_site_arch probe_site_a64 = {
	.args = args,
	.dwarf = args,
	.args_cnt = sizeof(args),
	/* the return address: who called */
	.also = 1u << A64_LR,
	.find_cheap = find_cheap,
	.can_be_stepped = can_be_stepped,
};
