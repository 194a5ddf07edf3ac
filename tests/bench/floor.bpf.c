// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The floor of the benchmark: what the trap and an empty program cost at a probe site. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * Both arguments are read: bpf_usdt_arg() of libbpf is __weak, and so neither inlined nor dropped
 * by the compiler although nothing is done with what it returns.
 */
SEC("usdt")
int BPF_USDT(floor_usdt, const char *event, void *args)
{
	return 0;
}

/* At any instruction; reads nothing. */
SEC("uprobe")
int floor_uprobe(struct pt_regs *ctx)
{
	return 0;
}
