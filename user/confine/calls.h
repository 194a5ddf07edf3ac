/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The system calls that are left to the tracer once it is attached: a seccomp filter of all its
 * threads. */
#ifndef PYTRAIL_CALLS_H
#define PYTRAIL_CALLS_H

#include <stdbool.h>

struct buf;

/*
 * From here on, for all threads, with no way back, and without new privileges. What is not on the
 * list fails with ENOSYS, as in an older kernel: a new C library goes on by another way. What only
 * an intruder would call (to execute a program, to load a module, to write into another process)
 * ends the process with SIGSYS: one that has been taken over must not go on with what it can see,
 * and systemd starts another. programs: whether BPF programs are still to be loaded; then it can be
 * called once more, without. 0 or -errno with a sentence in `why`.
 */
int calls__confine(bool programs, struct buf *why);

#endif
