/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The commands: each parses its own words (argv[0] is its name) and returns an exit code
 * (log.h). */
#ifndef PYTRAIL_COMMANDS_H
#define PYTRAIL_COMMANDS_H

#include <stddef.h>

int cmd_trace(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_spool(int argc, char **argv);
int cmd_daemon(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_help(int argc, char **argv);

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary; /* for `pytrail help` */
	const char *usage;   /* for `pytrail help NAME` and `pytrail NAME --help` */
};

extern const struct command commands[];
extern const size_t commands_cnt;

/* Prints the usage of a command on standard output. */
void command__usage(const char *name);

#endif
