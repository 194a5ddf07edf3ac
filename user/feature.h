/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What this kernel can do, and this process may: tried out, never concluded from a version, since
 * distributions carry features back and configurations leave them out. Each is probed when first
 * asked for, at most once. For one thread. One whose name stands in the environment's
 * PYTRAIL_WITHOUT (between commas) counts as missing.
 */
#ifndef PYTRAIL_FEATURE_H
#define PYTRAIL_FEATURE_H

#include <stdbool.h>

enum feature {
	FEATURE_PRIVILEGES,
	FEATURE_PTRACE,
	FEATURE_BTF,
	FEATURE_BPF,
	FEATURE_READ_KERNEL,
	FEATURE_RINGBUF,
	FEATURE_UPROBE,
	FEATURE_SEMAPHORE,
	FEATURE_TP_BTF,
	FEATURE_TP_MMAP,
	FEATURE_TASK_ITER,
	FEATURE_ATTACH_COOKIE,
	FEATURE_FETCH_ATOMICS,
	FEATURE_SLEEPABLE_UPROBE,
	FEATURE_UNLOCKED_PERF_UPROBE,
	FEATURE_UPROBE_MULTI,
	FEATURE_MAX
};

struct feature_info {
	const char *name;
	/* version of Linux and commit that brought it, NULL: no matter of that */
	const char *since;
	bool required;       /* without it nothing can be traced */
	bool needs_bpf;      /* cannot be told without FEATURE_BPF */
	const char *purpose; /* what pytrail does with it */
	const char *cure;    /* how to get it */
};

bool feature__has(enum feature f);
const char *feature__name(enum feature f);
const struct feature_info *feature__info(enum feature f);

#endif
