// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "mappings.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../proc_maps.h"
#include "../util/buf.h"
#include "../util/clock.h"
#include "proc_facts.h"

/* An interpreter with everything has some hundred; the default vm.max_map_count is 65530. */
#define MAPPINGS_MAX 4096
/* Bytes of their paths that are kept. */
#define PATHS_MAX (256 * 1024)
/* Anybody can have so many that the kernel writes for minutes. */
#define READ_MAX_NS 100000000u

#define PATH_ROOM   (PATH_MAX + 64)
/* Not to hang on a fifo, nor to take a terminal. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

struct mappings {
	struct mapping *v; /* by address: the kernel's order */
	size_t cnt, cap;
	char *paths;
	size_t paths_len;
	uint32_t via; /* the thread whose /proc directory works */
};

/* What is read of a process. */
struct reading {
	struct mappings *m;
	struct buf paths;
	size_t path[MAPPINGS_MAX]; /* offsets in paths, of which 0 is "" */
	bool any;
	int err;
};

static int push(struct reading *r, const struct proc_map *map)
{
	struct mappings *m = r->m;
	char name[PATH_MAX];
	bool deleted;

	if (m->cnt == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : 64;
		struct mapping *v = realloc(m->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		m->v = v;
		m->cap = cap;
	}
	r->path[m->cnt] = 0;
	if (map->ino && proc_map__path(map, name, sizeof(name), &deleted) &&
	    r->paths.len + strlen(name) + 1 <= PATHS_MAX) {
		r->path[m->cnt] = r->paths.len;
		buf__append(&r->paths, name, strlen(name) + 1);
	}
	m->v[m->cnt++] = (struct mapping){
		.start = map->start,
		.end = map->end,
		.offset = map->offset,
		.ino = map->ino,
	};
	return r->paths.failed ? -ENOMEM : 0;
}

static bool on_map(void *ctx, const struct proc_map *map)
{
	struct reading *r = ctx;
	struct mappings *m = r->m;

	r->any = true;
	/* out of order: the kernel's text never is */
	if (map->exec && (!m->cnt || map->start >= m->v[m->cnt - 1].end))
		r->err = push(r, map);
	return !r->err && m->cnt < MAPPINGS_MAX;
}

static int read_maps(struct reading *r, uint32_t tid)
{
	struct time_budget budget = time_budget__new(READ_MAX_NS);
	struct proc_maps *maps;
	int ret;

	r->m->via = tid;
	ret = proc_maps__open((pid_t)tid, &maps);
	if (ret)
		return ret;
	do
		ret = proc_maps__read(maps, on_map, r);
	while (ret == 1 && !r->err && r->m->cnt < MAPPINGS_MAX && !time_budget__is_over(&budget));
	proc_maps__close(maps);
	if (r->err)
		return r->err;
	return ret == 1 && r->m->cnt < MAPPINGS_MAX ? -ETIME : ret < 0 ? ret : 0;
}

static int read_process(struct reading *r, uint32_t pid, uint32_t tid)
{
	int err;

	buf__char(&r->paths, '\0');
	err = read_maps(r, pid);
	/* A main thread that has ended has no memory; the others go on. */
	if (!err && !r->any && tid != pid)
		err = read_maps(r, tid);
	if (!err && !r->m->cnt)
		err = -ESRCH;
	r->m->paths = r->paths.data;
	r->m->paths_len = r->paths.cap;
	for (size_t i = 0; !err && i < r->m->cnt; i++)
		r->m->v[i].path = r->m->paths + r->path[i];
	return err;
}

int mappings__read(uint32_t pid, uint32_t tid, uint64_t start_ns, struct mappings **out)
{
	struct mappings *m = calloc(1, sizeof(*m));
	struct reading *r = calloc(1, sizeof(*r));
	int err = -ENOMEM;

	*out = NULL;
	if (m && r) {
		r->m = m;
		err = read_process(r, pid, tid);
	}
	free(r);
	/* Afterwards: a process that is there now was there then, and its pid nobody else's. */
	if (!err && !proc_facts__is_alive(pid, start_ns))
		err = -ESRCH;
	if (err) {
		mappings__free(m);
		return err;
	}
	*out = m;
	return 0;
}

void mappings__free(struct mappings *m)
{
	if (!m)
		return;
	free(m->v);
	free(m->paths);
	free(m);
}

size_t mappings__bytes(const struct mappings *m)
{
	return sizeof(*m) + m->cap * sizeof(*m->v) + m->paths_len;
}

struct mapping *mappings__find(struct mappings *m, uint64_t address)
{
	size_t low = 0, high = m->cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->v[mid].end <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low < m->cnt && m->v[low].start <= address ? &m->v[low] : NULL;
}

/* A path that leads to the mapping's file, which is a regular one: to open a device can have
 * effects. */
static int find_file(const struct mapping *m, const struct mappings *of, char path[PATH_ROOM],
                     struct stat *st)
{
	if (!m->ino)
		return -ENOENT;
	snprintf(path, PATH_ROOM, "/proc/%u/map_files/%" PRIx64 "-%" PRIx64, of->via, m->start,
	         m->end);
	if (!stat(path, st))
		return S_ISREG(st->st_mode) ? 0 : -ENOENT;
	if (m->path[0] != '/')
		return -ENOENT;
	snprintf(path, PATH_ROOM, "/proc/%u/root%s", of->via, m->path);
	return !stat(path, st) && S_ISREG(st->st_mode) && st->st_ino == m->ino ? 0 : -ENOENT;
}

int mapping__identify(struct mapping *m, const struct mappings *of, uint32_t pid, uint64_t start_ns)
{
	char path[PATH_ROOM];
	struct stat st;
	int err;

	err = find_file(m, of, path, &st);
	/* Afterwards, as in mappings__read(). */
	if (!proc_facts__is_alive(pid, start_ns))
		return -ESRCH;
	if (err)
		return err;
	m->id = file_id__of(&st);
	m->identified = true;
	return 0;
}

int mapping__open(const struct mapping *m, const struct mappings *of)
{
	char path[PATH_ROOM];
	struct file_id id;
	struct stat st;
	int fd, err;

	err = find_file(m, of, path, &st);
	if (err)
		return err;
	fd = open(path, OPEN_FLAGS);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st)) {
		id = file_id__of(&st);
		if (file_id__same(&id, &m->id))
			return fd;
	}
	close(fd);
	return -ENOENT;
}
