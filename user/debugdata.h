/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Section .gnu_debugdata: the symbol table of a stripped file as an ELF file of its own, compressed
 * by xz (gdb manual, "MiniDebugInfo"; Fedora and RHEL put it into every binary).
 */
#ifndef PYTRAIL_DEBUGDATA_H
#define PYTRAIL_DEBUGDATA_H

#include "elf_file.h"

/* Calls cb for its symbols as elf_file__each_symbol() does. 0, -ENOENT: there is none, -ENOEXEC:
 * malformed or out of all proportion, -errno. */
int debugdata__each_symbol(struct elf_file *e,
                           bool (*cb)(void *ctx, const char *name, const Elf64_Sym *sym), void *ctx);

#endif
