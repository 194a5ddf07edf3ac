/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "discover.h"
#include "elf_file.h"
#include "exec_path.h"
#include "file_table.h"
#include "ldso.h"
#include "proc_maps.h"
#include "util/buf.h"
#include "util/log.h"

/* Not to hang on a fifo, nor to take a terminal. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

struct discover {
	struct file_table *files;
	struct buf maps;
	size_t denied;
	bool said_full;
};

struct discover *discover__new(void)
{
	struct discover *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->files = file_table__new();
	if (!d->files) {
		free(d);
		return NULL;
	}
	return d;
}

void discover__free(struct discover *d)
{
	if (!d)
		return;
	file_table__free(d->files);
	buf__free(&d->maps);
	free(d);
}

/* Looks into a file that has not been seen yet. Takes fd over. 1, 0, -errno. */
static int analyse(struct discover *d, int fd, const struct stat *st, bool overlay,
                   const char *name, struct binary **out)
{
	struct binary *b = NULL;
	int err;

	if (!binary__is_candidate(fd)) {
		close(fd);
		return file_table__add(d->files, st, overlay, NULL);
	}
	err = binary__open(fd, name, &b);
	if (err && err != -ENOEXEC)
		return err;
	err = file_table__add(d->files, st, overlay, b);
	if (err == -EMFILE && !d->said_full) {
		d->said_full = true;
		log__warn("%s is not looked at, nor are others that are new: there are more Python "
		          "files than half of the descriptors that pytrail may have (ulimit -n)",
		          name);
	}
	if (err)
		return err;
	*out = b;
	return b ? 1 : 0;
}

/* Whether the open file holds an interpreter. Takes fd over. 1 and *out, 0, -errno. */
static int look_at(struct discover *d, int fd, const char *name, struct binary **out)
{
	enum file_verdict verdict;
	struct statfs fs;
	struct stat st;
	bool overlay;
	int err;

	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	overlay = fs.f_type == OVERLAYFS_SUPER_MAGIC;
	verdict = S_ISREG(st.st_mode) ? file_table__find(d->files, &st, overlay, out)
	                              : FILE_NO_INTERPRETER;
	if (verdict == FILE_UNKNOWN)
		verdict = file_table__find_open(d->files, fd, &st, overlay, out);
	if (verdict != FILE_UNKNOWN) {
		close(fd);
		return verdict == FILE_INTERPRETER;
	}
	return analyse(d, fd, &st, overlay, name, out);
}

/*
 * As look_at(), by path; a file that is known is not even opened. ino: what it must have, 0: any.
 * Only regular files are opened: to open a device can have effects.
 */
static int look_by_path(struct discover *d, const char *path, uint64_t ino, const char *name,
                        struct binary **out)
{
	enum file_verdict verdict;
	struct stat st;
	int fd;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	if (ino && st.st_ino != ino)
		return -ESTALE;
	/* Without statfs(): two names of a file on an overlay are told by look_at(). */
	verdict = file_table__find(d->files, &st, false, out);
	if (verdict != FILE_UNKNOWN)
		return verdict == FILE_INTERPRETER;
	fd = open(path, OPEN_FLAGS);
	if (fd < 0)
		return -errno;
	return look_at(d, fd, name, out);
}

/*
 * The file of a mapping: by /proc/PID/map_files, whose links lead to the very file, whatever the mount
 * namespace and though deleted, but want CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN (proc(5)); else by
 * its name in the process's root, or as the executable, if the inode number is right.
 */
static int look_at_map(struct discover *d, pid_t pid, const struct proc_map *m, struct binary **out)
{
	char name[PATH_MAX], path[PATH_MAX + 64];
	bool deleted;
	int ret, err;

	if (!proc_map__path(m, name, sizeof(name), &deleted))
		snprintf(name, sizeof(name), "?");
	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, (int)pid, m->start,
	         m->end);
	ret = look_by_path(d, path, 0, name, out);
	if (ret >= 0 || name[0] != '/')
		return ret;
	err = ret;
	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)pid, name);
	ret = look_by_path(d, path, m->ino, name, out);
	if (ret >= 0)
		return ret;
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	ret = look_by_path(d, path, m->ino, name, out);
	return ret >= 0 ? ret : err;
}

/* State letter of a process, proc(5) /proc/PID/stat; 0: it is gone. */
static char state_of(pid_t pid)
{
	char path[64], text[512], *paren;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* The name before it may have any characters in it. */
	paren = strrchr(text, ')');
	return paren && paren[1] == ' ' ? paren[2] : 0;
}

/* The next number among a directory's entries, 0 at the end. */
static pid_t next_pid(DIR *dir)
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

/* Reads the maps into d->maps. A main thread that has ended leaves a process without memory to be seen
 * under its own number, while other threads go on: *via is then one of them. */
static int read_maps(struct discover *d, pid_t pid, pid_t *via)
{
	char path[64];
	pid_t tid;
	DIR *dir;
	int err;

	*via = pid;
	buf__reset(&d->maps);
	err = proc_maps__read(pid, &d->maps);
	if (err || d->maps.len)
		return err;
	switch (state_of(pid)) {
	case 0:
	case 'X':
		return -ESRCH;
	case 'Z':
		break;
	default:
		return 0; /* a thread of the kernel */
	}
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		return -ESRCH;
	while (!d->maps.len && (tid = next_pid(dir)))
		if (tid != pid && !proc_maps__read(tid, &d->maps))
			*via = tid;
	closedir(dir);
	return d->maps.len ? 0 : -ESRCH;
}

/* Without the right to look, only a name can tell that there might have been something. */
static bool matters(const struct proc_map *m)
{
	return memmem(m->path, m->path_len, "python", 6) != NULL;
}

int discover__pid(struct discover *d, pid_t pid, struct discovered *out)
{
	struct proc_map map, last = {0};
	pid_t via;
	size_t pos = 0;
	int err, failed = 0;

	memset(out, 0, sizeof(*out));
	err = read_maps(d, pid, &via);
	if (err)
		return err;
	while (proc_maps__next(d->maps.data, d->maps.len, &pos, &map)) {
		struct binary *b = NULL;
		int ret;

		if (!map.exec || !map.ino)
			continue;
		if (map.ino == last.ino && map.dev == last.dev && map.path_len == last.path_len)
			continue;
		last = map;
		ret = look_at_map(d, via, &map, &b);
		if (ret < 0 && matters(&map))
			failed = ret;
		if (ret != 1)
			continue;
		if (!binary__bias(b, map.start, map.offset, &out->bias))
			continue;
		out->pid = pid;
		out->binary = b;
		out->new_binary = file_table__is_first(d->files, b);
		return 1;
	}
	if (!failed)
		return 0;
	return state_of(pid) ? failed : -ESRCH;
}

int discover__all(struct discover *d, int (*cb)(void *ctx, const struct discovered *found), void *ctx)
{
	DIR *proc = opendir("/proc");
	pid_t pid;
	int ret = 0;

	if (!proc)
		return -errno;
	d->denied = 0;
	while (!ret && (pid = next_pid(proc))) {
		struct discovered found;
		int one = discover__pid(d, pid, &found);

		if (one == 1)
			ret = cb(ctx, &found);
		else if (one == -ENOMEM)
			ret = one;
		else if (one < 0 && one != -ESRCH)
			d->denied++;
	}
	closedir(proc);
	return ret;
}

void discover__forget(struct discover *d, struct binary *b)
{
	file_table__forget(d->files, b);
}

size_t discover__denied(const struct discover *d)
{
	return d->denied;
}

/* The libpython that an executable is linked with. 1, 0, -errno. */
static int look_at_needed(struct discover *d, const char *root, const char *path,
                          struct elf_file *e, struct binary **out)
{
	char soname[256], found[PATH_MAX];

	for (size_t i = 0; elf_file__dynamic_string(e, DT_NEEDED, i, soname, sizeof(soname)); i++) {
		int fd, ret;

		if (strncmp(soname, "libpython", 9))
			continue;
		fd = ldso__open(e, root, path, soname, found, sizeof(found));
		if (fd < 0)
			continue;
		ret = look_at(d, fd, found, out);
		if (ret)
			return ret;
	}
	return 0;
}

/* An executable, or the libpython it needs. fd is borrowed. 1, 0, -errno. */
static int look_at_executable(struct discover *d, int fd, const char *root, const char *path,
                              struct discovered *out)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), ret;
	struct elf_file *e;

	if (copy < 0)
		return -errno;
	ret = look_at(d, copy, path, &out->binary);
	if (ret == 0 && !elf_file__open(fd, &e)) {
		ret = look_at_needed(d, root, path, e, &out->binary);
		elf_file__close(e);
	}
	if (ret == 1)
		out->new_binary = file_table__is_first(d->files, out->binary);
	return ret;
}

int discover__path(struct discover *d, const char *path, struct discovered *out)
{
	char found[PATH_MAX];
	int fd, ret;

	memset(out, 0, sizeof(*out));
	fd = exec_path__open(path, found, sizeof(found));
	if (fd < 0)
		return fd;
	ret = look_at_executable(d, fd, NULL, found, out);
	close(fd);
	return ret;
}

int discover__executed(struct discover *d, pid_t pid, int fd, struct discovered *out)
{
	char link[64], root[64], path[PATH_MAX];
	ssize_t n;

	memset(out, 0, sizeof(*out));
	out->pid = pid;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	snprintf(root, sizeof(root), "/proc/%d/root", (int)pid);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return -errno;
	path[n] = '\0';
	return look_at_executable(d, fd, root, path, out);
}

int discover__fd(struct discover *d, pid_t pid, int fd, struct discovered *out)
{
	char path[64], name[PATH_MAX];
	ssize_t n;
	int ret;

	memset(out, 0, sizeof(*out));
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	n = readlink(path, name, sizeof(name) - 1);
	if (n < 0)
		return -errno;
	name[n] = '\0';
	ret = look_by_path(d, path, 0, name, &out->binary);
	if (ret == 1) {
		out->pid = pid;
		out->new_binary = file_table__is_first(d->files, out->binary);
	}
	return ret;
}

size_t discover__binaries(const struct discover *d, struct binary *const **out)
{
	return file_table__binaries(d->files, out);
}
