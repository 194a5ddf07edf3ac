// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "again.h"

#include <stdlib.h>
#include <string.h>

struct again {
	size_t slots;
	struct pt_audit *last; /* by slot; rec.size 0: there was none */
	unsigned char whole[PT_RECORD_MAX] __attribute__((aligned(8)));
};

struct again *again__new(size_t slots)
{
	struct again *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->slots = slots;
	a->last = calloc(slots, sizeof(*a->last));
	if (!a->last) {
		free(a);
		return NULL;
	}
	return a;
}

void again__free(struct again *a)
{
	if (!a)
		return;
	free(a->last);
	free(a);
}

const void *again__whole(struct again *a, const void *record, size_t *size)
{
	const struct pt_again *r = record;
	size_t len = *size, rest;
	struct pt_audit *out = (struct pt_audit *)a->whole;

	if (len < sizeof(*r) || r->size != len || r->version != PT_WIRE_VERSION)
		return record;
	if (r->kind == PT_REC_AUDIT && len >= sizeof(*out)) {
		const struct pt_audit *audit = record;

		if (audit->slot < a->slots)
			a->last[audit->slot] = *audit;
		return record;
	}
	rest = len - sizeof(*r);
	if (r->kind != PT_REC_AGAIN || r->slot >= a->slots || !a->last[r->slot].rec.size ||
	    rest > sizeof(a->whole) - sizeof(*out))
		return record;
	*out = a->last[r->slot];
	out->rec.size = (__u32)(sizeof(*out) + rest);
	out->rec.time_ns = r->time_ns;
	out->call_site = r->call_site;
	out->name_len = r->name_len;
	out->probe = r->probe;
	out->flags = r->flags;
	out->name_kind = r->name_kind;
	memcpy(out + 1, r + 1, rest);
	*size = out->rec.size;
	return out;
}
