// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "lockdown.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

static const char *const names[] = {
	[LOCKDOWN_UNKNOWN] = NULL,
	[LOCKDOWN_ABSENT] = NULL,
	[LOCKDOWN_NONE] = "none",
	[LOCKDOWN_INTEGRITY] = "integrity",
	[LOCKDOWN_CONFIDENTIALITY] = "confidentiality",
};

static bool has_securityfs(const char *dir)
{
	struct statfs fs;

	return !statfs(dir, &fs) && fs.f_type == SECURITYFS_MAGIC;
}

/* The word in brackets: "none [integrity] confidentiality". */
enum lockdown lockdown__read(const char *dir)
{
	char text[128], path[512];
	const char *start, *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/lockdown", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT && has_securityfs(dir) ? LOCKDOWN_ABSENT : LOCKDOWN_UNKNOWN;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	start = strchr(text, '[');
	end = start ? strchr(start, ']') : NULL;
	for (unsigned i = LOCKDOWN_NONE; end && i <= LOCKDOWN_CONFIDENTIALITY; i++)
		if ((size_t)(end - start) == strlen(names[i]) + 1 &&
		    !strncmp(start + 1, names[i], strlen(names[i])))
			return (enum lockdown)i;
	return LOCKDOWN_UNKNOWN;
}

const char *lockdown__name(enum lockdown l)
{
	return names[l];
}

const char *lockdown__note(enum lockdown l)
{
	switch (l) {
	case LOCKDOWN_UNKNOWN:
		return "not known: securityfs is not mounted on " LOCKDOWN_DIR
		       ", or cannot be read";
	case LOCKDOWN_ABSENT:
		return "not in this kernel";
	case LOCKDOWN_NONE:
		return "none";
	case LOCKDOWN_INTEGRITY:
		return "integrity: all of pytrail works, which changes nothing in the kernel or in "
		       "processes";
	case LOCKDOWN_CONFIDENTIALITY:
		break;
	}
	return "confidentiality: the kernel refuses programs that read its memory, which pytrail's "
	       "have to; boot with lockdown=integrity or none to trace";
}
