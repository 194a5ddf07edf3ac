/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Whose a process is: its real user, as in the kernel's records. Not the owner of its files in
 * /proc, which is root's when it has made itself one that must not be looked into
 * (PR_SET_DUMPABLE).
 */
#ifndef PYTRAIL_PROC_USER_H
#define PYTRAIL_PROC_USER_H

#include <stdint.h>
#include <sys/types.h>

/* Root for one that is gone. */
uint32_t proc_user__of(pid_t pid);
/* By a descriptor of /proc/PID. */
uint32_t proc_user__of_dir(int dir);

#endif
