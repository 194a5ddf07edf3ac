/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Uprobes that are perf events, which are what a process alone can be probed by: until Linux 6.10
 * (1b8f85defbc8) uprobe_dispatcher() of kernel/trace/trace_uprobe.c filled a buffer of the
 * processor with the probe's arguments, and ran BPF programs with that buffer's mutex held. One
 * that waits there for a page of a process, for as long as that one likes, stops all others that
 * hit any such uprobe on this processor. Since then the buffer is only taken by who wants it,
 * behind the programs.
 */
#ifndef PYTRAIL_PERF_UPROBE_H
#define PYTRAIL_PERF_UPROBE_H

#include <stdbool.h>

struct btf;

/*
 * Whether programs run without the mutex on the kernel whose types these are: __uprobe_perf_func()
 * is handed a pointer to the buffer's pointer since then.
 */
bool perf_uprobe__is_unlocked(const struct btf *kernel);

#endif
