// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* pytrail help: the overview, and the usage of one command. */
#include <stdio.h>
#include <string.h>

#include "cmd_help.h"
#include "commands.h"
#include "util/log.h"

#define NAME_MAX_LEN 32

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

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's distance; both are at most NAME_MAX_LEN long. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1];
	size_t la = strlen(a), lb = strlen(b);

	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[lb];
}

static const char *nearest(const char *name)
{
	const char *best = NULL;
	size_t best_distance = 4; /* further away it is another word */

	if (strlen(name) > NAME_MAX_LEN)
		return NULL;
	for (size_t i = 0; i < commands_cnt; i++) {
		size_t d = distance(name, commands[i].name);

		if (d < best_distance && d < strlen(commands[i].name)) {
			best_distance = d;
			best = commands[i].name;
		}
	}
	return best;
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
