/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Whether the process of an event is wanted for what it is: its user, and what user space found
 * out. */
#ifndef PYTRAIL_SELECT_BPF_H
#define PYTRAIL_SELECT_BPF_H

static __always_inline int select__user(void)
{
	__u32 uid = (__u32)bpf_get_current_uid_gid(), *verdict = bpf_map_lookup_elem(&users, &uid);

	return verdict ? *verdict == PT_VERDICT_EMIT : !cfg_users_only;
}

/* A process that has executed something, or moved to another group, since user space decided is
 * asked about again: its event goes through. */
static __always_inline int select__process(struct task_struct *t, __u32 tgid, int old)
{
	struct pt_unwanted *u = bpf_map_lookup_elem(&unwanted, &tgid);
	struct task_struct *leader = TASK_GET(old, t, group_leader);

	if (!u)
		return 1;
	return u->start_ns != TASK_GET(old, leader, start_boottime) ||
	       u->exec_id != (__u32)TASK_GET(old, leader, self_exec_id) ||
	       u->cgroup_id != task__cgroup(t, old);
}

static __always_inline int select__wants(struct task_struct *t, __u32 tgid, int old)
{
	if (cfg_users && !select__user())
		return 0;
	return !cfg_select || select__process(t, tgid, old);
}

#endif
