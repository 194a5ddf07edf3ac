/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Looks at processes that can wait: at those that may turn out to run a Python, again and again for
 * a second; and at all of them, now and then. For a slice of time at once, so that a process that
 * takes long to look at (a million mappings) does not keep the ring from being read.
 */
#ifndef PYTRAIL_LOOKS_H
#define PYTRAIL_LOOKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "discover.h"
#include "pid_list.h"

struct allowance;
struct looks;

struct looks_options {
	struct discover *discover;
	struct allowance *allowance;
	/* A process has an interpreter; all: it was found by the look at all of them. */
	void (*found)(void *ctx, const struct discovered *found, bool all);
	/* The look at all of them has ended; complete: none could be left out for want of
	 * something. */
	void (*over)(void *ctx, bool complete);
	void *ctx;
};

/* NULL: no memory. */
struct looks *looks__new(const struct looks_options *opts);
void looks__free(struct looks *l);

/* A process of that user may turn out to run one. When too many are waited for, the look at all
 * finds it. */
void looks__wait_for(struct looks *l, pid_t pid, uint32_t uid);

/* Whether a look at all can begin: none goes on, and the last one did not take most of the time
 * since. */
bool looks__can_begin(const struct looks *l, uint64_t now);
/* Takes over what is in the list. */
void looks__begin(struct looks *l, struct pid_list *all);

/* Looks on, for some milliseconds. In how many milliseconds to call it again, -1: nothing is to be
 * done. */
int looks__go_on(struct looks *l);

#endif
