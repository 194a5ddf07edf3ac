/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the files of the `json` format share; formats that are JSON too may use it. */
#ifndef PYTRAIL_JSON_H
#define PYTRAIL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chars.h"
#include "format.h"
#include "../util/buf.h"

/* What json__values() met and json__notes() has to say. */
enum json_note {
	JSON_NOTE_TRUNCATED = 1 << 0,
	JSON_NOTE_UNREADABLE = 1 << 1,
	JSON_NOTE_UNDECODED = 1 << 2,
	JSON_NOTE_REDACTED = 1 << 3, /* a text has marks in it */
};

/* json_value.c: appends the object of the arguments, or null when there is none to read; returns
 * a set of enum json_note, the event's name included. */
unsigned json__values(struct buf *out, const struct event *ev);

/* Those on one node. Mostly there is nothing to look at. */
unsigned json__marked_node_notes(const struct node *n);
static inline unsigned json__node_notes(const struct node *n)
{
	return n->flags || n->kind == PT_K_UNREADABLE || n->kind == PT_K_UNDECODED
	               ? json__marked_node_notes(n)
	               : 0;
}
/* Only those on the event's name. */
unsigned json__name_notes(const struct event *ev);

/*
 * The value of one node, and moves `it`, which stands behind the node, behind all of the value. The
 * notes are those of the value alone.
 */
unsigned json__value(struct buf *out, struct node_iter *it, const struct node *n);

/*
 * json_notes.c: the same notes as objects with the same members always,
 * `,"truncated":[{"path":"args.source", "length":10240}],"unreadable":["args.headers"]`; an event
 * without arguments to be read has "args" among "undecoded".
 */
void json__notes_as_lists(struct buf *out, const struct event *ev, unsigned notes);

/* json_notes.c: appends the members for a set of notes, each with a comma before it. */
void json__notes(struct buf *out, const struct event *ev, unsigned notes);

/* How many notes of each sort an event may have. Beyond it one for "args" as a whole follows, so
 * that a hostile record can not swell its rendering by its paths. */
#define JSON_NOTES_MAX 256

/* json_dict.c: whether a dict is rendered as an object: each key is a str that is whole, is there
 * once, and does not begin with "$" as the members of our own objects do. `it` stands behind the
 * dict's node. */
bool json__dict_is_object(struct node_iter it);

static inline bool json__is_str(uint8_t kind)
{
	return kind >= PT_K_STR && kind <= PT_K_UTF8;
}

/* json_string.c: a JSON string of a node's characters, quotes included; bytes are taken for
 * UTF-8. */
void json__node_string(struct buf *out, const struct node *n);
/* The same, and json__string(), without lone surrogates, which not every reader of JSON takes: a
 * byte that is not UTF-8 becomes \x80, a surrogate \ud800, characters of the string. */
void json__whole_node_string(struct buf *out, const struct node *n);
void json__whole_string(struct buf *out, const char *s, size_t len);

/* json_number.c */
/* As Python's repr() and json.dumps() of a float, {"$float":"nan"} for what JSON does not have. */
void json__float(struct buf *out, double v);
/* repr() only: "nan", "-inf" ...; out has room for FLOAT_REPR_MAX bytes. Returns the length. */
#define FLOAT_REPR_MAX 40
size_t float__repr(char *out, double v);
void json__bigint(struct buf *out, const struct node *n);
/* The hexadecimal digits of a PT_K_BIGINT, without sign and 0x: what is stored. */
void bigint__hex(struct buf *out, const struct node *n);
/* True and *v when the magnitude fits 64 bits. */
bool bigint__u64(const struct node *n, uint64_t *v);
/* Hexadecimal digits of the true value, UINT64_MAX when not known. */
uint64_t bigint__hex_length(const struct node *n);

/* Why events were lost, as "cause" has it: "ring_full". */
const char *lost_cause__name(uint32_t cause);
/* Whether the kernel's programs count it (struct pt_counters.lost). */
bool lost_cause__in_kernel(uint32_t cause);

/* What a container with a fixed number of children looks like. */
struct json_shape {
	const char *child[2];   /* before each child */
	const char *missing[2]; /* in place of one that is not there */
	const char *close;
	const char *path[2]; /* of the child in notes */
};
const struct json_shape *json__shape(uint8_t kind); /* NULL: items */

/* "0x7f12…" in lower case. */
static inline char *hex__u64(char *p, uint64_t v)
{
	int shift = v ? (63 - __builtin_clzll(v)) / 4 * 4 : 0;

	*p++ = '0';
	*p++ = 'x';
	for (; shift >= 0; shift -= 4)
		*p++ = "0123456789abcdef"[v >> shift & 15];
	return p;
}

#endif
