/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The functions of an ELF file by address: of .symtab, else of .dynsym (gABI chapter 4, "Symbol
 * Table"). The file may be the attacker's: what is kept is bounded, and names are any bytes.
 */
#ifndef PYTRAIL_SYMBOLS_H
#define PYTRAIL_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../elf_file.h"

/* A file with more is taken for one without symbols; libpython has some 10000, in 400 kB of
 * names. */
#define SYMBOLS_MAX       (1u << 18)
#define SYMBOLS_NAMES_MAX (16u << 20)
/* A longer name is none. */
#define SYMBOL_NAME_MAX 1024

struct symbols;

/* 0 and *out (free with symbols__free), -ENOENT: there are none, -E2BIG: more than the above,
 * -ENOEXEC: malformed, -ENOMEM, -errno. The file is not needed any more afterwards. */
int symbols__load(struct elf_file *e, struct symbols **out);
void symbols__free(struct symbols *s);
/* Bytes of memory that it takes. */
size_t symbols__bytes(const struct symbols *s);

struct symbol {
	const char *name; /* terminated, not empty; valid as long as the symbols */
	uint64_t address; /* link-time */
};

/* The function that a link-time address lies in: by its size, or, when that is 0, up to the next
 * one. False: in none. */
bool symbols__find(const struct symbols *s, uint64_t address, struct symbol *out);

#endif
