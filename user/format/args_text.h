/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Arguments for databases in which a field has one type for ever: each is one string. A str is its
 * text, with lone surrogates written out (json.h); anything else the JSON text of the `json`
 * format: 524288, null, ["id","-u"], {"$object":"socket","address":"0x7f12"}. A dot in an
 * argument's name becomes '_', as it would make two levels of it.
 */
#ifndef PYTRAIL_ARGS_TEXT_H
#define PYTRAIL_ARGS_TEXT_H

#include "../reader.h"

struct buf;

/* Appends `{"path":"/etc/passwd","mode":"r","flags":"524288"}`, {} when there is nothing to read.
 * Returns a set of enum json_note as json__values() does. */
unsigned args_text__object(struct buf *out, const struct event *ev);

/* The arguments one by one, for formats that are not JSON. */
struct args_text {
	struct node_iter it;
	const struct catalog_signature *sig;
	uint32_t i;
	/* The argument at hand. */
	/* as in the catalog, dots and all; NULL: it has none, its number is i - 1 */
	const char *name;
	struct node node;
	const char *json; /* NULL: node is a text; else the JSON text, valid until the next call */
	size_t json_len;
};

void args_text__begin(struct args_text *a, const struct event *ev);
bool args_text__next(struct args_text *a);

#endif
