/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How many events each process raises, for `pytrail list --count`: attaches as `top` does, by name
 * only. */
#ifndef PYTRAIL_LIST_COUNT_H
#define PYTRAIL_LIST_COUNT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct list_count;

struct list_count *list_count__new(void); /* NULL: no memory */
void list_count__free(struct list_count *c);

/*
 * Counts, and calls fn after so many seconds; with `again` each time that they have passed, until
 * fn returns an exit code, not -1, or a signal comes, upon which fn is called once if it has not
 * been. Returns the exit code, with the error said.
 */
int list_count__run(struct list_count *c, double seconds, bool again, int (*fn)(void *ctx),
                    void *ctx);

/* Nanoseconds that it has been counted for. */
uint64_t list_count__elapsed(const struct list_count *c);

/* What a live process has raised in that time, what was lost included. */
uint64_t list_count__of(const struct list_count *c, pid_t pid);

#endif
