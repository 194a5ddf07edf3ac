/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Every process that there is, as events say who raised them: /proc shows the start of a process in
 * hundredths of a second only, and that is half of its identity.
 */
#ifndef PYTRAIL_TASKS_BPF_H
#define PYTRAIL_TASKS_BPF_H

/* The context of a task iterator's program (kernel/bpf/task_iter.c, include/linux/bpf.h). */
struct bpf_iter_meta {
	struct seq_file *seq;
} __attribute__((preserve_access_index));

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __attribute__((preserve_access_index));

/* Writes the struct pt_task of a process, of a thread nothing. */
static __always_inline int tasks__write(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *t = ctx->task;
	struct pt_task task = {0};

	if (!t || t->pid != t->tgid)
		return 0;
	task__fill(&task, t, 0);
	/* that was the reader's */
	task.cgroup_id = BPF_CORE_READ(t, cgroups, dfl_cgrp, kn, id);
	bpf_seq_write(seq, &task, sizeof(task));
	return 0;
}

#endif
