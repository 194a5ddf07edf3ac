/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How many events a process may raise: one that floods must not fill the ring for all others. */
#ifndef PYTRAIL_RATE_BPF_H
#define PYTRAIL_RATE_BPF_H

#define RATE_TRIES 4

/*
 * A token bucket as one number, so that threads can share it: the time at which the bucket would be
 * full again, as GCRA has it (ITU-T I.371). Returns 1: the event may pass, and its token is taken.
 */
static __always_inline int rate__take(__u64 *full_at, __u64 now, int old)
{
	int i;

	for (i = 0; i < RATE_TRIES; i++) {
		__u64 was = *(volatile __u64 *)full_at, at = was < now ? now : was;

		if (at - now > cfg_rate_burst_ns)
			return 0;
		at += cfg_rate_interval_ns;
		if (old) { /* two threads at once may take one token between them */
			*(volatile __u64 *)full_at = at;
			return 1;
		}
		if (__sync_val_compare_and_swap(full_at, was, at) == was)
			return 1;
	}
	return 0; /* so many at once that it floods */
}

/* A loss of the current task, see count_lost(). */
static __attribute__((noinline)) void rate__lost(__u64 now)
{
	struct pt_task task;

	task__fill(&task, bpf_get_current_task_btf(), 0);
	count_lost(PT_LOST_THROTTLED, &task, now);
}

static __attribute__((noinline)) void rate__lost_old(__u64 now)
{
	struct pt_task task;

	task__fill(&task, (struct task_struct *)bpf_get_current_task(), 1);
	count_lost(PT_LOST_THROTTLED, &task, now);
}

/* Whether the process of an event that is wanted has raised too many of late; then it is counted as
 * lost. */
static __always_inline int rate__throttles(__u32 tgid, int old)
{
	__u64 now, first, *full_at;

	if (!cfg_rate_interval_ns)
		return 0;
	now = bpf_ktime_get_ns();
	full_at = bpf_map_lookup_elem(&rates, &tgid);
	if (!full_at) {
		first = now;
		bpf_map_update_elem(&rates, &tgid, &first, BPF_NOEXIST);
		full_at = bpf_map_lookup_elem(&rates, &tgid);
	}
	if (!full_at || rate__take(full_at, now, old))
		return 0;
	COUNT(seen, 1);
	if (old)
		rate__lost_old(now);
	else
		rate__lost(now);
	return 1;
}

#endif
