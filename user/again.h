/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Makes whole records of those that left out what an earlier one has said: struct pt_again. */
#ifndef PYTRAIL_AGAIN_H
#define PYTRAIL_AGAIN_H

#include <stddef.h>

#include "../bpf/wire.h"

struct again;

/* slots: of the kernel's scratch. NULL: out of memory. Free with again__free(). */
struct again *again__new(size_t slots);
void again__free(struct again *a);

/*
 * The record as everybody else wants it: itself, or, for a PT_REC_AGAIN, a PT_REC_AUDIT that is
 * valid until the next call; *size is then its. One that can not be made whole, or is malformed, is
 * returned as it is: its reader refuses it. Records must be given in the order of the ring.
 */
const void *again__whole(struct again *a, const void *record, size_t *size);

#endif
