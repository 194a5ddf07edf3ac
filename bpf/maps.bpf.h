/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The maps. */
#ifndef PYTRAIL_MAPS_BPF_H
#define PYTRAIL_MAPS_BPF_H

__u64 last_wake_ns = 0;
/* Set by user space as tracing ends: to detach takes seconds, in which nobody empties the ring. */
volatile __u8 stopped = 0;
/* What there was no room for, beside events: processes to follow, and news of an exec, an exit or a
 * mapping. */
__u64 forks_unfollowed = 0;
__u64 news_lost = 0;

/* What of the last whole header that went into the ring the next one may leave out; struct
 * pt_again. */
struct told {
	struct pt_task task;
	__u64 bias;
	__u64 site; /* index, and the version above it: an index can become another file's */
};

struct slot {
	__u32 busy;
	__u32 turn; /* events so far */
	struct told told;
	struct pyd_state state;
};

/*
 * Scratch to decode in. Not per CPU: a program can be preempted by another task's event on the same
 * CPU (preemptible kernels, sleepable programs). A slot is owned from slot__get() to slot__put().
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct slot);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct pt_slot_counters);
} slot_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PT_SITES_MAX);
	__type(key, __u32);
	__type(value, struct pt_site);
} sites SEC(".maps");

/* Processes that are wanted: tgid → 1. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u32);
} processes SEC(".maps");

/* Real users that are wanted, or not: uid → enum pt_verdict. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u32);
} users SEC(".maps");

/* Processes that are not: tgid → what that was decided on. When it is full the one that was asked
 * for longest ago goes: user space decides once more. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct pt_unwanted);
} unwanted SEC(".maps");

/* Processes that are seen in whole-host mode and whose exit is to be told: tgid → 1. When it is
 * full the one that was put longest ago goes, and its exit is not told. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u32);
} tracked SEC(".maps");

struct filter_key {
	char name[PT_FILTER_NAME];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct filter_key);
	__type(value, __u32); /* enum pt_verdict */
} filter SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pt_counters);
} counters SEC(".maps");

/* Processes and their token buckets, see rate.bpf.h: tgid → CLOCK_MONOTONIC ns. One that was put
 * out for want of room begins with a full bucket. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u64);
} rates SEC(".maps");

/* What was lost, by process, until user space takes it: it makes PT_REC_LOST records of it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct pt_lost_key);
	__type(value, struct pt_lost_value);
} losses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} ring SEC(".maps");

#endif
