/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Rotated files: FILE becomes FILE.20260131T090000.123456Z by one rename, never over another file.
 * A thread of low priority compresses them (….zst, whole under that name or not there) and removes
 * the oldest, so that who writes is not held back.
 */
#ifndef PYTRAIL_ROTATE_H
#define PYTRAIL_ROTATE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct rotator;

/*
 * dirfd and base: where FILE is; both copied. What an earlier run has left is seen to as well.
 * 0; -ENOENT, -ENOTSUP: there is no libzstd; or -errno, with a sentence in `why`.
 */
int rotator__new(int dirfd, const char *base, size_t keep, bool zstd, struct rotator **out,
                 struct buf *why);
/* Renames FILE. 0 or -errno. */
int rotator__rotate(struct rotator *r);
/* Waits for what is to be compressed. */
void rotator__free(struct rotator *r);

#endif
