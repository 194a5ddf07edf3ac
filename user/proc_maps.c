/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "proc_maps.h"
#include "util/buf.h"

#define READ_STEP 16384

int proc_maps__read(pid_t pid, struct buf *text)
{
	char path[64];
	int fd, err = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	for (;;) {
		ssize_t n;

		if (!buf__reserve(text, READ_STEP)) {
			err = -ENOMEM;
			break;
		}
		n = read(fd, text->data + text->len, text->cap - text->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = -errno;
		if (n <= 0)
			break;
		text->len += n;
	}
	close(fd);
	return err;
}

/* A number of the base at *s, then the character `after`; *s is moved behind it. */
static bool take(const char **s, const char *end, unsigned base, char after, uint64_t *out)
{
	const char *start = *s;
	uint64_t n = 0;

	for (; *s < end; ++*s) {
		unsigned digit;
		char c = **s;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if (c >= 'a' && c <= 'f')
			digit = c - 'a' + 10;
		else
			break;
		if (digit >= base || n > (UINT64_MAX - digit) / base)
			return false;
		n = n * base + digit;
	}
	if (*s == start || *s == end || **s != after)
		return false;
	++*s;
	*out = n;
	return true;
}

/* "start-end perms offset major:minor inode   path" */
static bool parse_line(const char *s, const char *end, struct proc_map *out)
{
	uint64_t major, minor;

	memset(out, 0, sizeof(*out));
	if (!take(&s, end, 16, '-', &out->start) || !take(&s, end, 16, ' ', &out->end) ||
	    out->end <= out->start || end - s < 5 || s[4] != ' ')
		return false;
	out->exec = s[2] == 'x';
	s += 5;
	if (!take(&s, end, 16, ' ', &out->offset) || !take(&s, end, 16, ':', &major) ||
	    !take(&s, end, 16, ' ', &minor) || !take(&s, end, 10, ' ', &out->ino))
		return false;
	out->dev = makedev(major, minor);
	while (s < end && *s == ' ')
		s++;
	out->path = s;
	out->path_len = end - s;
	return true;
}

bool proc_maps__next(const char *text, size_t len, size_t *pos, struct proc_map *out)
{
	while (*pos < len) {
		const char *line = text + *pos, *end = memchr(line, '\n', len - *pos);

		if (!end)
			end = text + len;
		*pos = end - text + 1;
		if (parse_line(line, end, out))
			return true;
	}
	return false;
}

bool proc_map__path(const struct proc_map *m, char *buf, size_t size, bool *deleted)
{
	static const char suffix[] = " (deleted)";
	size_t n = sizeof(suffix) - 1, len = m->path_len, to = 0;

	*deleted = len > n && !memcmp(m->path + len - n, suffix, n);
	if (*deleted)
		len -= n;
	for (size_t i = 0; i < len; i++) {
		char c = m->path[i];

		/* The kernel escapes nothing but the newline (fs/proc/task_mmu.c, show_map_vma). */
		if (c == '\\' && len - i >= 4 && !memcmp(m->path + i, "\\012", 4)) {
			c = '\n';
			i += 3;
		}
		if (to + 1 >= size)
			return false;
		buf[to++] = c;
	}
	if (!size)
		return false;
	buf[to] = '\0';
	return true;
}
