// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "proc_user.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE "\nUid:\t"

/* fd: of /proc/PID/status (proc(5)), which waits for no lock of the process. Taken over. */
static uint32_t read_user(int fd)
{
	char text[1024], *line;
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	/* a newline in the name, which comes before, is escaped */
	line = strstr(text, LINE);
	return line ? (uint32_t)strtoul(line + strlen(LINE), NULL, 10) : 0;
}

uint32_t proc_user__of(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	return read_user(open(path, O_RDONLY | O_CLOEXEC));
}

uint32_t proc_user__of_dir(int dir)
{
	return read_user(openat(dir, "status", O_RDONLY | O_CLOEXEC));
}
