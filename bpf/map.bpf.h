/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A libpython about to be mapped: programs that embed Python load it long after their exec, and
 * ld.so not at the exec either.
 *
 * vm_unmapped_area (Linux 5.7, df529cabb7a2) fires as mmap() looks for room, which a dynamic linker
 * lets it do once for each library, before it maps its code over a part of that: early enough to
 * have the probe in place before the code is there. Unlike the tracepoints of system calls it costs
 * nothing in any call but mmap(), and needs no tracefs. It does not say of which file, but the
 * registers at the system call's entry do.
 */
#ifndef PYTRAIL_MAP_BPF_H
#define PYTRAIL_MAP_BPF_H

/* linux/fdtable.h; the names are those of every kernel since 2.6.15 */
struct fdtable___pt {
	unsigned int max_fds;
	struct file **fd;
} __attribute__((preserve_access_index));

struct files_struct___pt {
	struct fdtable___pt *fdt;
} __attribute__((preserve_access_index));

#if defined(__TARGET_ARCH_x86)
#define MMAP_NR 9
/* mmap()'s file descriptor, or -1 when the task is in another system call. */
static __always_inline int map__fd(struct task_struct *t)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);

	return regs->orig_ax == MMAP_NR ? (int)regs->r8 : -1;
}
#elif defined(__TARGET_ARCH_arm64)
#define MMAP_NR 222
static __always_inline int map__fd(struct task_struct *t)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);

	return regs->syscallno == MMAP_NR ? (int)regs->regs[4] : -1;
}
#endif

/* Whether a file's own name begins with "libpython". */
static __always_inline bool map__is_libpython(struct task_struct *t, int fd)
{
	struct files_struct___pt *files = (void *)t->files;
	struct fdtable___pt *table = BPF_CORE_READ(files, fdt);
	struct file **list = BPF_CORE_READ(table, fd), *file = NULL;
	const unsigned char *name;
	char start[16] = {0};

	if ((__u32)fd >= BPF_CORE_READ(table, max_fds))
		return false;
	if (bpf_probe_read_kernel(&file, sizeof(file), list + fd) || !file)
		return false;
	name = BPF_CORE_READ(file, f_path.dentry, d_name.name);
	if (bpf_probe_read_kernel(start, 9, name))
		return false;
	return *(__u64 *)start == 0x6f6874797062696cull /* "libpytho" */ && start[8] == 'n';
}

#endif
