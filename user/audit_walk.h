/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Proves, by following the code of PySys_Audit() or _PySys_Audit() with symbolic values, which
 * function it hands its arguments to: sys_audit_tstate(tstate, event, format, va_list), CPython
 * 3.9+ (Python/sysmodule.c), which has no name in a stripped file. Layout of va_list and the
 * register save area: x86-64 psABI 3.5.7.
 */
#ifndef PYTRAIL_AUDIT_WALK_H
#define PYTRAIL_AUDIT_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "elf_image.h"

/*
 * The callee that every way through the function comes to, with the function's own event and format
 * in rsi and rdx, and in rcx a va_list over its varargs, started anew; first_vararg is the number
 * of the function's named parameters (PySys_Audit 2, _PySys_Audit 3). False: not proven; it is
 * inlined, or reached under a condition.
 */
bool audit_walk__callee(const struct elf_image *image, uint64_t function, unsigned first_vararg,
                        uint64_t *callee);

/* Whether every way through the function comes to a direct call of callee, whatever it passes: a
 * copy for callers without a format passes NULL. */
bool audit_walk__reaches(const struct elf_image *image, uint64_t function, uint64_t callee);

/* The number of named parameters of a variadic function, by the registers that its prologue saves
 * for va_arg; -1 when it does not look like one. */
int audit_walk__first_vararg(const struct elf_image *image, uint64_t function);

#endif
