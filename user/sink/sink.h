/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Sinks: bytes to the world. To add one: a file here and a row in sink.c. */
#ifndef PYTRAIL_SINK_H
#define PYTRAIL_SINK_H

#include <stdbool.h>
#include <stddef.h>

struct sink;

/* dest: "-" or NULL for standard output, else a file, by its path or PATH?SETTINGS (file_dest.h);
 * it is created with mode 0600 unless set, and appended to; a symbolic link in a directory that
 * others can write to is refused. 0 and *out (free with sink__close), or -errno, said with
 * log__error already. */
int sink__open(const char *dest, struct sink **out);

/* Takes whole records. Buffers; 0 or -errno (-EPIPE: the reader is gone, -ENOSPC ...), once
 * said. */
int sink__write(struct sink *s, const char *data, size_t len);
/* Hands on what is buffered. 0 or -errno. */
int sink__flush(struct sink *s);
int sink__close(struct sink *s);
/* A file that was renamed or removed meanwhile is made anew. 0; -ENOTSUP: it is no file; -errno,
 * said: then what is open is written on. */
int sink__reopen(struct sink *s);
bool sink__is_terminal(const struct sink *s);
/* The terminal's width as it is now, 80 when it does not tell; 0: not a terminal. */
unsigned sink__columns(const struct sink *s);

#endif
