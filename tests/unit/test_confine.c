// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What the tracer gives up: system calls and capabilities, each in a process of its own. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/bpf.h>

#include <cmocka.h>

#include "confine/calls.h"
#include "confine/caps.h"
#include "util/buf.h"

/* Runs it in a child; how that ended, as waitpid(2) says. */
static int status_of(void (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		fn();
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void assert_fine(void (*fn)(void))
{
	int status = status_of(fn);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define CHECK(x)                                                    \
	do {                                                        \
		if (!(x))                                           \
			_exit(__LINE__ & 127 ? __LINE__ & 127 : 1); \
	} while (0)

static void confine(bool programs)
{
	struct buf why = BUF_INIT;

	CHECK(!calls__confine(programs, &why));
}

static long load_nothing(void)
{
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_KPROBE};

	errno = 0;
	return syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

static void what_tracing_needs(void)
{
	char path[] = "/tmp/pytrail-confine-XXXXXX";
	int fd;

	confine(false);
	fd = mkstemp(path);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1 && !fchmod(fd, 0600) && !unlink(path));
	CHECK(socket(AF_UNIX, SOCK_DGRAM, 0) >= 0);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2);
	CHECK(!kill(getpid(), 0));
	CHECK(syscall(SYS_pidfd_open, getpid(), 0) >= 0);
}

static void what_it_does_not(void)
{
	confine(false);
	CHECK(load_nothing() < 0 && errno == ENOSYS);
	CHECK(socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == ENOSYS);
	CHECK(syscall(SYS_acct, NULL) < 0 && errno == ENOSYS);
	CHECK(syscall(SYS_io_uring_setup, 1, NULL) < 0 && errno == ENOSYS);
#ifndef __SANITIZE_ADDRESS__
	CHECK(fork() < 0 && errno == ENOSYS);
#endif
}

static void programs_later(void)
{
	confine(true);
	/* the kernel's own answer */
	CHECK(load_nothing() < 0 && errno != ENOSYS);
}

static void executes(void)
{
	char name[] = "true", *const argv[] = {name, NULL};

	confine(false);
	execv("/bin/true", argv);
}

static void mounts(void)
{
	confine(false);
	syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL);
}

static pthread_barrier_t barrier;
static int of_thread;

static void *look(void *arg)
{
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	of_thread = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) + 10 * prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	return NULL;
}

static void threads_of_before(void)
{
	pthread_t t;

	pthread_barrier_init(&barrier, NULL, 2);
	CHECK(!pthread_create(&t, NULL, look, NULL));
	pthread_barrier_wait(&barrier);
	confine(false);
	pthread_barrier_wait(&barrier);
	pthread_join(t, NULL);
	CHECK(of_thread == 12);
}

static void test_calls(void **state)
{
	assert_fine(what_tracing_needs);
	assert_fine(what_it_does_not);
	assert_fine(programs_later);
	assert_fine(threads_of_before);
}

static void test_an_intruder_is_ended(void **state)
{
	int status = status_of(executes);

	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	status = status_of(mounts);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static void drops(void)
{
	const uint64_t wanted = CAP_BIT(CAPABILITY_SYS_PTRACE) | CAP_BIT(CAPABILITY_KILL);
	const uint64_t before = caps__effective();
	struct buf why = BUF_INIT;

	caps__need(CAPABILITY_SYS_PTRACE);
	caps__need(CAPABILITY_KILL);
	CHECK(!caps__drop(false, &why));
	CHECK(!(caps__effective() & ~(wanted | CAP_BIT(CAPABILITY_SYS_ADMIN))));
	CHECK((caps__effective() & wanted) == (before & wanted));
	if (before & CAP_BIT(CAPABILITY_SETPCAP)) {
		CHECK(prctl(PR_CAPBSET_READ, CAPABILITY_KILL, 0, 0, 0) == 1);
		CHECK(prctl(PR_CAPBSET_READ, CAPABILITY_SETUID, 0, 0, 0) == 0);
	}
}

/* A directory of another user: what it takes to write there is kept. */
static void drops_but_files(void)
{
	char dir[] = "/tmp/pytrail-confine-XXXXXX";
	struct buf why = BUF_INIT;

	CHECK(mkdtemp(dir));
	caps__need_path(dir);
	if (chown(dir, 65534, 65534) == 0) {
		caps__need_path(dir);
		CHECK(!caps__drop(false, &why));
		CHECK(caps__effective() & CAP_BIT(CAPABILITY_DAC_OVERRIDE));
		CHECK(!(caps__effective() & CAP_BIT(CAPABILITY_DAC_READ_SEARCH)));
	}
	CHECK(!rmdir(dir));
}

static void drops_files_of_ours(void)
{
	char dir[] = "/tmp/pytrail-confine-XXXXXX";
	struct buf why = BUF_INIT;

	CHECK(mkdtemp(dir));
	caps__need_path(dir);
	CHECK(!caps__drop(false, &why));
	CHECK(!(caps__effective() & CAP_BIT(CAPABILITY_DAC_OVERRIDE)));
	CHECK(!rmdir(dir));
}

static void keeps_all(void)
{
	const uint64_t before = caps__effective();
	struct buf why = BUF_INIT;

	caps__keep_all();
	caps__limit_to_files(0);
	CHECK(!caps__drop(false, &why));
	CHECK(caps__effective() == before);
}

static void test_capabilities(void **state)
{
	assert_fine(drops);
	assert_fine(drops_but_files);
	assert_fine(drops_files_of_ours);
	assert_fine(keeps_all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_an_intruder_is_ended),
		cmocka_unit_test(test_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
