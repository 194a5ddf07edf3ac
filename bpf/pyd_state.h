/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The decoder's state, its reads of the traced process, and what it writes: the parts that know
 * nothing of CPython's objects. See pydecode.h. */
#ifndef PYTRAIL_PYD_STATE_H
#define PYTRAIL_PYD_STATE_H

#include "bpf/wire.h"

#ifndef PYD_FN
#define PYD_FN static __attribute__((always_inline)) inline
#endif

/* Keeps the compiler from dropping a mask that it can prove redundant and the verifier cannot. */
#define PYD_BARRIER(x) asm volatile("" : "+r"(x))

/* The end of one iteration of a loop: keeps the compiler from unrolling it, with all that is
 * inlined. */
#define PYD_FORGET() asm volatile("" ::: "memory")

/* Steps of one event: values, closed containers, dead entries of tables, chunks of long strings. */
#define PYD_STEPS_MAX   4096u
#define PYD_PLAIN_STEPS 8 /* done by one call */

#define PYD_PAGE        4096u
#define PYD_NEAR \
	144u /* bytes read of an object: a str's header and 100 characters, a code object */
#define PYD_FAR         1024u /* bytes read when objects lie side by side */
#define PYD_WIN_MASK    2047u
#define PYD_TYPE_READ   280u /* tp_name, tp_flags and tp_base, free-threaded too */
#define PYD_BUF_MASK    (PT_RECORD_MAX - 1)
#define PYD_WORDS       64u
#define PYD_BASES       6    /* levels of tp_base followed to find what a type derives from */
#define PYD_TP_NAME_MAX 256u /* bytes of a type's name, NUL included */
#define PYD_INLINE_MAX  128u /* bytes of a string copied from the window without a helper */
/* Bytes kept free at the end of a record for the PT_K_END of every open frame. */
#define PYD_RESERVE ((PT_FRAMES_MAX + 1) * 8u)

/* tp_flags, Include/object.h, the same in 3.8 to 3.15 */
#define PYD_TPF_HEAPTYPE (1ull << 9)
#define PYD_TPF_LONG     (1ull << 24)
#define PYD_TPF_LIST     (1ull << 25)
#define PYD_TPF_TUPLE    (1ull << 26)
#define PYD_TPF_BYTES    (1ull << 27)
#define PYD_TPF_UNICODE  (1ull << 28)
#define PYD_TPF_DICT     (1ull << 29)
#define PYD_TPF_EXC      (1ull << 30)
#define PYD_TPF_TYPE     (1ull << 31)

/*
 * What is read of the window is where the process has put it, aligned or not. In BPF all loads may
 * be unaligned (and clang would make bytes of one that is said to be); on the host it must be said.
 */
#ifdef __bpf__
typedef __u64 pyd_word64;
typedef __u32 pyd_word32;
#else
typedef __u64 __attribute__((aligned(1), may_alias)) pyd_word64;
typedef __u32 __attribute__((aligned(1), may_alias)) pyd_word32;
#endif

/* How a frame finds its children. */
enum pyd_frame_mode {
	PYD_F_WORDS = 0,    /* they are in words[] already */
	PYD_F_POINTERS,     /* an array of pointers */
	PYD_F_DICT,         /* entries {hash, key, value} */
	PYD_F_DICT_UNICODE, /* entries {key, value}, 3.11+ */
	PYD_F_SPLIT,     /* keys in entries {key, value}, values in an array of their own, 3.11+ */
	PYD_F_SPLIT_OLD, /* keys in entries {hash, key, value}, values in an array, before 3.11 */
	PYD_F_SET,       /* entries {key, hash} */
};

struct pyd_frame {
	__u64 base;    /* address of the next entry to read */
	__u64 values;  /* split tables: address of the next value to read */
	__u32 left;    /* entries not read yet */
	__u32 budget;  /* children (pairs, in a dict) that may still be emitted */
	__u8 mode;     /* enum pyd_frame_mode */
	__u8 have;     /* entries in words[] not used yet */
	__u8 pos;      /* index of the next one */
	__u8 on_value; /* a dict's key is out, its value is next */
	__u32 node;    /* where the container's node lies in buf */
	__u64 value;   /* that value */
	__u64 words[PYD_WORDS];
};

/* A Py_BuildValue() format being walked, and where its C arguments are; see buildvalue.h. */
#define PYD_FORMAT_MAX 64u

struct pyd_format {
	__u32 level, items; /* while codes are counted */
	char text[PYD_FORMAT_MAX];
	__u32 pos;
	__u32 open; /* frames that belong to the format; those above it to an object in it */
	__u32 mute; /* brackets open whose items are not shown */
	/* PYF_REGISTERS integer ones of the calling convention, as they were at the call */
	__u64 regs[8];
	__u32 next_reg; /* the first one not used yet; PYF_REGISTERS: all are */
	__u32 next_fp; /* offset of the next vector register in fp_area, PYF_FP_END: none is left */
	__u64 fp_area; /* address of the register save area, 0: not known */
	__u64 stack;   /* address of the next argument on the stack */
	__u64 wide;    /* a string of C whose end is being looked for, else 0 */
	__u32 wide_chars; /* looked through so far */
	__u32 wide_kind;  /* its enum pt_kind; PT_K_STR4: wchar_t */
	__u32 cut;        /* the text is longer than PYD_FORMAT_MAX */
};

struct pyd_state {
	__u64 bias; /* run-time minus link-time addresses of site->known */
	/*
	 * Two windows, the halves of window[]: win_len bytes from win_addr. A dict's keys and
	 * values lie in different pools of pymalloc; with one window each would evict the other's.
	 */
	__u64 win_addr[2];
	__u32 win_len[2];
	__u32 win_last;   /* the half that was read last */
	__u32 out;        /* end of what is written in buf, a multiple of 8 */
	__u32 depth;      /* open frames */
	__u32 flags;      /* PT_AUDIT_CUT */
	__u32 steps;      /* done so far */
	__u32 unreadable; /* values marked so */
	__u32 copy_left;  /* bytes of a long string still to be copied, by further steps */
	__u64 copy_addr;
	__u32 copy_to;   /* where in buf */
	__u32 copy_node; /* its node */
	__u64 type_addr; /* the type in type[] */
	__u64 type[(PYD_TYPE_READ + 8) / 8];
	__u64 name_addr; /* sys.audit(): characters of the event's name */
	__u32 name_len;
	__u32 name_kind; /* struct pt_audit.name_kind */
	__u32 name_size; /* with the NUL, when all of it is in name_text; 0: it is not */
	__u64 name_text[PT_FILTER_NAME / 8];
	struct pyd_format format;
	struct pyd_frame frames[16];
	__u8 window[PYD_WIN_MASK + 1 + PYD_FAR];
	__u8 buf[PT_RECORD_MAX + PT_CHUNK_MAX + 64];
};

_Static_assert(PT_FRAMES_MAX <= 16, "frames are masked with 15");

/* Forgets the last event; its record is written from offset `out` of buf on. bias is the
 * caller's. */
PYD_FN void pyd__reset(struct pyd_state *s, __u32 out)
{
	s->win_addr[0] = s->win_addr[1] = 0;
	s->win_len[0] = s->win_len[1] = 0;
	s->win_last = 0;
	s->out = out;
	s->depth = 0;
	s->flags = 0;
	s->steps = 0;
	s->unreadable = 0;
	s->copy_left = 0;
	s->type_addr = 0;
}

/* `more` bytes behind an offset of pyd__window(), when that is in the same window still; else
 * -1. */
PYD_FN int pyd__win_behind(int win, __u32 more)
{
	return ((__u32)win & (PYD_FAR - 1)) + more < PYD_FAR ? win + (int)more : -1;
}

/* Bytes present in the window that an offset of pyd__window() is in. */
PYD_FN __u32 pyd__win_len(struct pyd_state *s, __u32 off)
{
	off >>= 10;
	PYD_BARRIER(off);
	off &= 1;
	return s->win_len[off];
}

PYD_FN __u64 pyd__win64(struct pyd_state *s, __u32 off)
{
	off &= PYD_WIN_MASK;
	PYD_BARRIER(off);
	off &= PYD_WIN_MASK;
	return *(pyd_word64 *)(s->window + off);
}

PYD_FN __u32 pyd__win32(struct pyd_state *s, __u32 off)
{
	off &= PYD_WIN_MASK;
	PYD_BARRIER(off);
	off &= PYD_WIN_MASK;
	return *(pyd_word32 *)(s->window + off);
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
 * Makes `need` bytes (at most PYD_FAR) at addr present in the window. Returns their offset in it,
 * or -1 when they cannot be read.
 */
PYD_FN int pyd__window(struct pyd_state *s, __u64 addr, __u32 need)
{
	__u64 d0 = addr - s->win_addr[0], d1 = addr - s->win_addr[1];
	__u32 edge, i, base;

	if (d0 < PYD_FAR && (__u32)d0 + need <= s->win_len[0])
		return (int)d0;
	if (d1 < PYD_FAR && (__u32)d1 + need <= s->win_len[1])
		return (int)d1 + 1024;
	/* The half whose neighbourhood it is in, else the one that was not read last; only one for
	 * plain arguments, which lie nowhere in particular. */
	i = s->depth < 2             ? 0
	    : d0 < PYD_FAR + PYD_FAR ? 0
	    : d1 < PYD_FAR + PYD_FAR ? 1
	                             : !s->win_last;
	PYD_BARRIER(i);
	i &= 1;
	s->win_last = i;
	base = i << 10;
	PYD_BARRIER(base);
	base &= 1024;
	s->win_len[i] = 0;
	s->win_addr[i] = addr;
	/* The neighbourhood of the last object is worth a long read: a list's items, a dict's
	 * keys. */
	if (s->depth > 1 && (i ? d1 : d0) < PYD_FAR + PYD_FAR) {
		if (!PYD_READ(s->window + base, PYD_FAR, addr)) {
			s->win_len[i] = PYD_FAR;
			return (int)base;
		}
	}
	if (need <= PYD_NEAR && !PYD_READ(s->window + base, PYD_NEAR, addr)) {
		s->win_len[i] = PYD_NEAR;
		return (int)base;
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
	if (PYD_READ_SLOW(s->window + base, edge, addr))
		return -1;
	s->win_len[i] = edge;
	return (int)base;
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

/* True when a collection may be opened here; pseudo-containers (code, function …) get two levels
 * more, so that what stands at the deepest level still has its name. */
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
 * A leaf whose payload is `size` bytes at addr: characters or digits of `width` bytes each,
 * `length` of them in truth (cut: not all are in `size`). win is the offset of addr in the window,
 * or negative.
 */
PYD_FN void pyd__emit_bytes(struct pyd_state *s, __u8 kind, __u8 flags, __u64 addr, __u32 size,
                            int win, __u64 length, int cut)
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
	if (win >= 0 && size <= PYD_INLINE_MAX &&
	    ((__u32)win & 1023) + size <= pyd__win_len(s, (__u32)win)) {
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

#endif /* PYTRAIL_PYD_STATE_H */
