/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How the decoder (pydecode.h) reads the traced process here, and its limits. */
#ifndef PYTRAIL_READ_BPF_H
#define PYTRAIL_READ_BPF_H

#define PYD_MAX_STRING            cfg_max_string
#define PYD_MAX_ITEMS             cfg_max_items
#define PYD_MAX_DEPTH             cfg_max_depth

#define PYD_READ(dst, size, addr) bpf_probe_read_user((dst), (size), (const void *)(addr))

/* How many programs sleep. */
__u32 sleepers = 0;

/*
 * A process may decide how long its pages take to come (userfaultfd(2), FUSE), and a program that
 * waits for one holds a slot: only so many may, that there are always slots left for all other
 * events. Where sleep__begin() is not 0, what was to be read stays unreadable. No fetching atomics,
 * see slot__get(); functions, for they are verified once.
 */
__attribute__((noinline)) int sleep__begin(void)
{
	__sync_fetch_and_add(&sleepers, 1);
	if (*(volatile __u32 *)&sleepers <= cfg_sleepers)
		return 0;
	__sync_fetch_and_add(&sleepers, -1);
	return 1;
}

__attribute__((noinline)) int sleep__end(int err)
{
	__sync_fetch_and_add(&sleepers, -1);
	return err;
}

/* Faults absent pages in; 0 or not. */
#define READ_SLEEPING(dst, size, addr) \
	(sleep__begin() || sleep__end(bpf_copy_from_user((dst), (size), (const void *)(addr))))

/* Absent pages can be read by a program that may sleep; the branch is dead code in the other
 * one. */
#define PYD_READ_SLOW(dst, size, addr)                               \
	(bpf_probe_read_user((dst), (size), (const void *)(addr)) && \
	 (!cfg_sleepable || READ_SLEEPING((dst), (size), (addr))))
/* There is no helper for strings that sleeps: its page, and the next one, are faulted in and it is
 * read again. Of an empty string older kernels, 6.1 for one, say 0 and not 1 byte (mm/maccess.c,
 * strncpy_from_user_nofault()). */
#define PYD_READ_STR(dst, size, addr)                                         \
	({                                                                    \
		const char *at_ = (const char *)(addr);                       \
		long n_ = bpf_probe_read_user_str((dst), (size), at_);        \
		char c_;                                                      \
		if (n_ < 0 && cfg_sleepable && !READ_SLEEPING(&c_, 1, at_)) { \
			if (READ_SLEEPING(&c_, 1, ((__u64)at_ | 4095) + 1))   \
				c_ = 0; /* the string may end before */       \
			n_ = bpf_probe_read_user_str((dst), (size), at_);     \
		}                                                             \
		n_ ? n_ : 1;                                                  \
	})

#include "bpf/buildvalue.h"
#include "bpf/pydecode.h"

#endif
