/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The kernel's lockdown (Linux 5.4, security/lockdown). What tracing takes is open under
 * "integrity", which forbids to change the kernel: bpf_probe_write_user() is refused, and not used.
 * "confidentiality" forbids to read it: bpf_probe_read_kernel(), by which the programs find what a
 * task is, is refused by the verifier.
 */
#ifndef PYTRAIL_LOCKDOWN_H
#define PYTRAIL_LOCKDOWN_H

#include <stdbool.h>

#define LOCKDOWN_DIR "/sys/kernel/security"

enum lockdown {
	LOCKDOWN_UNKNOWN, /* securityfs is not mounted */
	LOCKDOWN_ABSENT,  /* this kernel has none */
	LOCKDOWN_NONE,
	LOCKDOWN_INTEGRITY,
	LOCKDOWN_CONFIDENTIALITY,
};

/* dir: where securityfs is, LOCKDOWN_DIR but for tests. */
enum lockdown lockdown__read(const char *dir);

/* The kernel's word, or NULL where there is none. */
const char *lockdown__name(enum lockdown l);
/* What it means to pytrail, for people. */
const char *lockdown__note(enum lockdown l);

#endif
