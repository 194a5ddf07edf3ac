/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Reads an ELF file that may be the attacker's: 64-bit, of this machine's byte order. Every offset,
 * length, count and link is checked against the file's size before it is used.
 *
 * By pread, on purpose: a mapping raises SIGBUS when its file is cut while it is being read, and
 * libelf takes in whole sections, where a scan of the host wants to dismiss a file after a few
 * hundred bytes. Sections are used where there are any (notes of probes have no segment), segments
 * for the rest, since a stripped file need not have section headers. Facts of the format are from
 * the System V ABI (gABI) chapters 4 and 5, and elf(5).
 */
#ifndef PYTRAIL_ELF_FILE_H
#define PYTRAIL_ELF_FILE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct elf_file;

/* 0 and *out (free with elf_file__close), -ENOEXEC: not a regular ELF file for this machine that
 * the system could load, or a malformed one, or -errno. fd is borrowed: it must stay open. */
int elf_file__open(int fd, struct elf_file **out);
/* The same for a machine (EM_X86_64, EM_AARCH64) that this need not be. */
int elf_file__open_for(uint16_t machine, int fd, struct elf_file **out);
void elf_file__close(struct elf_file *e);

const Elf64_Ehdr *elf_file__header(const struct elf_file *e);
/* The program headers, checked to lie in the file; their contents are not. */
const Elf64_Phdr *elf_file__segments(const struct elf_file *e, size_t *cnt);

/* The file's bytes at an offset: 0; -ENOEXEC when they are not all there; -EFBIG when so much was
 * read of it that it can be no interpreter, but is made to keep us busy; -errno. */
int elf_file__read(struct elf_file *e, uint64_t offset, void *buf, size_t len);
/* The bytes that the file has for a link-time address. */
int elf_file__read_address(struct elf_file *e, uint64_t address, void *buf, size_t len);
/* The offset of an address in a PT_LOAD, where the file has bytes for it. */
bool elf_file__address_to_offset(const struct elf_file *e, uint64_t address, uint64_t *offset);

/* A copy of a part of the file (free() it), a NUL behind it that is not counted. NULL and errno:
 * not all there, more than ELF_FILE_LOAD_MAX bytes, no memory; EFBIG: as above. */
#define ELF_FILE_LOAD_MAX (128u << 20)
void *elf_file__load(struct elf_file *e, uint64_t offset, uint64_t len);

/* The first section of that name (at most 31 bytes) at index *index or later, which is moved behind
 * it. */
bool elf_file__find_section(struct elf_file *e, const char *name, size_t *index, Elf64_Shdr *out);

/* Calls cb for each named, defined symbol of .dynsym (dynamic) or .symtab, until it returns false;
 * of more than two million for the first of them. The name is terminated. 0, -ENOENT: no such
 * table, -ENOEXEC: malformed, -errno. */
int elf_file__each_symbol(struct elf_file *e, bool dynamic,
                          bool (*cb)(void *ctx, const char *name, const Elf64_Sym *sym), void *ctx);

/* Whether the dynamic symbol table defines the name: by the hash table, in a few small reads. */
bool elf_file__exports(struct elf_file *e, const char *name);

/* The index-th dynamic entry of that tag: false when there is none. */
bool elf_file__dynamic(struct elf_file *e, int64_t tag, size_t index, uint64_t *value);
/* The string that such an entry names (DT_NEEDED, DT_SONAME, DT_RUNPATH ...), terminated, in buf:
 * false when there is none or it does not fit. */
bool elf_file__dynamic_string(struct elf_file *e, int64_t tag, size_t index, char *buf, size_t size);

#endif
