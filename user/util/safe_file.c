// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "safe_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

/* MAXSYMLINKS of Linux */
#define LINKS_MAX 40

static bool is_ours(uid_t uid)
{
	return !uid || uid == geteuid();
}

/* Others than its owner and us can make files in it: a link there may lead anywhere. */
static bool is_shared(const struct stat *dir)
{
	return dir->st_mode & (S_IWGRP | S_IWOTH) || !is_ours(dir->st_uid);
}

/* What somebody else has put where all can. */
static bool is_planted(const struct stat *dir, const struct stat *file)
{
	return dir->st_mode & S_IWOTH && !is_ours(file->st_uid) && file->st_uid != dir->st_uid;
}

/* Links in proc lead to where their text does not: to a deleted directory, or another root. */
static bool is_proc(int dirfd)
{
	struct statfs fs;

	return !fstatfs(dirfd, &fs) && fs.f_type == PROC_SUPER_MAGIC;
}

/* A link's text in front of what is left of the path. */
static int expand(int link, char *rest)
{
	char whole[PATH_MAX], text[PATH_MAX];
	ssize_t n = readlinkat(link, "", text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	if (snprintf(whole, sizeof(whole), "%s/%s", text, rest) >= (int)sizeof(whole))
		return -ENAMETOOLONG;
	strcpy(rest, whole);
	return 0;
}

/* One step: the next directory, or the same one with a link's text in front of `rest`. dir is
 * closed. */
static int step(int dir, const char *name, char *rest, unsigned *links)
{
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), err = 0;
	struct stat of_dir, of_fd;

	if (fd < 0 || fstat(dir, &of_dir) || fstat(fd, &of_fd))
		err = -errno;
	else if (!S_ISLNK(of_fd.st_mode))
		err = S_ISDIR(of_fd.st_mode) ? 0 : -ENOTDIR;
	else if (++*links > LINKS_MAX || is_planted(&of_dir, &of_fd))
		err = -ELOOP;
	else if (is_proc(dir)) {
		close(fd);
		fd = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		err = fd < 0 ? -errno : 0;
	} else {
		err = expand(fd, rest);
		close(fd);
		fd = -1;
		if (!err && *rest != '/')
			return dir;
		if (!err)
			fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (!err && fd < 0)
			err = -errno;
	}
	close(dir);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

/* path is used up. */
static int walk(char *rest)
{
	int dir = open(*rest == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[NAME_MAX + 1];
	unsigned links = 0;

	if (dir < 0)
		return -errno;
	for (;;) {
		size_t len;

		memmove(rest, rest + strspn(rest, "/"), strlen(rest + strspn(rest, "/")) + 1);
		len = strcspn(rest, "/");
		if (!len)
			return dir;
		if (len > NAME_MAX) {
			close(dir);
			return -ENAMETOOLONG;
		}
		memcpy(name, rest, len);
		name[len] = '\0';
		memmove(rest, rest + len, strlen(rest + len) + 1);
		dir = step(dir, name, rest, &links);
		if (dir < 0)
			return dir;
	}
}

int safe_file__parent(const char *path, const char **base)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];

	*base = slash ? slash + 1 : path;
	if (*base - path >= (ptrdiff_t)sizeof(dir))
		return -ENAMETOOLONG;
	if (!**base)
		return *path ? -EISDIR : -ENOENT;
	memcpy(dir, path, (size_t)(*base - path));
	dir[*base - path] = '\0';
	return walk(dir);
}

/* Whether what is open may be written to: nobody else has put it there, under another of its names
 * neither. */
static int check(int dirfd, int fd, struct stat *st)
{
	struct stat dir;

	if (fstat(dirfd, &dir) || fstat(fd, st))
		return -errno;
	if (is_planted(&dir, st))
		return -EPERM;
	if (dir.st_mode & S_IWOTH && S_ISREG(st->st_mode) && st->st_nlink > 1)
		return -EMLINK;
	return 0;
}

/* Why the kernel has refused it: by rules of its own (fs.protected_symlinks and the like) all is
 * EACCES. */
static int why_refused(int dirfd, const char *base, const struct stat *dir, int err)
{
	struct stat st;

	if (err != -EACCES || fstatat(dirfd, base, &st, AT_SYMLINK_NOFOLLOW))
		return err;
	if (S_ISLNK(st.st_mode) && is_shared(dir))
		return -ELOOP;
	return is_planted(dir, &st) ? -EPERM : err;
}

int safe_file__openat(int dirfd, const char *base, int flags, mode_t mode)
{
	struct stat st;
	int fd, err;

	if (fstat(dirfd, &st))
		return -errno;
	fd = openat(dirfd, base,
	            (flags & ~O_TRUNC) | O_CREAT | O_CLOEXEC | O_NOCTTY |
	                    (is_shared(&st) ? O_NOFOLLOW : 0),
	            mode);
	if (fd < 0)
		return why_refused(dirfd, base, &st, -errno);
	err = check(dirfd, fd, &st);
	if (!err && flags & O_TRUNC && S_ISREG(st.st_mode) && ftruncate(fd, 0))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

int safe_file__open(const char *path, int flags, mode_t mode)
{
	const char *base;
	int dir = safe_file__parent(path, &base), fd;

	if (dir < 0)
		return dir;
	fd = safe_file__openat(dir, base, flags, mode);
	close(dir);
	return fd;
}

const char *safe_file__why(int err)
{
	switch (-err) {
	case ELOOP:
		return "there is a symbolic link in a directory that others can write to";
	case EPERM:
		return "it belongs to another user, in a directory that all can write to";
	case EMLINK:
		return "it has another name (a hard link), in a directory that all can write to";
	case EROFS:
		return "the file system is read-only (a unit of systemd: ReadWritePaths=)";
	}
	return strerror(-err);
}
