// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "ancestry.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc_facts.h"
#include "../format/format.h"
#include "../util/buf.h"

bool ancestry__put(char *list, size_t size, size_t *len, const struct ancestor *a)
{
	size_t comm = strlen(a->comm) + 1, exe = strlen(a->exe) + 1;
	char pid[16];
	size_t n = (size_t)snprintf(pid, sizeof(pid), "%u", a->pid) + 1;

	if (size - *len < n + comm + exe)
		return false;
	memcpy(list + *len, pid, n);
	memcpy(list + *len + n, a->comm, comm);
	memcpy(list + *len + n + comm, a->exe, exe);
	*len += n + comm + exe;
	return true;
}

void ancestry__append(char *list, size_t size, size_t *len, const char *from, size_t from_len,
                      size_t max)
{
	const char *end = from + from_len;
	struct ancestor a;

	while (max-- && ancestry__next(&from, end, &a) && ancestry__put(list, size, len, &a))
		continue;
}

static const char *take(const char **pos, const char *end)
{
	const char *s = *pos, *nul = s < end ? memchr(s, '\0', (size_t)(end - s)) : NULL;

	if (!nul)
		return NULL;
	*pos = nul + 1;
	return s;
}

bool ancestry__next(const char **pos, const char *end, struct ancestor *out)
{
	const char *pid = take(pos, end);
	unsigned long v;
	char *rest;

	if (!pid || *pid < '0' || *pid > '9')
		return false;
	v = strtoul(pid, &rest, 10);
	if (*rest || v > UINT32_MAX)
		return false;
	out->pid = (uint32_t)v;
	out->comm = take(pos, end);
	out->exe = out->comm ? take(pos, end) : NULL;
	return out->exe;
}

void ancestry__json(struct buf *out, const char *list, size_t len)
{
	const char *end = list + len;
	struct ancestor a;

	buf__char(out, '[');
	for (int i = 0; i < ANCESTRY_MAX && ancestry__next(&list, end, &a); i++) {
		if (i)
			buf__char(out, ',');
		buf__lit(out, "{\"pid\":");
		buf__u64(out, a.pid);
		buf__lit(out, ",\"comm\":");
		json__string(out, a.comm, strlen(a.comm));
		if (*a.exe) {
			buf__lit(out, ",\"exe\":");
			json__string(out, a.exe, strlen(a.exe));
		}
		buf__char(out, '}');
	}
	buf__char(out, ']');
}

/* One process through one descriptor of /proc/PID, as in proc_facts.c. False when it is not there,
 * or did not start before. Its own start becomes the new limit, its parent the next pid. */
static bool read_one(uint32_t *pid, uint64_t *before_ns, char *list, size_t size, size_t *len)
{
	char path[32], stat[1024], comm[64], exe[PATH_MAX];
	struct ancestor a = {.pid = *pid, .comm = comm, .exe = exe};
	struct proc_stat st;
	ssize_t n;
	int dir;

	snprintf(path, sizeof(path), "/proc/%u", *pid);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return false;
	n = proc_facts__text(dir, "stat", stat, sizeof(stat));
	if (n <= 0 || !proc_stat__parse(stat, (size_t)n, &st) ||
	    proc_stat__start_ns(&st) > *before_ns) {
		close(dir);
		return false;
	}
	n = readlinkat(dir, "exe", exe, sizeof(exe) - 1);
	close(dir);
	exe[n > 0 ? n : 0] = '\0';
	snprintf(comm, sizeof(comm), "%.*s", (int)st.comm_len, st.comm);
	*pid = st.ppid;
	*before_ns = proc_stat__start_ns(&st);
	return ancestry__put(list, size, len, &a);
}

void ancestry__read(uint32_t pid, uint64_t before_ns, char *list, size_t size, size_t *len)
{
	/* /proc rounds down to ticks: the same tick is before */
	for (int i = 0; i < ANCESTRY_MAX && pid; i++) {
		if (!read_one(&pid, &before_ns, list, size, len))
			return;
	}
}
