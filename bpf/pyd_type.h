/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What an object is, by its type: by address for the common ones, else by tp_flags, tp_name and the
 * bases. See pydecode.h. */
#ifndef PYTRAIL_PYD_TYPE_H
#define PYTRAIL_PYD_TYPE_H

#include "bpf/pyd_state.h"

/* Reads the type at addr into s->type. 0 or -1. */
PYD_FN int pyd__read_type(struct pyd_state *s, __u64 addr)
{
	/* 0 is that of no type, and means that type[] is of another event */
	if (addr && s->type_addr == addr)
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
#define PYD_W(a, b, c, d, e, f, g, h)                                                            \
	((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32 | \
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

/* What a type that is not known by address makes of its instances: an index of enum pt_known or one
 * of PYD_CLASS_*. */
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

#endif /* PYTRAIL_PYD_TYPE_H */
