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

#define CGROUP_POD_SIZE 37 /* a UUID or 32 hexadecimal digits, and a NUL */

/* All that the text says. Paths point into the text and are NULL when not known. */
struct cgroup_facts {
	/* the one that tells most: of the container, of a unit, else the longest; not "/" */
	const char *path;
	size_t path_len;
	/* systemd's: the innermost service, scope and the like; of no container */
	const char *unit;
	size_t unit_len;
	char container_id[CGROUP_ID_SIZE]; /* or "" */
	char pod_uid[CGROUP_POD_SIZE];     /* of Kubernetes, in lower case with dashes; or "" */
};

void cgroup__parse(const char *text, size_t len, struct cgroup_facts *out);
/* Pod and unit by a path alone; container_id is taken from it when there is one. */
void cgroup__parse_path(const char *path, size_t len, struct cgroup_facts *out);

/* Reads /proc/PID/cgroup into text and parses it. 0 or -errno, *out then says nothing. */
int cgroup__of_pid(pid_t pid, char *text, size_t size, struct cgroup_facts *out);

#endif
