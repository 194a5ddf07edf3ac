/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Records into the ring, and when to wake the collector. */
#ifndef PYTRAIL_EMIT_BPF_H
#define PYTRAIL_EMIT_BPF_H

/*
 * Two clocks decide. An idle collector sleeps without a timer; the first event after cfg_wake_ns
 * wakes it, and it then sweeps on a timer of its own for longer than cfg_wake_ns: whoever finds
 * last_wake_ns recent may rely on it. A ring that fills faster wakes it by watermark, ten times as
 * often at most. look: whether to ask how full it is, which need not be done at each event.
 */
static __always_inline __u64 emit__wakeup(__u64 now, int look)
{
	__u64 since = now - last_wake_ns;

	if (since < cfg_wake_ns && (since < cfg_wake_ns / 10 || !look ||
	                            bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) < cfg_wake_bytes))
		return BPF_RB_NO_WAKEUP;
	last_wake_ns = now;
	COUNT(wakeups, 1);
	return BPF_RB_FORCE_WAKEUP;
}

/* A record that is no event. News of an exec cannot wait: its interpreter may have to be
 * attached. */
static __always_inline int emit__news(void *rec, __u32 size)
{
	int err = bpf_ringbuf_output(&ring, rec, size, BPF_RB_FORCE_WAKEUP);

	if (err)
		__sync_fetch_and_add(&news_lost, 1);
	return err;
}

/* A record that is only a header: what happens to processes. */
static __always_inline int emit__process(__u16 kind, struct task_struct *t)
{
	struct pt_rec rec = {
		.size = sizeof(rec),
		.kind = kind,
		.version = PT_WIRE_VERSION,
		.time_ns = bpf_ktime_get_ns(),
	};

	task__fill(&rec.task, t, 0);
	/* a fork is no news to act on */
	if (kind == PT_REC_FORK)
		return bpf_ringbuf_output(&ring, &rec, sizeof(rec), emit__wakeup(rec.time_ns, 1));
	return emit__news(&rec, sizeof(rec));
}

/* A libpython is about to be mapped: what is done about it is done before its code runs, or too
 * late. */
static __always_inline int emit__map(struct task_struct *t, int fd)
{
	struct pt_map map = {
		.rec =
			{
				.size = sizeof(map),
				.kind = PT_REC_MAP,
				.version = PT_WIRE_VERSION,
				.time_ns = bpf_ktime_get_ns(),
			},
		.fd = (__u32)fd,
	};

	task__fill(&map.rec.task, t, 0);
	return emit__news(&map, sizeof(map));
}

#endif
