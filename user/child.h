/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The command that `trace -- COMMAND` runs: held before its first instruction until it is
 * attached. */
#ifndef PYTRAIL_CHILD_H
#define PYTRAIL_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child;

/*
 * Finds the command as execvp() would and forks; the child waits before its exec. 0; -ENOENT,
 * -EACCES and others, said with log__error.
 */
int child__start(char **argv, struct child **out);
/* Kills a child that was never let go, reaps it and frees. */
void child__free(struct child *c);

pid_t child__pid(const struct child *c);
const char *child__path(const struct child *c); /* of the file that is executed */

/* Lets it execute. 0, or -errno of the exec (said). */
int child__release(struct child *c);
/* True once it has ended; then *code is its exit status, or 128 + signal number. */
bool child__ended(struct child *c, int *code);

#endif
