/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Scratch slots, and the decoder's steps as global functions on them. */
#ifndef PYTRAIL_DECODE_BPF_H
#define PYTRAIL_DECODE_BPF_H

/*
 * Calls for one event: each does a step at least, the last one finds that there are none left. In
 * two loops, one within the other and in a function of its own: the verifier walks the outer one to
 * its end for each way that leads to it (Linux 6.1 found 13), and 4,097 turns of that would be more
 * than all the rest.
 */
#define CALLS_MAX     ((int)PYD_STEPS_MAX + 1)
#define CALLS_AT_ONCE 64
#define CALLS_ROUNDS  ((CALLS_MAX + CALLS_AT_ONCE - 1) / CALLS_AT_ONCE)
/* Slots tried before an event is given up as PT_LOST_SCRATCH: one more than can be held by sleepers
 * next to each other, and one for what is preempted. */
#define SLOT_TRIES 8

/*
 * `old`, a constant: without fetching atomics, which verifiers before 5.12 refuse even in code that
 * is never reached. A slot for each CPU then: there a program that does not sleep is not preempted
 * either.
 */
static __always_inline struct slot *slot__get(__u32 tid, __u32 *index, int old)
{
	int i;

	if (old) {
		*index = bpf_get_smp_processor_id() & (cfg_slots - 1);
		return bpf_map_lookup_elem(&slots, index);
	}
	for (i = 0; i < SLOT_TRIES; i++) {
		__u32 k = (tid + (__u32)i) & (cfg_slots - 1);
		struct slot *s = bpf_map_lookup_elem(&slots, &k);

		if (s && !__sync_val_compare_and_swap(&s->busy, 0, 1)) {
			*index = k;
			return s;
		}
	}
	return NULL;
}

static __always_inline void slot__put(struct slot *s, int old)
{
	if (old)
		return;
#if defined(__TARGET_ARCH_x86)
	/* no store overtakes another one there: a plain one releases what it guards */
	asm volatile("" ::: "memory");
	*(volatile __u32 *)&s->busy = 0;
#else
	__sync_lock_test_and_set(&s->busy, 0);
#endif
}

/*
 * Global, so that the verifier checks it once; scalars only, as 5.10 wants (see pydecode.h).
 * Decodes the tuple at args into the record from offset `out` on, or, with `out` 0, goes on with
 * what was begun. Returns 1 when there is more to do. One function for both, for all that a step is
 * would have to be verified twice.
 */
__attribute__((noinline)) int decode(__u32 slot, __u32 site, __u64 args, __u32 out)
{
	struct slot *s = bpf_map_lookup_elem(&slots, &slot);
	struct pt_site *p = bpf_map_lookup_elem(&sites, &site);

	if (!s || !p)
		return 0;
	if (out && !pyd__start(&s->state, p, args, out))
		return 0;
	return pyd__steps(&s->state, p, 0);
}

/* Goes on with what decode() began, with many calls of it. Returns 1 when there is more to do. */
__attribute__((noinline)) int decode_many(__u32 slot, __u32 site)
{
	int i;

	for (i = 0; i < CALLS_AT_ONCE; i++) {
		if (!decode(slot, site, 0, 0))
			return 0;
	}
	return 1;
}

__attribute__((noinline)) int format_more(__u32 slot, __u32 site)
{
	struct slot *s = bpf_map_lookup_elem(&slots, &slot);
	struct pt_site *p = bpf_map_lookup_elem(&sites, &site);

	if (!s || !p)
		return 0;
	return pyf__step(&s->state, p);
}

__attribute__((noinline)) int format_many(__u32 slot, __u32 site)
{
	int i;

	for (i = 0; i < CALLS_AT_ONCE; i++) {
		if (!format_more(slot, site))
			return 0;
	}
	return 1;
}

__attribute__((noinline)) int format_start(__u32 slot, __u32 site, __u64 format, __u32 out)
{
	struct slot *s = bpf_map_lookup_elem(&slots, &slot);
	struct pt_site *p = bpf_map_lookup_elem(&sites, &site);

	if (!s || !p)
		return 0;
	return pyf__start(&s->state, p, format, out);
}

__attribute__((noinline)) int array_start(__u32 slot, __u64 items, __u32 count, __u32 out)
{
	struct slot *s = bpf_map_lookup_elem(&slots, &slot);

	if (!s)
		return 0;
	return pyf__start_array(&s->state, items, count, out);
}

__attribute__((noinline)) int builtin_name(__u32 slot, __u32 site, __u64 items, __u32 count)
{
	struct slot *s = bpf_map_lookup_elem(&slots, &slot);
	struct pt_site *p = bpf_map_lookup_elem(&sites, &site);

	if (!s || !p)
		return 0;
	return pyf__name(&s->state, p, items, count);
}

#endif
