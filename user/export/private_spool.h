/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The directory of a spool that lives no longer than its tracer: pytrail-XXXXXX in $TMPDIR, or in
 * /var/tmp. */
#ifndef PYTRAIL_PRIVATE_SPOOL_H
#define PYTRAIL_PRIVATE_SPOOL_H

#include <sys/types.h>

#define PRIVATE_SPOOL_MAX  4096    /* of its path */
#define PRIVATE_SPOOL_NAME "spool" /* of the spool in it */

/*
 * Makes one that the exporter's group can reach and nobody else looks into; dir: room for its path,
 * "" on error. Before that, what tracers that were killed have left there is removed, but not what
 * holds events, which may not have been delivered: with -v it is said that it is there. 0, or
 * -errno with the reason said.
 */
int private_spool__make(gid_t gid, char dir[PRIVATE_SPOOL_MAX]);

/* Removes it with all that is in it, which nobody may be writing any more. */
void private_spool__remove(const char *dir);

#endif
