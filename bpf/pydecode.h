/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The decoder: CPython objects in another's memory → nodes (wire.h). One value a step, no
 * recursion, no loop over anything that the traced process controls; compiled for BPF and,
 * unchanged, for the host (tests, fuzzing, the proof of a layout on a live process).
 *
 * How it works. A worklist of frames, one per open container, lies in struct pyd_state; so do the
 * bytes read last (the window) and the record being written (buf). A step takes the next child of
 * the innermost frame, classifies it by the address of its type, emits its node and, when it is a
 * container, opens a frame; when no child is left it emits PT_K_END and closes the frame. The
 * number of steps is bounded: that bounds the time.
 *
 * Why so. In BPF pyd__steps() is a global function, which the verifier checks once and not once per
 * iteration; that costs some 4k verified instructions for any number of values, on every kernel
 * from 5.10 on, where an inlined loop costs 400k. All state lies in map memory, because a global
 * function may take scalars only, and because BPF's stack is 512 bytes.
 *
 * What is fast. A read of user memory costs the same for 8 and for 144 bytes, so an object is read
 * once and generously; when the next object lies close behind the last one, 1 KiB is read, and the
 * neighbours are decoded from it (two sliding windows). None, the bools, small ints and ASCII strs
 * of one character are known by their address and not read. Types are recognised by address;
 * tp_flags is read for others only. Pointers of items are read up to 64 at a time.
 *
 * What is trusted. Nothing from the process: each offset into state is masked, each length capped
 * by a limit, each pointer read through a helper that can fail. Layouts and limits are ours.
 *
 * The includer defines, before including this file:
 *	PYD_READ(dst, size, addr)	0 when all of it was read, without sleeping
 *	PYD_READ_SLOW(dst, size, addr)	the same, may fault pages in; zeroes dst on failure
 *	PYD_READ_STR(dst, size, addr)	bytes copied with the NUL, or negative
 *	PYD_MAX_STRING, PYD_MAX_ITEMS, PYD_MAX_DEPTH	the limits (bytes, items, levels)
 *
 * Files: pyd_state.h state, reads and writes; pyd_type.h what an object is; pyd_value.h one value;
 * here the walk from value to value.
 *
 * Sources: Include/cpython/ *.h and Objects/ of CPython 3.8 to 3.15; what differs between them is a
 * row of events/layouts.tsv.
 */
#ifndef PYTRAIL_PYDECODE_H
#define PYTRAIL_PYDECODE_H

#include "bpf/pyd_state.h"
#include "bpf/pyd_type.h"
#include "bpf/pyd_value.h"

/* Reads the next entries of a frame into words[]. */
PYD_FN void pyd__refill(struct pyd_state *s, struct pyd_frame *f)
{
	__u32 stride = f->mode == PYD_F_POINTERS                             ? 8
	               : f->mode == PYD_F_DICT || f->mode == PYD_F_SPLIT_OLD ? 24
	                                                                     : 16;
	__u32 n = f->mode == PYD_F_POINTERS ? PYD_WORDS : f->mode == PYD_F_SET ? PYD_WORDS / 2 : 16;
	__u32 bytes;

	if (n > f->left)
		n = f->left;
	bytes = n * stride;
	f->pos = 0;
	f->have = 0;
	PYD_BARRIER(bytes);
	if (bytes > PYD_WORDS * 8 || PYD_READ_SLOW(f->words, bytes, f->base))
		goto unreadable;
	if (f->mode == PYD_F_SPLIT || f->mode == PYD_F_SPLIT_OLD) {
		__u32 values = n * 8;

		PYD_BARRIER(values);
		if (values > 128 || PYD_READ_SLOW(f->words + PYD_WORDS - 16, values, f->values))
			goto unreadable;
		f->values += values;
	}
	f->have = (__u8)n;
	f->base += bytes;
	f->left -= n;
	return;
unreadable:
	f->left = 0;
	{
		__u32 node = f->node;

		PYD_BARRIER(node);
		node &= PYD_BUF_MASK;
		s->buf[node + 1] |= PT_F_UNREADABLE;
		s->unreadable++;
	}
}

PYD_FN __u64 pyd__word(const struct pyd_frame *f, __u32 i)
{
	PYD_BARRIER(i);
	return f->words[i & (PYD_WORDS - 1)];
}

/* The next child of a frame that has entries in words[]. Returns 1 and its address, or 0: a dead
 * entry of a table. */
PYD_FN int pyd__child(struct pyd_frame *f, __u64 *child)
{
	__u32 i = f->pos;

	f->pos++;
	f->have--;
	switch (f->mode) {
	case PYD_F_WORDS:
	case PYD_F_POINTERS:
		*child = pyd__word(f, i);
		return 1;
	case PYD_F_SET:
		*child = pyd__word(f, i * 2);
		return *child && pyd__word(f, i * 2 + 1) != ~0ull;
	case PYD_F_DICT:
		*child = pyd__word(f, i * 3 + 1);
		f->value = pyd__word(f, i * 3 + 2);
		break;
	case PYD_F_DICT_UNICODE:
		*child = pyd__word(f, i * 2);
		f->value = pyd__word(f, i * 2 + 1);
		break;
	case PYD_F_SPLIT:
		*child = pyd__word(f, i * 2);
		f->value = pyd__word(f, PYD_WORDS - 16 + i);
		break;
	default: /* PYD_F_SPLIT_OLD */
		*child = pyd__word(f, i * 3 + 1);
		f->value = pyd__word(f, PYD_WORDS - 16 + i);
	}
	if (!*child || !f->value)
		return 0;
	f->on_value = 1;
	return 1;
}

enum pyd_next {
	PYD_DONE,  /* nothing is left, or there is no room for more */
	PYD_MOVED, /* a closed container, a chunk of a long string, a dead entry of a table */
	PYD_VALUE, /* *child is the next value */
};

/*
 * One unit of work on a state that pyd__start() prepared, but for a value itself. Frames up to
 * `base` are another's (buildvalue.h).
 */
PYD_FN enum pyd_next pyd__next(struct pyd_state *s, __u32 base, __u64 *child)
{
	struct pyd_frame *f;
	__u32 d = s->depth;

	if (d <= base && !s->copy_left)
		return PYD_DONE;
	/* the largest leaf that is not capped by the room: a type's name */
	if (s->steps == PYD_STEPS_MAX || (!s->copy_left && pyd__room(s) < PYD_TP_NAME_MAX + 64)) {
		s->flags |= PT_AUDIT_CUT;
		return PYD_DONE;
	}
	s->steps++;
	if (s->copy_left) {
		pyd__copy_chunk(s);
		return PYD_MOVED;
	}
	d--;
	PYD_BARRIER(d);
	f = &s->frames[d & 15];
	if (f->on_value) {
		f->on_value = 0;
		*child = f->value;
		return PYD_VALUE;
	}
	if (!f->have && f->left && f->budget)
		pyd__refill(s, f);
	if (!f->have || !f->budget) {
		pyd__emit0(s, PT_K_END);
		s->depth--;
		return PYD_MOVED;
	}
	if (!pyd__child(f, child))
		return PYD_MOVED;
	f->budget--;
	if (!*child && f->mode == PYD_F_WORDS) {
		/* a field of an object that is not set: m_module of a builtin method, say */
		pyd__emit0(s, PT_K_NONE);
		return PYD_MOVED;
	}
	return PYD_VALUE;
}

/*
 * Up to PYD_PLAIN_STEPS units of work, as long as the values are plain ones, and one value of any
 * kind. Returns 1 while there is more to do. In BPF a call for each value would cost as much as the
 * value; a loop over values of any kind would be too much for the verifier.
 */
PYD_FN int pyd__steps(struct pyd_state *s, const struct pt_site *site, __u32 base)
{
	enum pyd_next next = PYD_MOVED;
	__u64 child = 0;
	int i;

	for (i = 0; i < PYD_PLAIN_STEPS; i++) {
		next = pyd__next(s, base, &child);
		if (next == PYD_DONE)
			return 0;
		if (next == PYD_VALUE && !pyd__plain(s, site, child))
			break;
		next = PYD_MOVED;
		PYD_FORGET();
	}
	if (next == PYD_VALUE)
		pyd__value(s, site, child);
	return 1;
}

/*
 * Prepares the decoding of the argument tuple at `args` into s->buf from offset `out` on. A tuple
 * that cannot be read gives a root of kind PT_K_UNREADABLE and nothing to step. NULL is no
 * arguments. Returns 1 when there are steps to do.
 */
PYD_FN int pyd__start(struct pyd_state *s, const struct pt_site *site, __u64 args, __u32 out)
{
	const struct pt_layout *l = &site->layout;
	struct pyd_frame *f;
	__u64 size;
	int win;

	pyd__reset(s, out);
	if (!args) {
		pyd__emit_closed(s, PT_K_TUPLE, 0, 0);
		return 0;
	}
	win = pyd__window(s, args, l->tuple_items);
	if (win < 0) {
		pyd__emit_unreadable(s, args);
		return 0;
	}
	size = pyd__win64(s, win + l->ob_size);
	f = pyd__push(s, PYD_F_POINTERS);
	if (!f)
		return 0;
	f->base = args + l->tuple_items;
	f->left = size > 0xffffffffu ? 0xffffffffu : (__u32)size;
	f->budget = PYD_MAX_ITEMS;
	/* small tuples: the pointers came with the header */
	if (size <= 4 && (__u32)win + l->tuple_items + 32 <= pyd__win_len(s, (__u32)win)) {
		f->words[0] = pyd__win64(s, win + l->tuple_items);
		f->words[1] = pyd__win64(s, win + l->tuple_items + 8);
		f->words[2] = pyd__win64(s, win + l->tuple_items + 16);
		f->words[3] = pyd__win64(s, win + l->tuple_items + 24);
		f->have = (__u8)size;
		f->left = 0;
	}
	pyd__emit8(s, PT_K_TUPLE, size > PYD_MAX_ITEMS ? PT_F_CUT : 0, size);
	return 1;
}

#endif /* PYTRAIL_PYDECODE_H */
