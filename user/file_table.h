/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Files that have been looked at, so that each is analysed once: by inode, which is what the kernel
 * hangs a uprobe on, and not by name. Owns the binaries in it.
 */
#ifndef PYTRAIL_FILE_TABLE_H
#define PYTRAIL_FILE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "binary.h"

struct file_table;

enum file_verdict {
	FILE_UNKNOWN,
	FILE_NO_INTERPRETER,
	FILE_INTERPRETER,
};

struct file_table *file_table__new(void); /* NULL: no memory */
void file_table__free(struct file_table *t);

/* overlay: the file lies on an overlay file system. *out is set with FILE_INTERPRETER. */
enum file_verdict file_table__find(struct file_table *t, const struct stat *st, bool overlay,
                                   struct binary **out);

/*
 * The same of a file that file_table__find() does not know, by its open descriptor: where an
 * overlay is involved the kernel tells whether it is one that is known by another name. It is known
 * by this one, too, then.
 */
enum file_verdict file_table__find_open(struct file_table *t, int fd, const struct stat *st,
                                        bool overlay, struct binary **out);

/* b NULL: no interpreter. Takes b over, also on error: 0, -ENOMEM, -EMFILE: there
 * are so many interpreters that their open descriptors take half of what this process may have. */
int file_table__add(struct file_table *t, const struct stat *st, bool overlay, struct binary *b);

/* Frees a binary of the table, and forgets that its file was looked at. */
void file_table__forget(struct file_table *t, struct binary *b);

/* True the first time that it is asked about b. */
bool file_table__is_first(struct file_table *t, const struct binary *b);

size_t file_table__binaries(const struct file_table *t, struct binary *const **out);

#endif
