/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What `pytrail --help` and a misspelt command say. */
#ifndef PYTRAIL_CMD_HELP_H
#define PYTRAIL_CMD_HELP_H

/* Prints the overview of the commands on standard output. */
void help__overview(void);

/* Says on standard error that there is no such command, with the nearest name; returns
 * EXIT_USAGE. */
int help__unknown(const char *name);

#endif
