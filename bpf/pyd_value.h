/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* One value: a function for each kind of object, from its memory to its node. See pydecode.h. */
#ifndef PYTRAIL_PYD_VALUE_H
#define PYTRAIL_PYD_VALUE_H

#include "bpf/pyd_state.h"
#include "bpf/pyd_type.h"

/* A str whose characters lie behind its header, as nearly all do. Returns 0 when it is another. */
PYD_FN int pyd__str_compact(struct pyd_state *s, const struct pt_layout *l, __u64 obj, int win)
{
	__u32 state = pyd__win32(s, win + l->str_state);
	__u64 length = pyd__win64(s, win + l->str_length), size;
	__u32 width = state >> l->str_kind_shift & 7, stored, data;

	if (!(state >> l->str_compact_shift & 1) || (width != 1 && width != 2 && width != 4))
		return 0;
	data = state >> l->str_ascii_shift & 1 ? l->str_ascii : l->str_compact;
	size = length > 1ull << 40 ? 1ull << 42 : length * width;
	stored = pyd__cap(s, size, PYD_MAX_STRING) & ~(width - 1);
	pyd__emit_bytes(s,
	                width == 1   ? PT_K_STR
	                : width == 2 ? PT_K_STR2
	                             : PT_K_STR4,
	                0, obj + data, stored, pyd__win_behind(win, data), length, stored < size);
	return 1;
}

/* Any other str. */
PYD_FN void pyd__str(struct pyd_state *s, const struct pt_layout *l, __u64 obj, int win)
{
	__u32 state = pyd__win32(s, win + l->str_state);
	__u64 length = pyd__win64(s, win + l->str_length);
	__u32 width = state >> l->str_kind_shift & 7;
	__u32 compact = state >> l->str_compact_shift & 1;
	__u64 data = 0, size;
	__u32 stored;
	__u8 kind;

	if (!compact) {
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
	}
	if (width == 1) {
		kind = PT_K_STR;
	} else if (width == 2) {
		kind = PT_K_STR2;
	} else if (width == 4) {
		kind = PT_K_STR4;
	} else {
		pyd__emit_unreadable(s, obj);
		return;
	}
	size = length > 1ull << 40 ? 1ull << 42 : length * width;
	stored = pyd__cap(s, size, PYD_MAX_STRING) & ~(width - 1);
	pyd__emit_bytes(s, kind, 0, data, stored, -1, length, stored < size);
}

/* An int of up to 60 bits. Returns 0 when it is a larger one. */
PYD_FN int pyd__int_small(struct pyd_state *s, const struct pt_layout *l, int win)
{
	__u64 tag = pyd__win64(s, win + l->int_size), w = pyd__win64(s, win + l->int_digits), v = 0;
	int negative;

	if (l->int_tagged) {
		negative = (tag & 3) == 2;
		tag = (tag & 3) == 1 ? 0 : tag >> 3;
	} else {
		negative = (__s64)tag < 0;
		tag = negative ? -tag : tag;
	}
	if (tag > 2)
		return 0;
	if (tag >= 1)
		v = w & 0x3fffffff;
	if (tag == 2)
		v |= (w >> 32 & 0x3fffffff) << 30;
	pyd__emit8(s, PT_K_INT, 0, negative ? -v : v);
	return 1;
}

/* A larger one. */
PYD_FN void pyd__int(struct pyd_state *s, const struct pt_layout *l, __u64 obj, int win)
{
	__u64 tag = pyd__win64(s, win + l->int_size);
	__u64 digits, dropped;
	__u32 stored;
	int negative, cut = 0;

	if (l->int_tagged) {
		negative = (tag & 3) == 2;
		digits = tag >> 3;
	} else {
		negative = (__s64)tag < 0;
		digits = negative ? -tag : tag;
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
	pyd__emit_bytes(s, PT_K_BIGINT, negative ? PT_F_NEG : 0, obj + l->int_digits + dropped * 4,
	                stored * 4, cut ? -1 : pyd__win_behind(win, l->int_digits), digits, cut);
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

/*
 * Appends a node whose payload is [word] then the C string at addr, cut at limit - 1 bytes (limit
 * at most PT_CHUNK_MAX). A container's payload has no length in front when it is cut.
 */
PYD_FN void pyd__emit_cstr(struct pyd_state *s, __u8 kind, int with_word, __u64 word, __u64 addr,
                           __u32 limit, __u8 flags)
{
	__u32 node = s->out, at = node + 8, to, last;
	int again;
	long n = 0;

	for (again = 0; again < 2; again++) {
		if (again) {
			/* too long: once more, behind the length that says so; it is not known */
			flags |= PT_F_CUT;
			if (kind >= PT_K_TUPLE)
				break;
			at = node + 8;
			pyd__put64(s, at, ~0ull);
			at += 8;
		}
		if (with_word) {
			pyd__put64(s, at, word);
			at += 8;
		}
		to = at;
		PYD_BARRIER(to);
		to &= PYD_BUF_MASK;
		PYD_BARRIER(limit);
		if (limit > PT_CHUNK_MAX)
			return;
		n = PYD_READ_STR(s->buf + to, limit, addr);
		if (n != limit)
			break;
	}
	if (n < 1 || n > limit) {
		flags |= PT_F_UNREADABLE;
		s->unreadable++;
		n = 1;
	}
	n--;
	/* no stale byte in the padding */
	if (n & 7) {
		last = (at + (__u32)n) & ~7u;
		PYD_BARRIER(last);
		last &= PYD_BUF_MASK & ~7u;
		*(__u64 *)(s->buf + last) &= ~0ull >> (64 - ((__u32)n & 7) * 8);
	}
	pyd__put64(s, node, pyd__node(kind, flags, at - node - 8 + (__u32)n));
	s->out = at + (((__u32)n + 7) & ~7u);
}

/* Nodes of objects that are a name and a few pointers. */
PYD_FN void pyd__named(struct pyd_state *s, const struct pt_layout *l, int cls, __u64 obj, __u64 type)
{
	int win = pyd__window(s, obj,
	                      cls == PT_KNOWN_CODE       ? l->code_qualname + 8u
	                      : cls == PT_KNOWN_FUNCTION ? l->func_module + 8u
	                                                 : 72u);
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
		pyd__emit_cstr(s, PT_K_CFUNCTION, 0, 0, name, PYD_TP_NAME_MAX, flags);
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
		pyd__emit_cstr(s, PT_K_EXCEPTION, 0, 0, name, PYD_TP_NAME_MAX, flags);
	}
	if (!open)
		pyd__emit0(s, PT_K_END);
}

/* Whether o, a link-time address, is one of an array of cnt objects of `size` bytes each; *index is
 * which. */
PYD_FN int pyd__is_one_of(__u64 o, __u64 array, __u32 cnt, __u32 size, __u32 *index)
{
	__u64 at = o - array;

	if (at >= (__u64)cnt * size)
		return 0;
	*index = (__u32)at / size;
	return *index * size == at;
}

/* An int or a str by its address. Returns 0 when it is none of those. */
PYD_FN int pyd__singleton(struct pyd_state *s, const struct pt_singletons *all, __u64 o)
{
	__u32 i;

	if (pyd__is_one_of(o, all->ints, all->ints_cnt, all->int_size, &i)) {
		pyd__emit8(s, PT_K_INT, 0, (__u64)i - 5);
		return 1;
	}
	if (pyd__is_one_of(o, all->chars, all->chars_cnt, all->char_size, &i)) {
		pyd__put64(s, s->out, pyd__node(PT_K_STR, 0, 1));
		pyd__put64(s, s->out + 8, i);
		s->out += 16;
		return 1;
	}
	return 0;
}

/*
 * What most values are, and what all of it is known of with the object's first bytes: None, a bool,
 * an int of up to 60 bits, a compact str, none of them of a derived class. Returns 0 when it is
 * none of them: then nothing was done.
 */
PYD_FN int pyd__plain(struct pyd_state *s, const struct pt_site *site, __u64 obj)
{
	__u64 o = obj - s->bias, type;
	int win;

	if (o == site->known[PT_KNOWN_NONE]) {
		pyd__emit0(s, PT_K_NONE);
		return 1;
	}
	if (o == site->known[PT_KNOWN_TRUE] || o == site->known[PT_KNOWN_FALSE]) {
		pyd__emit0(s, o == site->known[PT_KNOWN_TRUE] ? PT_K_TRUE : PT_K_FALSE);
		return 1;
	}
	if (pyd__singleton(s, &site->singletons, o))
		return 1;
	win = pyd__window(s, obj, 64);
	if (win < 0)
		return 0;
	type = pyd__win64(s, win + site->layout.ob_type) - s->bias;
	if (type == site->known[PT_KNOWN_STR])
		return pyd__str_compact(s, &site->layout, obj, win);
	if (type == site->known[PT_KNOWN_INT])
		return pyd__int_small(s, &site->layout, win);
	return 0;
}

/* One value that is not plain. */
PYD_FN void pyd__value(struct pyd_state *s, const struct pt_site *site, __u64 obj)
{
	const struct pt_layout *l = &site->layout;
	__u64 type, size;
	int win, cls;

	win = pyd__window(s, obj, 64);
	if (win < 0)
		win = pyd__window(s, obj, l->ob_size + 16u);
	if (win < 0) {
		pyd__emit_unreadable(s, obj);
		return;
	}
	type = pyd__win64(s, win + l->ob_type);
	cls = pyd__class_of(s, site, type);
	size = pyd__win64(s, win + l->ob_size);
	switch (cls) {
	case PT_KNOWN_STR:
		if (!pyd__str_compact(s, l, obj, win))
			pyd__str(s, l, obj, win);
		break;
	case PT_KNOWN_INT:
		if (!pyd__int_small(s, l, win))
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
		pyd__bytes(s, PT_K_BYTES, obj + l->bytes_data, size,
		           pyd__win_behind(win, l->bytes_data));
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
		pyd__emit_cstr(s, PT_K_CLASS, 0, 0, pyd__win64(s, win + l->tp_name),
		               PYD_TP_NAME_MAX, 0);
		break;
	case PYD_CLASS_OBJECT:
		type = pyd__read_type(s, type) ? 0 : pyd__type64(s, l->tp_name);
		pyd__emit_cstr(s, PT_K_OBJECT, 1, obj, type, PYD_TP_NAME_MAX, 0);
		break;
	case PYD_CLASS_UNREAD:
		pyd__emit_unreadable(s, obj);
		break;
	default:
		pyd__named(s, l, cls, obj, type);
	}
}

#endif /* PYTRAIL_PYD_VALUE_H */
