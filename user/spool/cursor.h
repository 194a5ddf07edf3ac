/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * DIR/cursors/NAME.cur: how far an output is. Two slots with checksums, written in turn, so that
 * one is whole whenever a crash comes. The exporter writes it, without privileges; the writer of
 * the spool reads it and believes it no more than that it lets go of what the cursor is beyond.
 */
#ifndef PYTRAIL_CURSOR_H
#define PYTRAIL_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "item.h"
#include "reader.h"

#define CURSORS_NAME "cursors"

struct cursor {
	uint64_t spool_id; /* struct control_file */
	uint64_t run;      /* of the writer when it was written */
	struct spool_mark mark;
	struct spool_tally tally;
	char stream[ITEM_STREAM_MAX + 1]; /* terminated */
};

/* Opens the file of an output below the directory `cursors` of the spool at dirfd. A descriptor, or
 * -errno. */
int cursor__open(int dirfd, const char *output, bool write);
/* 0; -ENOENT: nothing was written to it yet; -EBADMSG: it is damaged; -errno. generation: for
 * cursor__write(). */
int cursor__read(int fd, struct cursor *out, uint64_t *generation);
/* 0 or -errno. Into the slot that is not the newest. */
int cursor__write(int fd, const struct cursor *c, uint64_t *generation);

#endif
