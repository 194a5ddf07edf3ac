/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Who raised the event, from the kernel's own structures. */
#ifndef PYTRAIL_TASK_BPF_H
#define PYTRAIL_TASK_BPF_H

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
	out->reserved = 0;
	*(__u64 *)out->comm = *(__u64 *)t->comm;
	*(__u64 *)(out->comm + 8) = *(__u64 *)(t->comm + 8);
}

#endif
