// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "starter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../confine/caps.h"
#include "link.h"

#define SOCKET_FD 3
/* For an answer, which takes it a fork(2). */
#define PATIENCE_S 10

static struct {
	pid_t pid;
	int socket;
} starter = {.socket = -1};

/* In the child: never returns. fds: of link.h, in their order. */
static void become(const int *fds)
{
	char name[] = "pytrail", word[] = EXPORTER_WORD, *argv[] = {name, word, NULL};
	static const char *const kept[] = {"PATH",          "TZ",           "LANG",
	                                   "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy",
	                                   "https_proxy",   "HTTPS_PROXY",  "no_proxy",
	                                   "NO_PROXY",      "all_proxy",    "ALL_PROXY",
	                                   "ASAN_OPTIONS",  "UBSAN_OPTIONS"};
	char *env[sizeof(kept) / sizeof(kept[0]) + 1], text[sizeof(kept) / sizeof(kept[0])][1024];
	int high[3], null = open("/dev/null", O_RDWR);
	size_t n = 0;
	sigset_t set;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		const char *v = getenv(kept[i]);

		if (v && snprintf(text[n], sizeof(text[n]), "%s=%s", kept[i], v) <
		                 (int)sizeof(text[n])) {
			env[n] = text[n];
			n++;
		}
	}
	env[n] = NULL;
	for (int i = 0; i < 3; i++)
		high[i] = fcntl(fds[i] >= 0 ? fds[i] : null, F_DUPFD, 16);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	for (int i = 0; i < 3; i++)
		if (high[i] < 0 || dup2(high[i], EXPORTER_LINK_FD + i) < 0)
			_exit(127);
	close_range(EXPORTER_LISTEN_FD + 1, ~0u, 0);
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	execve("/proc/self/exe", argv, env);
	_exit(127);
}

/* The next request's descriptors; listen's may be missing. 0, or -1: the tracer has ended. */
static int take(int fds[3])
{
	union {
		char data[CMSG_SPACE(3 * sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
	                   .msg_iovlen = 1,
	                   .msg_control = &control,
	                   .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	ssize_t n;

	do {
		n = recvmsg(SOCKET_FD, &m, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	fds[0] = fds[1] = fds[2] = -1;
	if (n <= 0)
		return -1;
	if (c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len <= CMSG_LEN(3 * sizeof(int)))
		memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	return 0;
}

/* A sibling of ours, so that the tracer can wait for it and it ends with the tracer. */
static pid_t fork_sibling(void)
{
	long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

	return pid < 0 ? -errno : (pid_t)pid;
}

static _Noreturn void serve(pid_t parent)
{
	/* to become another user without a way back, with a program that may be anybody's */
	caps__limit(CAP_BIT(CAPABILITY_SETUID) | CAP_BIT(CAPABILITY_SETGID) |
	            CAP_BIT(CAPABILITY_SETPCAP) | CAP_BIT(CAPABILITY_DAC_OVERRIDE));
	prctl(PR_SET_NAME, "pytrail-start", 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* what ends the tracer ends us, in order */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	for (int fds[3]; getppid() == parent && !take(fds);) {
		pid_t pid = fork_sibling();

		if (!pid)
			become(fds);
		for (int i = 0; i < 3; i++)
			if (fds[i] >= 0)
				close(fds[i]);
		if (send(SOCKET_FD, &pid, sizeof(pid), MSG_NOSIGNAL) != sizeof(pid))
			break;
	}
	_exit(0);
}

/* In the child: nothing of the tracer's files but standard error. */
static _Noreturn void run(int socket, pid_t parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (socket != SOCKET_FD)
		dup3(socket, SOCKET_FD, O_CLOEXEC);
	close_range(SOCKET_FD + 1, ~0u, 0);
	serve(parent);
}

int starter__begin(void)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	pid_t parent = getpid();
	int pair[2];

	if (starter.pid > 0)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	starter.pid = fork();
	if (!starter.pid)
		run(pair[1], parent);
	close(pair[1]);
	if (starter.pid < 0) {
		int err = -errno;

		starter.pid = 0;
		close(pair[0]);
		return err;
	}
	starter.socket = pair[0];
	setsockopt(starter.socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return 0;
}

static int ask(const int *fds, size_t cnt)
{
	union {
		char data[CMSG_SPACE(3 * sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	char byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
	                   .msg_iovlen = 1,
	                   .msg_control = &control,
	                   .msg_controllen = CMSG_SPACE(cnt * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(cnt * sizeof(int));
	memcpy(CMSG_DATA(c), fds, cnt * sizeof(int));
	return sendmsg(starter.socket, &m, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

pid_t starter__start(int link_fd, int config_fd, int listen_fd)
{
	const int fds[] = {link_fd, config_fd, listen_fd};
	int err = starter__begin();
	ssize_t n;
	pid_t pid;

	if (!err)
		err = ask(fds, listen_fd >= 0 ? 3 : 2);
	if (err)
		return err == -ECONNRESET ? -EPIPE : err;
	do {
		n = recv(starter.socket, &pid, sizeof(pid), 0);
	} while (n < 0 && errno == EINTR);
	if (n == sizeof(pid))
		return pid;
	return n < 0 && errno == EAGAIN ? -ETIMEDOUT : -EPIPE;
}

void starter__end(void)
{
	if (starter.pid <= 0)
		return;
	close(starter.socket);
	while (waitpid(starter.pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	starter.pid = 0;
	starter.socket = -1;
}
