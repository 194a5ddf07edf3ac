// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/log.h"

struct child {
	pid_t pid;
	char path[PATH_MAX];
	int go;     /* written to let it execute */
	int failed; /* read: errno of an exec that failed, end of file when it worked */
	bool released;
	bool ended;
	int code;
};

static bool is_executable(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

/* As execvp(3): a name without a slash is looked for in PATH. */
static int find_command(const char *name, char *out, size_t size)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/')) {
		if ((size_t)snprintf(out, size, "%s", name) >= size)
			return -ENAMETOOLONG;
		if (access(name, F_OK))
			return -errno;
		return is_executable(name) ? 0 : -EACCES;
	}
	if (!*name)
		return -ENOENT;
	if (!path)
		path = "/bin:/usr/bin";
	for (;;) {
		size_t len = strcspn(path, ":");

		if ((size_t)snprintf(out, size, "%.*s%s%s", (int)len, path, len ? "/" : "", name) <
		            size &&
		    is_executable(out))
			return 0;
		if (!path[len])
			return -ENOENT;
		path += len + 1;
	}
}

static _Noreturn void run(const struct child *c, char **argv, int go, int failed)
{
	sigset_t none;
	char byte;
	int err;

	/* what pytrail changed for itself is not the command's business */
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (read(go, &byte, 1) != 1)
		_exit(127); /* pytrail is gone */
	execv(c->path, argv);
	err = errno;
	if (write(failed, &err, sizeof(err)) < 0)
		_exit(127);
	_exit(127);
}

int child__start(char **argv, struct child **out)
{
	struct child *c = calloc(1, sizeof(*c));
	int go[2] = {-1, -1}, failed[2] = {-1, -1}, err;

	if (!c) {
		log__error("out of memory");
		return -ENOMEM;
	}
	err = find_command(argv[0], c->path, sizeof(c->path));
	if (err) {
		log__error("cannot run '%s': %s", argv[0],
		           err == -ENOENT ? "no such command" : strerror(-err));
		free(c);
		return err;
	}
	if (pipe2(go, O_CLOEXEC) || pipe2(failed, O_CLOEXEC) || (c->pid = fork()) < 0) {
		err = -errno;
		log__error("cannot start '%s': %s", argv[0], strerror(-err));
		close(go[0]);
		close(go[1]);
		close(failed[0]);
		close(failed[1]);
		free(c);
		return err;
	}
	if (!c->pid) {
		close(go[1]);
		run(c, argv, go[0], failed[1]);
	}
	close(go[0]);
	close(failed[1]);
	c->go = go[1];
	c->failed = failed[0];
	*out = c;
	return 0;
}

void child__free(struct child *c)
{
	if (!c)
		return;
	close(c->go);
	close(c->failed);
	if (!c->released && !c->ended) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
	}
	free(c);
}

pid_t child__pid(const struct child *c)
{
	return c->pid;
}

const char *child__path(const struct child *c)
{
	return c->path;
}

int child__release(struct child *c)
{
	ssize_t n;
	int err = 0;

	if (write(c->go, "g", 1) != 1)
		return -errno;
	c->released = true;
	do {
		n = read(c->failed, &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(err))
		return 0;
	log__error("cannot run '%s': %s", c->path, strerror(err));
	return -err;
}

bool child__ended(struct child *c, int *code)
{
	int status;

	if (!c->ended && waitpid(c->pid, &status, WNOHANG) == c->pid) {
		c->ended = true;
		c->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
	if (c->ended)
		*code = c->code;
	return c->ended;
}
