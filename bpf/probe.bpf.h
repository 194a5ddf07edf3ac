/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Arguments of a probe site: which register or memory holds them was resolved when it was
 * attached. */
#ifndef PYTRAIL_PROBE_BPF_H
#define PYTRAIL_PROBE_BPF_H

/*
 * A register by its DWARF number. Each is read at a constant offset of the context, as the verifier
 * wants; a read by computed offset would cost a helper call. In assembly, for the compiler would
 * make one load at a computed offset out of many.
 */
#define PROBE_LOAD(type, field)               \
	asm volatile("%0 = *(u64 *)(%1 + %2)" \
	             : "=r"(v)                \
	             : "r"(ctx), "i"(__builtin_offsetof(type, field)))

#define PROBE_REG(number, type, field)   \
	case number:                     \
		PROBE_LOAD(type, field); \
		break;

static __always_inline __u64 probe__register(void *ctx, __u32 reg)
{
	__u64 v = 0;

	/* clang-format off */
	switch (reg) {
#if defined(__TARGET_ARCH_x86)
	PROBE_REG(0, struct pt_regs, ax)
	PROBE_REG(1, struct pt_regs, dx)
	PROBE_REG(2, struct pt_regs, cx)
	PROBE_REG(3, struct pt_regs, bx)
	PROBE_REG(4, struct pt_regs, si)
	PROBE_REG(5, struct pt_regs, di)
	PROBE_REG(6, struct pt_regs, bp)
	PROBE_REG(7, struct pt_regs, sp)
	PROBE_REG(8, struct pt_regs, r8)
	PROBE_REG(9, struct pt_regs, r9)
	PROBE_REG(10, struct pt_regs, r10)
	PROBE_REG(11, struct pt_regs, r11)
	PROBE_REG(12, struct pt_regs, r12)
	PROBE_REG(13, struct pt_regs, r13)
	PROBE_REG(14, struct pt_regs, r14)
	PROBE_REG(15, struct pt_regs, r15)
#elif defined(__TARGET_ARCH_arm64)
	PROBE_REG(0, struct user_pt_regs, regs[0])
	PROBE_REG(1, struct user_pt_regs, regs[1])
	PROBE_REG(2, struct user_pt_regs, regs[2])
	PROBE_REG(3, struct user_pt_regs, regs[3])
	PROBE_REG(4, struct user_pt_regs, regs[4])
	PROBE_REG(5, struct user_pt_regs, regs[5])
	PROBE_REG(6, struct user_pt_regs, regs[6])
	PROBE_REG(7, struct user_pt_regs, regs[7])
	PROBE_REG(8, struct user_pt_regs, regs[8])
	PROBE_REG(9, struct user_pt_regs, regs[9])
	PROBE_REG(10, struct user_pt_regs, regs[10])
	PROBE_REG(11, struct user_pt_regs, regs[11])
	PROBE_REG(12, struct user_pt_regs, regs[12])
	PROBE_REG(13, struct user_pt_regs, regs[13])
	PROBE_REG(14, struct user_pt_regs, regs[14])
	PROBE_REG(15, struct user_pt_regs, regs[15])
	PROBE_REG(16, struct user_pt_regs, regs[16])
	PROBE_REG(17, struct user_pt_regs, regs[17])
	PROBE_REG(18, struct user_pt_regs, regs[18])
	PROBE_REG(19, struct user_pt_regs, regs[19])
	PROBE_REG(20, struct user_pt_regs, regs[20])
	PROBE_REG(21, struct user_pt_regs, regs[21])
	PROBE_REG(22, struct user_pt_regs, regs[22])
	PROBE_REG(23, struct user_pt_regs, regs[23])
	PROBE_REG(24, struct user_pt_regs, regs[24])
	PROBE_REG(25, struct user_pt_regs, regs[25])
	PROBE_REG(26, struct user_pt_regs, regs[26])
	PROBE_REG(27, struct user_pt_regs, regs[27])
	PROBE_REG(28, struct user_pt_regs, regs[28])
	PROBE_REG(29, struct user_pt_regs, regs[29])
	PROBE_REG(30, struct user_pt_regs, regs[30])
	PROBE_REG(31, struct user_pt_regs, sp)
#else
#error "unknown architecture"
#endif
	}
	/* clang-format on */
	return v;
}

/* Integer parameter number n, a constant, of the calling convention: by its register's DWARF
 * number. */
static __always_inline __u64 probe__parameter(void *ctx, int n)
{
	__u64 v = 0;

#if defined(__TARGET_ARCH_x86)
	if (n == 0)
		PROBE_LOAD(struct pt_regs, di);
	else if (n == 1)
		PROBE_LOAD(struct pt_regs, si);
	else if (n == 2)
		PROBE_LOAD(struct pt_regs, dx);
	else if (n == 3)
		PROBE_LOAD(struct pt_regs, cx);
	else if (n == 4)
		PROBE_LOAD(struct pt_regs, r8);
	else
		PROBE_LOAD(struct pt_regs, r9);
#elif defined(__TARGET_ARCH_arm64)
	if (n == 0)
		PROBE_LOAD(struct user_pt_regs, regs[0]);
	else if (n == 1)
		PROBE_LOAD(struct user_pt_regs, regs[1]);
	else if (n == 2)
		PROBE_LOAD(struct user_pt_regs, regs[2]);
	else if (n == 3)
		PROBE_LOAD(struct user_pt_regs, regs[3]);
	else if (n == 4)
		PROBE_LOAD(struct user_pt_regs, regs[4]);
	else if (n == 5)
		PROBE_LOAD(struct user_pt_regs, regs[5]);
	else if (n == 6)
		PROBE_LOAD(struct user_pt_regs, regs[6]);
	else
		PROBE_LOAD(struct user_pt_regs, regs[7]);
#endif
	return v;
}

static __always_inline __u64 probe__argument(struct pt_regs *ctx, const struct pt_arg *arg)
{
	__u64 v;
	__u32 shift;

	if (arg->kind == PT_ARG_CONST)
		return (__u64)arg->value;
	v = probe__register(ctx, arg->reg);
	if (arg->kind == PT_ARG_REG_DEREF) {
		__u64 at = v + (__u64)arg->value;

		v = 0;
		if (PYD_READ_SLOW(&v, sizeof(v), at))
			v = 0;
	}
	if (arg->size >= 8)
		return v;
	shift = 64 - (arg->size & 7) * 8;
	return arg->is_signed ? (__u64)((__s64)(v << shift) >> shift) : v << shift >> shift;
}

#endif
