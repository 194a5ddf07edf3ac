/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Items that a receiver will never take, for people to look at: a file of JSON lines, {"time",
 * "output", "status", "code", "reason", "id", "event", "body"}, the body as a string. Bounded: when
 * it is full it becomes FILE.1.
 */
#ifndef PYTRAIL_DEADLETTER_H
#define PYTRAIL_DEADLETTER_H

#include <stdint.h>

#include "../sink/driver.h"

struct dead_letters;

/* path: NULL: nothing is written. max_bytes 0: 64 MiB. Opens nothing yet. NULL: no memory. */
struct dead_letters *dead_letters__new(const char *path, uint64_t max_bytes, const char *output);
void dead_letters__free(struct dead_letters *d);
/* What cannot be written is said, once. */
void dead_letters__add(struct dead_letters *d, const struct item *it, enum delivery_status status,
                       int code, const char *reason);

#endif
