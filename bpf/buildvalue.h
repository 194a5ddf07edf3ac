/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The second front end of the decoder: arguments that are not a tuple yet, but a Py_BuildValue()
 * format and C arguments in registers, a va_list and on the stack, as PySys_Audit() gets them. It
 * produces the nodes that the tuple would have given, without the tuple being built.
 *
 * Source: Python/modsupport.c, do_mkvalue() and va_build_value(), the same in 3.8 to 3.15;
 * sysmodule.c, sys_audit_tstate(): no format or an empty one is no arguments, a lone value that is
 * a tuple is the arguments, any other lone value is the only one. System V AMD64 ABI 3.5.7 and
 * aapcs64 appendix B for va_list.
 *
 * A step is one code of the format, or one step of an object that a code stands for. What cannot be
 * told from outside (`O&`, a converter) is a PT_K_UNDECODED node.
 */
#ifndef PYTRAIL_BUILDVALUE_H
#define PYTRAIL_BUILDVALUE_H

#include "bpf/pydecode.h"

/* How many integer arguments are in registers, and the end of the vector ones in their save
 * area. */
#if defined(__TARGET_ARCH_arm64) || defined(__aarch64__)
#define PYF_REGISTERS 8
#define PYF_FP_END    128u /* 8 * 16 */
#else
#define PYF_REGISTERS 6
#define PYF_FP_END    176u /* 6 * 8 + 8 * 16 */
#endif
#define PYF_MASK       (PYD_FORMAT_MAX - 1)
#define PYF_FIRST      4u         /* of the pointers that sys.audit() gets, read at once */
#define PYF_WIDE_CHUNK 64u        /* wchar_t read in a step */
#define PYF_MEASURE    (1u << 20) /* bytes of a string that are looked through for its NUL */

PYD_FN char pyf__char(const struct pyd_state *s, __u32 i)
{
	PYD_BARRIER(i);
	return s->format.text[i & PYF_MASK];
}

PYD_FN int pyf__is_separator(char c)
{
	return c == ' ' || c == '\t' || c == ',' || c == ':';
}

/* The next C argument of integer or pointer class. */
PYD_FN __u64 pyf__argument(struct pyd_state *s)
{
	struct pyd_format *f = &s->format;
	__u32 i = f->next_reg;
	__u64 v = 0;

	if (i < PYF_REGISTERS) {
		PYD_BARRIER(i);
		f->next_reg++;
		return i < PYF_REGISTERS ? f->regs[i] : 0;
	}
	if (PYD_READ_SLOW(&v, sizeof(v), f->stack)) {
		s->unreadable++;
		s->flags |= PT_AUDIT_CUT;
	}
	f->stack += 8;
	return v;
}

/* The same argument, not taken yet. */
PYD_FN __u64 pyf__peek(struct pyd_state *s)
{
	__u64 stack = s->format.stack, v;
	__u32 reg = s->format.next_reg;

	v = pyf__argument(s);
	s->format.stack = stack;
	s->format.next_reg = reg;
	return v;
}

/* A double, from the register save area or the stack. 0, or -1: the site does not give it. */
PYD_FN int pyf__double(struct pyd_state *s, __u64 *v)
{
	struct pyd_format *f = &s->format;
	__u64 at;

	if (f->next_fp < PYF_FP_END) {
		at = f->fp_area + f->next_fp;
		f->next_fp += 16;
		if (!f->fp_area)
			return -1;
	} else {
		at = f->stack;
		f->stack += 8;
	}
	return PYD_READ_SLOW(v, 8, at) ? -1 : 0;
}

/*
 * Items of the container whose first code is at `from`: up to its closing bracket or the end. What
 * stands behind a code (`#`, `&`, `*`) belongs to it. The counts lie in memory: known to the
 * verifier as constants, every path through the text would be a state of its own.
 */
PYD_FN __u32 pyf__count(struct pyd_state *s, __u32 from)
{
	struct pyd_format *f = &s->format;
	__u32 i;

	f->level = 0;
	f->items = 0;
	for (i = 0; i < PYD_FORMAT_MAX; i++) {
		char c = from + i < PYD_FORMAT_MAX ? pyf__char(s, from + i) : 0;

		if (!c)
			break;
		if (c == ')' || c == ']' || c == '}') {
			if (!f->level)
				break;
			f->level--;
		} else if (c == '(' || c == '[' || c == '{') {
			if (!f->level)
				f->items++;
			f->level++;
		} else if (!f->level && c != '#' && c != '&' && c != '*' && !pyf__is_separator(c)) {
			f->items++;
		}
		asm volatile("" ::: "memory");
	}
	return f->items;
}

PYD_FN void pyf__emit_int(struct pyd_state *s, __s64 v)
{
	pyd__emit8(s, PT_K_INT, 0, (__u64)v);
}

/* Above the range of PT_K_INT: digits of 30 bits, as CPython has them. */
PYD_FN void pyf__emit_unsigned(struct pyd_state *s, __u64 v)
{
	if ((__s64)v >= 0) {
		pyf__emit_int(s, (__s64)v);
		return;
	}
	pyd__put64(s, s->out, pyd__node(PT_K_BIGINT, 0, 12));
	pyd__put64(s, s->out + 8, (v & 0x3fffffff) | (v >> 30 & 0x3fffffff) << 32);
	pyd__put64(s, s->out + 16, v >> 60);
	s->out += 24;
}

/* One character (`C`), in the narrowest width. */
PYD_FN void pyf__emit_character(struct pyd_state *s, __u32 c)
{
	pyd__put64(s, s->out,
	           pyd__node(c < 0x100     ? PT_K_STR
	                     : c < 0x10000 ? PT_K_STR2
	                                   : PT_K_STR4,
	                     0,
	                     c < 0x100     ? 1
	                     : c < 0x10000 ? 2
	                                   : 4));
	pyd__put64(s, s->out + 8, c);
	s->out += 16;
}

/* A string whose end is to be looked for, in further steps. NULL builds None. */
PYD_FN void pyf__measure(struct pyd_state *s, __u8 kind, __u64 addr)
{
	if (!addr) {
		pyd__emit0(s, PT_K_NONE);
		return;
	}
	s->format.wide = addr;
	s->format.wide_chars = 0;
	s->format.wide_kind = kind;
}

/* C memory: NUL-terminated, read by further steps, or with `#` as long as the next argument
 * says. */
PYD_FN void pyf__string(struct pyd_state *s, __u8 kind, int with_length)
{
	__u64 addr = pyf__argument(s), size;
	__u32 stored;

	if (with_length) {
		size = pyf__argument(s);
		/* a negative length means strlen(): modsupport.c */
		if (addr && (__s64)size >= 0) {
			stored = pyd__cap(s, size, PYD_MAX_STRING);
			pyd__emit_bytes(s, kind, 0, addr, stored, -1, size, stored < size);
			return;
		}
	}
	pyf__measure(s, kind, addr);
}

/*
 * Looks through one chunk of a NUL-terminated string for its end. Most are a leaf with that; a
 * longer one is copied when its length is known. Not known, and not looked for further than the
 * limit, is the length of UTF-8 in characters.
 */
PYD_FN void pyf__string_chunk(struct pyd_state *s)
{
	struct pyd_format *f = &s->format;
	__u32 kind = f->wide_kind, size = f->wide_chars, to = s->out + 8, stored;
	__u64 addr = f->wide;
	int ended;
	long n;

	PYD_BARRIER(to);
	to &= PYD_BUF_MASK;
	n = PYD_READ_STR(s->buf + to, PT_CHUNK_MAX, addr + size);
	ended = n >= 1 && n < PT_CHUNK_MAX;
	if (n >= 1 && n <= PT_CHUNK_MAX)
		size += (__u32)n - 1;
	stored = pyd__cap(s, size, PYD_MAX_STRING);
	if (ended && !f->wide_chars && stored == size) {
		f->wide = 0;
		pyd__put64(s, s->out, pyd__node((__u8)kind, 0, size));
		to = s->out + 8 + (size & ~7u);
		PYD_BARRIER(to);
		to &= PYD_BUF_MASK & ~7u;
		/* no stale byte in the padding */
		if (size & 7)
			*(__u64 *)(s->buf + to) &= ~0ull >> (64 - (size & 7) * 8);
		s->out += 8 + ((size + 7) & ~7u);
		return;
	}
	f->wide_chars = size;
	if (n >= 1 && !ended && size < PYF_MEASURE && (kind == PT_K_BYTES || stored == size))
		return;
	f->wide = 0;
	if (n < 1)
		s->unreadable++;
	pyd__emit_bytes(s, (__u8)kind, n < 1 ? PT_F_UNREADABLE : 0, addr, stored, -1,
	                ended && kind == PT_K_BYTES ? size : ~0ull,
	                stored < size || (n >= 1 && !ended));
}

/* wchar_t, 4 bytes each on Linux: read in further steps until the NUL, unless the length is
 * given. */
PYD_FN void pyf__wide(struct pyd_state *s, int with_length)
{
	__u64 addr = pyf__argument(s), length;
	__u32 stored;

	if (with_length) {
		length = pyf__argument(s);
		if (addr && (__s64)length >= 0) {
			__u64 size = length > 1ull << 40 ? 1ull << 42 : length * 4;

			stored = pyd__cap(s, size, PYD_MAX_STRING) & ~3u;
			pyd__emit_bytes(s, PT_K_STR4, 0, addr, stored, -1, length, stored < size);
			return;
		}
	}
	pyf__measure(s, PT_K_STR4, addr);
}

/* Looks through one chunk of a wchar_t string for its end; then the string is a leaf like any
 * other. */
PYD_FN void pyf__wide_chunk(struct pyd_state *s)
{
	struct pyd_format *f = &s->format;
	__u64 addr = f->wide + (__u64)f->wide_chars * 4;
	__u32 n = (PYD_PAGE - (__u32)(addr & (PYD_PAGE - 1))) / 4, limit, i;
	int ended = 0, bad;

	if (n > PYF_WIDE_CHUNK)
		n = PYF_WIDE_CHUNK;
	if (!n) /* not aligned, at a page's end */
		n = 1;
	/*
	 * Counted in characters behind it, too: of bytes whose low bits are masked away the
	 * compiler asks whether there are less than four, of which the verifier of Linux 6.18 makes
	 * empty bounds, and warns of itself.
	 */
	PYD_BARRIER(n);
	if (n > PYF_WIDE_CHUNK)
		return;
	s->win_len[0] = s->win_len[1] = 0;
	bad = PYD_READ_SLOW(s->window, n * 4, addr);
	if (bad)
		n = 0;
	for (i = 0; i < PYF_WIDE_CHUNK; i++) {
		if (i >= n)
			break;
		if (!pyd__win32(s, i * 4)) {
			ended = 1;
			break;
		}
	}
	f->wide_chars += i;
	limit = PYD_MAX_STRING / 4;
	if (!ended && !bad && f->wide_chars <= limit)
		return;
	addr = f->wide;
	f->wide = 0;
	if (bad)
		s->unreadable++;
	i = f->wide_chars > limit ? limit : f->wide_chars;
	pyd__emit_bytes(s, PT_K_STR4, bad ? PT_F_UNREADABLE : 0, addr,
	                pyd__cap(s, (__u64)i * 4, PYD_MAX_STRING) & ~3u, -1,
	                ended ? f->wide_chars : ~0ull, !ended || f->wide_chars > limit);
}

/*
 * Whether the next item of the innermost container is to be shown: not when there were --max-items
 * of them, and not in a container that is too deep. Its arguments must be taken all the same.
 */
PYD_FN int pyf__wanted(struct pyd_state *s)
{
	__u32 d = s->depth - 1;

	if (!s->depth)
		return 1;
	PYD_BARRIER(d);
	if (s->format.mute || !s->frames[d & 15].budget)
		return 0;
	s->frames[d & 15].budget--;
	return 1;
}

/* Opens a container of the format at its bracket. */
PYD_FN void pyf__open(struct pyd_state *s, __u8 kind, __u32 length)
{
	__u32 budget = PYD_MAX_ITEMS;
	struct pyd_frame *frame;

	if (!pyd__may_open(s, 0) || !(frame = pyd__push(s, PYD_F_WORDS))) {
		pyd__emit_closed(s, kind, length ? PT_F_CUT : 0, length);
		s->format.mute = 1;
		return;
	}
	frame->budget = kind == PT_K_DICT ? budget * 2 : budget;
	s->format.open++;
	pyd__emit8(s, kind, length > budget ? PT_F_CUT : 0, length);
}

PYD_FN void pyf__close(struct pyd_state *s)
{
	pyd__emit0(s, PT_K_END);
	s->depth--;
	s->format.open--;
}

/* An object, or what a converter would make of something. */
PYD_FN void pyf__object(struct pyd_state *s, const struct pt_site *site, int converted)
{
	__u64 obj = pyf__argument(s);

	if (converted) {
		pyf__argument(s);
		pyd__emit0(s, PT_K_UNDECODED);
		return;
	}
	if (!pyd__plain(s, site, obj))
		pyd__value(s, site, obj);
}

/* Codes of plain C numbers. Returns 0 when c is none of them. */
PYD_FN int pyf__number(struct pyd_state *s, char c)
{
	__u64 v = 0;

	if (c == 'd' || c == 'f') {
		if (pyf__double(s, &v))
			pyd__emit0(s, PT_K_UNDECODED);
		else
			pyd__emit8(s, PT_K_FLOAT, 0, v);
		return 1;
	}
	switch (c) {
	case 'b':
	case 'B':
	case 'h':
	case 'i':
		pyf__emit_int(s, (__s32)pyf__argument(s));
		return 1;
	case 'H':
	case 'I':
		pyf__emit_int(s, (__s64)(__u32)pyf__argument(s));
		return 1;
	case 'n':
	case 'l':
	case 'L':
		pyf__emit_int(s, (__s64)pyf__argument(s));
		return 1;
	case 'k':
	case 'K':
		pyf__emit_unsigned(s, pyf__argument(s));
		return 1;
	case 'p':
		pyd__emit0(s, (__u32)pyf__argument(s) ? PT_K_TRUE : PT_K_FALSE);
		return 1;
	case 'C':
		pyf__emit_character(s, (__u32)pyf__argument(s));
		return 1;
	case 'c':
		pyd__put64(s, s->out, pyd__node(PT_K_BYTES, 0, 1));
		pyd__put64(s, s->out + 8, pyf__argument(s) & 0xff);
		s->out += 16;
		return 1;
	}
	return 0;
}

/* A code that is no bracket: takes its arguments and emits its node. next: the character behind
 * it. */
PYD_FN void pyf__item(struct pyd_state *s, const struct pt_site *site, char c, char next)
{
	if (pyf__number(s, c))
		return;
	if (next == '#' || next == '&')
		s->format.pos++;
	if (c == 's' || c == 'z' || c == 'U') {
		pyf__string(s, PT_K_UTF8, next == '#');
	} else if (c == 'y') {
		pyf__string(s, PT_K_BYTES, next == '#');
	} else if (c == 'u') {
		pyf__wide(s, next == '#');
	} else if (c == 'O' || c == 'S' || c == 'N') {
		pyf__object(s, site, next == '&');
	} else if (c == 'D') { /* Py_complex *: a complex would be made of it */
		pyf__argument(s);
		pyd__emit0(s, PT_K_UNDECODED);
	} else {
		/* no code of Py_BuildValue(): it fails, and no event is raised */
		s->flags |= PT_AUDIT_CUT;
	}
}

/* An opening bracket; `inside`: where the first code in it is. */
PYD_FN void pyf__bracket(struct pyd_state *s, char c, __u32 inside)
{
	__u32 n;

	if (!pyf__wanted(s)) {
		s->format.mute++;
		return;
	}
	n = pyf__count(s, inside);
	if (c == '{')
		pyf__open(s, PT_K_DICT, n / 2);
	else
		pyf__open(s, c == '(' ? PT_K_TUPLE : PT_K_LIST, n);
}

/* One code at s->format.pos. Returns 0 when the format is over. */
PYD_FN int pyf__code(struct pyd_state *s, const struct pt_site *site)
{
	__u32 pos = s->format.pos, out = s->out, depth = s->depth, unreadable = s->unreadable, n;
	char c = pos < PYD_FORMAT_MAX ? pyf__char(s, pos) : 0;
	char next = c && pos + 1 < PYD_FORMAT_MAX ? pyf__char(s, pos + 1) : 0;

	s->format.pos++;
	if (!c)
		return 0;
	if (pyf__is_separator(c))
		return 1;
	if (c == ')' || c == ']' || c == '}') {
		if (s->format.mute)
			s->format.mute--;
		else if (s->format.open)
			pyf__close(s);
		return s->format.open != 0;
	}
	if (c == '(' || c == '[' || c == '{') {
		pyf__bracket(s, c, pos + 1);
		return 1;
	}
	n = (__u32)pyf__wanted(s);
	pyf__item(s, site, c, next);
	if (!n) {
		s->out = out;
		s->depth = depth;
		s->unreadable = unreadable;
		s->copy_left = 0;
		s->format.wide = 0;
	}
	return !(s->flags & PT_AUDIT_CUT);
}

/* One unit of work. Returns 1 while there is more to do. */
PYD_FN int pyf__step(struct pyd_state *s, const struct pt_site *site)
{
	if (s->copy_left || s->depth > s->format.open)
		return pyd__steps(s, site, s->format.open) ||
		       (s->format.open && !(s->flags & PT_AUDIT_CUT));
	if (s->steps++ == PYD_STEPS_MAX) {
		s->flags |= PT_AUDIT_CUT;
		return 0;
	}
	if (s->format.wide) {
		if (s->format.wide_kind == PT_K_STR4)
			pyf__wide_chunk(s);
		else
			pyf__string_chunk(s);
		return 1;
	}
	if (!s->format.open)
		return 0;
	if (pyd__room(s) < PYD_TP_NAME_MAX + 64) {
		s->flags |= PT_AUDIT_CUT;
		return 0;
	}
	if (pyf__code(s, site))
		return 1;
	/* The end of the text closes the root that no bracket opened. What else is open was not
	 * closed by it: Py_BuildValue() fails then. */
	if (s->format.cut || s->format.open > 1)
		s->flags |= PT_AUDIT_CUT;
	if (s->format.open && !(s->flags & PT_AUDIT_CUT))
		pyf__close(s);
	return 0;
}

/*
 * Prepares the walk; s->format.regs and the fields behind it are set. format: address of the text.
 * Returns 1 when there are steps to do.
 */
PYD_FN int pyf__start(struct pyd_state *s, const struct pt_site *site, __u64 format, __u32 out)
{
	const struct pt_layout *l = &site->layout;
	struct pyd_format *f = &s->format;
	__u64 type = 0, obj;
	__u32 n, i;
	long len;
	char c, last;

	pyd__reset(s, out);
	f->pos = 0;
	f->open = 0;
	f->mute = 0;
	f->wide = 0;
	len = format ? PYD_READ_STR(f->text, PYD_FORMAT_MAX, format) : 1;
	if (len < 1) {
		pyd__emit_unreadable(s, format);
		return 0;
	}
	if (len == 1) {
		pyd__emit_closed(s, PT_K_TUPLE, 0, 0);
		return 0;
	}
	/* nobody writes one that long; what there is of it is decoded */
	f->cut = len == PYD_FORMAT_MAX &&
	         (PYD_READ_SLOW(&last, 1, format + PYD_FORMAT_MAX - 1) || last);
	n = pyf__count(s, 0);
	for (i = 0; i < 8 && pyf__is_separator(pyf__char(s, f->pos)); i++)
		f->pos++;
	c = pyf__char(s, f->pos);
	if (n == 1 && c == '(') {
		pyf__bracket(s, c, ++f->pos);
		return 1;
	}
	if (n == 1 && (c == 'O' || c == 'S' || c == 'N') && pyf__char(s, f->pos + 1) != '&') {
		/* a lone object: the arguments themselves when it is a tuple */
		obj = pyf__peek(s);
		if (obj && !PYD_READ_SLOW(&type, 8, obj + l->ob_type) &&
		    pyd__class_of(s, site, type) == PT_KNOWN_TUPLE)
			return pyd__start(s, site, obj, out);
	}
	pyf__open(s, PT_K_TUPLE, n ? n : 1);
	if (!n)
		pyd__emit0(s, PT_K_NONE); /* nothing but separators builds None */
	return 1;
}

/*
 * sys.audit(event, *args) itself: name and arguments are an array of pointers, of which pyf__name()
 * has left the first ones in the root's frame.
 */
PYD_FN int pyf__start_array(struct pyd_state *s, __u64 items, __u32 count, __u32 out)
{
	struct pyd_frame *frame;
	__u32 have = count < PYF_FIRST - 1 ? count : PYF_FIRST - 1;

	pyd__reset(s, out);
	s->format.open = 0;
	s->format.wide = 0;
	if (!count) {
		pyd__emit_closed(s, PT_K_TUPLE, 0, 0);
		return 0;
	}
	frame = pyd__push(s, PYD_F_POINTERS);
	if (!frame)
		return 0;
	frame->pos = 1;
	frame->have = (__u8)have;
	frame->base = items + PYF_FIRST * 8;
	frame->left = count - have;
	frame->budget = PYD_MAX_ITEMS;
	pyd__emit8(s, PT_K_TUPLE, count > PYD_MAX_ITEMS ? PT_F_CUT : 0, count);
	return 1;
}

/*
 * The bytes at an offset in the window into s->name_text, when they are short and have no NUL in
 * them: sets s->name_size.
 */
PYD_FN void pyf__name_text(struct pyd_state *s, __u32 win, __u32 length)
{
	const __u64 ones = 0x0101010101010101ull;
	__u32 i;

	s->name_size = 0;
	if (length >= PT_FILTER_NAME || (win & (PYD_FAR - 1)) + length > pyd__win_len(s, win))
		return;
	for (i = 0; i < PT_FILTER_NAME / 8; i++) {
		__u64 w = 0, unused = 0;
		__u32 left = length > i * 8 ? length - i * 8 : 0;

		if (left) {
			w = pyd__win64(s, win + i * 8);
			if (left < 8) {
				unused = ~0ull << left * 8;
				w &= ~unused;
			}
			/* a byte that is zero: "Bit Twiddling Hacks", haszero() */
			unused |= w;
			if ((unused - ones) & ~unused & ones << 7)
				return;
		}
		s->name_text[i] = w;
	}
	s->name_size = length + 1;
}

/*
 * The event's name of sys.audit(): a str object, the first of `count` pointers at items. Sets
 * s->name_addr, name_len (bytes), name_kind and name_size. An ASCII one is as good as a C string.
 * Returns 0 when it is no str: TypeError, and no event. One that cannot be read, or told to be a
 * str or not, has no address.
 */
PYD_FN int pyf__name(struct pyd_state *s, const struct pt_site *site, __u64 items, __u32 count)
{
	const struct pt_layout *l = &site->layout;
	__u32 state, width, compact, ascii, bytes = (count < PYF_FIRST ? count : PYF_FIRST) * 8;
	__u64 length, obj;
	int win, cls;

	s->name_addr = 0;
	s->name_kind = 0;
	s->name_size = 0;
	s->win_len[0] = s->win_len[1] = 0;
	s->win_addr[0] = s->win_addr[1] = 0;
	s->type_addr = 0;
	s->depth = 0;
	PYD_BARRIER(bytes);
	if (bytes > PYF_FIRST * 8 || PYD_READ_SLOW(s->frames[0].words, bytes, items))
		return 1;
	obj = s->frames[0].words[0];
	win = pyd__window(s, obj, 80);
	if (win < 0)
		return 1;
	cls = pyd__class_of(s, site, pyd__win64(s, win + l->ob_type));
	if (cls != PT_KNOWN_STR)
		return cls == PYD_CLASS_UNREAD;
	state = pyd__win32(s, win + l->str_state);
	length = pyd__win64(s, win + l->str_length);
	width = state >> l->str_kind_shift & 7;
	compact = state >> l->str_compact_shift & 1;
	ascii = state >> l->str_ascii_shift & 1;
	if (!ascii && width != 1 && width != 2 && width != 4)
		return 1;
	if (compact)
		s->name_addr = obj + (ascii ? l->str_ascii : l->str_compact);
	else
		s->name_addr = pyd__win64(s, win + l->str_any);
	s->name_kind = ascii ? 0 : width;
	s->name_len = length > PT_NAME_MAX ? PT_NAME_MAX * 2 : (__u32)length * (ascii ? 1 : width);
	if (compact && ascii && length < PT_FILTER_NAME)
		pyf__name_text(s, win + l->str_ascii, (__u32)length);
	return 1;
}

#endif /* PYTRAIL_BUILDVALUE_H */
