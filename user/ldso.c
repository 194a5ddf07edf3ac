/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "elf_file.h"
#include "ldso.h"
#include "util/clock.h"

#define CACHE     "/etc/ld.so.cache"
#define CACHE_MAX (4u << 20) /* of a host with everything it is 300 kB */

/*
 * Files tried for one library, and bytes of their paths: which they are is the file's say, or the
 * cache's in a container, and each is a walk through directories that somebody else may have made.
 * Long search paths (Nix, Spack, conda) have some fifty directories.
 */
#define TRIES_MAX      256
#define TRIES_PATH_MAX (64u << 10)

#if defined(__x86_64__)
#define MULTIARCH "x86_64-linux-gnu"
#elif defined(__aarch64__)
#define MULTIARCH "aarch64-linux-gnu"
#endif

struct found {
	const char *root; /* NULL: this process's */
	char *path;
	size_t size;
	int fd;
	const struct time_budget *budget;
	unsigned int tries;
	size_t tries_path; /* bytes */
};

/* Not to hang on a fifo that lies there. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

/* As open(2), of a path that links cannot lead out of root. */
static int open_below(const char *root, const char *path)
{
	struct open_how how = {.flags = OPEN_FLAGS, .resolve = RESOLVE_IN_ROOT};
	char whole[PATH_MAX];
	int dir, fd;

	if (!root)
		return open(path, OPEN_FLAGS);
	dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	close(dir);
	/* before Linux 5.6 (fddb5d430ad9) */
	if (fd < 0 && errno == ENOSYS &&
	    (size_t)snprintf(whole, sizeof(whole), "%s%s", root, path) < sizeof(whole))
		fd = open(whole, OPEN_FLAGS);
	return fd;
}

/* Takes the file when it is one that the linker would load. */
static bool try_path(struct found *f, const char *path)
{
	size_t len = strlen(path);
	struct elf_file *e;
	int fd;

	if (len >= f->size || f->tries >= TRIES_MAX || f->tries_path + len > TRIES_PATH_MAX ||
	    time_budget__is_over(f->budget))
		return false;
	f->tries++;
	f->tries_path += len;
	fd = open_below(f->root, path);
	if (fd < 0)
		return false;
	/* regular files only */
	if (elf_file__open(fd, &e)) {
		close(fd);
		return false;
	}
	elf_file__close(e);
	strcpy(f->path, path);
	f->fd = fd;
	return true;
}

/* A directory of a search path with $ORIGIN and ${ORIGIN} put in: false when it does not fit. */
static bool expand(const char *dir, size_t len, const char *origin, char *out, size_t size)
{
	static const char *const names[] = {"${ORIGIN}", "$ORIGIN"};
	size_t to = 0, i = 0;

	while (i < len) {
		const char *put = dir + i;
		size_t n = 1, skip = 1;

		for (size_t k = 0; k < 2; k++) {
			size_t name_len = strlen(names[k]);

			if (len - i >= name_len && !memcmp(dir + i, names[k], name_len)) {
				put = origin;
				n = strlen(origin);
				skip = name_len;
				break;
			}
		}
		if (to + n >= size)
			return false;
		memcpy(out + to, put, n);
		to += n;
		i += skip;
	}
	out[to] = '\0';
	return true;
}

/* A colon-separated list; an empty part is the current directory. */
static bool try_dirs(struct found *f, const char *dirs, const char *origin, const char *soname)
{
	char dir[PATH_MAX], path[PATH_MAX];

	for (;;) {
		const char *end = strchrnul(dirs, ':');
		int n;

		if (expand(dirs, end - dirs, origin, dir, sizeof(dir))) {
			n = snprintf(path, sizeof(path), "%s/%s", dir[0] ? dir : ".", soname);
			if (n > 0 && (size_t)n < sizeof(path) && try_path(f, path))
				return true;
		}
		if (!*end)
			return false;
		dirs = end + 1;
	}
}

/* glibc's sysdeps/generic/dl-cache.h: struct cache_file_new and file_entry_new. */
struct cache_header {
	char magic[20]; /* "glibc-ld.so.cache1.1" */
	uint32_t nlibs;
	uint32_t len_strings;
	uint32_t unused[5];
};

struct cache_entry {
	int32_t flags;
	uint32_t key; /* offsets of strings from the header */
	uint32_t value;
	uint32_t osversion;
	uint64_t hwcap;
};

static bool search_cache(struct found *f, const char *data, size_t len, const char *soname)
{
	struct cache_header h;

	if (len < sizeof(h))
		return false;
	memcpy(&h, data, sizeof(h));
	if (memcmp(h.magic, "glibc-ld.so.cache1.1", sizeof(h.magic)) ||
	    h.nlibs > (len - sizeof(h)) / sizeof(struct cache_entry))
		return false;
	for (uint32_t i = 0; i < h.nlibs; i++) {
		struct cache_entry entry;

		memcpy(&entry, data + sizeof(h) + i * sizeof(entry), sizeof(entry));
		/* A copy in memory is terminated behind its end. */
		if (entry.key < len && entry.value < len && !strcmp(data + entry.key, soname) &&
		    try_path(f, data + entry.value))
			return true;
	}
	return false;
}

/* The cache of glibc before 2.32 holds an older table first, and this one behind it. */
static bool try_cache(struct found *f, const char *soname)
{
	struct stat st;
	char *data = NULL, *start;
	ssize_t len = -1;
	bool yes = false;
	int fd;

	fd = open_below(f->root, CACHE);
	if (fd < 0)
		return false;
	if (!fstat(fd, &st) && st.st_size > 0 && st.st_size < CACHE_MAX)
		data = malloc(st.st_size + 1);
	if (data)
		len = read(fd, data, st.st_size);
	if (len > 0) {
		data[len] = '\0';
		start = memmem(data, len, "glibc-ld.so.cache", 17);
		if (start)
			yes = search_cache(f, start, data + len - start, soname);
	}
	free(data);
	close(fd);
	return yes;
}

int ldso__open(struct elf_file *e, const char *root, const char *path, const char *soname,
               const struct time_budget *budget, char *found, size_t size)
{
	static const char standard[] = "/lib/" MULTIARCH ":/usr/lib/" MULTIARCH
				       ":/lib64:/usr/lib64:/lib:/usr/lib:/usr/local/lib";
	struct found f = {.root = root, .path = found, .size = size, .fd = -ENOENT, .budget = budget};
	char origin[PATH_MAX], dirs[4096], *slash;
	const char *env = getenv("LD_LIBRARY_PATH");

	if (strchr(soname, '/'))
		return try_path(&f, soname) ? f.fd : -ENOENT;
	/* what is below a root is given as the kernel sees it, without links */
	if (root ? strlen(path) >= sizeof(origin) || path[0] != '/' : !realpath(path, origin))
		return -ENOENT;
	if (root)
		strcpy(origin, path);
	slash = strrchr(origin, '/');
	*(slash == origin ? slash + 1 : slash) = '\0';

	/* DT_RPATH is for nought beside DT_RUNPATH. */
	if (!elf_file__dynamic_string(e, DT_RUNPATH, 0, dirs, sizeof(dirs)) &&
	    elf_file__dynamic_string(e, DT_RPATH, 0, dirs, sizeof(dirs)) &&
	    try_dirs(&f, dirs, origin, soname))
		return f.fd;
	if (env && *env && try_dirs(&f, env, origin, soname))
		return f.fd;
	if (elf_file__dynamic_string(e, DT_RUNPATH, 0, dirs, sizeof(dirs)) &&
	    try_dirs(&f, dirs, origin, soname))
		return f.fd;
	if (try_cache(&f, soname) || try_dirs(&f, standard, origin, soname))
		return f.fd;
	return -ENOENT;
}
