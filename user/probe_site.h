/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Chooses the instruction of a function that a uprobe is put on.
 *
 * What is under a uprobe decides what a hit costs: an instruction that the kernel emulates costs
 * about half a microsecond, one that it has to step out of line about ten. It emulates, on every
 * version from 5.10 on, in 64-bit processes (arch/x86/kernel/uprobes.c, branch_setup_xol_ops() and
 * push_setup_xol_ops()): nop (90), jmp (eb, e9), jcc (70 to 7f, 0f 80 to 8f), call (e8), push of a
 * register (50 to 57, 41 50 to 57), all without any other prefix. (A nop of several bytes only
 * since 6.16, 66 90 not at all between 4.17 and 6.1.) On arm64: see a64_insn__is_simulated().
 *
 * Works on bytes in memory, trusts none of them.
 */
#ifndef PYTRAIL_PROBE_SITE_H
#define PYTRAIL_PROBE_SITE_H

#include <stddef.h>
#include <stdint.h>

#include "../bpf/wire.h"

enum probe_price {
	PROBE_EMULATED,       /* about 0.5 us a hit */
	PROBE_SINGLE_STEPPED, /* about 10 us a hit */
};

struct probe_site {
	uint64_t address;
	/* bytes between the stack pointer there and at the function's entry */
	uint32_t stack_moved;
	enum probe_price price;
	char why[96]; /* PROBE_SINGLE_STEPPED: why there is no cheap site; "" otherwise */
};

/*
 * The site in the function at `address` (machine: EM_X86_64 or EM_AARCH64), whose bytes are code
 * (len: the whole function, as far as that is known). It is the first cheap instruction when the
 * code from the entry on leads there in a straight line, nothing but the entry leads behind the
 * entry, none of the registers with arguments that the entry kind needs (first_vararg: see struct
 * pt_site) is written before, nothing is written to the caller's frame, and the stack pointer's way
 * is known; otherwise the entry itself, PROBE_SINGLE_STEPPED. 0, or -EINVAL: not even that one can
 * be probed (out->why says why).
 */
int probe_site__choose(unsigned machine, const uint8_t *code, size_t len, uint64_t address,
                       enum pt_entry entry, unsigned first_vararg, struct probe_site *out);

/* The arguments at that site, by enum pt_entry, as registers in DWARF order. */
void probe_site__args(unsigned machine, enum pt_entry entry, unsigned first_vararg,
                      struct pt_arg args[3]);

#endif
