// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/buf.h"

/* Space, tab, newline and backslash are written as \ooo (fs/proc_namespace.c, mangle()). */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* id parent major:minor root path options [optional]... - kind source options */
bool mount_entry__parse(char *line, struct mount_entry *out)
{
	char *save = NULL, *word = strtok_r(line, " ", &save), *path = NULL;
	int i;

	for (i = 0; word && strcmp(word, "-"); i++) {
		if (i == 4)
			path = word;
		word = strtok_r(NULL, " ", &save);
	}
	if (!word || !path)
		return false;
	out->kind = strtok_r(NULL, " ", &save);
	if (!out->kind)
		return false;
	unescape(path);
	out->path = path;
	return true;
}

bool mount_entry__is_local(const struct mount_entry *m)
{
	static const char *const kinds[] = {
		"ext4",     "xfs",   "btrfs", "overlay", "tmpfs",    "ext3",  "ext2",
		"f2fs",     "zfs",   "ramfs", "rootfs",  "vfat",     "exfat", "ntfs3",
		"squashfs", "erofs", "udf",   "iso9660", "bcachefs", "jfs",   "nilfs2",
	};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(m->kind, kinds[i]))
			return true;
	}
	return false;
}

int mounts__each(int fd, void (*fn)(void *ctx, const struct mount_entry *m), void *ctx)
{
	struct buf text = BUF_INIT;
	struct mount_entry m;
	char chunk[16384], *line, *save = NULL;
	ssize_t n;
	int err = 0;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf__append(&text, chunk, (size_t)n);
	if (n < 0)
		err = -errno;
	buf__char(&text, '\0');
	if (!text.data || text.failed)
		err = -ENOMEM;
	for (line = err ? NULL : strtok_r((char *)text.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (mount_entry__parse(line, &m))
			fn(ctx, &m);
	}
	buf__free(&text);
	return err;
}
