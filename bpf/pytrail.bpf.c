// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The programs: the audit probe, and the tracepoints that follow processes. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "bpf/wire.h"
#include "bpf/config.bpf.h"

#define PYD_MAX_STRING                cfg_max_string
#define PYD_MAX_ITEMS                 cfg_max_items
#define PYD_MAX_DEPTH                 cfg_max_depth
#define PYD_READ(dst, size, addr)     bpf_probe_read_user((dst), (size), (const void *)(addr))
#define PYD_READ_STR(dst, size, addr) bpf_probe_read_user_str((dst), (size), (const void *)(addr))
/* Absent pages can be read by a program that may sleep; the branch is dead code in the other one. */
#define PYD_READ_SLOW(dst, size, addr)                               \
	(bpf_probe_read_user((dst), (size), (const void *)(addr)) && \
	 (!cfg_sleepable || bpf_copy_from_user((dst), (size), (const void *)(addr))))

#include "bpf/buildvalue.h"
#include "bpf/pydecode.h"
#include "bpf/maps.bpf.h"
#include "bpf/counters.bpf.h"
#include "bpf/task.bpf.h"
#include "bpf/probe.bpf.h"
#include "bpf/emit.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Steps of one event: values, closed containers, dead entries of tables, chunks of long strings. */
#define STEPS_MAX 4096
/* Slots tried before an event is given up as PT_LOST_SCRATCH. */
#define SLOT_TRIES 8

static __always_inline struct slot *slot__get(__u32 tid, __u32 *index)
{
	int i;

	for (i = 0; i < SLOT_TRIES; i++) {
		__u32 k = (tid + (__u32)i) & (cfg_slots - 1);
		struct slot *s = bpf_map_lookup_elem(&slots, &k);

		if (s && !__sync_val_compare_and_swap(&s->busy, 0, 1)) {
			*index = k;
			return s;
		}
	}
	return NULL;
}

static __always_inline void slot__put(struct slot *s)
{
	__sync_lock_test_and_set(&s->busy, 0);
}

/* Global, so that the verifier checks it once; scalars only, as 5.10 wants (see pydecode.h). */
__attribute__((noinline)) int decode_step(__u32 slot, __u32 site)
{
	struct slot *s = bpf_map_lookup_elem(&slots, &slot);
	struct pt_site *p = bpf_map_lookup_elem(&sites, &site);

	if (!s || !p)
		return 0;
	return pyd__step(&s->state, p);
}

__attribute__((noinline)) int decode_start(__u32 slot, __u32 site, __u64 args, __u32 out)
{
	struct slot *s = bpf_map_lookup_elem(&slots, &slot);
	struct pt_site *p = bpf_map_lookup_elem(&sites, &site);

	if (!s || !p)
		return 0;
	return pyd__start(&s->state, p, args, out);
}

__attribute__((noinline)) int format_step(__u32 slot, __u32 site)
{
	struct slot *s = bpf_map_lookup_elem(&slots, &slot);
	struct pt_site *p = bpf_map_lookup_elem(&sites, &site);

	if (!s || !p)
		return 0;
	return pyf__step(&s->state, p);
}

__attribute__((noinline)) int format_start(__u32 slot, __u32 site, __u64 format, __u32 out)
{
	struct slot *s = bpf_map_lookup_elem(&slots, &slot);
	struct pt_site *p = bpf_map_lookup_elem(&sites, &site);

	if (!s || !p)
		return 0;
	return pyf__start(&s->state, p, format, out);
}

__attribute__((noinline)) int array_start(__u32 slot, __u64 items, __u32 count, __u32 out)
{
	struct slot *s = bpf_map_lookup_elem(&slots, &slot);

	if (!s)
		return 0;
	return pyf__start_array(&s->state, items, count, out);
}

__attribute__((noinline)) int builtin_name(__u32 slot, __u32 site, __u64 object)
{
	struct slot *s = bpf_map_lookup_elem(&slots, &slot);
	struct pt_site *p = bpf_map_lookup_elem(&sites, &site);

	if (!s || !p)
		return 0;
	return pyf__name(&s->state, p, object);
}

#include "bpf/audit.bpf.h"

SEC("uprobe.s")
int audit_sleepable(struct pt_regs *ctx)
{
	return audit__usdt(ctx);
}

SEC("uprobe")
int audit_plain(struct pt_regs *ctx)
{
	return audit__usdt(ctx);
}

SEC("uprobe.s")
int entry_sleepable(struct pt_regs *ctx)
{
	return audit__entry(ctx);
}

SEC("uprobe")
int entry_plain(struct pt_regs *ctx)
{
	return audit__entry(ctx);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(follow_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 tgid = parent->tgid, one = 1, new = child->tgid;

	/* a thread is no new process */
	if (new == tgid || !bpf_map_lookup_elem(&processes, &tgid))
		return 0;
	bpf_map_update_elem(&processes, &new, &one, BPF_ANY);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(watch_exec, struct task_struct *p)
{
	__u32 tgid = p->tgid;

	if (cfg_selected && !bpf_map_lookup_elem(&processes, &tgid))
		return 0;
	emit__process(PT_REC_EXEC, p);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(watch_exit, struct task_struct *p)
{
	__u32 tgid = p->tgid;

	/* the tracepoint fires for each thread; live is already without this one (kernel/exit.c) */
	if (p->signal->live.counter || !bpf_map_lookup_elem(&processes, &tgid))
		return 0;
	bpf_map_delete_elem(&processes, &tgid);
	emit__process(PT_REC_EXIT, p);
	return 0;
}
