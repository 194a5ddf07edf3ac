// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "private_spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../confine/caps.h"
#include "../spool/control.h"
#include "../spool/cursor.h"
#include "../spool/segment.h"
#include "../util/log.h"

#define PREFIX   "pytrail-"
#define TEMPLATE PREFIX "XXXXXX"
/* One that is younger may be just being made, without a lock yet. */
#define YOUNG_SECONDS 60

/* The exporter's own directory becomes ours: to remove files from those of others takes privileges
 * we gave up, and its owner could put others in the place of what is being removed. */
static void take_back(const char *dir)
{
	char path[PRIVATE_SPOOL_MAX + 32];

	snprintf(path, sizeof(path), "%s/" PRIVATE_SPOOL_NAME "/" CURSORS_NAME, dir);
	if (lchown(path, geteuid(), (gid_t)-1) && errno != ENOENT)
		log__debug("cannot take '%s' back: %s", path, strerror(errno));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	remove(path);
	return 0;
}

void private_spool__remove(const char *dir)
{
	take_back(dir);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bool has_segments(int spool)
{
	DIR *dir = fdopendir(dup(spool));
	struct dirent *d;
	uint64_t first;
	unsigned lane;
	bool found = false;

	if (!dir)
		return true;
	while (!found && (d = readdir(dir)))
		found = segment__parse_name(d->d_name, &lane, &first);
	closedir(dir);
	return found;
}

/* Whether it is of a tracer that is no more; the lock of its spool tells. */
static bool is_left(int spool)
{
	int fd = openat(spool, CONTROL_NAME, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	bool left;

	if (fd < 0)
		return false;
	left = !flock(fd, LOCK_EX | LOCK_NB);
	close(fd);
	return left;
}

/* Whether names in it stay what they are: nobody else can put another directory in the place of
 * ours. */
static bool is_safe(int dir)
{
	struct stat st;

	return !fstat(dir, &st) && (!st.st_uid || st.st_uid == geteuid()) &&
	       (!(st.st_mode & 022) || st.st_mode & S_ISVTX);
}

/* Returns 1 when it holds events; else it is removed, or none of ours, or in use. */
static int tidy_one(int tmp_fd, const char *tmp, const char *name)
{
	char dir[PRIVATE_SPOOL_MAX], spool[sizeof(TEMPLATE) + sizeof(PRIVATE_SPOOL_NAME)];
	struct stat st;
	int fd, holds;

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || strlen(name) != strlen(TEMPLATE) ||
	    fstatat(tmp_fd, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISDIR(st.st_mode) ||
	    st.st_uid != geteuid() || st.st_mode & 027 || time(NULL) - st.st_mtime < YOUNG_SECONDS)
		return 0;
	/* nobody else can write to that directory: what is in it is ours */
	snprintf(spool, sizeof(spool), "%s/" PRIVATE_SPOOL_NAME, name);
	fd = openat(tmp_fd, spool, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (!is_left(fd)) {
		close(fd);
		return 0;
	}
	holds = has_segments(fd);
	close(fd);
	if (!holds && snprintf(dir, sizeof(dir), "%s/%s", tmp, name) < (int)sizeof(dir))
		private_spool__remove(dir);
	return holds;
}

static void tidy(const char *tmp)
{
	DIR *dir = opendir(tmp);
	char one[sizeof(TEMPLATE)] = "";
	struct dirent *d;
	unsigned cnt = 0;

	if (!dir)
		return;
	while (is_safe(dirfd(dir)) && (d = readdir(dir))) {
		if (!tidy_one(dirfd(dir), tmp, d->d_name))
			continue;
		snprintf(one, sizeof(one), "%.*s", (int)sizeof(one) - 1, d->d_name);
		cnt++;
	}
	closedir(dir);
	if (cnt)
		log__debug(
			"'%s/%s/" PRIVATE_SPOOL_NAME
			"'%s left by a pytrail that was killed, with events that may "
			"not have been delivered: 'pytrail spool' shows them; remove what is not "
			"needed",
			tmp, one, cnt > 1 ? " and others like it are" : " is");
}

int private_spool__make(gid_t gid, char dir[PRIVATE_SPOOL_MAX])
{
	const char *tmp = getenv("TMPDIR");
	int err;

	tmp = tmp && *tmp ? tmp : "/var/tmp";
	caps__need_path(tmp); /* it is removed again */
	tidy(tmp);
	snprintf(dir, PRIVATE_SPOOL_MAX, "%s/" TEMPLATE, tmp);
	if (!mkdtemp(dir)) {
		err = -errno;
		log__error("cannot make a directory for the spool, '%s': %s", dir, strerror(-err));
		dir[0] = '\0';
		return err;
	}
	if ((!geteuid() && chown(dir, 0, gid)) || chmod(dir, 0710)) {
		err = -errno;
		log__error("cannot hand '%s' to the exporter: %s", dir, strerror(-err));
		return err;
	}
	return 0;
}
