/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The functions of an interpreter through which every audit event passes, and which instructions of
 * them to probe when there is no USDT (or when asked to do without it):
 *
 *	PySys_Audit(event, format, ...)                         exported; 3.8+
 *	_PySys_Audit(tstate, event, format, ...)                local; 3.9+; LTO makes copies of it
 *	sys_audit_tstate(tstate, event, format, va_list)        local; 3.9+; both call it, unless inlined
 *	sys_audit(module, args, nargs)                          static: the sys.audit builtin
 *
 * (CPython, Python/sysmodule.c.) The builtin returns without calling the others when there is no
 * hook and no USDT, and calls _PySys_Audit (3.8: PySys_Audit) when there is one.
 *
 * One probe at sys_audit_tstate when it is proven that the variadic functions hand everything to
 * it, otherwise one at each of them; and one at the builtin.
 */
#ifndef PYTRAIL_AUDIT_FUNCTIONS_H
#define PYTRAIL_AUDIT_FUNCTIONS_H

#include "binary.h"
#include "elf_file.h"

/*
 * Fills entries, builtin_start, builtin_end and missing of b, whose other members have been found.
 * 0 also when something was not found: missing says then what cannot be seen. -ENOTSUP: not on this
 * architecture, -errno; missing is set then, too.
 */
int audit_functions__find(struct elf_file *e, struct binary *b);

#endif
