// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Any bytes as /proc/PID/cgroup, a path of a control group, /proc/PID/maps, /proc/PID/stat, and a
 * line of /proc/PID/mountinfo: paths and names in them are those that the process chose. What is
 * taken lies within the text, and ids have their characters only.
 */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/enrich/cgroup.h"
#include "user/enrich/proc_facts.h"
#include "user/mounts.h"
#include "user/proc_maps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_id(const char *id, size_t room)
{
	size_t len = strnlen(id, room);

	if (len == room || strspn(id, "0123456789abcdef-") != len)
		abort();
}

static void check_within(const char *s, size_t n, const char *text, size_t len)
{
	if (s && (s < text || n > len || s > text + len - n))
		abort();
}

static void check(const struct cgroup_facts *f, const char *text, size_t len)
{
	check_id(f->container_id, sizeof(f->container_id));
	check_id(f->pod_uid, sizeof(f->pod_uid));
	check_within(f->path, f->path_len, text, len);
	check_within(f->unit, f->unit_len, text, len);
}

static void as_cgroups(const char *text, size_t len)
{
	char id[CGROUP_ID_SIZE];
	struct cgroup_facts f;

	cgroup__parse(text, len, &f);
	check(&f, text, len);
	if (cgroup__container_id(text, len, id) != (id[0] != '\0'))
		abort();
	check_id(id, sizeof(id));
	memset(&f, 0, sizeof(f));
	cgroup__parse_path(text, len, &f);
	check(&f, text, len);
}

static void as_maps(const char *text, size_t len)
{
	char path[PATH_MAX];
	struct proc_map m;
	size_t pos = 0, before = 0;
	bool deleted;

	while (proc_maps__next(text, len, &pos, &m)) {
		check_within(m.path, m.path_len, text, len);
		if (pos <= before || pos > len + 1)
			abort();
		before = pos;
		if (proc_map__path(&m, path, sizeof(path), &deleted) && strlen(path) > m.path_len)
			abort();
	}
}

static void as_stat(const char *text, size_t len)
{
	struct proc_stat st;
	uint64_t ticks;

	if (proc_stat__parse(text, len, &st)) {
		check_within(st.comm, st.comm_len, text, len);
		if (!proc_stat__start(text, len, &ticks) || ticks != st.start)
			abort();
	}
}

/* In place. */
static void as_mount(char *line, size_t len)
{
	struct mount_entry m;

	line[len] = '\0';
	if (!mount_entry__parse(line, &m))
		return;
	check_within(m.path, strlen(m.path) + 1, line, len + 1);
	check_within(m.kind, strlen(m.kind) + 1, line, len + 1);
	mount_entry__is_local(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + !size), *line = malloc(size + 1);

	if (text && line) {
		memcpy(text, data, size);
		as_cgroups(text, size);
		as_maps(text, size);
		as_stat(text, size);
		memcpy(line, data, size);
		as_mount(line, size);
	}
	free(text);
	free(line);
	return 0;
}
