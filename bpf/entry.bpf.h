/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Where the C arguments of an audit function are at its probe, and who called it: by the calling
 * convention. */
#ifndef PYTRAIL_ENTRY_BPF_H
#define PYTRAIL_ENTRY_BPF_H

#if defined(__TARGET_ARCH_x86)

/* __va_list_tag of the System V AMD64 ABI. */
struct va_list_tag {
	__u32 gp_offset;
	__u32 fp_offset;
	__u64 overflow_arg_area;
	__u64 reg_save_area;
};

/* Where the vector registers begin in reg_save_area: after the six integer ones. */
#define VA_FP_START 48

/*
 * Where the C arguments of a variadic call are: in the registers of the moment, or in a va_list.
 * Also the return address of that call. 0, or -1 when they cannot be read.
 */
static __always_inline int entry__arguments(const struct pt_site *site, struct pt_regs *ctx,
                                            struct pyd_format *f)
{
	struct va_list_tag va = {};
	__u64 sp = PT_REGS_SP(ctx) + site->stack_moved;

	if (site->entry == PT_ENTRY_VARIADIC) {
		f->regs[0] = probe__parameter(ctx, 0);
		f->regs[1] = probe__parameter(ctx, 1);
		f->regs[2] = probe__parameter(ctx, 2);
		f->regs[3] = probe__parameter(ctx, 3);
		f->regs[4] = probe__parameter(ctx, 4);
		f->regs[5] = probe__parameter(ctx, 5);
		f->next_reg = site->first_vararg;
		f->next_fp = VA_FP_START;
		f->fp_area = 0;
		f->stack = sp + 8;
		return 0;
	}
	if (PYD_READ_SLOW(&va, sizeof(va), probe__parameter(ctx, 3)) ||
	    PYD_READ_SLOW(f->regs, PYF_REGISTERS * sizeof(f->regs[0]), va.reg_save_area))
		return -1;
	f->next_reg = va.gp_offset / 8;
	f->next_fp = va.fp_offset;
	f->fp_area = va.reg_save_area;
	f->stack = va.overflow_arg_area;
	return 0;
}

/* Return address of the probed call: for a va_list that of the variadic function that made it. */
static __always_inline __u64 entry__caller(const struct pt_site *site, struct pt_regs *ctx)
{
	struct va_list_tag va = {};
	__u64 at = PT_REGS_SP(ctx) + site->stack_moved, ret = 0;

	if (site->entry == PT_ENTRY_VA_LIST) {
		if (PYD_READ_SLOW(&va, sizeof(va), probe__parameter(ctx, 3)))
			return 0;
		at = va.overflow_arg_area - 8;
	}
	if (PYD_READ_SLOW(&ret, sizeof(ret), at))
		return 0;
	return ret;
}

#elif defined(__TARGET_ARCH_arm64)

/* The return address is in a register that paciasp may have signed: in the bits above those of user
 * addresses. */
#define ADDRESS_MASK ((1ull << 48) - 1)

/* There are no sites of kind PT_ENTRY_VA_LIST, see plan() in user/audit_functions.c. */
static __always_inline int entry__arguments(const struct pt_site *site, struct pt_regs *ctx,
                                            struct pyd_format *f)
{
	if (site->entry != PT_ENTRY_VARIADIC)
		return -1;
	f->regs[0] = probe__parameter(ctx, 0);
	f->regs[1] = probe__parameter(ctx, 1);
	f->regs[2] = probe__parameter(ctx, 2);
	f->regs[3] = probe__parameter(ctx, 3);
	f->regs[4] = probe__parameter(ctx, 4);
	f->regs[5] = probe__parameter(ctx, 5);
	f->regs[6] = probe__parameter(ctx, 6);
	f->regs[7] = probe__parameter(ctx, 7);
	f->next_reg = site->first_vararg;
	f->next_fp = 0;
	f->fp_area = 0;
	f->stack = PT_REGS_SP(ctx) + site->stack_moved;
	return 0;
}

static __always_inline __u64 entry__caller(const struct pt_site *site, struct pt_regs *ctx)
{
	return probe__register(ctx, 30) & ADDRESS_MASK;
}

#endif

#endif
