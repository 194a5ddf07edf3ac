/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Where the dynamic linker would take a program's shared libraries from: ld.so(8), of glibc. */
#ifndef PYTRAIL_LDSO_H
#define PYTRAIL_LDSO_H

#include <stddef.h>

struct elf_file;
struct time_budget;

/*
 * Finds a library that e, loaded from the file `path`, needs: in DT_RPATH or DT_RUNPATH with
 * $ORIGIN, in LD_LIBRARY_PATH of this process, in /etc/ld.so.cache, and in the standard
 * directories. A file of another machine is passed over. root: all these, and path, lie below that
 * directory, and links do not lead out of it; NULL: in this process's root. Of very many places
 * (256) only the first are looked at, and none when the budget is spent. Returns an open
 * descriptor and its path, below root, in found, or -ENOENT.
 */
int ldso__open(struct elf_file *e, const char *root, const char *path, const char *soname,
               const struct time_budget *budget, char *found, size_t size);

#endif
