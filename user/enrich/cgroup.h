/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which container a process is in, from the text of /proc/PID/cgroup (see cgroups(7)). */
#ifndef PYTRAIL_CGROUP_H
#define PYTRAIL_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CGROUP_ID_SIZE 65 /* 64 hexadecimal digits, or 32 and a number, and a NUL */

/*
 * The container id in the text, terminated, or "" and false when there is none. Known are the paths
 * that Docker, containerd, CRI-O, Podman, Kubernetes and ECS make, with both cgroup drivers and on
 * both versions of cgroups. Only lower-case hexadecimal digits and '-' are ever put out.
 */
bool cgroup__container_id(const char *text, size_t len, char out[CGROUP_ID_SIZE]);

/* Reads /proc/PID/cgroup. 1 and the id, 0 and "" when the process is in no container, or -errno. */
int cgroup__of_pid(pid_t pid, char out[CGROUP_ID_SIZE]);

#endif
