// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The exec driver: a command that gets records on its standard input, a line each. It is started
 * with the first batch, and again when it has ended, with the worker's back-off between.
 *
 * acknowledge=read: a batch is delivered when the command has read all of it from the pipe and
 * still runs then; what it had read and not done with when it dies is lost. acknowledge=line: it
 * answers each line with one on its standard output, in order: nothing or "ok": done; "retry": not
 * now; "reject": never.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../net/waiter.h"
#include "../util/buf.h"
#include "../util/clock.h"
#include "delivery.h"
#include "drivers.h"

#define ANSWER_MAX 4096 /* bytes of a line */

extern char **environ;

static const struct setting exec_settings[] = {
	{"argument", SETTING_LIST, NULL, NULL, 0, 0, "of the command; repeats"},
	{"acknowledge", SETTING_CHOICE, "read", "read|line", 0, 0,
         "what delivered means: the command has read it (and may die with it), or has answered it "
         "with a "
         "line: ok, retry or reject"},
	{0},
};

static const char *const exec_schemes[] = {"exec", NULL};

struct command {
	struct driver base;
	struct waiter waiter;
	char **argv; /* NULL-terminated; owned */
	bool by_line;
	double timeout;
	pid_t pid;   /* 0: it does not run */
	int in, out; /* our ends of its pipes, -1: none */
	struct buf lines, answers;
	int status; /* of the one that ended last, wait(2) */
};

static void close_pipes(struct command *c)
{
	if (c->in >= 0)
		close(c->in);
	if (c->out >= 0)
		close(c->out);
	c->in = c->out = -1;
}

/* Whether it has ended; its status is kept. */
static bool has_ended(struct command *c)
{
	if (c->pid && waitpid(c->pid, &c->status, WNOHANG) == c->pid)
		c->pid = 0;
	return !c->pid;
}

static bool wait_end(struct command *c, double seconds)
{
	uint64_t deadline = waiter__deadline(seconds);
	struct waiter none = {.wake = -1};

	while (!has_ended(c) && clock__monotonic() < deadline)
		waiter__poll(&none, -1, 0, waiter__deadline(0.01));
	return !c->pid;
}

/* The end of its input tells it; then signals do, to all it has started. */
static void stop(struct command *c, double patience)
{
	close_pipes(c);
	if (!c->pid)
		return;
	if (!wait_end(c, patience)) {
		kill(-c->pid, SIGTERM);
		if (!wait_end(c, 1))
			kill(-c->pid, SIGKILL);
	}
	if (c->pid)
		waitpid(c->pid, &c->status, 0);
	c->pid = 0;
}

static int spawn(struct command *c, int in, int out)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int err;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, 0);
	if (out >= 0)
		posix_spawn_file_actions_adddup2(&files, out, 1);
	else /* ours carries data */
		posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
	                                        POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	err = posix_spawn(&c->pid, c->argv[0], &files, &attr, c->argv, environ);
	if (err)
		c->pid = 0;
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return -err;
}

static int start(struct command *c)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, err = 0;

	c->status = 0;
	buf__reset(&c->answers);
	if (pipe2(in, O_CLOEXEC) || (c->by_line && pipe2(out, O_CLOEXEC)))
		err = -errno;
	if (!err)
		err = spawn(c, in[0], out[1]);
	if (in[0] >= 0)
		close(in[0]);
	if (out[1] >= 0)
		close(out[1]);
	c->in = in[1];
	c->out = out[0];
	if (err) {
		close_pipes(c);
		return err;
	}
	fcntl(c->in, F_SETFL, O_NONBLOCK);
	if (c->out >= 0)
		fcntl(c->out, F_SETFL, O_NONBLOCK);
	return 0;
}

/* Takes whole lines of answers. */
static int take_answers(struct command *c, size_t cnt, size_t *answered, struct delivery *out)
{
	char *end;

	while ((end = memchr(c->answers.data, '\n', c->answers.len))) {
		size_t len = (size_t)(end - c->answers.data);
		const char *s = c->answers.data;
		bool ok = !len || (len == 2 && !memcmp(s, "ok", 2));

		if (*answered == cnt)
			return -EBADMSG;
		if (!ok && !(len == 5 && !memcmp(s, "retry", 5)) &&
		    !(len == 6 && !memcmp(s, "reject", 6)))
			return -EBADMSG;
		out->items[(*answered)++] = ok         ? DELIVERY_OK
		                            : len == 5 ? DELIVERY_RETRY
		                                       : DELIVERY_REJECTED;
		c->answers.len -= len + 1;
		memmove(c->answers.data, end + 1, c->answers.len);
	}
	return c->answers.len > ANSWER_MAX ? -EBADMSG : 0;
}

/* What it has answered by now. -EAGAIN: nothing new. */
static int read_answers(struct command *c, size_t cnt, size_t *answered, struct delivery *out)
{
	ssize_t n;

	if (!buf__reserve(&c->answers, ANSWER_MAX))
		return -ENOMEM;
	n = read(c->out, c->answers.data + c->answers.len, ANSWER_MAX);
	if (n <= 0)
		return n ? -errno : -EPIPE;
	c->answers.len += (size_t)n;
	return take_answers(c, cnt, answered, out);
}

static int write_some(struct command *c, size_t *done)
{
	ssize_t n = write(c->in, c->lines.data + *done, c->lines.len - *done);

	if (n < 0)
		return -errno;
	*done += (size_t)n;
	return 0;
}

/* Waits for room in its input or for its answers; which of them there is tells the next call. */
static int wait_both(struct command *c, bool writing, uint64_t deadline)
{
	struct pollfd p[] = {{.fd = c->waiter.wake, .events = POLLIN},
	                     {.fd = c->out, .events = POLLIN},
	                     {.fd = writing ? c->in : -1, .events = POLLOUT}};
	uint64_t now = clock__monotonic();
	int n = now >= deadline ? 0 : poll(p, 3, (int)((deadline - now) / 1000000) + 1);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return !n ? -ETIMEDOUT : p[0].revents ? -ECANCELED : 0;
}

/* Lines out and answers in, at once: neither side can block the other. */
static int converse(struct command *c, size_t cnt, struct delivery *out)
{
	uint64_t deadline = waiter__deadline(c->timeout);
	size_t done = 0, answered = 0;
	int err = 0;

	while (!err && answered < cnt) {
		size_t before = done + answered;

		if (done < c->lines.len)
			err = write_some(c, &done);
		if (!err || err == -EAGAIN)
			err = read_answers(c, cnt, &answered, out);
		if (err == -EAGAIN || err == -EINTR)
			err = wait_both(c, done < c->lines.len, deadline);
		if (done + answered != before)
			deadline = waiter__deadline(c->timeout);
	}
	out->bytes_sent = done;
	return err;
}

/* Until it has read all of it. */
static int feed(struct command *c, struct delivery *out)
{
	uint64_t deadline = waiter__deadline(c->timeout), pause = 100000;
	size_t done = 0;
	int err, left = 0, before = -1;

	while (done < c->lines.len) {
		err = write_some(c, &done);
		if (!err)
			deadline = waiter__deadline(c->timeout);
		else if (err == -EAGAIN || err == -EINTR)
			err = waiter__poll(&c->waiter, c->in, POLLOUT, deadline);
		if (err)
			return err;
	}
	out->bytes_sent = done;
	while (!ioctl(c->in, FIONREAD, &left) && left) {
		struct pollfd p = {.fd = c->in};

		if (poll(&p, 1, 0) > 0) /* POLLERR: nobody will ever read it */
			return -EPIPE;
		if (left != before)
			deadline = waiter__deadline(c->timeout);
		before = left;
		if (clock__monotonic() > deadline)
			return -ETIMEDOUT;
		err = waiter__poll(&c->waiter, -1, 0, clock__monotonic() + pause);
		if (err != -ETIMEDOUT)
			return err;
		pause = pause < 20000000 ? pause * 2 : pause;
	}
	return has_ended(c) ? -EPIPE : 0;
}

static void build_lines(struct command *c, const struct item *items, size_t cnt)
{
	buf__reset(&c->lines);
	for (size_t i = 0; i < cnt; i++) {
		size_t begin = c->lines.len;

		buf__append(&c->lines, items[i].body.s, items[i].body.len);
		for (size_t k = begin; k < c->lines.len; k++)
			if (c->lines.data[k] == '\n')
				c->lines.data[k] = ' ';
		buf__char(&c->lines, '\n');
	}
}

static void say_why(struct command *c, int err, struct delivery *out)
{
	const char *name = c->argv[0];

	if (err == -EPIPE && !c->pid && WIFSIGNALED(c->status))
		snprintf(out->reason, sizeof(out->reason), "'%.150s' was killed by signal %d", name,
		         WTERMSIG(c->status));
	else if (err == -EPIPE && !c->pid)
		snprintf(out->reason, sizeof(out->reason), "'%.150s' ended with status %d", name,
		         WEXITSTATUS(c->status));
	else
		snprintf(out->reason, sizeof(out->reason), "'%.150s': %s", name,
		         err == -EPIPE ? "it has closed its standard input or output"
		         : err == -EBADMSG
		                 ? "it answers with other lines than ok, retry and reject, "
		                   "or with too many"
		         : err == -ETIMEDOUT ? "timed out"
		         : err == -ECANCELED ? "interrupted"
		                             : strerror(-err));
}

static void exec_send(struct driver *d, const struct item *items, size_t cnt, struct delivery *out)
{
	struct command *c = (struct command *)d;
	int err = 0;

	waiter__block_sigpipe();
	delivery__per_item(out, cnt, DELIVERY_RETRY);
	if (waiter__interrupted(&c->waiter))
		err = -ECANCELED;
	else if (has_ended(c)) {
		close_pipes(c);
		err = start(c);
	}
	build_lines(c, items, cnt);
	if (!err && c->lines.failed)
		err = -ENOMEM;
	if (!err)
		err = c->by_line ? converse(c, cnt, out) : feed(c, out);
	if (!err && !c->by_line)
		delivery__per_item(out, cnt, DELIVERY_OK);
	if (!err)
		return;
	/* what it has half of must not be continued with another batch */
	stop(c, err == -EPIPE ? 1 : 0);
	say_why(c, err, out);
}

static void exec_interrupt(struct driver *d)
{
	waiter__interrupt(&((struct command *)d)->waiter);
}

static void exec_close(struct driver *d)
{
	struct command *c = (struct command *)d;

	stop(c, c->timeout < 5 ? c->timeout : 5);
	waiter__close(&c->waiter);
	for (size_t i = 0; c->argv && c->argv[i]; i++)
		free(c->argv[i]);
	free(c->argv);
	buf__free(&c->lines);
	buf__free(&c->answers);
	free(c);
}

static int configure(struct command *c, const struct driver_config *cfg, struct buf *why)
{
	const char *path = cfg->url + strlen("exec:"), *const * arguments;
	size_t n = settings__list(cfg->settings, "argument", &arguments);

	if (!strncmp(path, "//", 2))
		path += 2;
	if (*path != '/') {
		buf__printf(
			why,
			"'%s' is not a command that can be used here: it has to be exec:/PATH, its "
			"arguments by 'argument'",
			cfg->url);
		return -EINVAL;
	}
	if (access(path, X_OK)) {
		int err = -errno;

		buf__printf(why, "'%s' cannot be executed: %s", path, strerror(-err));
		return err;
	}
	c->argv = calloc(n + 2, sizeof(*c->argv));
	if (!c->argv || !(c->argv[0] = strdup(path)))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (!(c->argv[i + 1] = strdup(arguments[i])))
			return -ENOMEM;
	c->by_line = !strcmp(settings__string(cfg->settings, "acknowledge"), "line");
	c->timeout = settings__seconds(cfg->settings, "timeout");
	return 0;
}

static int exec_open(const struct driver_config *cfg, struct driver **out, struct buf *why)
{
	struct command *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->base.ops = &exec_driver;
	c->in = c->out = -1;
	err = waiter__init(&c->waiter);
	if (!err)
		err = configure(c, cfg, why);
	if (err) {
		exec_close(&c->base);
		return err;
	}
	*out = &c->base;
	return 0;
}

const struct driver_ops exec_driver = {
	.name = "exec",
	.summary = "a command that gets records on its standard input, a line each",
	.delivered =
		"With acknowledge=read: the command has read the whole batch and still runs; "
		"what it had not done with when it dies is lost. With acknowledge=line: it has "
		"answered the record's line.",
	.schemes = exec_schemes,
	.default_format = "json",
	.settings = exec_settings,
	.batch_items = 1000,
	.batch_bytes = 1 << 20,
	.open = exec_open,
	.send = exec_send,
	.interrupt = exec_interrupt,
	.close = exec_close,
};
