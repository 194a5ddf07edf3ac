// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool.h"
#include "../util/crc32c.h"

#define CURSOR_MAGIC   0x5255435450u
#define CURSOR_VERSION 1

struct slot {
	uint32_t crc; /* of what follows */
	uint32_t version;
	uint64_t magic;
	uint64_t generation;
	struct cursor cursor;
	uint64_t reserved[44];
};

_Static_assert(sizeof(struct slot) == 512, "on disk");

#define SLOT_CHECKED offsetof(struct slot, version)

static uint32_t slot__crc(const struct slot *s)
{
	return crc32c(0, (const char *)s + SLOT_CHECKED, sizeof(*s) - SLOT_CHECKED);
}

int cursor__open(int dirfd, const char *output, bool write)
{
	char name[SPOOL_NAME_MAX + 8];
	struct stat st;
	int dir, fd;

	if (!spool__is_name(output))
		return -EINVAL;
	dir = openat(dirfd, CURSORS_NAME, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_PATH);
	if (dir < 0)
		return -errno;
	snprintf(name, sizeof(name), "%s.cur", output);
	/* Its directory is somebody else's: neither a link nor a FIFO that blocks. */
	fd = openat(dir, name,
	            (write ? O_RDWR | O_CREAT : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC |
	                    O_NOCTTY,
	            0640);
	if (fd < 0)
		fd = -errno;
	close(dir);
	if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

static bool slot__valid(const struct slot *s, ssize_t len)
{
	return len == sizeof(*s) && s->magic == CURSOR_MAGIC && s->version == CURSOR_VERSION &&
	       s->crc == slot__crc(s) && memchr(s->cursor.stream, '\0', sizeof(s->cursor.stream));
}

int cursor__read(int fd, struct cursor *out, uint64_t *generation)
{
	bool found = false, empty = true;
	struct slot s;

	for (off_t i = 0; i < 2; i++) {
		ssize_t n = pread(fd, &s, sizeof(s), i * (off_t)sizeof(s));

		if (n < 0)
			return -errno;
		empty = empty && !n;
		if (!slot__valid(&s, n) || (found && s.generation < *generation))
			continue;
		*out = s.cursor;
		*generation = s.generation;
		found = true;
	}
	return found ? 0 : empty ? -ENOENT : -EBADMSG;
}

int cursor__write(int fd, const struct cursor *c, uint64_t *generation)
{
	struct slot s;
	ssize_t n;

	memset(&s, 0, sizeof(s));
	s.version = CURSOR_VERSION;
	s.magic = CURSOR_MAGIC;
	s.generation = *generation + 1;
	s.cursor = *c;
	s.crc = slot__crc(&s);
	do
		n = pwrite(fd, &s, sizeof(s), (off_t)(s.generation & 1) * (off_t)sizeof(s));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(s))
		return n < 0 ? -errno : -ENOSPC;
	*generation = s.generation;
	return 0;
}
