/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Looks into a process that decides how long they take: its memory may be a file of its own FUSE
 * server, its mmap lock may be held all the time, and no signal but a fatal one ends the wait. They
 * are done by a thread that nobody waits for longer than he wants to.
 */
#ifndef PYTRAIL_PATIENT_H
#define PYTRAIL_PATIENT_H

#include <stdbool.h>
#include <sys/types.h>

/* Looks that nobody waits for any more and that are not through: of all, and of processes of one
 * user. */
#define PATIENT_OUT_MAX      8
#define PATIENT_OUT_USER_MAX 3

/*
 * Runs run(arg) in another thread, which has CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH at most, and
 * waits for it for some ms. pid is the process that is looked into. To be called by one thread at
 * a time.
 *
 * 0: it has run, arg is the caller's.
 * -ETIME: it has not come back. arg is the thread's, which calls drop(arg) when it does.
 * -EINPROGRESS: not run, arg is the caller's: a look into that process has not come back yet.
 * -EBUSY: not run, arg is the caller's: too many are out, the process's user has made us wait for
 * too long lately (a quarter of the time, of all users half of it), or there is no thread.
 *
 * arg must not lead to what can go while the caller lives on: descriptors are to be duplicated.
 */
int patient__run(pid_t pid, unsigned ms, void (*run)(void *arg), void (*drop)(void *arg), void *arg);

/* In run(): whether somebody still waits. What takes many steps asks before each. */
bool patient__is_awaited(void);

/* Looks that nobody waits for and that are not through. */
unsigned patient__out(void);

#endif
