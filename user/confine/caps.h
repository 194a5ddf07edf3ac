/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The capabilities that the tracer keeps once it is attached. Who needs one for later says so
 * before that, with the reason beside the call (SECURITY.md has the list); the others go, from the
 * bounding set, too.
 */
#ifndef PYTRAIL_CAPS_H
#define PYTRAIL_CAPS_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

/* include/uapi/linux/capability.h; older headers lack the newer ones. */
enum cap {
	CAPABILITY_CHOWN = 0,
	CAPABILITY_DAC_OVERRIDE = 1,
	CAPABILITY_DAC_READ_SEARCH = 2,
	CAPABILITY_KILL = 5,
	CAPABILITY_SETGID = 6,
	CAPABILITY_SETUID = 7,
	CAPABILITY_SETPCAP = 8,
	CAPABILITY_SYS_PTRACE = 19,
	CAPABILITY_SYS_ADMIN = 21,
	CAPABILITY_PERFMON = 38,
	CAPABILITY_BPF = 39,
	CAPABILITY_CHECKPOINT_RESTORE = 40,
};

#define CAP_BIT(cap) (1ull << (cap))

/* Those in effect for this thread, as bits. */
uint64_t caps__effective(void);

/* This one is needed as long as the process lives. Without effect after caps__drop(). */
void caps__need(enum cap cap);

/* This directory or file is written to again later, by name: what that takes when it is not
 * ours. */
void caps__need_path(const char *path);
void caps__need_file(int fd);

/* --no-confine: nothing is given up, by threads neither. */
void caps__keep_all(void);

/*
 * This thread has these from here on, as far as it has them now, and no others, in the bounding set
 * neither. 0 or -errno.
 */
int caps__limit(uint64_t caps);

/* caps__limit() for a thread that goes on without it where that fails; nothing with
 * caps__keep_all(). */
void caps__limit_thread(uint64_t caps);
/* For a thread that only sees to files: what caps__need_file() found needed, and `more`. */
void caps__limit_to_files(uint64_t more);
/* For a thread that works beside the main one: what is needed so far. */
void caps__limit_to_needed(void);

/*
 * Gives up what nobody needs: of this thread, so before others are started, or after they have
 * limited themselves. CAP_SYS_ADMIN stays where the kernel wants it for what others do elsewhere,
 * which is tried. uprobes: some are still to be opened, by perf events. 0 or -errno with a sentence
 * in `why`.
 */
int caps__drop(bool uprobes, struct buf *why);

#endif
