// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* pytrail help: the overview, and the usage of one command. */
#include <stdio.h>
#include <string.h>

#include "cmd_help.h"
#include "commands.h"
#include "util/log.h"
#include "util/nearest_word.h"

void help__overview(void)
{
	printf("pytrail " PYTRAIL_VERSION ": audit events of live CPython, from the kernel\n"
	       "\n"
	       "usage: pytrail COMMAND [ARGUMENT...]\n"
	       "\n");
	for (size_t i = 0; i < commands_cnt; i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].summary);
	printf("\n"
	       "`pytrail help COMMAND` tells more of one, pytrail(1) of all.\n"
	       "Exit codes: 0 clean; 1 failure; 2 usage; 3 cannot trace here; 4 events were "
	       "lost.\n");
}

static const char *nearest(const char *name)
{
	struct nearest_word near = {.wanted = name};

	for (size_t i = 0; i < commands_cnt; i++)
		nearest_word__offer(&near, commands[i].name);
	return near.best;
}

int help__unknown(const char *name)
{
	const char *guess = nearest(name);

	if (guess)
		log__error(
			"there is no command '%s'; did you mean '%s'? (`pytrail help` lists all)",
			name, guess);
	else
		log__error("there is no command '%s' (`pytrail help` lists all)", name);
	return EXIT_USAGE;
}

int cmd_help(int argc, char **argv)
{
	if (argc > 2) {
		log__error("help takes one command at most");
		return EXIT_USAGE;
	}
	if (argc < 2 || !strcmp(argv[1], "--help")) {
		help__overview();
		return EXIT_OK;
	}
	for (size_t i = 0; i < commands_cnt; i++) {
		if (!strcmp(commands[i].name, argv[1])) {
			command__usage(argv[1]);
			return EXIT_OK;
		}
	}
	return help__unknown(argv[1]);
}
