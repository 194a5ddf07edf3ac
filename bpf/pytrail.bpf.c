// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The programs: the audit probe, and the tracepoints that follow processes. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "bpf/wire.h"
#include "bpf/config.bpf.h"
#include "bpf/read.bpf.h"
#include "bpf/maps.bpf.h"
#include "bpf/counters.bpf.h"
#include "bpf/task.bpf.h"
#include "bpf/tasks.bpf.h"
#include "bpf/probe.bpf.h"
#include "bpf/select.bpf.h"
#include "bpf/rate.bpf.h"
#include "bpf/emit.bpf.h"
#include "bpf/map.bpf.h"
#include "bpf/decode.bpf.h"
#include "bpf/entry.bpf.h"
#include "bpf/audit.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("uprobe.s")
int audit_sleepable(struct pt_regs *ctx)
{
	return audit__usdt(ctx, 0);
}

SEC("uprobe")
int audit_plain(struct pt_regs *ctx)
{
	return audit__usdt(ctx, 0);
}

SEC("uprobe.s")
int entry_sleepable(struct pt_regs *ctx)
{
	return audit__entry(ctx, 0);
}

SEC("uprobe")
int entry_plain(struct pt_regs *ctx)
{
	return audit__entry(ctx, 0);
}

/* One copy for each site, see cfg_site. */
SEC("uprobe")
int audit_old(struct pt_regs *ctx)
{
	return audit__usdt(ctx, 1);
}

SEC("uprobe")
int entry_old(struct pt_regs *ctx)
{
	return audit__entry(ctx, 1);
}

/*
 * Not at sched_process_fork: since Linux 7.0 (a46023d5616e) a program at most tracepoints can be
 * preempted, and the kernel leaves it out for all others of that CPU as long (prog->active,
 * __bpf_trace_run()). Here, in wake_up_new_task(), interrupts are off, the child has all that it
 * gets and has not run; the current task is its maker.
 */
SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(follow_fork, struct task_struct *child)
{
	__u32 tgid = (__u32)(bpf_get_current_pid_tgid() >> 32), one = 1, new = child->tgid;

	/* a thread is no new process */
	if (new == tgid || !bpf_map_lookup_elem(&processes, &tgid))
		return 0;
	if (bpf_map_update_elem(&processes, &new, &one, BPF_ANY))
		__sync_fetch_and_add(&forks_unfollowed, 1);
	/* who it is, while that is known: its parent may be gone by its first event */
	emit__process(PT_REC_FORK, child);
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

SEC("tp_btf/vm_unmapped_area")
int BPF_PROG(watch_map)
{
	struct task_struct *t = bpf_get_current_task_btf();
	__u32 tgid = t->tgid;
	int fd;

	if (cfg_selected && !bpf_map_lookup_elem(&processes, &tgid))
		return 0;
	fd = map__fd(t);
	if (fd >= 0 && map__is_libpython(t, fd))
		emit__map(t, fd);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(watch_exit, struct task_struct *p)
{
	__u32 tgid = p->tgid;

	/* the tracepoint fires for each thread; live is already without this one (kernel/exit.c) */
	if (p->signal->live.counter ||
	    (!bpf_map_lookup_elem(&processes, &tgid) && !bpf_map_lookup_elem(&tracked, &tgid)))
		return 0;
	bpf_map_delete_elem(&processes, &tgid);
	bpf_map_delete_elem(&tracked, &tgid);
	emit__process(PT_REC_EXIT, p);
	return 0;
}

SEC("iter/task")
int each_task(struct bpf_iter__task *ctx)
{
	return tasks__write(ctx);
}
