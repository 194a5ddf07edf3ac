/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The links of one file, closed without waiting for it. The kernel closes one only when no program
 * runs at a uprobe any more (synchronize_rcu_tasks_trace(), kernel/events/uprobes.c), and one that
 * reads a page which the traced process holds back (userfaultfd(2), FUSE) runs for as long as that
 * process likes: so threads of their own wait.
 */
#ifndef PYTRAIL_LINK_SET_H
#define PYTRAIL_LINK_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "binary.h"

#define LINKS_MAX (BINARY_SITES_MAX > BINARY_ENTRIES_MAX ? BINARY_SITES_MAX : BINARY_ENTRIES_MAX)

struct bpf_link;

struct link_set {
	struct bpf_link *links[LINKS_MAX]; /* one for each site, NULL: none; but for: */
	int multi;                         /* the link of them all, -1: none */
};

/* Closes them here and now, as long as it takes. */
void link_set__close(struct link_set *s);

/*
 * Closes `cnt` sets, several at once, and waits `ms` milliseconds for it at most: whether all are
 * closed. Those that are not are closed later, or by the kernel when this process ends. The sets
 * are empty then.
 */
bool link_sets__close(struct link_set **sets, size_t cnt, unsigned ms);

#endif
