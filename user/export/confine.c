// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "confine.h"

#include <errno.h>
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

#include "../confine/syscalls.h"
#include "../util/buf.h"

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

/* Needed by OpenSSL, libcurl, librdkafka, libmicrohttpd, libsystemd, and by the spool. */
static int allow(scmp_filter_ctx f)
{
	static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
	/* whether a stream is a terminal, what waits in a socket to be read or to be acknowledged,
	 * not to block */
	static const scmp_datum_t requests[] = {TCGETS, FIONREAD, SIOCOUTQ, FIONBIO};
	int err = syscalls__add(f, SCMP_ACT_ALLOW, syscalls__common, syscalls__common_cnt);

	if (!err)
		err = syscalls__add(f, SCMP_ACT_ALLOW, syscalls__sockets, syscalls__sockets_cnt);
	if (!err)
		err = syscalls__allow_families(f, families, sizeof(families) / sizeof(families[0]));
	if (!err)
		err = syscalls__allow_threads(f);
	if (!err)
		err = syscalls__allow_requests(f, requests, sizeof(requests) / sizeof(requests[0]));
	return err;
}

int confine__calls(bool commands, struct buf *why)
{
	scmp_filter_ctx f = seccomp_init(commands ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOSYS));
	int err = f ? 0 : -ENOMEM;

	if (!err && commands)
		err = syscalls__add(f, SCMP_ACT_ERRNO(EPERM), refused,
		                    sizeof(refused) / sizeof(refused[0]));
	else if (!err)
		err = allow(f);
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
