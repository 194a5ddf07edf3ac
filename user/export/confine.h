/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a process gives up that talks to the network: user, capabilities, system calls, dumps. */
#ifndef PYTRAIL_CONFINE_H
#define PYTRAIL_CONFINE_H

#include <stdbool.h>
#include <sys/types.h>

struct buf;

/*
 * Becomes uid and gid (as far as we may) without other groups, capabilities and a way back, not
 * dumpable, with limits on core files, processes and descriptors; ends when its parent ends. 0 or
 * -errno with a sentence in `why`. parent: who that is.
 */
int confine__user(uid_t uid, gid_t gid, pid_t parent, struct buf *why);

/*
 * From here on only what network clients need is allowed: everything else fails with ENOSYS, and
 * sockets are of the internet, unix or, to look at routes, netlink. With `commands` (the exec
 * driver: what it starts is under the same filter) all is allowed but what is for administrators,
 * tracers and kernel exploits.
 */
int confine__calls(bool commands, struct buf *why);

#endif
