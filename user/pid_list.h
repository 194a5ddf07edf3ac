/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Processes that are to be looked at, one after the other. */
#ifndef PYTRAIL_PID_LIST_H
#define PYTRAIL_PID_LIST_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct pid_list {
	pid_t *v;
	size_t cnt, cap;
	size_t next;
};

/* Adds one. 0 or -ENOMEM. */
int pid_list__add(struct pid_list *l, pid_t pid);

/* The next number among a directory's entries, of /proc or /proc/PID/task; 0 at the end. */
pid_t pid_list__next(DIR *dir);

/* Adds all that there are. 0 or -errno. */
int pid_list__add_all(struct pid_list *l);

/* Takes the next one. False: that were all, and the list is empty again. */
bool pid_list__take(struct pid_list *l, pid_t *pid);

void pid_list__free(struct pid_list *l);

#endif
