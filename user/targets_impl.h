/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Of targets.c (what is traced from the start on) and targets_news.c (what is found later). */
#ifndef PYTRAIL_TARGETS_IMPL_H
#define PYTRAIL_TARGETS_IMPL_H

#include "targets.h"

struct target {
	pid_t pid;
	int pidfd; /* -1: not supported, or gone */
	struct binary *binary;
	uint64_t bias;
	bool gone;
};

struct targets {
	struct looks *looks;
	struct allowance *allowance;
	const struct trace_options *opts;
	struct child *child;
	struct discover *discover;
	struct session *session;
	struct proof *proof;
	struct presence *presence;
	struct tamper *tamper;
	struct target *list;
	size_t cnt;
	bool kernel_pid;
	bool follow;
	bool incomplete;         /* a file waits for its program */
	unsigned int generation; /* of the last look at all processes */
};

bool targets__whole_host(const struct targets *t);

/* Whether a file can be traced the way that was asked for. */
bool targets__can_trace(const struct targets *t, const struct binary *b);
/* That it cannot, and why; pid 0: of no process. */
void targets__say_cannot(const struct targets *t, const struct binary *b, pid_t pid, bool fatal);

/* Attaches a file. Returns true when its events will be seen. */
bool targets__attach_file(struct targets *t, struct binary *b, pid_t pid);

/* What looks at the processes that can wait. NULL: no memory. */
struct looks *targets__new_looks(struct targets *t);

#endif
