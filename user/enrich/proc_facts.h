/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What /proc says of a process, read at once. */
#ifndef PYTRAIL_PROC_FACTS_H
#define PYTRAIL_PROC_FACTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../reader.h"

/* Bytes of a command line that are kept; there may be 2 MiB of them. */
#define PROC_ARGV_MAX (32 * 1024)
#define PROC_TEXT_MAX (64 * 1024)

/* Room that the facts point into. */
struct proc_room {
	char exe[PATH_MAX];
	char cwd[PATH_MAX];
	char argv[PROC_ARGV_MAX];
	char container[72];
	char text[PROC_TEXT_MAX];
};

/*
 * Reads the facts of a live process. start_ns, when not 0, must be its start (CLOCK_BOOTTIME), as near
 * as /proc tells it. 0: *out points into *room; what could not be read is NULL. -ESRCH: it is gone, or
 * its pid is another process's.
 */
int proc_facts__read(uint32_t pid, uint64_t start_ns, struct proc_room *room,
                     struct process_facts *out);

/* Whether the process is there that started at start_ns (0: any), as near as /proc tells it. What was
 * read of its pid before is then of this process. */
bool proc_facts__is_alive(uint32_t pid, uint64_t start_ns);

/*
 * Field 22 of the text of /proc/PID/stat: the start in clock ticks since boot (proc(5)). False when the
 * text is not of that form. comm, field 2, may hold spaces and parentheses: fields count from the last
 * one.
 */
bool proc_stat__start(const char *text, size_t len, uint64_t *ticks);

#endif
