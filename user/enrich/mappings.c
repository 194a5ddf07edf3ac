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
#include "proc_facts.h"

/* An interpreter with everything has some hundred; the default vm.max_map_count is 65530. */
#define MAPPINGS_MAX 4096
/* Bytes of their paths that are kept. */
#define PATHS_MAX (256 * 1024)
/* A text that large is not kept for the next time. */
#define TEXT_KEPT (1024 * 1024)

#define PATH_ROOM (PATH_MAX + 64)
/* Not to hang on a fifo, nor to take a terminal. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

struct mappings {
	struct mapping *v; /* by address: the kernel's order */
	size_t cnt, cap;
	char *paths;
	size_t paths_len;
	uint32_t via; /* the thread whose /proc directory works */
};

static int push(struct mappings *m, struct buf *paths, const struct proc_map *map, size_t *path)
{
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
	/* Offset 0 is "". */
	path[m->cnt] = 0;
	if (map->ino && proc_map__path(map, name, sizeof(name), &deleted) &&
	    paths->len + strlen(name) + 1 <= PATHS_MAX) {
		path[m->cnt] = paths->len;
		buf__append(paths, name, strlen(name) + 1);
	}
	m->v[m->cnt++] = (struct mapping){
		.start = map->start,
		.end = map->end,
		.offset = map->offset,
		.ino = map->ino,
	};
	return paths->failed ? -ENOMEM : 0;
}

static int parse(struct mappings *m, const struct buf *text)
{
	struct buf paths = BUF_INIT;
	size_t path[MAPPINGS_MAX] = {0}, pos = 0;
	struct proc_map map;
	int err = 0;

	buf__char(&paths, '\0');
	while (!err && m->cnt < MAPPINGS_MAX && proc_maps__next(text->data, text->len, &pos, &map)) {
		if (!map.exec)
			continue;
		if (m->cnt && map.start < m->v[m->cnt - 1].end)
			continue; /* out of order: the kernel's text never is */
		err = push(m, &paths, &map, path);
	}
	m->paths = paths.data;
	m->paths_len = paths.cap;
	for (size_t i = 0; !err && i < m->cnt; i++)
		m->v[i].path = m->paths + path[i];
	return err;
}

static int read_text(struct mappings *m, uint32_t pid, uint32_t tid, struct buf *text)
{
	int err;

	buf__reset(text);
	m->via = pid;
	err = proc_maps__read((pid_t)pid, text);
	/* A main thread that has ended has no memory; the others go on. */
	if (!err && !text->len && tid != pid) {
		m->via = tid;
		err = proc_maps__read((pid_t)tid, text);
	}
	return !err && !text->len ? -ESRCH : err;
}

int mappings__read(uint32_t pid, uint32_t tid, uint64_t start_ns, struct buf *text,
                   struct mappings **out)
{
	struct mappings *m = calloc(1, sizeof(*m));
	int err;

	*out = NULL;
	if (!m)
		return -ENOMEM;
	err = read_text(m, pid, tid, text);
	/* Afterwards: a process that is there now was there then, and its pid nobody else's. */
	if (!err && !proc_facts__is_alive(pid, start_ns))
		err = -ESRCH;
	if (!err)
		err = parse(m, text);
	if (!err && !m->cnt)
		err = -ESRCH;
	if (text->cap > TEXT_KEPT) {
		buf__free(text);
		*text = BUF_INIT;
	}
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

/* A path that leads to the mapping's file, which is a regular one: to open a device can have effects. */
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
