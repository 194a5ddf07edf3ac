/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Accounting: every event that is seen is emitted, filtered or lost, and counted as one of them. */
#ifndef PYTRAIL_COUNTERS_BPF_H
#define PYTRAIL_COUNTERS_BPF_H

/* Added to atomically: a program that sleeps, or is preempted, shares its CPU's counters with
 * others. */
#define COUNT(field, n)                                                          \
	do {                                                                     \
		__u32 zero_ = 0;                                                 \
		struct pt_counters *c_ = bpf_map_lookup_elem(&counters, &zero_); \
		if (c_)                                                          \
			__sync_fetch_and_add(&c_->field, (n));                   \
	} while (0)

/* A loss, by cause and by process. The table of processes may be full: the total still counts it. A
 * function of its own, for its stack is then not that of the programs: 512 bytes are all there are
 * for them and the decoder. */
static __attribute__((noinline)) void count_lost(__u32 cause, const struct pt_task *task, __u64 now)
{
	struct pt_lost_key key = {.pid = task->pid, .cause = cause};
	struct pt_lost_value *v;

	if (cause == PT_LOST_RING_FULL)
		COUNT(lost[PT_LOST_RING_FULL], 1);
	else if (cause == PT_LOST_THROTTLED)
		COUNT(lost[PT_LOST_THROTTLED], 1);
	else
		COUNT(lost[PT_LOST_SCRATCH], 1);
	v = bpf_map_lookup_elem(&losses, &key);
	if (!v) {
		struct pt_lost_value first = {.first_ns = now, .task = *task};

		bpf_map_update_elem(&losses, &key, &first, BPF_NOEXIST);
		v = bpf_map_lookup_elem(&losses, &key);
		if (!v)
			return;
	}
	__sync_fetch_and_add(&v->count, 1);
	v->last_ns = now;
}

#endif
