// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* pytrail: finds the command and runs it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "cmd_help.h"
#include "commands.h"
#include "export/exporter_main.h"
#include "export/link.h"
#include "util/log.h"

/* `pytrail NAME --help` and -h: before any `--`, behind which words are a command's own. */
static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

static int dispatch(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	if (!name) {
		log__error(
			"a command is missing, such as `pytrail trace` (`pytrail help` lists all)");
		return EXIT_USAGE;
	}
	/* at once: a sanitizer's look for leaks is not for a process that cannot be traced */
	if (!strcmp(name, EXPORTER_WORD))
		_exit(exporter__main());
	if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
		puts("pytrail " PYTRAIL_VERSION);
		return EXIT_OK;
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
		help__overview();
		return EXIT_OK;
	}
	if (name[0] == '-') {
		log__error(
			"unknown option '%s' before a command (`pytrail help` lists the commands)",
			name);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < commands_cnt; i++) {
		if (strcmp(commands[i].name, name) != 0)
			continue;
		if (asks_for_help(argc - 1, argv + 1)) {
			command__usage(name);
			return EXIT_OK;
		}
		return commands[i].run(argc - 1, argv + 1);
	}
	return help__unknown(name);
}

/* Standard output's stream, with its first error kept: stdio itself forgets why a write failed. */
static int stdout_errno;

static ssize_t stdout__write(void *cookie, const char *data, size_t size)
{
	size_t done = 0;

	while (done < size && !stdout_errno) {
		ssize_t n = write(STDOUT_FILENO, data + done, size - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			stdout_errno = errno;
	}
	/* After an error the rest is swallowed: it is said once, at the end. */
	return (ssize_t)size;
}

static void stdout__open(void)
{
	FILE *stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = stdout__write});

	if (!stream)
		return;
	setvbuf(stream, NULL, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, BUFSIZ);
	stdout = stream;
}

/* The exit code: a full disk is a failure, a reader that has gone away is not. */
static int stdout__close(int status)
{
	fflush(stdout);
	if (!stdout_errno || stdout_errno == EPIPE || status != EXIT_OK)
		return status;
	log__error("cannot write to standard output: %s", strerror(stdout_errno));
	return EXIT_FAIL;
}

/*
 * One that is closed would be the number of the next file that is opened, and what is said would go
 * there. What takes its place fails as it would, and is closed again for what is executed.
 */
static void fill_standard_files(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC) != fd)
			_exit(EXIT_FAIL);
}

int main(int argc, char **argv)
{
	fill_standard_files();
	/* A reader that goes away is seen as EPIPE, so that a trace ends in order. */
	signal(SIGPIPE, SIG_IGN);
	stdout__open();
	return stdout__close(dispatch(argc, argv));
}
