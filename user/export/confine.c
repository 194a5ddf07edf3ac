// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "confine.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include <cap-ng.h>
#include <seccomp.h>

#include "../util/buf.h"

/* Needed by glibc, threads, OpenSSL, libcurl, librdkafka, libmicrohttpd, libsystemd, and by the spool. */
static const char *const allowed[] = {
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
	"connect",
	"bind",
	"listen",
	"accept",
	"accept4",
	"getsockname",
	"getpeername",
	"getsockopt",
	"setsockopt",
	"sendto",
	"recvfrom",
	"sendmsg",
	"sendmmsg",
	"recvmsg",
	"recvmmsg",
	"shutdown",
	"socketpair",
};

/* Of what a command has no use for. */
static const char *const refused[] = {
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"kcmp",
	"bpf",
	"perf_event_open",
	"userfaultfd",
	"io_uring_setup",
	"io_uring_enter",
	"io_uring_register",
	"mount",
	"umount2",
	"pivot_root",
	"chroot",
	"move_mount",
	"open_tree",
	"fsopen",
	"fsmount",
	"fsconfig",
	"unshare",
	"setns",
	"init_module",
	"finit_module",
	"delete_module",
	"kexec_load",
	"kexec_file_load",
	"reboot",
	"swapon",
	"swapoff",
	"settimeofday",
	"clock_settime",
	"adjtimex",
	"clock_adjtime",
	"acct",
	"quotactl",
	"add_key",
	"request_key",
	"keyctl",
	"iopl",
	"ioperm",
	"open_by_handle_at",
	"name_to_handle_at",
	"fanotify_init",
	"syslog",
	"sethostname",
	"setdomainname",
	"personality",
	"lookup_dcookie",
	"vhangup",
};

static int add_rules(scmp_filter_ctx f, uint32_t action, const char *const *names, size_t cnt)
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

/* What depends on arguments. */
static int add_conditions(scmp_filter_ctx f)
{
	static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
	/* whether a stream is a terminal, what waits in a socket to be read or to be acknowledged, not to block */
	static const scmp_datum_t requests[] = {TCGETS, FIONREAD, SIOCOUTQ, FIONBIO};
	int err = 0;

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]) && !err; i++)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
		                       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
	/* threads, no processes */
	if (!err)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
		                       SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]) && !err; i++)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
		                       SCMP_A1(SCMP_CMP_EQ, requests[i]));
	return err;
}

int confine__calls(bool commands, struct buf *why)
{
	scmp_filter_ctx f = seccomp_init(commands ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOSYS));
	int err = f ? 0 : -ENOMEM;

	if (!err && commands)
		err = add_rules(f, SCMP_ACT_ERRNO(EPERM), refused,
		                sizeof(refused) / sizeof(refused[0]));
	else if (!err)
		err = add_rules(f, SCMP_ACT_ALLOW, allowed, sizeof(allowed) / sizeof(allowed[0]));
	if (!err && !commands)
		err = add_conditions(f);
	if (!err)
		err = seccomp_load(f);
	seccomp_release(f);
	if (err)
		buf__printf(why, "the exporter's system calls cannot be confined: %s",
		            strerror(-err));
	return err;
}

static int drop(uid_t uid, gid_t gid)
{
	if (geteuid() == 0 && uid != 0) {
		capng_clear(CAPNG_SELECT_BOTH);
		return capng_change_id((int)uid, (int)gid,
		                       CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
	}
	/* without root there is nobody else to be */
	capng_clear(CAPNG_SELECT_CAPS);
	return capng_apply(CAPNG_SELECT_CAPS);
}

static void set_limits(void)
{
	const struct rlimit none = {0, 0}, files = {4096, 4096};

	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_MEMLOCK, &none);
	setrlimit(RLIMIT_NOFILE, &files);
}

int confine__user(uid_t uid, gid_t gid, pid_t parent, struct buf *why)
{
	int err;

	set_limits();
	err = drop(uid, gid);
	if (err) {
		buf__printf(why, "the exporter cannot become user %u (libcap-ng: %d)",
		            (unsigned)uid, err);
		return -EPERM;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) {
		buf__printf(why, "the exporter cannot be confined: %s", strerror(errno));
		return -errno;
	}
	/* only now: a change of user takes it away */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent) {
		buf__printf(why, "the tracer has ended");
		return -ESRCH;
	}
	return 0;
}
