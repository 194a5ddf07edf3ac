/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "proc_maps.h"

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

/* Room for the longest line: a path of PATH_MAX, each byte of it written as "\\012". The kernel
 * writes a page at once. */
#define CHUNK (32u << 10)
_Static_assert(CHUNK >= 4 * PATH_MAX + 128, "a line fits");

struct proc_maps {
	int fd;
	size_t have; /* bytes of the chunk */
	size_t pos;  /* of the next line in it, below `whole` */
	size_t whole;
	char chunk[CHUNK];
};

int proc_maps__open(pid_t pid, struct proc_maps **out)
{
	struct proc_maps *p = malloc(sizeof(*p));
	char path[64];
	int err;

	*out = NULL;
	if (!p)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	p->have = p->pos = p->whole = 0;
	p->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (p->fd < 0) {
		err = errno == ENOENT ? -ESRCH : -errno;
		free(p);
		return err;
	}
	*out = p;
	return 0;
}

void proc_maps__close(struct proc_maps *p)
{
	if (!p)
		return;
	close(p->fd);
	free(p);
}

/* Reads a piece behind the begin of a line that is left of the one before. As read(2), or
 * -errno. */
static ssize_t read_piece(struct proc_maps *p)
{
	const char *last;
	ssize_t n;

	p->have -= p->whole;
	memmove(p->chunk, p->chunk + p->whole, p->have);
	p->pos = p->whole = 0;
	do
		n = read(p->fd, p->chunk + p->have, CHUNK - p->have);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	p->have += (size_t)n;
	last = memrchr(p->chunk, '\n', p->have);
	if (last)
		p->whole = (size_t)(last - p->chunk) + 1;
	else if (p->have == CHUNK)
		return -EPROTO; /* no line of the kernel's */
	return n;
}

int proc_maps__read(struct proc_maps *p, bool (*fn)(void *ctx, const struct proc_map *m), void *ctx)
{
	struct proc_map map;
	ssize_t n;

	if (p->pos == p->whole) {
		n = read_piece(p);
		if (n <= 0)
			return (int)n;
	}
	while (proc_maps__next(p->chunk, p->whole, &p->pos, &map))
		if (!fn(ctx, &map))
			break;
	return 1;
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
