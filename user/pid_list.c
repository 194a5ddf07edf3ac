// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "pid_list.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

int pid_list__add(struct pid_list *l, pid_t pid)
{
	size_t cap = l->cap ? l->cap * 2 : 256;
	pid_t *v;

	if (l->cnt == l->cap) {
		v = reallocarray(l->v, cap, sizeof(*v));
		if (!v)
			return -ENOMEM;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->cnt++] = pid;
	return 0;
}

pid_t pid_list__next(DIR *dir)
{
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		char *end;
		long n = strtol(entry->d_name, &end, 10);

		if (!*end && n > 0 && n <= INT_MAX)
			return (pid_t)n;
	}
	return 0;
}

int pid_list__add_all(struct pid_list *l)
{
	DIR *proc = opendir("/proc");
	pid_t pid;
	int err = 0;

	if (!proc)
		return -errno;
	while (!err && (pid = pid_list__next(proc)))
		err = pid_list__add(l, pid);
	closedir(proc);
	return err;
}

bool pid_list__take(struct pid_list *l, pid_t *pid)
{
	if (l->next == l->cnt) {
		l->next = l->cnt = 0;
		return false;
	}
	*pid = l->v[l->next++];
	return true;
}

void pid_list__free(struct pid_list *l)
{
	free(l->v);
	*l = (struct pid_list){0};
}
