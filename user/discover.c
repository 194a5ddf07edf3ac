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
#include "pid_list.h"
#include "proc_maps.h"
#include "util/clock.h"
#include "util/log.h"

/* Not to hang on a fifo, nor to take a terminal. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

struct discover {
	struct file_table *files;
	uint64_t patience_ns;
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
	d->patience_ns = DISCOVER_PATIENCE_NS;
	return d;
}

void discover__set_patience(struct discover *d, uint64_t ns)
{
	d->patience_ns = ns;
}

void discover__free(struct discover *d)
{
	if (!d)
		return;
	file_table__free(d->files);
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
 * The file of a mapping: by /proc/PID/map_files, whose links lead to the very file, whatever the
 * mount namespace and though deleted, but want CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN (proc(5));
 * else by its name in the process's root, or as the executable, if the inode number is right.
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

/* Without the right to look, only a name can tell that there might have been something. */
static bool matters(const struct proc_map *m)
{
	return memmem(m->path, m->path_len, "python", 6) != NULL;
}

struct discover_look {
	struct discover *discover;
	pid_t pid;
	pid_t via; /* whose directory in /proc is read: the process, or a thread of it */
	struct proc_maps *maps;
	DIR *threads;         /* once the main thread has turned out to have ended */
	struct proc_map last; /* but for its path */
	bool any;
	struct binary *binary; /* that was found */
	uint64_t bias;
	int failed; /* -errno of a file that may have been one */
	const struct time_budget *budget;
};

/* False: enough for now. Each file takes some system calls, and one that is new much more. */
static bool on_map(void *ctx, const struct proc_map *m)
{
	struct discover_look *l = ctx;
	struct binary *b = NULL;
	bool same = m->ino == l->last.ino && m->dev == l->last.dev && m->path_len == l->last.path_len;
	int ret;

	l->any = true;
	if (!m->exec || !m->ino)
		return true;
	l->last = *m;
	if (same)
		return true;
	ret = look_at_map(l->discover, l->via, m, &b);
	if (ret < 0 && matters(m))
		l->failed = ret;
	if (ret == 1 && binary__bias(b, m->start, m->offset, &l->bias)) {
		l->binary = b;
		return false;
	}
	return !time_budget__is_over(l->budget);
}

int discover__look(struct discover *d, pid_t pid, struct discover_look **out)
{
	struct discover_look *l = calloc(1, sizeof(*l));
	int err;

	*out = NULL;
	if (!l)
		return -ENOMEM;
	l->discover = d;
	l->pid = l->via = pid;
	err = proc_maps__open(pid, &l->maps);
	if (err) {
		free(l);
		return err;
	}
	*out = l;
	return 0;
}

void discover__look_end(struct discover_look *l)
{
	if (!l)
		return;
	proc_maps__close(l->maps);
	if (l->threads)
		closedir(l->threads);
	free(l);
}

/*
 * A main thread that has ended leaves a process without memory to be seen under its own number,
 * while other threads go on: they are looked at instead. 1: there is one; 0, -errno: no.
 */
static int next_thread(struct discover_look *l)
{
	char path[64];
	pid_t tid;

	if (!l->threads) {
		switch (state_of(l->pid)) {
		case 0:
		case 'X':
			return -ESRCH;
		case 'Z':
			break;
		default:
			return 0; /* a thread of the kernel */
		}
		snprintf(path, sizeof(path), "/proc/%d/task", (int)l->pid);
		l->threads = opendir(path);
		if (!l->threads)
			return -ESRCH;
	}
	proc_maps__close(l->maps);
	l->maps = NULL;
	while ((tid = pid_list__next(l->threads)))
		if (tid != l->pid && !proc_maps__open(tid, &l->maps)) {
			l->via = tid;
			return 1;
		}
	return -ESRCH;
}

int discover__look_on(struct discover_look *l, const struct time_budget *budget,
                      struct discovered *out)
{
	int ret;

	memset(out, 0, sizeof(*out));
	l->budget = budget;
	do {
		ret = proc_maps__read(l->maps, on_map, l);
		/* a thread that ends while it is looked at is none; a process that does is gone */
		if (ret <= 0 && !l->any && (!ret || l->threads))
			ret = next_thread(l);
	} while (ret == 1 && !l->binary && !time_budget__is_over(budget));
	if (l->binary) {
		out->pid = l->pid;
		out->binary = l->binary;
		out->bias = l->bias;
		out->new_binary = file_table__is_first(l->discover->files, l->binary);
		return 1;
	}
	if (ret)
		return ret == 1 ? -EAGAIN : ret;
	if (!l->failed)
		return 0;
	return state_of(l->pid) ? l->failed : -ESRCH;
}

int discover__pid(struct discover *d, pid_t pid, struct discovered *out)
{
	struct time_budget budget = time_budget__new(d->patience_ns);
	struct discover_look *l;
	int ret;

	memset(out, 0, sizeof(*out));
	ret = discover__look(d, pid, &l);
	if (ret)
		return ret;
	ret = discover__look_on(l, &budget, out);
	discover__look_end(l);
	return ret == -EAGAIN ? -ETIME : ret;
}

int discover__all(struct discover *d, int (*cb)(void *ctx, const struct discovered *found), void *ctx)
{
	struct pid_list all = {0};
	int ret = pid_list__add_all(&all);
	pid_t pid;

	d->denied = 0;
	while (!ret && pid_list__take(&all, &pid)) {
		struct discovered found;
		int one = discover__pid(d, pid, &found);

		if (one == 1)
			ret = cb(ctx, &found);
		else if (one == -ENOMEM)
			ret = one;
		else if (one < 0 && one != -ESRCH)
			d->denied++;
	}
	pid_list__free(&all);
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

/* No executable is linked with more than one; of one that says so the first are looked for. */
#define LIBPYTHONS_MAX 4
/* A path can lead through 40 symbolic links of 4096 bytes: a walk of milliseconds. */
#define LDSO_NS 50000000u

/* The libpython that an executable is linked with. 1, 0, -errno. */
static int look_at_needed(struct discover *d, const char *root, const char *path,
                          struct elf_file *e, struct binary **out)
{
	struct time_budget budget = time_budget__new(LDSO_NS);
	char soname[256], found[PATH_MAX];
	int libpythons = 0;

	for (size_t i = 0; elf_file__dynamic_string(e, DT_NEEDED, i, soname, sizeof(soname)); i++) {
		int fd, ret;

		if (strncmp(soname, "libpython", 9))
			continue;
		if (libpythons++ == LIBPYTHONS_MAX)
			return 0;
		fd = ldso__open(e, root, path, soname, &budget, found, sizeof(found));
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
