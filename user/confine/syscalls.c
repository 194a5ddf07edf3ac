// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "syscalls.h"

#include <sched.h>

const char *const syscalls__common[] = {
	"read",
	"write",
	"readv",
	"writev",
	"pread64",
	"pwrite64",
	"preadv",
	"pwritev",
	"open",
	"openat",
	"close",
	"close_range",
	"stat",
	"fstat",
	"lstat",
	"newfstatat",
	"statx",
	"statfs",
	"fstatfs",
	"lseek",
	"access",
	"faccessat",
	"faccessat2",
	"readlink",
	"readlinkat",
	"getdents64",
	"getcwd",
	"rename",
	"renameat",
	"renameat2",
	"unlink",
	"unlinkat",
	"mkdir",
	"mkdirat",
	"ftruncate",
	"fallocate",
	"fsync",
	"fdatasync",
	"flock",
	"fcntl",
	"fchmod",
	"umask",
	"fadvise64",
	"inotify_init1",
	"inotify_add_watch",
	"inotify_rm_watch",
	"dup",
	"dup2",
	"dup3",
	"pipe",
	"pipe2",
	"poll",
	"ppoll",
	"select",
	"pselect6",
	"epoll_create",
	"epoll_create1",
	"epoll_ctl",
	"epoll_wait",
	"epoll_pwait",
	"epoll_pwait2",
	"eventfd2",
	"timerfd_create",
	"timerfd_settime",
	"timerfd_gettime",
	"memfd_create",
	"mmap",
	"munmap",
	"mprotect",
	"mremap",
	"madvise",
	"brk",
	"membarrier",
	"futex",
	"get_robust_list",
	"set_robust_list",
	"rseq",
	"set_tid_address",
	"exit",
	"exit_group",
	"sched_yield",
	"sched_getaffinity",
	"getpid",
	"getppid",
	"gettid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"getgroups",
	"getresuid",
	"getresgid",
	"getpgrp",
	"uname",
	"sysinfo",
	"getrandom",
	"getrlimit",
	"prlimit64",
	"getrusage",
	"times",
	"clock_gettime",
	"clock_getres",
	"clock_nanosleep",
	"nanosleep",
	"gettimeofday",
	"time",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigtimedwait",
	"rt_sigpending",
	"sigaltstack",
	"tgkill",
	"restart_syscall",
	"prctl",
	"arch_prctl",
	"getpriority",
};
const size_t syscalls__common_cnt = sizeof(syscalls__common) / sizeof(syscalls__common[0]);

const char *const syscalls__sockets[] = {
	"connect",     "bind",       "listen",     "accept",   "accept4",    "getsockname",
	"getpeername", "getsockopt", "setsockopt", "sendto",   "recvfrom",   "sendmsg",
	"sendmmsg",    "recvmsg",    "recvmmsg",   "shutdown", "socketpair",
};
const size_t syscalls__sockets_cnt = sizeof(syscalls__sockets) / sizeof(syscalls__sockets[0]);

int syscalls__add(scmp_filter_ctx f, uint32_t action, const char *const *names, size_t cnt)
{
	int err = 0;

	for (size_t i = 0; i < cnt && !err; i++) {
		int nr = seccomp_syscall_resolve_name(names[i]);

		/* a name of another architecture, or of a newer libseccomp */
		if (nr != __NR_SCMP_ERROR && nr >= 0)
			err = seccomp_rule_add(f, action, nr, 0);
	}
	return err;
}

int syscalls__allow_threads(scmp_filter_ctx f)
{
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
	                        SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
}

int syscalls__allow_families(scmp_filter_ctx f, const int *families, size_t cnt)
{
	int err = 0;

	for (size_t i = 0; i < cnt && !err; i++)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
		                       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0));
	return err;
}

int syscalls__allow_requests(scmp_filter_ctx f, const scmp_datum_t *requests, size_t cnt)
{
	int err = 0;

	for (size_t i = 0; i < cnt && !err; i++)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
		                       SCMP_A1(SCMP_CMP_EQ, requests[i], 0));
	return err;
}
