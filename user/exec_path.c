/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec_path.h"

#define LEVELS_MAX 4   /* as the kernel's own limit (fs/exec.c, exec_binprm), one less */
#define LINE_MAX_  256 /* BINPRM_BUF_SIZE */

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

static int find_in_path(const char *name, char *out, size_t size)
{
	const char *dirs = getenv("PATH");
	int n;

	if (!*name)
		return -ENOENT;
	if (strchr(name, '/')) {
		n = snprintf(out, size, "%s", name);
		return n >= 0 && (size_t)n < size ? 0 : -ENAMETOOLONG;
	}
	if (!dirs)
		dirs = "/usr/local/bin:/usr/bin:/bin";
	for (;;) {
		const char *end = strchrnul(dirs, ':');

		/* An empty part is the current directory. */
		n = snprintf(out, size, "%.*s%s%s", (int)(end - dirs), dirs,
		             end > dirs ? "/" : "./", name);
		if (n >= 0 && (size_t)n < size && is_program(out))
			return 0;
		if (!*end)
			return -ENOENT;
		dirs = end + 1;
	}
}

/* The next word of *s, which is moved behind it: its length, 0 at the end. */
static size_t next_word(const char **s, const char **word)
{
	size_t len;

	*s += strspn(*s, " \t");
	*word = *s;
	len = strcspn(*s, " \t");
	*s += len;
	return len;
}

static bool is_word(const char *word, size_t len, const char *what)
{
	return strlen(what) == len && !memcmp(word, what, len);
}

/* coreutils' env: options that take the next word as their value. */
static bool takes_value(const char *word, size_t len)
{
	return is_word(word, len, "-u") || is_word(word, len, "--unset") ||
	       is_word(word, len, "-C") || is_word(word, len, "--chdir");
}

bool exec_path__env_command(const char *arg, char *out, size_t size)
{
	const char *word;
	size_t len;

	arg += strspn(arg, " \t");
	if (!strncmp(arg, "-S", 2) || !strncmp(arg, "-vS", 3)) {
		arg = strchr(arg, 'S') + 1;
	} else if (!strncmp(arg, "--split-string=", 15)) {
		arg += 15;
	} else {
		if (!*arg || *arg == '-' || strchr(arg, '=') || strlen(arg) >= size)
			return false;
		strcpy(out, arg);
		return true;
	}
	while ((len = next_word(&arg, &word))) {
		if (takes_value(word, len)) {
			next_word(&arg, &word);
			continue;
		}
		if (word[0] == '-' || memchr(word, '=', len))
			continue;
		if (len >= size)
			return false;
		memcpy(out, word, len);
		out[len] = '\0';
		return true;
	}
	return false;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* What a `#!` line (without the two characters, terminated) runs. */
static int interpreter_of(const char *line, char *out, size_t size)
{
	char command[LINE_MAX_], interp[LINE_MAX_], *end;
	const char *word;
	size_t len;

	snprintf(command, sizeof(command), "%s", line);
	command[strcspn(command, "\n")] = '\0';
	end = command + strlen(command);
	while (end > command && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	line = command;
	len = next_word(&line, &word);
	if (!len)
		return -ENOEXEC;
	memcpy(interp, word, len);
	interp[len] = '\0';
	line += strspn(line, " \t");
	if (!strcmp(base_name(interp), "env")) {
		char name[LINE_MAX_];

		if (!exec_path__env_command(line, name, sizeof(name)))
			return -ENOENT;
		return find_in_path(name, out, size);
	}
	return snprintf(out, size, "%s", interp) < (int)size ? 0 : -ENAMETOOLONG;
}

/* Opens the file and reads its first bytes, terminated. The descriptor or -errno. */
static int open_program(const char *path, char line[LINE_MAX_ + 1])
{
	/* Not to hang on a fifo, nor to take a terminal. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), err = 0;
	struct stat st;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		err = -errno;
	} else if (!S_ISREG(st.st_mode)) {
		err = -EACCES; /* as execve(2) */
	} else {
		n = pread(fd, line, LINE_MAX_, 0);
		err = n < 0 ? -errno : 0;
	}
	if (err) {
		close(fd);
		return err;
	}
	line[n] = '\0';
	return fd;
}

int exec_path__open(const char *name, char *found, size_t size)
{
	char line[LINE_MAX_ + 1], next[PATH_MAX];
	int err;

	err = find_in_path(name, found, size);
	for (int level = 0; !err && level <= LEVELS_MAX; level++) {
		int fd = open_program(found, line);

		if (fd < 0 || strncmp(line, "#!", 2))
			return fd;
		close(fd);
		err = interpreter_of(line + 2, next, sizeof(next));
		if (!err && strlen(next) >= size)
			err = -ENAMETOOLONG;
		if (!err)
			strcpy(found, next);
	}
	return err ? err : -ELOOP;
}
