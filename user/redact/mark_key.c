// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Where the key of the hashes comes from. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mark.h"
#include "../util/log.h"
#include "../util/write_all.h"

int mark_key__new(uint8_t key[MARK_KEY_BYTES])
{
	int err;

	if (getrandom(key, MARK_KEY_BYTES, 0) == MARK_KEY_BYTES)
		return 0;
	err = errno ? -errno : -EIO;
	log__error("cannot make a key to redact with: %s", strerror(-err));
	return err;
}

static int refuse(const char *path, const char *why)
{
	log__error("'%s' is no key to redact with: %s", path, why);
	return -EINVAL;
}

static int read_key(int fd, const char *path, uint8_t key[MARK_KEY_BYTES])
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return refuse(path, "it is not a regular file");
	if (st.st_mode & 077)
		return refuse(path, "others may read or write it; chmod 600 and a new key help");
	if (st.st_uid != geteuid() && st.st_uid)
		return refuse(path, "it belongs to another user");
	for (size_t have = 0; have < MARK_KEY_BYTES;) {
		n = read(fd, key + have, MARK_KEY_BYTES - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return refuse(path, strerror(errno));
		if (!n)
			return refuse(path, "it has less than 32 bytes");
		have += (size_t)n;
	}
	return 0;
}

/* Made beside and linked, so that a key is whole or not there, and one made at the same time by
 * another wins. */
static int make_key(const char *path, uint8_t key[MARK_KEY_BYTES])
{
	char fresh[4096], proc[64];
	const char *slash = strrchr(path, '/');
	size_t dir = slash ? (size_t)(slash - path) + 1 : 0;
	int fd, err = 0;

	if (dir >= sizeof(fresh))
		return -ENAMETOOLONG;
	memcpy(fresh, path, dir);
	strcpy(fresh + dir, dir ? "" : ".");
	err = mark_key__new(key);
	if (err)
		return err;
	fd = open(fresh, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	err = write_all(fd, key, MARK_KEY_BYTES);
	if (!err && (fsync(fd) || linkat(AT_FDCWD, proc, AT_FDCWD, path, AT_SYMLINK_FOLLOW)))
		err = -errno;
	close(fd);
	return err;
}

int mark_key__load(const char *path, uint8_t key[MARK_KEY_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), err = 0;

	if (fd < 0 && errno == ENOENT) {
		err = make_key(path, key);
		if (!err)
			return 0;
		if (err == -EEXIST) {
			fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
			err = 0;
		}
	}
	if (fd < 0) {
		err = err ? err : -errno;
		log__error("cannot %s the key to redact with, '%s': %s",
		           err == -ENOENT ? "make" : "open", path, strerror(-err));
		return err;
	}
	err = read_key(fd, path, key);
	close(fd);
	return err;
}
