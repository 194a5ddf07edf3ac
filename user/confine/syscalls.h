/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Lists of system calls for seccomp filters, by name: what every process of ours needs, and how a
 * list is added. */
#ifndef PYTRAIL_SYSCALLS_H
#define PYTRAIL_SYSCALLS_H

#include <stddef.h>
#include <stdint.h>

#include <seccomp.h>

/* Files, memory, threads, time, signals, waiting: glibc's needs and ours. */
extern const char *const syscalls__common[];
extern const size_t syscalls__common_cnt;

/* Sockets: to make one is left to the filter. */
extern const char *const syscalls__sockets[];
extern const size_t syscalls__sockets_cnt;

/* Names that this architecture or libseccomp does not know are passed over. 0 or -errno. */
int syscalls__add(scmp_filter_ctx f, uint32_t action, const char *const *names, size_t cnt);

/* Allowed: new threads, no new processes; sockets of these families; these requests of ioctl(2). 0
 * or -errno. */
int syscalls__allow_threads(scmp_filter_ctx f);
int syscalls__allow_families(scmp_filter_ctx f, const int *families, size_t cnt);
int syscalls__allow_requests(scmp_filter_ctx f, const scmp_datum_t *requests, size_t cnt);

#endif
