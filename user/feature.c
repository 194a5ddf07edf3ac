/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "confine/caps.h"
#include "feature.h"
#include "perf_uprobe.h"
#include "uprobe_multi.h"

#define UPROBE_PMU "/sys/bus/event_source/devices/uprobe/"

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)})
#define INSN_MOV(reg, value) INSN(BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, value)
#define INSN_EXIT            INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static bool has_capability(enum cap cap)
{
	return caps__effective() & CAP_BIT(cap);
}

static bool probe_privileges(void)
{
	return has_capability(CAPABILITY_SYS_ADMIN) ||
	       (has_capability(CAPABILITY_BPF) && has_capability(CAPABILITY_PERFMON));
}

static bool probe_ptrace(void)
{
	return has_capability(CAPABILITY_SYS_PTRACE);
}

static bool probe_btf(void)
{
	return !access("/sys/kernel/btf/vmlinux", R_OK);
}

/* Loads a program and lets go of it. */
static bool loads(enum bpf_prog_type type, const struct bpf_insn *insns, size_t cnt,
                  struct bpf_prog_load_opts *opts)
{
	int fd = bpf_prog_load(type, "pytrail_probe", "GPL", insns, cnt, opts);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static const struct bpf_insn return_0[] = {INSN_MOV(BPF_REG_0, 0), INSN_EXIT};

static bool probe_bpf(void)
{
	return loads(BPF_PROG_TYPE_KPROBE, return_0, 2, NULL);
}

/* Eight bytes from the address 0 to the stack: refused by lockdown=confidentiality when it is
 * loaded. */
static bool probe_read_kernel(void)
{
	const struct bpf_insn insns[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, -8),
		INSN_MOV(BPF_REG_2, 8),
		INSN_MOV(BPF_REG_3, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_read_kernel),
		INSN_MOV(BPF_REG_0, 0),
		INSN_EXIT,
	};

	return loads(BPF_PROG_TYPE_KPROBE, insns, sizeof(insns) / sizeof(insns[0]), NULL);
}

static bool probe_ringbuf(void)
{
	return libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) > 0;
}

static bool probe_uprobe(void)
{
	return !access(UPROBE_PMU "type", R_OK);
}

static bool probe_semaphore(void)
{
	return !access(UPROBE_PMU "format/ref_ctr_offset", R_OK);
}

/* The program is only loaded: raw tracepoints are attached without any further feature. */
static bool tracepoint_loads(const char *name, const struct bpf_insn *insns, size_t cnt)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_RAW_TP);
	int id = libbpf_find_vmlinux_btf_id(name, BPF_TRACE_RAW_TP);

	if (id <= 0)
		return false;
	opts.attach_btf_id = (uint32_t)id;
	return loads(BPF_PROG_TYPE_TRACING, insns, cnt, &opts);
}

static bool probe_tp_btf(void)
{
	return tracepoint_loads("sched_process_exec", return_0, 2);
}

/* The tracepoint, and the helper by which its program finds the system call's arguments. */
static bool probe_tp_mmap(void)
{
	const struct bpf_insn insns[] = {
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_current_task_btf),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_task_pt_regs),
		INSN_MOV(BPF_REG_0, 0),
		INSN_EXIT,
	};

	return tracepoint_loads("vm_unmapped_area", insns, sizeof(insns) / sizeof(insns[0]));
}

/* To find processes that are there already, with the exact time of their start. */
static bool probe_task_iter(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_ITER);
	int id = libbpf_find_vmlinux_btf_id("task", BPF_TRACE_ITER);

	if (id <= 0)
		return false;
	opts.attach_btf_id = (uint32_t)id;
	return loads(BPF_PROG_TYPE_TRACING, return_0, 2, &opts);
}

static bool probe_attach_cookie(void)
{
	/* not libbpf_probe_bpf_helper(): it takes a refusal for want of privileges for a yes */
	const struct bpf_insn insns[] = {
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_attach_cookie),
		INSN_MOV(BPF_REG_0, 0),
		INSN_EXIT,
	};

	return loads(BPF_PROG_TYPE_KPROBE, insns, sizeof(insns) / sizeof(insns[0]), NULL);
}

static bool probe_fetch_atomics(void)
{
	/* compare and exchange on a word of the stack */
	const struct bpf_insn insns[] = {
		INSN_MOV(BPF_REG_0, 0),
		INSN(BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_0, -8, 0),
		INSN_MOV(BPF_REG_1, 1),
		INSN(BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_10, BPF_REG_1, -8, BPF_CMPXCHG),
		INSN_MOV(BPF_REG_0, 0),
		INSN_EXIT,
	};

	return loads(BPF_PROG_TYPE_KPROBE, insns, sizeof(insns) / sizeof(insns[0]), NULL);
}

/* A link to something that is no regular file: EBADF is the answer of a kernel that knows the kind
 * (bpf_uprobe_multi_link_attach), EINVAL of one that does not. */
static bool probe_uprobe_multi(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
	            .expected_attach_type = (enum bpf_attach_type)UPROBE_MULTI_ATTACH_TYPE);
	const uint64_t offset = 0;
	const struct uprobe_multi none = {.offsets = &offset, .cnt = 1};
	int fd, link;

	fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "pytrail_probe", "GPL", return_0, 2, &opts);
	if (fd < 0)
		return false;
	link = uprobe_multi__attach(fd, "/", &none);
	if (link >= 0)
		close(link);
	close(fd);
	return link == -EBADF;
}

/*
 * Older verifiers refuse the flag for this type of program. From Linux 6.0 on (8c7dcb84e3b7) they
 * take it, but without multi-uprobe links such a program would stop other processes
 * (perf_uprobe.h).
 */
static bool probe_sleepable_uprobe(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_SLEEPABLE);

	return probe_uprobe_multi() && loads(BPF_PROG_TYPE_KPROBE, return_0, 2, &opts);
}

static bool probe_unlocked_perf_uprobe(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool unlocked = btf && perf_uprobe__is_unlocked(btf);

	btf__free(btf);
	return unlocked;
}

#define NEWER_KERNEL "boot a newer kernel"

/* The twelve digits are of the commit in Linux that brought it. */
static const struct {
	bool (*probe)(void);
	struct feature_info info;
} features[FEATURE_MAX] = {
	[FEATURE_PRIVILEGES] =
		{
			probe_privileges,
			{
				.name = "privileges",
				.since = "Linux 5.8 (2c78ee898d8f); CAP_SYS_ADMIN before",
				.required = true,
				.purpose = "to load programs and to set probes",
				.cure = "run as root, or with CAP_BPF and CAP_PERFMON",
			},
		},
	[FEATURE_PTRACE] =
		{
			probe_ptrace,
			{
				.name = "other users' processes",
				.purpose = "to find the interpreters in processes of other users",
				.cure = "run as root, or with CAP_SYS_PTRACE and "
					"CAP_DAC_READ_SEARCH",
			},
		},
	[FEATURE_BTF] =
		{
			probe_btf,
			{
				.name = "BTF",
				.since = "Linux 5.4 (341dfcf8d78e)",
				.required = true,
				.purpose = "to read the kernel's own structures",
				.cure = "boot a kernel with CONFIG_DEBUG_INFO_BTF: it has "
					"/sys/kernel/btf/vmlinux",
			},
		},
	[FEATURE_BPF] =
		{
			probe_bpf,
			{
				.name = "BPF programs",
				.since = "Linux 4.1 (2541517c32be)",
				.required = true,
				.purpose = "to decode events in the kernel",
				.cure = "run as root, not in a user namespace, on a kernel with "
					"CONFIG_BPF_EVENTS, with "
					"no lockdown or seccomp filter that refuses bpf(2)",
			},
		},
	[FEATURE_READ_KERNEL] =
		{
			probe_read_kernel,
			{
				.name = "kernel reads",
				.since = "Linux 5.5 (6ae08ae3dea2)",
				.required = true,
				.needs_bpf = true,
				.purpose = "to know which process raises an event",
				.cure = "boot with lockdown=integrity or none",
			},
		},
	[FEATURE_RINGBUF] =
		{
			probe_ringbuf,
			{
				.name = "BPF ring buffer",
				.since = "Linux 5.8 (457f44363a88)",
				.required = true,
				.needs_bpf = true,
				.purpose = "to hand events to user space",
				.cure = NEWER_KERNEL,
			},
		},
	[FEATURE_UPROBE] =
		{
			probe_uprobe,
			{
				.name = "uprobes",
				.since = "Linux 4.17 (33ea4b24277b)",
				.required = true,
				.purpose = "to see audit events",
				.cure = "boot a kernel with CONFIG_UPROBE_EVENTS, and mount /sys",
			},
		},
	[FEATURE_SEMAPHORE] =
		{
			probe_semaphore,
			{
				.name = "probe semaphores",
				.since = "Linux 4.20 (a6ca88b241d5)",
				.required = true,
				.purpose = "to switch CPython's python:audit probe on",
				.cure = NEWER_KERNEL,
			},
		},
	[FEATURE_TP_BTF] =
		{
			probe_tp_btf,
			{
				.name = "BTF tracepoints",
				.since = "Linux 5.5 (9e15db66136a)",
				.required = true,
				.needs_bpf = true,
				.purpose = "to see processes start, fork and exit",
				.cure = "boot a newer kernel, with CONFIG_DEBUG_INFO_BTF",
			},
		},
	[FEATURE_TP_MMAP] =
		{
			probe_tp_mmap,
			{
				.name = "tracepoint in mmap()",
				.since = "Linux 5.15 (dd6e10fbd9fb)",
				.needs_bpf = true,
				.purpose =
					"to attach libpython before a program that loads it late "
					"runs it; without it the program is found after seconds",
				.cure = NEWER_KERNEL,
			},
		},
	[FEATURE_TASK_ITER] =
		{
			probe_task_iter,
			{
				.name = "iterator of tasks",
				.since = "Linux 5.8 (eaaacd23910f)",
				.needs_bpf = true,
				.purpose =
					"to tell (--processes) that a process is attached before "
					"its first event",
				.cure = NEWER_KERNEL,
			},
		},
	[FEATURE_ATTACH_COOKIE] =
		{
			probe_attach_cookie,
			{
				.name = "attach cookies",
				.since = "Linux 5.15 (7adfc6c9b315)",
				.needs_bpf = true,
				.purpose = "to tell probe sites apart; without it each is given a "
					   "copy of the program",
				.cure = NEWER_KERNEL,
			},
		},
	[FEATURE_FETCH_ATOMICS] =
		{
			probe_fetch_atomics,
			{
				.name = "fetching atomics",
				.since = "Linux 5.12 (5ffa25502b5a)",
				.needs_bpf = true,
				.purpose = "to share the memory that events are decoded in; "
					   "without it each processor has its own",
				.cure = NEWER_KERNEL,
			},
		},
	[FEATURE_SLEEPABLE_UPROBE] =
		{
			probe_sleepable_uprobe,
			{
				.name = "sleepable uprobes",
				.since = "Linux 6.6 (89ae89f53d20)",
				.needs_bpf = true,
				.purpose = "to read arguments that are not in memory, while nobody "
					   "else waits; without it they are marked unreadable",
				.cure = NEWER_KERNEL,
			},
		},
	[FEATURE_UNLOCKED_PERF_UPROBE] =
		{
			probe_unlocked_perf_uprobe,
			{
				.name = "unlocked perf uprobes",
				.since = "Linux 6.10 (1b8f85defbc8)",
				.purpose = "to read arguments that are not in memory with -p PID, "
					   "too; without it they are marked unreadable there",
				.cure = NEWER_KERNEL,
			},
		},
	[FEATURE_UPROBE_MULTI] =
		{
			probe_uprobe_multi,
			{
				.name = "multi-uprobe links",
				.since = "Linux 6.6 (89ae89f53d20)",
				.needs_bpf = true,
				.purpose = "to detach files faster",
				.cure = NEWER_KERNEL,
			},
		},
};

/* Whether the environment denies it, for tests of what is done without. */
static bool denied(const char *name)
{
	const char *list = getenv("PYTRAIL_WITHOUT");
	size_t len;

	for (; list && *list; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		if (len == strlen(name) && !strncmp(list, name, len))
			return true;
	}
	return false;
}

bool feature__has(enum feature f)
{
	static struct {
		bool known, has;
	} results[FEATURE_MAX];

	if (!results[f].known) {
		/* What a probe finds missing is its result, not news from libbpf. */
		libbpf_print_fn_t print = libbpf_set_print(NULL);

		results[f].has = !denied(features[f].info.name) && features[f].probe();
		results[f].known = true;
		libbpf_set_print(print);
	}
	return results[f].has;
}

const char *feature__name(enum feature f)
{
	return features[f].info.name;
}

const struct feature_info *feature__info(enum feature f)
{
	return &features[f].info;
}
