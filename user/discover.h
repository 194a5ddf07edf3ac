/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which live processes have a CPython in them, and in which file: through the executable mappings
 * of /proc/PID/maps, opened by /proc/PID/map_files (or /proc/PID/exe, root), so that other mount
 * namespaces, deleted files and a start through ld.so work.
 */
#ifndef PYTRAIL_DISCOVER_H
#define PYTRAIL_DISCOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "binary.h"

struct discover;
struct time_budget;

struct discovered {
	pid_t pid;
	struct binary *binary; /* owned by the discover object, one per (dev, inode) */
	uint64_t bias;         /* run-time minus link-time address of the file in this process */
	bool new_binary;       /* first time that this file is seen */
};

struct discover *discover__new(void);
void discover__free(struct discover *d);

/*
 * How long a look at the mappings of one process may take: anybody can have a million of them,
 * which take the kernel minutes to write. This is the default: for a command that looks once.
 */
#define DISCOVER_PATIENCE_NS 1000000000ull /* of a struct time_budget */
void discover__set_patience(struct discover *d, uint64_t ns);

/*
 * Looks at one process. 1 and *out: it has an interpreter; 0: it has none; -ESRCH: no such process
 * (or it exited meanwhile); -ETIME: none among the mappings that could be looked at in time;
 * -EACCES and others: it could not be looked at.
 */
int discover__pid(struct discover *d, pid_t pid, struct discovered *out);

/*
 * The same for who has other things to do meanwhile: looks on until the budget is spent, at one
 * mapping of a file at least. -EAGAIN: there are more. discover__look() gives -errno as above.
 */
struct discover_look;
int discover__look(struct discover *d, pid_t pid, struct discover_look **out);
int discover__look_on(struct discover_look *l, const struct time_budget *budget,
                      struct discovered *out);
void discover__look_end(struct discover_look *l);

/* Looks at every process; cb is called for each with an interpreter. 0, or what cb returned when
 * not 0, or -errno. Files once found to be no interpreter are remembered by (dev, inode, mtime). */
int discover__all(struct discover *d, int (*cb)(void *ctx, const struct discovered *found),
                  void *ctx);

/* Analyses a file that nobody runs yet, by path (an executable about to be started; `#!` lines are
 * followed, /usr/bin/env included). 1, 0 or -errno as above; an executable that needs a shared
 * libpython gives that library. */
int discover__path(struct discover *d, const char *path, struct discovered *out);

/* Looks at the file that a process has open as `fd`: 1, 0 or -errno as above. out->pid is set. */
int discover__fd(struct discover *d, pid_t pid, int fd, struct discovered *out);

/*
 * Looks at what a process has executed, or is about to, open here as fd (borrowed); a libpython
 * that it needs is looked for in the process's root. 1, 0 or -errno as above. out->pid is set.
 */
int discover__executed(struct discover *d, pid_t pid, int fd, struct discovered *out);

/* How many processes the last discover__all() was not allowed to look at. */
size_t discover__denied(const struct discover *d);

/* Frees a binary that is used no more. */
void discover__forget(struct discover *d, struct binary *b);

size_t discover__binaries(const struct discover *d, struct binary *const **out);

#endif
