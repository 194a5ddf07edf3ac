/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The decoder: CPython objects in another's memory → nodes (wire.h). One value a step, no recursion,
 * no loop over anything that the traced process controls; compiled for BPF and, unchanged, for the
 * host (tests, fuzzing, the proof of a layout on a live process).
 *
 * How it works. A worklist of frames, one per open container, lies in struct pyd_state; so do the
 * bytes read last (the window) and the record being written (buf). pyd__step() takes the next child
 * of the innermost frame, classifies it by the address of its type, emits its node and, when it is a
 * container, opens a frame; when no child is left it emits PT_K_END and closes the frame. The caller
 * calls it a bounded number of times: that bounds the time.
 *
 * Why so. In BPF a step is a global function, which the verifier checks once and not once per
 * iteration; that costs some 4k verified instructions for any number of values, on every kernel from
 * 5.10 on, where an inlined loop costs 400k. All state lies in map memory, because a global
 * function may take scalars only, and because BPF's stack is 512 bytes.
 *
 * What is fast. A read of user memory costs the same for 8 and for 144 bytes, so an object is read
 * once and generously; when the next object lies close behind the last one, 1 KiB is read, and the
 * neighbours are decoded from it (the sliding window). Types are recognised by address; tp_flags is
 * read for others only. Pointers of items are read up to 64 at a time.
 *
 * What is trusted. Nothing from the process: each offset into state is masked, each length capped by
 * a limit, each pointer read through a helper that can fail. Layouts and limits are ours.
 *
 * The includer defines, before including this file:
 *	PYD_READ(dst, size, addr)	0 when all of it was read, without sleeping
 *	PYD_READ_SLOW(dst, size, addr)	the same, may fault pages in; zeroes dst on failure
 *	PYD_READ_STR(dst, size, addr)	bytes copied with the NUL, or negative
 *	PYD_MAX_STRING, PYD_MAX_ITEMS, PYD_MAX_DEPTH	the limits (bytes, items, levels)
 *
 * Sources: Include/cpython/ *.h and Objects/ of CPython 3.8 to 3.15; what differs between them is a
 * row of events/layouts.tsv.
 */
#ifndef PYTRAIL_PYDECODE_H
#define PYTRAIL_PYDECODE_H

#include "bpf/wire.h"

#define PYD_FN static __attribute__((always_inline)) inline

/* Keeps the compiler from dropping a mask that it can prove redundant and the verifier cannot. */
#define PYD_BARRIER(x) asm volatile("" : "+r"(x))

#define PYD_PAGE	4096u
#define PYD_NEAR	144u  /* bytes read of an object: a str's header and 100 characters, a code object */
#define PYD_FAR		1024u /* bytes read when objects lie side by side */
#define PYD_WIN_MASK	2047u
#define PYD_TYPE_READ	280u /* tp_name, tp_flags and tp_base, free-threaded too */
#define PYD_BUF_MASK	(PT_RECORD_MAX - 1)
#define PYD_WORDS	64u
#define PYD_BASES	6	/* levels of tp_base followed to find what a type derives from */
#define PYD_TP_NAME_MAX 256u	/* bytes of a type's name, NUL included */
#define PYD_INLINE_MAX	128u	/* bytes of a string copied from the window without a helper */
/* Bytes kept free at the end of a record for the PT_K_END of every open frame. */
#define PYD_RESERVE	((PT_FRAMES_MAX + 1) * 8u)

/* tp_flags, Include/object.h, the same in 3.8 to 3.15 */
#define PYD_TPF_HEAPTYPE (1ull << 9)
#define PYD_TPF_LONG	 (1ull << 24)
#define PYD_TPF_LIST	 (1ull << 25)
#define PYD_TPF_TUPLE	 (1ull << 26)
#define PYD_TPF_BYTES	 (1ull << 27)
#define PYD_TPF_UNICODE	 (1ull << 28)
#define PYD_TPF_DICT	 (1ull << 29)
#define PYD_TPF_EXC	 (1ull << 30)
#define PYD_TPF_TYPE	 (1ull << 31)

/* How a frame finds its children. */
enum pyd_frame_mode {
	PYD_F_WORDS = 0,   /* they are in words[] already */
	PYD_F_POINTERS,	   /* an array of pointers */
	PYD_F_DICT,	   /* entries {hash, key, value} */
	PYD_F_DICT_UNICODE, /* entries {key, value}, 3.11+ */
	PYD_F_SPLIT,	   /* keys in entries {key, value}, values in an array of their own, 3.11+ */
	PYD_F_SPLIT_OLD,   /* keys in entries {hash, key, value}, values in an array, before 3.11 */
	PYD_F_SET,	   /* entries {key, hash} */
};

struct pyd_frame {
	__u64 base;	/* address of the next entry to read */
	__u64 values;	/* split tables: address of the next value to read */
	__u32 left;	/* entries not read yet */
	__u32 budget;	/* children (pairs, in a dict) that may still be emitted */
	__u8 mode;	/* enum pyd_frame_mode */
	__u8 have;	/* entries in words[] not used yet */
	__u8 pos;	/* index of the next one */
	__u8 on_value;	/* a dict's key is out, its value is next */
	__u32 node;	/* where the container's node lies in buf */
	__u64 value;	/* that value */
	__u64 words[PYD_WORDS];
};

struct pyd_state {
	__u64 bias;	  /* run-time minus link-time addresses of site->known */
	__u64 win_addr;	  /* the window: win_len bytes from this address */
	__u32 win_len;
	__u32 out;	  /* end of what is written in buf, a multiple of 8 */
	__u32 depth;	  /* open frames */
	__u32 flags;	  /* PT_AUDIT_CUT */
	__u32 unreadable; /* values marked so */
	__u32 copy_left;  /* bytes of a long string still to be copied, by further steps */
	__u64 copy_addr;
	__u32 copy_to;	  /* where in buf */
	__u32 copy_node;  /* its node */
	__u64 type_addr;  /* the type in type[] */
	__u64 type[(PYD_TYPE_READ + 8) / 8];
	struct pyd_frame frames[16];
	__u8 window[PYD_WIN_MASK + 1 + PYD_FAR];
	__u8 buf[PT_RECORD_MAX + PT_CHUNK_MAX + 64];
};

_Static_assert(PT_FRAMES_MAX <= 16, "frames are masked with 15");

PYD_FN __u64 pyd__win64(struct pyd_state *s, __u32 off)
{
	off &= PYD_WIN_MASK;
	PYD_BARRIER(off);
	off &= PYD_WIN_MASK;
	return *(__u64 *)(s->window + off);
}

PYD_FN __u32 pyd__win32(struct pyd_state *s, __u32 off)
{
	off &= PYD_WIN_MASK;
	PYD_BARRIER(off);
	off &= PYD_WIN_MASK;
	return *(__u32 *)(s->window + off);
}

PYD_FN void pyd__put64(struct pyd_state *s, __u32 off, __u64 v)
{
	PYD_BARRIER(off);
	off &= PYD_BUF_MASK & ~7u;
	*(__u64 *)(s->buf + off) = v;
}

PYD_FN __u64 pyd__node(__u8 kind, __u8 flags, __u32 len)
{
	return (__u64)kind | (__u64)flags << 8 | (__u64)len << 32;
}

/* Bytes that may still be written, with the reserve for closing taken off. */
PYD_FN __u32 pyd__room(const struct pyd_state *s)
{
	__u32 end = PT_RECORD_MAX - PYD_RESERVE;

	return s->out < end ? end - s->out : 0;
}

/* Appends a node without payload, or with up to 8 bytes of it. */
PYD_FN void pyd__emit0(struct pyd_state *s, __u8 kind)
{
	pyd__put64(s, s->out, pyd__node(kind, 0, 0));
	s->out += 8;
}

PYD_FN void pyd__emit8(struct pyd_state *s, __u8 kind, __u8 flags, __u64 v)
{
	pyd__put64(s, s->out, pyd__node(kind, flags, 8));
	pyd__put64(s, s->out + 8, v);
	s->out += 16;
}

PYD_FN void pyd__emit_unreadable(struct pyd_state *s, __u64 addr)
{
	pyd__emit8(s, PT_K_UNREADABLE, 0, addr);
	s->unreadable++;
}

/*
 * Makes `need` bytes (at most PYD_FAR) at addr present in the window. Returns their offset in it, or
 * -1 when they cannot be read.
 */
PYD_FN int pyd__window(struct pyd_state *s, __u64 addr, __u32 need)
{
	__u64 delta = addr - s->win_addr;
	__u32 edge;

	if (delta < PYD_FAR && (__u32)delta + need <= s->win_len)
		return (int)delta;
	/* The neighbourhood of the last object is worth a long read: a list's items, a dict's keys. */
	s->win_len = 0;
	if (delta < PYD_FAR + PYD_FAR) {
		s->win_addr = addr;
		if (!PYD_READ(s->window, PYD_FAR, addr)) {
			s->win_len = PYD_FAR;
			return 0;
		}
	}
	s->win_addr = addr;
	if (need <= PYD_NEAR && !PYD_READ(s->window, PYD_NEAR, addr)) {
		s->win_len = PYD_NEAR;
		return 0;
	}
	/* At the edge of what is mapped, or with absent pages: no byte more than there must be. */
	edge = PYD_PAGE - (__u32)(addr & (PYD_PAGE - 1));
	if (edge > PYD_NEAR)
		edge = PYD_NEAR;
	if (edge < need)
		edge = need;
	PYD_BARRIER(edge);
	if (edge > PYD_FAR)
		return -1;
	if (PYD_READ_SLOW(s->window, edge, addr))
		return -1;
	s->win_len = edge;
	return 0;
}

/* Opens a frame for the container whose node is about to be at s->out. NULL: too deep. */
PYD_FN struct pyd_frame *pyd__push(struct pyd_state *s, __u8 mode)
{
	struct pyd_frame *f;
	__u32 d = s->depth;

	if (d >= PT_FRAMES_MAX)
		return 0;
	PYD_BARRIER(d);
	f = &s->frames[d & 15];
	f->mode = mode;
	f->have = 0;
	f->pos = 0;
	f->on_value = 0;
	f->left = 0;
	f->values = 0;
	f->node = s->out;
	s->depth++;
	return f;
}

/* True when a collection may be opened here; pseudo-containers (code, function …) get two levels more,
 * so that what stands at the deepest level still has its name. */
PYD_FN int pyd__may_open(const struct pyd_state *s, __u32 extra)
{
	return s->depth <= PYD_MAX_DEPTH + extra && s->depth < PT_FRAMES_MAX;
}

/* A container's node with its length, closed at once: too deep, or empty. */
PYD_FN void pyd__emit_closed(struct pyd_state *s, __u8 kind, __u8 flags, __u64 length)
{
	pyd__emit8(s, kind, flags, length);
	pyd__emit0(s, PT_K_END);
}

/*
 * A collection of `length` items in `entries` entries at base. The caller has checked nothing.
 */
PYD_FN void pyd__open(struct pyd_state *s, __u8 kind, __u8 mode, __u64 length, __u64 entries,
		      __u64 base, __u64 values)
{
	struct pyd_frame *f;
	__u32 budget = PYD_MAX_ITEMS;

	if (!length) {
		pyd__emit_closed(s, kind, 0, 0);
		return;
	}
	if (!pyd__may_open(s, 0) || !(f = pyd__push(s, mode))) {
		pyd__emit_closed(s, kind, PT_F_CUT, length);
		return;
	}
	f->base = base;
	f->values = values;
	f->left = entries > 0xffffffffu ? 0xffffffffu : (__u32)entries;
	f->budget = budget;
	pyd__emit8(s, kind, length > budget ? PT_F_CUT : 0, length);
}

/* A container that is no collection, with up to two children; payload as given. */
PYD_FN void pyd__open_words(struct pyd_state *s, __u64 w0, __u64 w1, __u32 n)
{
	struct pyd_frame *f = pyd__push(s, PYD_F_WORDS);

	if (!f)
		return;
	f->words[0] = w0;
	f->words[1] = w1;
	f->have = (__u8)n;
	f->budget = n;
}

/* One chunk, within one page, of a long string; what cannot be read is zeroes and marked. */
PYD_FN void pyd__copy_chunk(struct pyd_state *s)
{
	__u32 n = PYD_PAGE - (__u32)(s->copy_addr & (PYD_PAGE - 1));
	__u32 to = s->copy_to;
	__u32 node = s->copy_node;

	if (n > s->copy_left)
		n = s->copy_left;
	PYD_BARRIER(to);
	to &= PYD_BUF_MASK;
	PYD_BARRIER(n);
	if (n > PT_CHUNK_MAX) {
		s->copy_left = 0;
		return;
	}
	if (PYD_READ_SLOW(s->buf + to, n, s->copy_addr)) {
		PYD_BARRIER(node);
		node &= PYD_BUF_MASK;
		if (!(s->buf[node + 1] & PT_F_UNREADABLE))
			s->unreadable++;
		s->buf[node + 1] |= PT_F_UNREADABLE;
	}
	s->copy_to += n;
	s->copy_addr += n;
	s->copy_left -= n;
}

/*
 * A leaf whose payload is `size` bytes at addr: characters or digits of `width` bytes each, `length`
 * of them in truth. win is the offset of addr in the window, or negative. `prefix` (0 or 8): the
 * payload begins with the word `word`.
 */
PYD_FN void pyd__emit_bytes(struct pyd_state *s, __u8 kind, __u8 flags, __u64 addr, __u32 size, int win,
			    __u64 length, int cut)
{
	__u32 node = s->out, at = node + 8, to;
	__u32 i;

	if (cut) {
		pyd__put64(s, at, length);
		at += 8;
		flags |= PT_F_CUT;
	}
	pyd__put64(s, node, pyd__node(kind, flags, at - node - 8 + size));
	s->out = at + ((size + 7) & ~7u);
	if (!size)
		return;
	if (win >= 0 && size <= PYD_INLINE_MAX && (__u32)win + size <= s->win_len) {
		for (i = 0; i < PYD_INLINE_MAX / 8; i++) {
			__u64 w = pyd__win64(s, (__u32)win + i * 8);

			if (size - i * 8 <= 8) {
				/* the last word: no byte behind the string leaves the process */
				pyd__put64(s, at + i * 8, w & (~0ull >> (64 - (size - i * 8) * 8)));
				break;
			}
			pyd__put64(s, at + i * 8, w);
		}
		return;
	}
	pyd__put64(s, s->out - 8, 0);
	s->copy_node = node;
	s->copy_addr = addr;
	s->copy_to = at;
	s->copy_left = size;
	to = at;
	PYD_BARRIER(to);
	to &= PYD_BUF_MASK;
	PYD_BARRIER(size);
	if (size <= PT_CHUNK_MAX && !PYD_READ(s->buf + to, size, addr))
		s->copy_left = 0;
}

/* Bytes that a string of `size` may take here: its own, capped by the limit and by the record. */
PYD_FN __u32 pyd__cap(const struct pyd_state *s, __u64 size, __u32 limit)
{
	__u32 room = pyd__room(s);

	room = room > 32 ? room - 32 : 0;
	if (limit > room)
		limit = room;
	return size > limit ? limit : (__u32)size;
}

PYD_FN void pyd__str(struct pyd_state *s, const struct pt_layout *l, __u64 obj, int win)
{
	__u32 state = pyd__win32(s, win + l->str_state);
	__u64 length = pyd__win64(s, win + l->str_length);
	__u32 width = state >> l->str_kind_shift & 7;
	__u32 compact = state >> l->str_compact_shift & 1;
	__u32 ascii = state >> l->str_ascii_shift & 1;
	__u64 data = obj + (ascii ? l->str_ascii : l->str_compact);
	__u64 size;
	__u32 stored;
	int data_win = -1;
	__u8 kind;

	if (compact) {
		data_win = win + (ascii ? l->str_ascii : l->str_compact);
	} else {
		win = pyd__window(s, obj, l->str_any + 8u);
		if (win < 0) {
			pyd__emit_unreadable(s, obj);
			return;
		}
		data = pyd__win64(s, win + l->str_any);
	}
	if (l->str_wstr && (!width || (!compact && !data))) {
		/* legacy string, before 3.12: not ready, only wchar_t (4 bytes) */
		win = pyd__window(s, obj, l->str_wstr_length + 8u);
		if (win < 0) {
			pyd__emit_unreadable(s, obj);
			return;
		}
		width = 4;
		data = pyd__win64(s, win + l->str_wstr);
		length = pyd__win64(s, win + l->str_wstr_length);
		data_win = -1;
	}
	if (width == 1)
		kind = PT_K_STR;
	else if (width == 2)
		kind = PT_K_STR2;
	else if (width == 4)
		kind = PT_K_STR4;
	else {
		pyd__emit_unreadable(s, obj);
		return;
	}
	size = length > 1ull << 40 ? 1ull << 42 : length * width;
	stored = pyd__cap(s, size, PYD_MAX_STRING) & ~(width - 1);
	pyd__emit_bytes(s, kind, 0, data, stored, data_win, length, stored < size);
}

PYD_FN void pyd__int(struct pyd_state *s, const struct pt_layout *l, __u64 obj, int win)
{
	__u64 tag = pyd__win64(s, win + l->int_size);
	__u64 digits, dropped;
	__u32 stored;
	int negative, cut = 0;

	if (l->int_tagged) {
		negative = (tag & 3) == 2;
		digits = tag >> 3;
		if ((tag & 3) == 1)
			digits = 0;
	} else {
		negative = (__s64)tag < 0;
		digits = negative ? -tag : tag;
	}
	if (digits <= 2) {
		__u64 w = pyd__win64(s, win + l->int_digits);
		__u64 v = 0;

		if (digits >= 1)
			v = w & 0x3fffffff;
		if (digits == 2)
			v |= (w >> 32 & 0x3fffffff) << 30;
		pyd__emit8(s, PT_K_INT, 0, negative ? -v : v);
		return;
	}
	stored = pyd__cap(s, digits > 1u << 30 ? 1ull << 32 : digits * 4, PYD_MAX_STRING) / 4;
	dropped = digits - stored;
	if (dropped) {
		cut = 1;
		if (dropped & 1 && stored) {
			stored--;
			dropped++;
		}
	}
	pyd__emit_bytes(s, PT_K_BIGINT, negative ? PT_F_NEG : 0, obj + l->int_digits + dropped * 4, stored * 4,
			cut ? -1 : win + l->int_digits, digits, cut);
}

PYD_FN void pyd__bytes(struct pyd_state *s, __u8 kind, __u64 data, __u64 size, int win)
{
	__u32 stored = pyd__cap(s, size, PYD_MAX_STRING);

	if ((__s64)size < 0)
		stored = 0;
	pyd__emit_bytes(s, kind, 0, data, stored, win, size, stored < size);
}

/* Objects/dictobject.c: PyDictKeysObject, its indices, then its entries. */
PYD_FN void pyd__dict(struct pyd_state *s, const struct pt_layout *l, __u64 obj, int win)
{
	__u64 used, keys, values, entries, n, head;
	__u8 mode;

	win = pyd__window(s, obj, l->dict_values + 8u);
	if (win < 0) {
		pyd__emit_unreadable(s, obj);
		return;
	}
	used = pyd__win64(s, win + l->dict_used);
	keys = pyd__win64(s, win + l->dict_keys);
	values = pyd__win64(s, win + l->dict_values);
	if (!used) {
		pyd__emit_closed(s, PT_K_DICT, 0, 0);
		return;
	}
	win = pyd__window(s, keys, 40);
	if (win < 0) {
		pyd__emit_unreadable(s, obj);
		return;
	}
	head = pyd__win64(s, win + 8);
	if (l->dict_log2_keys) {
		/* 3.11+: dk_log2_size u8 @8, dk_log2_index_bytes u8 @9, dk_kind u8 @10 */
		__u32 log2_index = head >> 8 & 0xff;
		__u32 kind = head >> 16 & 0xff;

		n = pyd__win64(s, win + 24);
		entries = keys + 32 + (1ull << (log2_index & 63));
		mode = kind ? PYD_F_DICT_UNICODE : PYD_F_DICT;
		if (values)
			mode = PYD_F_SPLIT;
	} else {
		/* dk_size @8; the width of an index follows from it */
		__u64 width = head <= 0xff ? 1 : head <= 0xffff ? 2 : head <= 0xffffffff ? 4 : 8;

		n = pyd__win64(s, win + 32);
		entries = keys + 40 + head * width;
		mode = values ? PYD_F_SPLIT_OLD : PYD_F_DICT;
	}
	pyd__open(s, PT_K_DICT, mode, used, n, entries, values ? values + l->dict_split_values : 0);
}

PYD_FN void pyd__set(struct pyd_state *s, const struct pt_layout *l, __u64 obj, int win, __u8 kind)
{
	__u64 used = pyd__win64(s, win + l->set_used);
	__u64 mask = pyd__win64(s, win + l->set_mask);
	__u64 table = pyd__win64(s, win + l->set_table);

	pyd__open(s, kind, PYD_F_SET, used, mask + 1, table, 0);
}

/* Appends a node whose payload is [word] then the C string at addr. Returns its length. */
PYD_FN void pyd__emit_cstr(struct pyd_state *s, __u8 kind, int with_word, __u64 word, __u64 addr)
{
	__u32 node = s->out, at = node + 8, to;
	__u8 flags = 0;
	long n;

	if (with_word) {
		pyd__put64(s, at, word);
		at += 8;
	}
	to = at;
	PYD_BARRIER(to);
	to &= PYD_BUF_MASK;
	n = PYD_READ_STR(s->buf + to, PYD_TP_NAME_MAX, addr);
	if (n == PYD_TP_NAME_MAX) {
		/* too long: once more, behind the length that says so */
		flags = PT_F_CUT;
		at = node + 8;
		pyd__put64(s, at, ~0ull);
		at += 8;
		if (with_word) {
			pyd__put64(s, at, word);
			at += 8;
		}
		to = at;
		PYD_BARRIER(to);
		to &= PYD_BUF_MASK;
		n = PYD_READ_STR(s->buf + to, PYD_TP_NAME_MAX, addr);
	}
	if (n < 1 || n > PYD_TP_NAME_MAX) {
		flags |= PT_F_UNREADABLE;
		s->unreadable++;
		n = 1;
	}
	n--;
	/* no stale byte in the padding */
	if (n & 7) {
		__u32 last = (at + (__u32)n) & ~7u;

		PYD_BARRIER(last);
		last &= PYD_BUF_MASK & ~7u;
		*(__u64 *)(s->buf + last) &= ~0ull >> (64 - ((__u32)n & 7) * 8);
	}
	pyd__put64(s, node, pyd__node(kind, flags, at - node - 8 + (__u32)n));
	s->out = at + (((__u32)n + 7) & ~7u);
}

/* Reads the type at addr into s->type. 0 or -1. */
PYD_FN int pyd__read_type(struct pyd_state *s, __u64 addr)
{
	if (s->type_addr == addr)
		return 0;
	s->type_addr = 0;
	if (PYD_READ(s->type, PYD_TYPE_READ, addr) && PYD_READ_SLOW(s->type, PYD_TYPE_READ, addr))
		return -1;
	s->type_addr = addr;
	return 0;
}

PYD_FN __u64 pyd__type64(const struct pyd_state *s, __u32 off)
{
	PYD_BARRIER(off);
	if (off > PYD_TYPE_READ - 8)
		return 0;
	return *(const __u64 *)((const __u8 *)s->type + off);
}

/* A name of up to 15 characters as two words, for comparing. */
#define PYD_W(a, b, c, d, e, f, g, h)                                                                    \
	((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32 |        \
	 (__u64)(f) << 40 | (__u64)(g) << 48 | (__u64)(h) << 56)

/*
 * Which known object a static type is by its name: for programs that are linked against libpython
 * and hold copies of its types (copy relocations), whose addresses are then not the library's.
 */
PYD_FN int pyd__known_by_name(struct pyd_state *s, __u64 tp_name)
{
	__u64 n[2] = {0, 0};
	long len = PYD_READ_STR((char *)n, sizeof(n), tp_name);

	if (len == 9 && n[0] == PYD_W('N', 'o', 'n', 'e', 'T', 'y', 'p', 'e'))
		return PT_KNOWN_NONE;
	if (len == 5 && (n[0] & 0xffffffff) == PYD_W('b', 'o', 'o', 'l', 0, 0, 0, 0))
		return PT_KNOWN_BOOL;
	if (len == 6 && (n[0] & 0xffffffffffull) == PYD_W('f', 'l', 'o', 'a', 't', 0, 0, 0))
		return PT_KNOWN_FLOAT;
	if (len == 10 && n[0] == PYD_W('b', 'y', 't', 'e', 'a', 'r', 'r', 'a') && (n[1] & 0xff) == 'y')
		return PT_KNOWN_BYTEARRAY;
	if (len == 4 && (n[0] & 0xffffff) == PYD_W('s', 'e', 't', 0, 0, 0, 0, 0))
		return PT_KNOWN_SET;
	if (len == 10 && n[0] == PYD_W('f', 'r', 'o', 'z', 'e', 'n', 's', 'e') && (n[1] & 0xff) == 't')
		return PT_KNOWN_FROZENSET;
	if (len == 5 && (n[0] & 0xffffffff) == PYD_W('c', 'o', 'd', 'e', 0, 0, 0, 0))
		return PT_KNOWN_CODE;
	if (len == 9 && n[0] == PYD_W('f', 'u', 'n', 'c', 't', 'i', 'o', 'n'))
		return PT_KNOWN_FUNCTION;
	/* "builtin_function_or_method", cut at 15 */
	if (len == 16 && n[0] == PYD_W('b', 'u', 'i', 'l', 't', 'i', 'n', '_') &&
	    (n[1] & 0xffffffffffffffull) == PYD_W('f', 'u', 'n', 'c', 't', 'i', 'o', 0))
		return PT_KNOWN_CFUNCTION;
	if (len == 7 && (n[0] & 0xffffffffffffull) == PYD_W('m', 'e', 't', 'h', 'o', 'd', 0, 0))
		return PT_KNOWN_METHOD;
	if (len == 7 && (n[0] & 0xffffffffffffull) == PYD_W('m', 'o', 'd', 'u', 'l', 'e', 0, 0))
		return PT_KNOWN_MODULE;
	return -1;
}

/* The index in enum pt_known of a type at link-time address t, among those that a base may be. */
PYD_FN int pyd__known_base(const __u64 *known, __u64 t)
{
	if (t == known[PT_KNOWN_FLOAT])
		return PT_KNOWN_FLOAT;
	if (t == known[PT_KNOWN_SET])
		return PT_KNOWN_SET;
	if (t == known[PT_KNOWN_FROZENSET])
		return PT_KNOWN_FROZENSET;
	if (t == known[PT_KNOWN_BYTEARRAY])
		return PT_KNOWN_BYTEARRAY;
	if (t == known[PT_KNOWN_MODULE])
		return PT_KNOWN_MODULE;
	if (t == known[PT_KNOWN_CODE])
		return PT_KNOWN_CODE;
	if (t == known[PT_KNOWN_FUNCTION])
		return PT_KNOWN_FUNCTION;
	if (t == known[PT_KNOWN_CFUNCTION])
		return PT_KNOWN_CFUNCTION;
	if (t == known[PT_KNOWN_METHOD])
		return PT_KNOWN_METHOD;
	return -1;
}

#define PYD_CLASS_EXCEPTION (PT_KNOWN_MAX + 1)
#define PYD_CLASS_OBJECT    (PT_KNOWN_MAX + 2)
#define PYD_CLASS_UNREAD    (PT_KNOWN_MAX + 3)

/* What a type that is not known by address makes of its instances: an index of enum pt_known or one of
 * PYD_CLASS_*. */
PYD_FN int pyd__classify(struct pyd_state *s, const struct pt_site *site, __u64 type)
{
	const struct pt_layout *l = &site->layout;
	__u64 flags, base;
	int i, k;

	if (pyd__read_type(s, type))
		return PYD_CLASS_UNREAD;
	flags = pyd__type64(s, l->tp_flags);
	if (flags & PYD_TPF_UNICODE)
		return PT_KNOWN_STR;
	if (flags & PYD_TPF_LONG) {
		if (!(flags & PYD_TPF_HEAPTYPE) &&
		    pyd__known_by_name(s, pyd__type64(s, l->tp_name)) == PT_KNOWN_BOOL)
			return PT_KNOWN_BOOL;
		return PT_KNOWN_INT;
	}
	if (flags & PYD_TPF_TUPLE)
		return PT_KNOWN_TUPLE;
	if (flags & PYD_TPF_LIST)
		return PT_KNOWN_LIST;
	if (flags & PYD_TPF_DICT)
		return PT_KNOWN_DICT;
	if (flags & PYD_TPF_BYTES)
		return PT_KNOWN_BYTES;
	if (flags & PYD_TPF_TYPE)
		return PT_KNOWN_TYPE;
	if (flags & PYD_TPF_EXC)
		return PYD_CLASS_EXCEPTION;
	if (!(flags & PYD_TPF_HEAPTYPE)) {
		k = pyd__known_by_name(s, pyd__type64(s, l->tp_name));
		if (k >= 0)
			return k;
	}
	base = type;
	for (i = 0; i < PYD_BASES; i++) {
		base = pyd__type64(s, l->tp_base);
		if (!base)
			break;
		k = pyd__known_base(site->known, base - s->bias);
		if (k >= 0)
			return k;
		if (pyd__read_type(s, base))
			break;
	}
	return PYD_CLASS_OBJECT;
}

/* The same for any type, the common ones by address. */
PYD_FN int pyd__class_of(struct pyd_state *s, const struct pt_site *site, __u64 type)
{
	const __u64 *known = site->known;
	__u64 t = type - s->bias;
	int k;

	if (t == known[PT_KNOWN_STR])
		return PT_KNOWN_STR;
	if (t == known[PT_KNOWN_INT])
		return PT_KNOWN_INT;
	if (t == known[PT_KNOWN_TUPLE])
		return PT_KNOWN_TUPLE;
	if (t == known[PT_KNOWN_BYTES])
		return PT_KNOWN_BYTES;
	if (t == known[PT_KNOWN_LIST])
		return PT_KNOWN_LIST;
	if (t == known[PT_KNOWN_DICT])
		return PT_KNOWN_DICT;
	if (t == known[PT_KNOWN_TYPE])
		return PT_KNOWN_TYPE;
	k = pyd__known_base(known, t);
	if (k >= 0)
		return k;
	return pyd__classify(s, site, type);
}

/* Nodes of objects that are a name and a few pointers. */
PYD_FN void pyd__named(struct pyd_state *s, const struct pt_layout *l, int cls, __u64 obj, __u64 type)
{
	int win = pyd__window(s, obj, cls == PT_KNOWN_CODE ? l->code_qualname + 8u :
				      cls == PT_KNOWN_FUNCTION ? l->func_module + 8u : 72u);
	__u64 a, b;
	__u8 flags = 0;
	int open = pyd__may_open(s, 2);

	if (win < 0) {
		pyd__emit_unreadable(s, obj);
		return;
	}
	if (!open)
		flags = PT_F_CUT;
	if (cls == PT_KNOWN_CODE) {
		a = pyd__win64(s, win + l->code_qualname);
		b = pyd__win64(s, win + l->code_filename);
		if (open)
			pyd__open_words(s, a, b, 2);
		pyd__emit8(s, PT_K_CODE, flags, pyd__win32(s, win + l->code_firstlineno));
	} else if (cls == PT_KNOWN_FUNCTION) {
		a = pyd__win64(s, win + l->func_qualname);
		b = pyd__win64(s, win + l->func_module);
		if (open)
			pyd__open_words(s, a, b, 2);
		pyd__put64(s, s->out, pyd__node(PT_K_FUNCTION, flags, 0));
		s->out += 8;
	} else if (cls == PT_KNOWN_CFUNCTION) {
		__u64 def = pyd__win64(s, win + l->cfunc_ml), name = 0;

		b = pyd__win64(s, win + l->cfunc_module);
		if (PYD_READ_SLOW(&name, 8, def)) /* PyMethodDef.ml_name */
			name = 0;
		if (open)
			pyd__open_words(s, b, 0, 1);
		pyd__emit_cstr(s, PT_K_CFUNCTION, 0, 0, name);
	} else if (cls == PT_KNOWN_METHOD) {
		if (open)
			pyd__open_words(s, pyd__win64(s, win + l->method_func), 0, 1);
		pyd__put64(s, s->out, pyd__node(PT_K_METHOD, flags, 0));
		s->out += 8;
	} else if (cls == PT_KNOWN_MODULE) {
		if (open)
			pyd__open_words(s, pyd__win64(s, win + l->module_name), 0, 1);
		pyd__put64(s, s->out, pyd__node(PT_K_MODULE, flags, 0));
		s->out += 8;
	} else { /* exception */
		__u64 name = pyd__read_type(s, type) ? 0 : pyd__type64(s, l->tp_name);

		if (open)
			pyd__open_words(s, pyd__win64(s, win + l->exc_args), 0, 1);
		pyd__emit_cstr(s, PT_K_EXCEPTION, 0, 0, name);
	}
	if (!open)
		pyd__emit0(s, PT_K_END);
}

/* One value. */
PYD_FN void pyd__value(struct pyd_state *s, const struct pt_site *site, __u64 obj)
{
	const struct pt_layout *l = &site->layout;
	__u64 o = obj - s->bias, type, size;
	int win, cls;

	if (o == site->known[PT_KNOWN_NONE]) {
		pyd__emit0(s, PT_K_NONE);
		return;
	}
	win = pyd__window(s, obj, 64);
	if (win < 0)
		win = pyd__window(s, obj, l->ob_size + 16u);
	if (win < 0) {
		pyd__emit_unreadable(s, obj);
		return;
	}
	type = pyd__win64(s, win + l->ob_type);
	if (o == site->known[PT_KNOWN_TRUE] || o == site->known[PT_KNOWN_FALSE]) {
		pyd__emit0(s, o == site->known[PT_KNOWN_TRUE] ? PT_K_TRUE : PT_K_FALSE);
		return;
	}
	cls = pyd__class_of(s, site, type);
	size = pyd__win64(s, win + l->ob_size);
	switch (cls) {
	case PT_KNOWN_STR:
		pyd__str(s, l, obj, win);
		break;
	case PT_KNOWN_INT:
		pyd__int(s, l, obj, win);
		break;
	case PT_KNOWN_TUPLE:
		pyd__open(s, PT_K_TUPLE, PYD_F_POINTERS, size, size, obj + l->tuple_items, 0);
		break;
	case PT_KNOWN_LIST:
		pyd__open(s, PT_K_LIST, PYD_F_POINTERS, size, size,
			  pyd__win64(s, win + l->list_items), 0);
		break;
	case PT_KNOWN_BYTES:
		pyd__bytes(s, PT_K_BYTES, obj + l->bytes_data, size, win + l->bytes_data);
		break;
	case PT_KNOWN_BYTEARRAY:
		pyd__bytes(s, PT_K_BYTEARRAY, pyd__win64(s, win + l->bytearray_start), size, -1);
		break;
	case PT_KNOWN_DICT:
		pyd__dict(s, l, obj, win);
		break;
	case PT_KNOWN_SET:
		pyd__set(s, l, obj, win, PT_K_SET);
		break;
	case PT_KNOWN_FROZENSET:
		pyd__set(s, l, obj, win, PT_K_FROZENSET);
		break;
	case PT_KNOWN_FLOAT:
		pyd__emit8(s, PT_K_FLOAT, 0, pyd__win64(s, win + l->float_value));
		break;
	case PT_KNOWN_BOOL:
		pyd__emit0(s, pyd__win32(s, win + l->int_digits) ? PT_K_TRUE : PT_K_FALSE);
		break;
	case PT_KNOWN_NONE:
		pyd__emit0(s, PT_K_NONE);
		break;
	case PT_KNOWN_TYPE:
		pyd__emit_cstr(s, PT_K_CLASS, 0, 0, pyd__win64(s, win + l->tp_name));
		break;
	case PYD_CLASS_OBJECT:
		type = pyd__read_type(s, type) ? 0 : pyd__type64(s, l->tp_name);
		pyd__emit_cstr(s, PT_K_OBJECT, 1, obj, type);
		break;
	case PYD_CLASS_UNREAD:
		pyd__emit_unreadable(s, obj);
		break;
	default:
		pyd__named(s, l, cls, obj, type);
	}
}

/* Reads the next entries of a frame into words[]. */
PYD_FN void pyd__refill(struct pyd_state *s, struct pyd_frame *f)
{
	__u32 stride = f->mode == PYD_F_POINTERS ? 8 :
		       f->mode == PYD_F_DICT || f->mode == PYD_F_SPLIT_OLD ? 24 : 16;
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

/*
 * One unit of work on a state that pyd__start() prepared: one value, one closed container, or one
 * chunk of a long string. Returns 1 while there is more to do.
 */
PYD_FN int pyd__step(struct pyd_state *s, const struct pt_site *site)
{
	struct pyd_frame *f;
	__u32 d = s->depth;
	__u64 child = 0;

	if (s->copy_left) {
		pyd__copy_chunk(s);
		return 1;
	}
	if (!d)
		return 0;
	d--;
	PYD_BARRIER(d);
	f = &s->frames[d & 15];
	/* the largest leaf that is not capped by the room: a type's name */
	if (pyd__room(s) < PYD_TP_NAME_MAX + 64) {
		s->flags |= PT_AUDIT_CUT;
		return 0;
	}
	if (f->on_value) {
		f->on_value = 0;
		child = f->value;
	} else {
		if (!f->have && f->left && f->budget)
			pyd__refill(s, f);
		if (!f->have || !f->budget) {
			pyd__emit0(s, PT_K_END);
			s->depth--;
			return s->depth != 0;
		}
		if (!pyd__child(f, &child))
			return 1;
		f->budget--;
	}
	pyd__value(s, site, child);
	return 1;
}

/*
 * Prepares the decoding of the argument tuple at `args` into s->buf from offset `out` on. A tuple that
 * cannot be read gives a root of kind PT_K_UNREADABLE and nothing to step. NULL is no arguments.
 * Returns 1 when there are steps to do.
 */
PYD_FN int pyd__start(struct pyd_state *s, const struct pt_site *site, __u64 args, __u32 out)
{
	const struct pt_layout *l = &site->layout;
	struct pyd_frame *f;
	__u64 size;
	int win;

	s->win_addr = 0;
	s->win_len = 0;
	s->out = out;
	s->depth = 0;
	s->flags = 0;
	s->unreadable = 0;
	s->copy_left = 0;
	s->type_addr = 0;
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
	if (size <= 4 && (__u32)win + l->tuple_items + 32 <= s->win_len) {
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
