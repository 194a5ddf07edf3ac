/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One hit of a probe: the gates, cheapest first, then the name, the arguments, the record. `old`, a
 * constant in all of them: built for a kernel before 5.15, which has no attach cookies, or before
 * 5.12, no fetching atomics (see user/site_programs.h).
 */
#ifndef PYTRAIL_AUDIT_BPF_H
#define PYTRAIL_AUDIT_BPF_H

/* Puts the name behind the header; returns where the nodes begin. */
static __always_inline __u32 name__put(struct slot *s, struct pt_audit *a,
                                       const struct filter_key *key, long n, __u64 addr)
{
	__u32 at = sizeof(*a), len, pad;
	__u64 *to = (__u64 *)(s->state.buf + sizeof(*a));
	const __u64 *from = (const __u64 *)key;
	int i;

	if (n <= 0) {
		a->flags |= PT_AUDIT_NAME_UNREADABLE;
		a->name_len = 0;
		return at;
	}
	if (n < PT_FILTER_NAME) {
		for (i = 0; i < PT_FILTER_NAME / 8; i++)
			to[i] = from[i];
		a->name_len = (__u16)(n - 1);
		return at + (((__u32)n - 1 + 7) & ~7u);
	}
	n = PYD_READ_STR(to, PT_NAME_MAX + 2, addr);
	if (n <= 0) {
		a->flags |= PT_AUDIT_NAME_UNREADABLE;
		a->name_len = 0;
		return at;
	}
	if (n > PT_NAME_MAX + 1) {
		a->flags |= PT_AUDIT_NAME_CUT;
		n = PT_NAME_MAX + 1;
	}
	len = ((__u32)n - 1) & (PT_NAME_MAX * 2 - 1);
	a->name_len = (__u16)len;
	pad = (at + len) & PYD_BUF_MASK & ~7u;
	if (len & 7)
		*(__u64 *)(s->state.buf + pad) &= ~0ull >> (64 - (len & 7) * 8);
	return at + ((len + 7) & ~7u);
}

/* What one hit knows of itself. */
struct hit {
	struct pt_site *site;
	struct task_struct *task;
	struct slot *slot; /* once it is taken */
	__u32 site_index;
	__u32 slot_index;
	__u32 tid;
	__u32 tgid;
	__u64 bias;
	__u64 call_site;
	struct filter_key key; /* the name */
	long name_len;         /* with the NUL; PT_FILTER_NAME: there may be more; < 0 */
	__u64 name_addr;
};

/* Finds the site, and whether the process is wanted. 0: go on. */
static __always_inline int hit__begin(struct hit *h, struct pt_regs *ctx, int old)
{
	struct task_struct *task;

	if (stopped)
		return -1;
	/* each call of a helper counts: what it would tell of the task is read */
	task = h->task = task__current(old);
	h->tgid = TASK_GET(old, task, tgid);
	h->site_index = old ? cfg_site : (__u32)bpf_get_attach_cookie(ctx);
	h->site = bpf_map_lookup_elem(&sites, &h->site_index);
	if (!h->site)
		return -1;
	h->tid = TASK_GET(old, task, pid);
	h->bias = PT_REGS_IP(ctx) - h->site->address;
	if ((cfg_filter_processes && !bpf_map_lookup_elem(&processes, &h->tgid)) ||
	    !select__wants(h->task, h->tgid, old)) {
		COUNT(seen, 1);
		COUNT(filtered[PT_FILTERED_PROCESS], 1);
		return -1;
	}
	return 0;
}

/* Whether the event is wanted, by h->key. 0: go on. */
static __always_inline int hit__filter(const struct hit *h)
{
	__u32 *verdict;

	if (!cfg_filter_events || h->name_len <= 0 || h->name_len >= PT_FILTER_NAME)
		return 0;
	verdict = bpf_map_lookup_elem(&filter, &h->key);
	if (verdict ? *verdict != PT_VERDICT_DROP : !cfg_drop_unknown)
		return 0;
	COUNT(seen, 1);
	COUNT(filtered[PT_FILTERED_EVENT], 1);
	return -1;
}

/* Not inlined for its stack, as count_lost(). */
static __attribute__((noinline)) void count_scratch_lost(void)
{
	struct pt_task task;

	task__fill(&task, bpf_get_current_task_btf(), 0);
	COUNT(seen, 1);
	count_lost(PT_LOST_SCRATCH, &task, bpf_ktime_get_ns());
}

static __always_inline int hit__take_slot(struct hit *h, int old)
{
	h->slot = slot__get(h->tid, &h->slot_index, old);
	if (h->slot)
		return 0;
	/* there is always a slot for a CPU, but that the verifier does not know */
	if (!old)
		count_scratch_lost();
	return -1;
}

/* The record's header. */
static __always_inline struct pt_audit *hit__header(const struct hit *h, int old)
{
	struct pt_audit *a = (struct pt_audit *)h->slot->state.buf;

	a->rec.kind = PT_REC_AUDIT;
	a->rec.version = PT_WIRE_VERSION;
	a->rec.time_ns = bpf_ktime_get_ns();
	task__fill(&a->rec.task, h->task, old);
	a->call_site = h->call_site;
	a->bias = h->bias;
	a->site = h->site_index;
	a->py_version = h->site->py_version;
	a->probe = h->site->probe;
	a->flags = h->site->layout.free_threaded ? PT_AUDIT_FREE_THREADED : 0;
	a->name_kind = 0;
	a->reserved = 0;
	a->slot = (__u16)h->slot_index;
	return a;
}

static __always_inline __u64 told__site(const struct pt_audit *a)
{
	return (__u64)a->py_version << 32 | a->site;
}

/* Whether the ring has had the same task, bias and site from this slot. */
static __always_inline int hit__told(const struct slot *s, const struct pt_audit *a)
{
	const __u64 *now = (const __u64 *)&a->rec.task, *then = (const __u64 *)&s->told.task;
	__u64 differs = (s->told.bias ^ a->bias) | (s->told.site ^ told__site(a));
	int i;

#pragma unroll
	for (i = 0; i < (int)(sizeof(s->told.task) / 8); i++)
		differs |= now[i] ^ then[i];
	return !differs;
}

static __always_inline void hit__tell(struct slot *s, const struct pt_audit *a)
{
	s->told.task = a->rec.task;
	s->told.bias = a->bias;
	s->told.site = told__site(a);
}

/* Puts a short header in place of the end of the whole one, right before the name. */
static __always_inline void hit__shorten(struct pt_audit *a, __u32 size)
{
	struct pt_again *again = (struct pt_again *)((__u8 *)(a + 1) - sizeof(*again));
	__u64 call_site = a->call_site;

	again->size = size;
	again->kind = PT_REC_AGAIN;
	again->version = PT_WIRE_VERSION;
	again->time_ns = a->rec.time_ns;
	again->call_site = call_site;
}

#define SHORTER (sizeof(struct pt_audit) - sizeof(struct pt_again))

/* The record is complete but for its size: hands it to the ring, and gives the slot back. */
static __always_inline void hit__emit(struct hit *h, struct pt_audit *a, int old)
{
	struct slot *s = h->slot;
	__u32 size = s->state.out, index = h->slot_index;
	struct pt_slot_counters *c = bpf_map_lookup_elem(&slot_counters, &index);
	__u64 wakeup;
	long err;

	a->flags |= s->state.flags & PT_AUDIT_CUT;
	if (s->state.unreadable)
		COUNT(unreadable, s->state.unreadable);
	PYD_BARRIER(size);
	if (size > PT_RECORD_MAX)
		size = PT_RECORD_MAX;
	/* 16 small records are far less than what the ring is emptied at */
	wakeup = emit__wakeup(a->rec.time_ns, !(s->turn++ & 15) || size > 4096);
	if (hit__told(s, a)) {
		size -= SHORTER;
		PYD_BARRIER(size);
		if (size > PT_RECORD_MAX)
			size = PT_RECORD_MAX;
		hit__shorten(a, size);
		err = bpf_ringbuf_output(&ring, s->state.buf + SHORTER, size, wakeup);
	} else {
		a->rec.size = size;
		err = bpf_ringbuf_output(&ring, s->state.buf, size, wakeup);
		if (!err)
			hit__tell(s, a);
	}
	if (err)
		count_lost(PT_LOST_RING_FULL, &a->rec.task, a->rec.time_ns);
	if (c) {
		c->seen++;
		if (!err) {
			c->emitted++;
			c->emitted_bytes += size;
		}
	}
	slot__put(s, old);
}

/* No layout: a record that ends with the name. */
static __always_inline void hit__undecoded(struct hit *h, struct pt_audit *a, __u32 out)
{
	a->flags |= PT_AUDIT_UNDECODED;
	pyd__reset(&h->slot->state, out);
}

/*
 * Since 6.13 programs of this type are given a stack for each CPU (bpf_enable_priv_stack(),
 * kernel/bpf/verifier.c), as if they always ran to their end. At a uprobe they do not: one that
 * sleeps, or is preempted, comes back to variables that the next one on that CPU has overwritten,
 * pointers among them, and the kernel crashes. A program that has a tail call is left on the task's
 * own stack (check_max_stack_depth()), and calls are looked for before dead code is removed: one
 * that is never reached is enough, and needs no map.
 */
static __always_inline void keep_own_stack(void)
{
	if (cfg_never)
		asm volatile("call %0" ::"i"(BPF_FUNC_tail_call)
		             : "r0", "r1", "r2", "r3", "r4", "r5", "memory");
}

static __always_inline int audit__usdt(struct pt_regs *ctx, int old)
{
	struct hit h = {};
	struct pt_audit *a;
	__u64 args;
	__u32 out;
	int i;

	if (!old)
		keep_own_stack();
	if (hit__begin(&h, ctx, old))
		return 0;
	h.name_addr = probe__argument(ctx, &h.site->args[0]);
	h.name_len = PYD_READ_STR(&h.key, sizeof(h.key), h.name_addr);
	if (hit__filter(&h))
		return 0;
	args = probe__argument(ctx, &h.site->args[1]);
	if (rate__throttles(h.tgid, old) || hit__take_slot(&h, old))
		return 0;
	a = hit__header(&h, old);
	out = name__put(h.slot, a, &h.key, h.name_len, h.name_addr);
	h.slot->state.bias = h.bias;
	if (!(h.site->flags & PT_SITE_DECODE)) {
		hit__undecoded(&h, a, out);
	} else if (decode(h.slot_index, h.site_index, args, out)) {
		for (i = 0; i < CALLS_ROUNDS; i++) {
			if (!decode_many(h.slot_index, h.site_index))
				break;
		}
	}
	hit__emit(&h, a, old);
	return 0;
}

/*
 * Parameters, by the calling convention: PySys_Audit(event, format, ...), _PySys_Audit(tstate,
 * event, format, ...), sys_audit_tstate(tstate, event, format, va_list *), sys.audit(module, args,
 * nargs).
 */
static __always_inline int entry__tstate_first(const struct hit *h)
{
	return h->site->entry == PT_ENTRY_VA_LIST || h->site->first_vararg == 3;
}

/* The name of a sys.audit() call, from its str object, into h->key or, when it is not ASCII,
 * straight behind the header. 0, or -1: no event. */
static __always_inline int entry__builtin_name(struct hit *h, struct pt_regs *ctx)
{
	struct pyd_state *state = &h->slot->state;
	__s64 count = (__s64)probe__parameter(ctx, 2);
	__u64 *to = (__u64 *)&h->key;
	int i;

	if (count < 1)
		return -1;
	state->bias = h->bias;
	if (!builtin_name(h->slot_index, h->site_index, probe__parameter(ctx, 1),
	                  count > PYF_FIRST ? PYF_FIRST : (__u32)count))
		return -1;
	h->name_addr = state->name_addr;
	h->name_len = PT_FILTER_NAME;
	if (state->name_size) {
		h->name_len = state->name_size;
		for (i = 0; i < PT_FILTER_NAME / 8; i++)
			to[i] = state->name_text[i];
	} else if (!state->name_kind) {
		h->name_len = PYD_READ_STR(&h->key, sizeof(h->key), h->name_addr);
	}
	return 0;
}

/* A name that is not ASCII: its characters as they are. Returns where the nodes begin. */
static __always_inline __u32 entry__put_wide_name(struct hit *h, struct pt_audit *a)
{
	__u32 len = h->slot->state.name_len, at = sizeof(*a);

	if (len > PT_NAME_MAX) {
		len = PT_NAME_MAX;
		a->flags |= PT_AUDIT_NAME_CUT;
	}
	PYD_BARRIER(len);
	if (len > PT_NAME_MAX)
		return at;
	pyd__put64(&h->slot->state, (at + len) & ~7u, 0);
	if (PYD_READ_SLOW(h->slot->state.buf + sizeof(*a), len, h->name_addr)) {
		a->flags |= PT_AUDIT_NAME_UNREADABLE;
		a->name_len = 0;
		return at;
	}
	a->name_len = (__u16)len;
	a->name_kind = (__u8)h->slot->state.name_kind;
	return at + ((len + 7) & ~7u);
}

/* Starts the decoding of the arguments. Returns 1 when there are steps to do. */
static __always_inline int entry__start(struct hit *h, struct pt_regs *ctx, __u32 out)
{
	if (h->site->entry == PT_ENTRY_BUILTIN)
		return array_start(h->slot_index, probe__parameter(ctx, 1),
		                   (__u32)probe__parameter(ctx, 2) - 1, out);
	if (entry__arguments(h->site, ctx, &h->slot->state.format)) {
		pyd__reset(&h->slot->state, out);
		pyd__emit_unreadable(&h->slot->state, 0);
		return 0;
	}
	return format_start(
		h->slot_index, h->site_index,
		entry__tstate_first(h) ? probe__parameter(ctx, 2) : probe__parameter(ctx, 1), out);
}

/*
 * A hit of an audit function, or of the sys.audit builtin. With hooks installed the builtin goes on
 * into the audit function: that second hit is known by its caller, and is no event of its own.
 */
static __always_inline int audit__entry(struct pt_regs *ctx, int old)
{
	struct hit h = {};
	struct pt_audit *a;
	__u64 caller;
	__u32 out;
	int i;

	if (!old)
		keep_own_stack();
	if (hit__begin(&h, ctx, old))
		return 0;
	h.call_site = entry__caller(h.site, ctx);
	if (h.site->entry == PT_ENTRY_BUILTIN) {
		if (hit__take_slot(&h, old))
			return 0;
		if (entry__builtin_name(&h, ctx)) {
			slot__put(h.slot, old);
			return 0;
		}
		if (hit__filter(&h) || rate__throttles(h.tgid, old)) {
			slot__put(h.slot, old);
			return 0;
		}
	} else {
		caller = h.call_site - h.bias;
		if (caller >= h.site->builtin_start && caller < h.site->builtin_end)
			return 0;
		h.name_addr = entry__tstate_first(&h) ? probe__parameter(ctx, 1)
		                                      : probe__parameter(ctx, 0);
		h.name_len = PYD_READ_STR(&h.key, sizeof(h.key), h.name_addr);
		if (hit__filter(&h) || rate__throttles(h.tgid, old) || hit__take_slot(&h, old))
			return 0;
	}
	a = hit__header(&h, old);
	if (h.site->entry == PT_ENTRY_BUILTIN && h.slot->state.name_kind)
		out = entry__put_wide_name(&h, a);
	else
		out = name__put(h.slot, a, &h.key, h.name_len, h.name_addr);
	h.slot->state.bias = h.bias;
	if (!(h.site->flags & PT_SITE_DECODE)) {
		hit__undecoded(&h, a, out);
	} else if (entry__start(&h, ctx, out)) {
		for (i = 0; i < CALLS_ROUNDS; i++) {
			if (!format_many(h.slot_index, h.site_index))
				break;
		}
	}
	hit__emit(&h, a, old);
	return 0;
}

#endif
