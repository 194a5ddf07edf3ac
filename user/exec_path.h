/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which file execvp(3) would run in the end. */
#ifndef PYTRAIL_EXEC_PATH_H
#define PYTRAIL_EXEC_PATH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Finds `name` through $PATH, unless there is a '/' in it, and follows `#!` lines, those of
 * `/usr/bin/env [-S] [VAR=value]... COMMAND` too, up to four of them. Returns an open descriptor of
 * a regular file (of any content) and its path in found; -ENOENT, -EACCES, -ELOOP, -errno.
 */
int exec_path__open(const char *name, char *found, size_t size);

/*
 * The command that env(1) would run, given the one argument that a `#!` line can pass: in out,
 * terminated. Without -S it is the whole argument, which the kernel does not split. False: none.
 */
bool exec_path__env_command(const char *arg, char *out, size_t size);

#endif
