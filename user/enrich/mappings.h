/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The executable mappings of a process, read at once and kept; see proc_maps.h for the text they
 * are in. */
#ifndef PYTRAIL_MAPPINGS_H
#define PYTRAIL_MAPPINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "modules.h"

struct mappings;

struct mapping {
	uint64_t start, end;
	uint64_t offset;  /* of start, in the file */
	uint64_t ino;     /* 0: no file */
	const char *path; /* terminated; "" when there is none, or no room for it */
	bool identified;  /* id is set */
	struct file_id id;
};

/*
 * Reads those of a process that started at start_ns (CLOCK_BOOTTIME, 0: any) through one of its
 * threads. *out (free with mappings__free) has at least one. 0; -ESRCH: it is gone, or its pid is
 * another process's; -ETIME: it has more than can be read in a tenth of a second; -ENOMEM, -errno.
 */
int mappings__read(uint32_t pid, uint32_t tid, uint64_t start_ns, struct mappings **out);
void mappings__free(struct mappings *m);
size_t mappings__bytes(const struct mappings *m);

/* NULL: none is at the address. */
struct mapping *mappings__find(struct mappings *m, uint64_t address);

/*
 * Finds out what the file of a mapping is: m->id. By /proc/PID/map_files, whose links lead to the
 * very file, whatever the mount namespace and though deleted, but want CAP_CHECKPOINT_RESTORE or
 * CAP_SYS_ADMIN (proc(5)); else by its path in the process's root, if the inode number is right. 0;
 * -ESRCH: the process is gone; -ENOENT: not a regular file, or not to be reached.
 */
int mapping__identify(struct mapping *m, const struct mappings *of, uint32_t pid, uint64_t start_ns);

/* Opens the file of a mapping that is identified. A descriptor, -ENOENT: it is not there any more,
 * or another, -errno. */
int mapping__open(const struct mapping *m, const struct mappings *of);

#endif
