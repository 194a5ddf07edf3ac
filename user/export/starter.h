/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Who starts exporters: a process that is forked before the tracer gives up its privileges, and
 * keeps only what it takes to become another user. It knows nothing but where the program is; what
 * it starts are the tracer's own children, which do not inherit the tracer's filter of system
 * calls.
 */
#ifndef PYTRAIL_STARTER_H
#define PYTRAIL_STARTER_H

#include <sys/types.h>

/* Forks it, if it is not there yet: to be called before caps__drop(). 0 or -errno. */
int starter__begin(void);

/*
 * A new exporter with these descriptors (link.h; listen_fd may be -1), which stay the caller's. Its
 * process id, to be waited for, or -errno: -EPIPE when the starter has been killed.
 */
pid_t starter__start(int link_fd, int config_fd, int listen_fd);

/* Ends it, if it is there. */
void starter__end(void);

#endif
