/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What /proc says of a process, read at once. */
#ifndef PYTRAIL_PROC_FACTS_H
#define PYTRAIL_PROC_FACTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "container_json.h"
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
	char venv[PATH_MAX];
	char names[4 * CONTAINER_TEXT_MAX];
};

/*
 * Reads the facts of a live process. start_ns, when not 0, must be its start (CLOCK_BOOTTIME), as
 * near as /proc tells it. 0: *out points into *room; what could not be read is NULL. -ESRCH: it is
 * gone, or its pid is another process's.
 */
int proc_facts__read(uint32_t pid, uint64_t start_ns, struct proc_room *room,
                     struct process_facts *out);

/*
 * Only what an exec does not change, in place of what *out has: cwd, control group and container.
 * -ESRCH: as above, *out stays as it is.
 */
int proc_facts__place(uint32_t pid, uint64_t start_ns, struct proc_room *room,
                      struct process_facts *out);

/* Whether the file that it executes has the name of a Python interpreter. */
bool proc_facts__is_python(uint32_t pid);

/* Whether the process is there that started at start_ns (0: any), as near as /proc tells it. What
 * was read of its pid before is then of this process. */
bool proc_facts__is_alive(uint32_t pid, uint64_t start_ns);

struct proc_stat {
	const char *comm; /* in the text; not terminated */
	size_t comm_len;
	uint32_t ppid;
	uint64_t start; /* in clock ticks since boot */
};

/* Fields 2, 4 and 22 of the text of /proc/PID/stat (proc(5)). False when it is not of that form. */
bool proc_stat__parse(const char *text, size_t len, struct proc_stat *out);
/* Nanoseconds since boot, rounded down to ticks. */
uint64_t proc_stat__start_ns(const struct proc_stat *st);

/* Up to `size` bytes of a file in the directory; -1 when there is none. */
ssize_t proc_facts__text(int dir, const char *name, char *out, size_t size);

/*
 * Field 22 of the text of /proc/PID/stat: the start in clock ticks since boot (proc(5)). False when
 * the text is not of that form. comm, field 2, may hold spaces and parentheses: fields count from
 * the last one.
 */
bool proc_stat__start(const char *text, size_t len, uint64_t *ticks);

#endif
