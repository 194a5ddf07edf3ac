/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Who raised the event, from the kernel's own structures. */
#ifndef PYTRAIL_TASK_BPF_H
#define PYTRAIL_TASK_BPF_H

/*
 * The process's number in the innermost PID namespace that it is in: struct pid has one for each level
 * (include/linux/pid.h). A process of the initial namespace, level 0, is read no further: that is nearly
 * free. The array cannot be indexed directly, the verifier wants constant offsets in kernel objects.
 */
static __always_inline __u32 task__ns_pid(struct task_struct *leader)
{
	struct pid *pid = leader->thread_pid;
	__u32 level, nr = 0;

	if (!pid)
		return 0; /* it has exited */
	level = pid->level;
	if (!level)
		return leader->pid;
	bpf_core_read(&nr, sizeof(nr), &pid->numbers[level].nr);
	return nr;
}

/* The fields are there with CONFIG_AUDIT only. */
static __always_inline void task__login(struct pt_task *out, struct task_struct *t)
{
	out->loginuid = PT_UNSET_ID;
	out->session_id = PT_UNSET_ID;
	if (bpf_core_field_exists(t->loginuid))
		out->loginuid = t->loginuid.val;
	if (bpf_core_field_exists(t->sessionid))
		out->session_id = t->sessionid;
}

/* What bpf_get_current_cgroup_id() gives (kernel/bpf/helpers.c), without a call. */
static __always_inline __u64 task__cgroup(struct task_struct *t)
{
	return t->cgroups->dfl_cgrp->kn->id;
}

/* struct task_struct names it start_boottime since 5.5 (cf25e24db61c); real_start_time before. */
static __always_inline void task__fill(struct pt_task *out, struct task_struct *t)
{
	struct task_struct *leader = t->group_leader;

	out->start_ns = leader->start_boottime;
	out->pid = t->tgid;
	out->tid = t->pid;
	out->ppid = t->real_parent->tgid;
	out->uid = t->cred->uid.val;
	out->gid = t->cred->gid.val;
	out->euid = t->cred->euid.val;
	out->egid = t->cred->egid.val;
	out->ns_pid = task__ns_pid(leader);
	*(__u64 *)out->comm = *(__u64 *)t->comm;
	*(__u64 *)(out->comm + 8) = *(__u64 *)(t->comm + 8);
	task__login(out, t);
	out->cgroup_id = task__cgroup(t);
	out->exec_id = (__u32)leader->self_exec_id;
	out->reserved = 0;
}

#endif
