/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the file's tables say of its functions: the names of the audit functions from .dynsym,
 * .symtab or .gnu_debugdata, and where functions begin and end from .eh_frame or else from the
 * symbols.
 */
#ifndef PYTRAIL_AUDIT_SYMBOLS_H
#define PYTRAIL_AUDIT_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "code_scan.h"
#include "eh_frame.h"
#include "elf_file.h"

#define AUDIT_COPIES_MAX 32

struct audit_symbols {
	uint64_t pysys_audit;              /* PySys_Audit, 0: not found, as below */
	uint64_t copies[AUDIT_COPIES_MAX]; /* _PySys_Audit and what LTO made of it */
	size_t copies_cnt;
	uint64_t tstate;              /* sys_audit_tstate */
	uint64_t builtin;             /* sys_audit */
	bool complete;                /* there is a table of the local functions */
	struct code_range *functions; /* sorted; owned; only when there is no .eh_frame */
	size_t functions_cnt;
	uint64_t *exported; /* addresses of functions in .dynsym, sorted; owned */
	size_t exported_cnt;
	bool has_frames;
	struct eh_frame frames;
};

/* 0, -errno. Free with audit_symbols__free, also after an error. The image is borrowed. */
int audit_symbols__load(struct elf_file *e, const struct elf_image *image, struct audit_symbols *out);
void audit_symbols__free(struct audit_symbols *s);

/* The range of the function, or of the part of one, that holds the address. */
bool audit_symbols__function(const struct audit_symbols *s, uint64_t address, struct code_range *out);

/* Whether a function that begins there is exported: none of the local ones then. */
bool audit_symbols__is_exported(const struct audit_symbols *s, uint64_t address);

#endif
