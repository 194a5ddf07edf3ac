// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "calls.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/bpf.h>
#include <linux/perf_event.h>

#include "../util/buf.h"
#include "syscalls.h"

/* Beside what each process of ours needs. */
static const char *const traces[] = {
	/* probes of interpreters that are found later, holding (--hold-new) in new mounts */
	"perf_event_open",
	"fanotify_mark",
	/* to look into what is traced, to know when it ends */
	"process_vm_readv",
	"openat2",
	"pidfd_open",
	"pidfd_send_signal",
	"kill",
	"wait4",
	"waitid",
	"signalfd4",
	/* files: rotated, compressed, handed to the exporter, private ones removed */
	"linkat",
	"chown",
	"lchown",
	"fchown",
	"fchownat",
	"chmod",
	"fchmodat",
	"rmdir",
	"chdir",
	"fchdir",
	"utimensat",
	"mincore",
	"setpriority",
	/* of threads that begin later: they give up what is left (caps.h) */
	"capget",
	"capset",
};

/* What no tracer does. */
static const char *const fatal[] = {
	"execve",
	"execveat",
#ifndef __SANITIZE_ADDRESS__
	"ptrace", /* by which the sanitizer looks for leaks */
#endif
	"process_vm_writev",
	"init_module",
	"finit_module",
	"delete_module",
	"kexec_load",
	"kexec_file_load",
	"reboot",
	"mount",
	"umount2",
	"pivot_root",
	"move_mount",
	"open_tree",
	"fsopen",
	"fsmount",
	"chroot",
	"setns",
	"unshare",
	"swapon",
	"swapoff",
	"iopl",
	"ioperm",
	"userfaultfd",
	"add_key",
	"request_key",
	"keyctl",
	"open_by_handle_at",
};

/* Maps are read and written, links made and let go, tasks iterated over, run times asked for. */
static const scmp_datum_t commands[] = {
	BPF_MAP_LOOKUP_ELEM,  BPF_MAP_UPDATE_ELEM,  BPF_MAP_DELETE_ELEM,
	BPF_MAP_GET_NEXT_KEY, BPF_MAP_LOOKUP_BATCH, BPF_LINK_CREATE,
	BPF_LINK_DETACH,      BPF_ITER_CREATE,      BPF_OBJ_GET_INFO_BY_FD,
};

/* A copy of the program for each site, and what libbpf tries of the kernel. */
static const scmp_datum_t loading[] = {
	BPF_PROG_LOAD, BPF_MAP_CREATE,          BPF_MAP_FREEZE,
	BPF_BTF_LOAD,  BPF_RAW_TRACEPOINT_OPEN, BPF_PROG_BIND_MAP,
};

static int allow_commands(scmp_filter_ctx f, const scmp_datum_t *cmds, size_t cnt)
{
	int err = 0;

	for (size_t i = 0; i < cnt && !err; i++)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(bpf), 1,
		                       SCMP_A0(SCMP_CMP_EQ, cmds[i], 0));
	return err;
}

static int allow_conditional(scmp_filter_ctx f, bool programs)
{
	/* the service manager, `pytrail status`, name services; the metrics' address */
	static const int families[] = {AF_UNIX, AF_INET, AF_INET6};
	static const scmp_datum_t requests[] = {
		TCGETS,
		TCSETS,
		TCSETSW,
		TCSETSF,
		TIOCGWINSZ,
		TIOCGPGRP,
		FIONREAD,
		FIONBIO,
		PERF_EVENT_IOC_SET_BPF,
		PERF_EVENT_IOC_ENABLE,
		PERF_EVENT_IOC_DISABLE,
	};
	int err = syscalls__allow_families(f, families, sizeof(families) / sizeof(families[0]));

	if (!err)
		err = syscalls__allow_requests(f, requests, sizeof(requests) / sizeof(requests[0]));
	if (!err)
		err = allow_commands(f, commands, sizeof(commands) / sizeof(commands[0]));
	if (!err && programs)
		err = allow_commands(f, loading, sizeof(loading) / sizeof(loading[0]));
	/* to come again without */
	if (!err && programs)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(seccomp), 0);
	return err;
}

#ifdef __SANITIZE_ADDRESS__
/* Its look for leaks has a process of its own, which stops the threads that a directory tells. */
static const char *const leaks[] = {"clone", "ptrace", "getdents", "getdents64"};
#endif

static int fill(scmp_filter_ctx f, bool programs)
{
	int err = syscalls__add(f, SCMP_ACT_ALLOW, syscalls__common, syscalls__common_cnt);

	if (!err)
		err = syscalls__add(f, SCMP_ACT_ALLOW, syscalls__sockets, syscalls__sockets_cnt);
	if (!err)
		err = syscalls__add(f, SCMP_ACT_ALLOW, traces, sizeof(traces) / sizeof(traces[0]));
	if (!err)
		err = syscalls__add(f, SCMP_ACT_KILL_PROCESS, fatal,
		                    sizeof(fatal) / sizeof(fatal[0]));
#ifdef __SANITIZE_ADDRESS__
	err = err ? err : syscalls__add(f, SCMP_ACT_ALLOW, leaks, sizeof(leaks) / sizeof(leaks[0]));
#else
	if (!err)
		err = syscalls__allow_threads(f);
#endif
	return err ? err : allow_conditional(f, programs);
}

int calls__confine(bool programs, struct buf *why)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int err = f ? 0 : -ENOMEM;

	/* threads of before, too */
	if (!err)
		err = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!err)
		err = fill(f, programs);
	if (!err)
		err = seccomp_load(f);
	seccomp_release(f);
	if (err)
		buf__printf(why, "system calls cannot be confined: %s", strerror(-err));
	return err;
}
