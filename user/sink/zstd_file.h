/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A file compressed in place: NAME becomes NAME.zst, which is whole or not there. By libzstd,
 * loaded when used. */
#ifndef PYTRAIL_ZSTD_FILE_H
#define PYTRAIL_ZSTD_FILE_H

struct buf;

/* As dynlib__load(). Before the first zstd_file__compress(). */
int zstd_file__load(struct buf *why);
/* 0 or -errno: then NAME is as it was. -EEXIST: there is a NAME.zst. */
int zstd_file__compress(int dirfd, const char *name);

#endif
