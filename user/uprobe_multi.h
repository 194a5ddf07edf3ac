/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One link for many uprobes of a file (Linux 6.6), by the system call itself, for libbpf 1.1 does
 * not know it: attached and detached in a fraction of the time that as many perf events take.
 */
#ifndef PYTRAIL_UPROBE_MULTI_H
#define PYTRAIL_UPROBE_MULTI_H

#include <stdint.h>

/* What a program must have been loaded with (enum bpf_attach_type, include/uapi/linux/bpf.h). */
#define UPROBE_MULTI_ATTACH_TYPE 48

struct uprobe_multi {
	const uint64_t *offsets;    /* in the file */
	const uint64_t *semaphores; /* in the file, 0: none */
	const uint64_t *cookies;
	uint32_t cnt;
};

/*
 * For every process. The program must return 0: of kernels before 6.13 another value takes the
 * probe away from the process (kernel/trace/bpf_trace.c, uprobe_multi_link_handler()). A descriptor
 * of the link, which detaches when it is closed; -errno.
 */
int uprobe_multi__attach(int prog_fd, const char *path, const struct uprobe_multi *u);

#endif
