/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The function of sys.audit in an interpreter: it is static, and found in a stripped file through
 * its row in the table of the sys module's methods, a struct PyMethodDef {ml_name @0, ml_meth @8,
 * int ml_flags @16, ml_doc @24} (Include/methodobject.h) with name "audit" and METH_FASTCALL
 * (0x80).
 */
#ifndef PYTRAIL_AUDIT_METHOD_H
#define PYTRAIL_AUDIT_METHOD_H

#include <stdbool.h>
#include <stdint.h>

#include "audit_symbols.h"
#include "elf_image.h"

/* False: not found, or there are several that differ. */
bool audit_method__find(const struct elf_image *image, uint64_t *function);

/* The function to which the builtin passes its arguments as ("O", tuple): the copy of _PySys_Audit
 * made for it, if there are several. False: not seen in its code. */
bool audit_method__variadic(const struct elf_image *image, const struct audit_symbols *symbols,
                            uint64_t function, uint64_t *callee);

/*
 * The range of code from which it calls one of the callees: all of the function as a rule, its cold
 * part where profile-guided optimisation has split that off, the function it calls in turn where
 * its body was not inlined, no more than the call when no table says where the function ends.
 * Returns the number of such places; with 0 the range is the function's.
 */
size_t audit_method__calls_on(const struct elf_image *image, const struct audit_symbols *symbols,
                              uint64_t function, const uint64_t *callees, size_t cnt,
                              struct code_range *out);

#endif
