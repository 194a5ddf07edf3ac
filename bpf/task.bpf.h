/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Who raised the event, from the kernel's own structures. */
#ifndef PYTRAIL_TASK_BPF_H
#define PYTRAIL_TASK_BPF_H

/*
 * A field of a kernel object. `old`, a constant: by the helper that reads kernel memory, for
 * programs that get the current task as a number; bpf_get_current_task_btf() is there since 5.11
 * (3ca1032ab7ab).
 */
#define TASK_GET(old, from, field) ((old) ? BPF_CORE_READ(from, field) : (from)->field)
/* One behind a pointer. */
#define TASK_GET2(old, from, pointer, field) \
	((old) ? BPF_CORE_READ(from, pointer, field) : (from)->pointer->field)

static __always_inline struct task_struct *task__current(int old)
{
	return old ? (struct task_struct *)bpf_get_current_task() : bpf_get_current_task_btf();
}

/*
 * The process's number in the innermost PID namespace that it is in: struct pid has one for each
 * level (include/linux/pid.h). A process of the initial namespace, level 0, is read no further:
 * that is nearly free. The array cannot be indexed directly, the verifier wants constant offsets in
 * kernel objects.
 */
static __always_inline __u32 task__ns_pid(struct task_struct *leader, int old)
{
	struct pid *pid = TASK_GET(old, leader, thread_pid);
	__u32 level, nr = 0;

	if (!pid)
		return 0; /* it has exited */
	level = TASK_GET(old, pid, level);
	if (!level)
		return TASK_GET(old, leader, pid);
	bpf_core_read(&nr, sizeof(nr), &pid->numbers[level].nr);
	return nr;
}

/* The fields are there with CONFIG_AUDIT only. */
static __always_inline void task__login(struct pt_task *out, struct task_struct *t, int old)
{
	out->loginuid = PT_UNSET_ID;
	out->session_id = PT_UNSET_ID;
	if (bpf_core_field_exists(t->loginuid))
		out->loginuid = TASK_GET(old, t, loginuid.val);
	if (bpf_core_field_exists(t->sessionid))
		out->session_id = TASK_GET(old, t, sessionid);
}

/* What bpf_get_current_cgroup_id() gives (kernel/bpf/helpers.c), without a call. */
static __always_inline __u64 task__cgroup(struct task_struct *t, int old)
{
	return old ? BPF_CORE_READ(t, cgroups, dfl_cgrp, kn, id) : t->cgroups->dfl_cgrp->kn->id;
}

/* struct task_struct names it start_boottime since 5.5 (cf25e24db61c); real_start_time before. */
static __always_inline void task__fill(struct pt_task *out, struct task_struct *t, int old)
{
	struct task_struct *leader = TASK_GET(old, t, group_leader);

	out->start_ns = TASK_GET(old, leader, start_boottime);
	out->pid = TASK_GET(old, t, tgid);
	out->tid = TASK_GET(old, t, pid);
	out->ppid = TASK_GET2(old, t, real_parent, tgid);
	out->uid = TASK_GET2(old, t, cred, uid.val);
	out->gid = TASK_GET2(old, t, cred, gid.val);
	out->euid = TASK_GET2(old, t, cred, euid.val);
	out->egid = TASK_GET2(old, t, cred, egid.val);
	out->ns_pid = task__ns_pid(leader, old);
	if (old) {
		BPF_CORE_READ_INTO(&out->comm, t, comm);
	} else {
		*(__u64 *)out->comm = *(__u64 *)t->comm;
		*(__u64 *)(out->comm + 8) = *(__u64 *)(t->comm + 8);
	}
	task__login(out, t, old);
	out->cgroup_id = task__cgroup(t, old);
	out->exec_id = (__u32)TASK_GET(old, leader, self_exec_id);
	out->reserved = 0;
}

#endif
