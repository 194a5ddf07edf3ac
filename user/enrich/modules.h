/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Mapped files by what they are (device, inode, size, time of change), so that each is read once
 * however many processes map it: from an offset in the file to a link-time address and its
 * function. Bounded: the ones not used for longest go.
 */
#ifndef PYTRAIL_MODULES_H
#define PYTRAIL_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

struct modules;
struct module;

/* No descriptor is held, so an inode number may become another file's: size and time of change,
 * which cannot be set at will, tell. */
struct file_id {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec ctime;
};

struct file_id file_id__of(const struct stat *st);
bool file_id__same(const struct file_id *a, const struct file_id *b);

/* NULL: no memory. */
struct modules *modules__new(size_t max_files, size_t max_bytes);
void modules__free(struct modules *m);

/* The file, NULL: not (any more) here. Valid until the next modules__load(). */
const struct module *modules__find(struct modules *m, const struct file_id *id);

/* Reads the open file, which is not kept, and puts it in: also one that is no ELF file, which then
 * has no addresses. NULL: no memory, or the file cannot be read. */
const struct module *modules__load(struct modules *m, int fd);

size_t modules__count(const struct modules *m);

/* The link-time address of an offset in the file, by the executable segment that it is loaded with:
 * false when there is none. */
bool module__address(const struct module *m, uint64_t file_offset, uint64_t *address);

/* Whether an executable segment of the file is loaded at a link-time address. */
bool module__covers(const struct module *m, uint64_t address);

/* The function of a link-time address: its name (terminated, any bytes) and how far into it. */
bool module__symbol(const struct module *m, uint64_t address, const char **name, uint64_t *offset);

#endif
