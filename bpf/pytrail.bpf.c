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

/* The name into key, zero-padded. Returns its bytes with the NUL (PT_FILTER_NAME: there may be more),
 * or negative. */
static __always_inline long name__read(struct filter_key *key, __u64 addr)
{
	long n = bpf_probe_read_user_str(key, sizeof(*key), (const void *)addr);

	if (n < 0 && cfg_sleepable) {
		char c;

		/* a name in a page never touched: fault it in, then once more */
		if (!bpf_copy_from_user(&c, 1, (const void *)addr))
			n = bpf_probe_read_user_str(key, sizeof(*key), (const void *)addr);
	}
	return n;
}

/* Puts the name behind the header; returns where the nodes begin. */
static __always_inline __u32 name__put(struct slot *s, struct pt_audit *a,
                                       const struct filter_key *key, long n, __u64 addr)
{
	__u32 at = sizeof(*a), len, pad;
	__u64 *to = (__u64 *)(s->state.buf + sizeof(*a));
	const __u64 *from = (const __u64 *)key;
	int i;

	if (n <= 0) {
		a->flags |= PT_AUDIT_NAME_UNREADABLE;
		a->name_len = 0;
		return at;
	}
	if (n < PT_FILTER_NAME) {
		for (i = 0; i < PT_FILTER_NAME / 8; i++)
			to[i] = from[i];
		a->name_len = (__u16)(n - 1);
		return at + (((__u32)n - 1 + 7) & ~7u);
	}
	n = bpf_probe_read_user_str(to, PT_NAME_MAX + 1, (const void *)addr);
	if (n <= 0) {
		a->flags |= PT_AUDIT_NAME_UNREADABLE;
		a->name_len = 0;
		return at;
	}
	if (n == PT_NAME_MAX + 1)
		a->flags |= PT_AUDIT_NAME_CUT;
	len = ((__u32)n - 1) & (PT_NAME_MAX * 2 - 1);
	a->name_len = (__u16)len;
	pad = (at + len) & PYD_BUF_MASK & ~7u;
	if (len & 7)
		*(__u64 *)(s->state.buf + pad) &= ~0ull >> (64 - (len & 7) * 8);
	return at + ((len + 7) & ~7u);
}

static __always_inline int audit(struct pt_regs *ctx)
{
	__u32 index = (__u32)bpf_get_attach_cookie(ctx), slot_index = 0, size, out;
	__u64 pid_tgid = bpf_get_current_pid_tgid(), now, name_addr, args;
	__u32 tgid = pid_tgid >> 32;
	struct filter_key key = {};
	struct pt_task task;
	struct pt_audit *a;
	struct pt_site *site;
	struct slot *s;
	long n;
	int i;

	site = bpf_map_lookup_elem(&sites, &index);
	if (!site)
		return 0;
	COUNT(seen, 1);
	if (cfg_filter_processes && !bpf_map_lookup_elem(&processes, &tgid)) {
		COUNT(filtered[PT_FILTERED_PROCESS], 1);
		return 0;
	}
	name_addr = probe__argument(ctx, &site->args[0]);
	n = name__read(&key, name_addr);
	if (cfg_filter_events && n > 0 && n < PT_FILTER_NAME) {
		__u32 *verdict = bpf_map_lookup_elem(&filter, &key);

		if (verdict && *verdict == PT_VERDICT_DROP) {
			COUNT(filtered[PT_FILTERED_EVENT], 1);
			return 0;
		}
	}
	args = probe__argument(ctx, &site->args[1]);
	now = bpf_ktime_get_ns();
	s = slot__get((__u32)pid_tgid, &slot_index);
	if (!s) {
		task__fill(&task, bpf_get_current_task_btf());
		count_lost(PT_LOST_SCRATCH, &task, now);
		return 0;
	}
	a = (struct pt_audit *)s->state.buf;
	a->rec.kind = PT_REC_AUDIT;
	a->rec.version = PT_WIRE_VERSION;
	a->rec.time_ns = now;
	task__fill(&a->rec.task, bpf_get_current_task_btf());
	a->call_site = 0;
	a->bias = PT_REGS_IP(ctx) - site->address;
	a->site = index;
	a->py_version = site->py_version;
	a->probe = site->probe;
	a->flags = site->layout.free_threaded ? PT_AUDIT_FREE_THREADED : 0;
	a->name_kind = 0;
	a->reserved[0] = a->reserved[1] = a->reserved[2] = 0;
	out = name__put(s, a, &key, n, name_addr);
	s->state.bias = a->bias;
	s->state.out = out;
	s->state.unreadable = 0;
	if (site->flags & PT_SITE_DECODE) {
		if (decode_start(slot_index, index, args, out)) {
			for (i = 0; i < STEPS_MAX; i++) {
				if (!decode_step(slot_index, index))
					break;
			}
			if (i == STEPS_MAX)
				s->state.flags |= PT_AUDIT_CUT;
		}
		a->flags |= s->state.flags & PT_AUDIT_CUT;
		if (s->state.unreadable)
			COUNT(unreadable, s->state.unreadable);
	} else {
		a->flags |= PT_AUDIT_UNDECODED;
	}
	size = s->state.out;
	PYD_BARRIER(size);
	if (size > PT_RECORD_MAX)
		size = PT_RECORD_MAX;
	a->rec.size = size;
	if (bpf_ringbuf_output(&ring, s->state.buf, size, emit__wakeup(now))) {
		count_lost(PT_LOST_RING_FULL, &a->rec.task, now);
	} else {
		COUNT(emitted, 1);
		COUNT(emitted_bytes, size);
	}
	slot__put(s);
	return 0;
}

SEC("uprobe.s")
int audit_sleepable(struct pt_regs *ctx)
{
	return audit(ctx);
}

SEC("uprobe")
int audit_plain(struct pt_regs *ctx)
{
	return audit(ctx);
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
