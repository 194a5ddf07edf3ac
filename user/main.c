// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* pytrail: finds the command and runs it. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cmd_help.h"
#include "commands.h"
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

/* What a command left in stdio's buffer: a full disk shows only here. A closed pipe is no failure. */
static int flush_stdout(int status)
{
	errno = 0;
	if ((fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE || status != EXIT_OK)
		return status;
	log__error("cannot write to standard output: %s", strerror(errno ? errno : EIO));
	return EXIT_FAIL;
}

int main(int argc, char **argv)
{
	/* A reader that goes away is seen as EPIPE, so that a trace ends in order. */
	signal(SIGPIPE, SIG_IGN);
	return flush_stdout(dispatch(argc, argv));
}
