/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Finds references in the code of a file without knowing what of it is code, or, on x86-64, where
 * its instructions begin: by the bytes of an instruction at every position. A chance hit is
 * possible, so callers prove what they find.
 */
#ifndef PYTRAIL_CODE_SCAN_H
#define PYTRAIL_CODE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf_image.h"

struct code_range {
	uint64_t start;
	uint64_t end; /* behind it */
};

typedef bool (*branch_cb)(void *ctx, uint64_t from, uint64_t target, bool is_call);

/* Calls cb for each direct call and jump, and conditional jump if so wanted, that (on x86-64)
 * has an offset of 32 bits and leads into one of the ranges, until it returns false; in no
 * order. False: that it did, or there are more places that look like one than code has (4 million,
 * as in a file made to keep us busy). */
bool code_scan__branches(const struct elf_image *image, const struct code_range *ranges, size_t cnt,
                         bool conditional, branch_cb cb, void *ctx);

/* Calls cb for each instruction that loads one of these addresses (sorted) into rsi: lea, or in a
 * file that is not relocated mov; on arm64 into x1: adr, or adrp and add. False: as above. */
bool code_scan__loads(const struct elf_image *image, const uint64_t *addresses, size_t cnt,
                      bool (*cb)(void *ctx, uint64_t from, uint64_t address), void *ctx);

/* Addresses of these strings (terminated ones, also as ends of longer ones) in parts of the file
 * that are not written to; sorted. Returns how many, at most max. Of more ends of strings than a
 * file has (2 million) the first are looked at. */
size_t code_scan__strings(const struct elf_image *image, const char *const *strings, size_t cnt,
                          uint64_t *out, size_t max);

/* The end of a function for which no table has it: behind the instruction that ends its flow and
 * that no jump seen until then leads beyond; at most 16 KB on. */
uint64_t code_scan__function_end(const struct elf_image *image, uint64_t function);

/* The function behind a stub of the procedure linkage table, when the file defines it itself;
 * otherwise the address as it is. */
uint64_t code_scan__through_plt(const struct elf_image *image, uint64_t address);

#endif
