/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The mounts of this process's mount namespace: proc(5), /proc/PID/mountinfo. */
#ifndef PYTRAIL_MOUNTS_H
#define PYTRAIL_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

struct mount_entry {
	const char *path; /* where it is mounted, unescaped */
	const char *kind; /* of file system: "ext4" */
};

/*
 * Takes one line of mountinfo apart, in place. False: it is no such line.
 */
bool mount_entry__parse(char *line, struct mount_entry *out);

/*
 * Whether programs are run from that kind of file system, and its files lie on this machine:
 * opening one cannot hang because a server, or a process (FUSE), does not answer.
 */
bool mount_entry__is_local(const struct mount_entry *m);

/* Calls fn for each mount. fd: of /proc/self/mountinfo, at any offset. 0 or -errno. */
int mounts__each(int fd, void (*fn)(void *ctx, const struct mount_entry *m), void *ctx);

#endif
