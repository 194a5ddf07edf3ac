// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "uprobe_multi.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The part of union bpf_attr for BPF_LINK_CREATE that this kind of link uses. */
struct link_create_attr {
	uint32_t prog_fd;
	uint32_t target_fd;
	uint32_t attach_type;
	uint32_t flags;
	uint64_t path;
	uint64_t offsets;
	uint64_t ref_ctr_offsets;
	uint64_t cookies;
	uint32_t cnt;
	uint32_t multi_flags;
	uint32_t pid;
	uint32_t reserved;
};

int uprobe_multi__attach(int prog_fd, const char *path, const struct uprobe_multi *u)
{
	struct link_create_attr attr = {
		.prog_fd = (uint32_t)prog_fd,
		.attach_type = UPROBE_MULTI_ATTACH_TYPE,
		.path = (uint64_t)(uintptr_t)path,
		.offsets = (uint64_t)(uintptr_t)u->offsets,
		.ref_ctr_offsets = (uint64_t)(uintptr_t)u->semaphores,
		.cookies = (uint64_t)(uintptr_t)u->cookies,
		.cnt = u->cnt,
	};
	long fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : (int)fd;
}
