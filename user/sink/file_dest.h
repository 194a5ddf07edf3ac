/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A file as a destination: a path, or PATH?NAME=VALUE&NAME=VALUE. Without a '?' it is a path as it
 * is; with one, everything behind the first is settings, and in the path %3F is '?' and %25 is '%'.
 */
#ifndef PYTRAIL_FILE_DEST_H
#define PYTRAIL_FILE_DEST_H

#include "../util/settings.h"

struct buf;

/* rotate_size, rotate_every, keep, compress, mode. */
extern const struct setting file_settings[];

/* 0 with *path (to be freed) and *settings (settings__free()), or -EINVAL, -ENOMEM with half a
 * sentence in `why`. */
int file_dest__parse(const char *dest, char **path, struct settings **settings, struct buf *why);

#endif
