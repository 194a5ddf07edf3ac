// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "exporter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../util/clock.h"
#include "../util/log.h"
#include "link.h"
#include "starter.h"

#define START_MS         30000
#define BACKOFF_FIRST_NS 200000000ull
#define BACKOFF_MAX_NS   30000000000ull
/* Up for so long, it begins with the first back-off again. */
#define STEADY_NS 60000000000ull
/* What it may take beyond the time to drain. */
#define STOP_GRACE_MS 5000
#define NOBODY        65534

struct exporter {
	struct exporter_hooks hooks;
	struct export_config cfg; /* what `config_fd` holds is all of it that is needed later */
	int config_fd, listen_fd; /* owned */
	int epoll;                /* has `link` while it is up */
	int link;                 /* -1: it is down */
	pid_t pid;
	uint64_t started_ns, again_ns, backoff_ns;
	uint64_t restarts;
	bool done; /* it has said its last figures */
	struct exporter_figures figures;
};

static struct link_message inbox;

int exporter__user(const char *name, uid_t *uid, gid_t *gid)
{
	const struct passwd *pw;
	char *end;

	*uid = geteuid();
	*gid = getegid();
	if (*uid)
		return 0;
	pw = getpwnam(name ? name : "pytrail");
	if (!pw && name) {
		unsigned long v = strtoul(name, &end, 10);

		if (name[0] < '0' || name[0] > '9' || *end || v >= 4294967295u)
			return -ENOENT;
		pw = getpwuid((uid_t)v);
		*uid = (uid_t)v;
		*gid = pw ? pw->pw_gid : (gid_t)v;
		return 0;
	}
	if (!pw)
		pw = getpwnam("nobody");
	*uid = pw ? pw->pw_uid : NOBODY;
	*gid = pw ? pw->pw_gid : NOBODY;
	return 0;
}

static int spawn(struct exporter *x, struct buf *why)
{
	struct epoll_event ev = {.events = EPOLLIN};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		buf__printf(why, "the exporter cannot be started: %s", strerror(errno));
		return -errno;
	}
	x->pid = starter__start(pair[1], x->config_fd, x->listen_fd);
	close(pair[1]);
	if (x->pid < 0) {
		buf__printf(why, "the exporter cannot be started: %s",
		            x->pid == -EPIPE
		                    ? "the process that starts it was killed; restart pytrail"
		                    : strerror(-x->pid));
		x->pid = 0;
		close(pair[0]);
		return -EAGAIN;
	}
	x->link = pair[0];
	epoll_ctl(x->epoll, EPOLL_CTL_ADD, x->link, &ev);
	x->done = false;
	x->started_ns = clock__monotonic();
	return 0;
}

/* How it ended, for people; reaped. */
static void reap(struct exporter *x, char *how, size_t size)
{
	int status = 0;

	while (waitpid(x->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFSIGNALED(status))
		snprintf(how, size, "killed by signal %d", WTERMSIG(status));
	else
		snprintf(how, size, "ended with status %d", WEXITSTATUS(status));
	x->pid = 0;
}

static void drop_link(struct exporter *x)
{
	if (x->link >= 0)
		close(x->link); /* which takes it out of the epoll set */
	x->link = -1;
}

/* 0 and *kind; -EAGAIN: nothing there; -EPIPE: it has ended. */
static int receive(struct exporter *x, int flags)
{
	ssize_t n = recv(x->link, &inbox, sizeof(inbox), flags);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n < (ssize_t)LINK_HEAD)
		return -EPIPE;
	memset((char *)&inbox + n, 0, sizeof(inbox) - (size_t)n);
	return 0;
}

/* Until it is READY, or says why not. */
static int await_ready(struct exporter *x, struct buf *why)
{
	uint64_t end = clock__monotonic() + START_MS * 1000000ull;
	char how[64];

	for (;;) {
		struct pollfd p = {.fd = x->link, .events = POLLIN};
		uint64_t now = clock__monotonic();
		int err;

		if (now >= end || poll(&p, 1, (int)((end - now) / 1000000) + 1) == 0) {
			kill(x->pid, SIGKILL);
			reap(x, how, sizeof(how));
			buf__printf(why, "the exporter did not get ready in %d s", START_MS / 1000);
			return -ETIMEDOUT;
		}
		err = receive(x, MSG_DONTWAIT);
		if (err == -EAGAIN)
			continue;
		if (!err && inbox.kind == LINK_READY)
			return 0;
		if (!err && inbox.kind == LINK_FAILED) {
			inbox.text.text[sizeof(inbox.text.text) - 1] = '\0';
			buf__printf(why, "%s", inbox.text.text);
		} else if (err != -EPIPE) {
			continue; /* figures, an alarm: they come again */
		}
		reap(x, how, sizeof(how));
		if (!why->len)
			buf__printf(why, "the exporter %s before it was ready", how);
		return -EINVAL;
	}
}

static int start(struct exporter *x, struct buf *why)
{
	int err = spawn(x, why);

	if (err)
		return err;
	err = await_ready(x, why);
	if (err)
		drop_link(x);
	return err;
}

static int fill(struct exporter *x, const struct export_config *cfg, int listen_fd, struct buf *why)
{
	struct export_config c = *cfg;

	c.parent = getpid();
	x->config_fd = export_config__write(&c);
	x->listen_fd = listen_fd >= 0 ? fcntl(listen_fd, F_DUPFD_CLOEXEC, 3) : -1;
	if (x->config_fd >= 0)
		return 0;
	buf__printf(why, "the exporter cannot be told what to do: %s", strerror(-x->config_fd));
	return x->config_fd;
}

int exporter__start(const struct export_config *cfg, int listen_fd,
                    const struct exporter_hooks *hooks, struct exporter **out, struct buf *why)
{
	struct exporter *x = calloc(1, sizeof(*x));
	int err = -ENOMEM;

	if (!x) {
		buf__lit(why, "the exporter cannot be started: out of memory");
		return err;
	}
	x->config_fd = x->listen_fd = x->link = -1;
	x->backoff_ns = BACKOFF_FIRST_NS;
	if (hooks)
		x->hooks = *hooks;
	x->epoll = epoll_create1(EPOLL_CLOEXEC);
	err = x->epoll < 0 ? -errno : fill(x, cfg, listen_fd, why);
	if (!err)
		err = start(x, why);
	if (err) {
		if (!why->len)
			buf__printf(why, "the exporter cannot be started: %s", strerror(-err));
		exporter__free(x);
		return err;
	}
	*out = x;
	return 0;
}

static void close_fds(int config_fd, int listen_fd)
{
	if (config_fd >= 0)
		close(config_fd);
	if (listen_fd >= 0)
		close(listen_fd);
}

int exporter__check(const struct export_config *cfg, struct buf *why)
{
	struct export_config c = *cfg;
	struct exporter *x = NULL;
	int err;

	c.check = true;
	err = exporter__start(&c, -1, NULL, &x, why);
	exporter__free(x);
	return err;
}

int exporter__replace(struct exporter *x, const struct export_config *cfg, int listen_fd,
                      struct buf *why)
{
	struct exporter next = {.config_fd = -1, .listen_fd = -1};
	int err = exporter__check(cfg, why);

	if (!err)
		err = fill(&next, cfg, listen_fd, why);
	if (err)
		return err;
	/* a cursor has one reader: the old one goes first, what it had under way is sent again */
	exporter__stop(x, 0);
	close_fds(x->config_fd, x->listen_fd);
	x->config_fd = next.config_fd;
	x->listen_fd = next.listen_fd;
	memset(&x->figures, 0, sizeof(x->figures));
	if (start(x, why))
		x->again_ns = clock__monotonic() + x->backoff_ns;
	return 0;
}

int exporter__fd(const struct exporter *x)
{
	return x->epoll;
}

/* Texts that others wrote must end. */
static void take_figures(struct exporter *x, const struct exporter_figures *f)
{
	x->figures = *f;
	if (x->figures.cnt > CONFIG_OUTPUTS_MAX)
		x->figures.cnt = CONFIG_OUTPUTS_MAX;
	for (uint32_t i = 0; i < x->figures.cnt; i++) {
		struct output_figures *o = &x->figures.outputs[i];

		o->name[sizeof(o->name) - 1] = '\0';
		o->driver[sizeof(o->driver) - 1] = '\0';
		o->worker.last_reason[sizeof(o->worker.last_reason) - 1] = '\0';
		if (o->worker.state > WORKER_STOPPED)
			o->worker.state = WORKER_FAILED;
	}
}

static void take_message(struct exporter *x)
{
	struct link_alarm *a = &inbox.alarm;

	switch (inbox.kind) {
	case LINK_DONE:
		x->done = true;
		/* fall through */
	case LINK_FIGURES:
		take_figures(x, &inbox.figures);
		break;
	case LINK_FAILED:
		inbox.text.text[sizeof(inbox.text.text) - 1] = '\0';
		log__error("the exporter: %s", inbox.text.text);
		break;
	case LINK_ALARM:
		a->output[sizeof(a->output) - 1] = '\0';
		a->reason[sizeof(a->reason) - 1] = '\0';
		if (x->hooks.alarm)
			x->hooks.alarm(x->hooks.ctx, a->output, a->held, a->reason);
		break;
	}
}

static void ended(struct exporter *x)
{
	uint64_t now = clock__monotonic();
	char how[64];

	drop_link(x);
	kill(x->pid, SIGKILL); /* it may have closed the link only */
	reap(x, how, sizeof(how));
	if (now - x->started_ns > STEADY_NS)
		x->backoff_ns = BACKOFF_FIRST_NS;
	x->again_ns = now + x->backoff_ns;
	log__warn("the exporter was %s: it is started again in %.1f s; what is in the spool stays",
	          how, (double)x->backoff_ns / 1e9);
	x->backoff_ns = x->backoff_ns * 2 < BACKOFF_MAX_NS ? x->backoff_ns * 2 : BACKOFF_MAX_NS;
	x->restarts++;
	if (x->hooks.restarted)
		x->hooks.restarted(x->hooks.ctx, how);
}

void exporter__handle(struct exporter *x)
{
	/* bounded: it must not keep the tracer from its ring */
	for (int i = 0; i < 64 && x->link >= 0; i++) {
		int err = receive(x, MSG_DONTWAIT);

		if (err == -EAGAIN)
			return;
		if (err)
			ended(x);
		else
			take_message(x);
	}
}

/* Not waited for: the ring must be read meanwhile. */
int exporter__due(struct exporter *x, uint64_t now)
{
	struct buf why = BUF_INIT;

	if (x->link >= 0)
		return -1;
	if (now < x->again_ns)
		return (int)((x->again_ns - now) / 1000000) + 1;
	if (spawn(x, &why)) {
		log__error("%.*s", (int)why.len, why.data ? why.data : "");
		x->again_ns = clock__monotonic() + x->backoff_ns;
	}
	buf__free(&why);
	return x->link >= 0 ? -1 : (int)(x->backoff_ns / 1000000);
}

static bool send_message(struct exporter *x, struct link_message *m, size_t len)
{
	return x->link >= 0 && send(x->link, m, LINK_HEAD + len, MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
}

void exporter__tell(struct exporter *x, const struct tracer_figures *t)
{
	static struct link_message m;

	m.kind = LINK_TRACER;
	m.tracer = *t;
	send_message(x, &m, sizeof(m.tracer));
}

const struct exporter_figures *exporter__figures(const struct exporter *x)
{
	return &x->figures;
}

bool exporter__is_up(const struct exporter *x)
{
	return x->link >= 0;
}

uint64_t exporter__restarts(const struct exporter *x)
{
	return x->restarts;
}

static void ask_stop(struct exporter *x, double drain)
{
	static struct link_message m;

	m.kind = LINK_STOP;
	m.stop.drain = drain;
	/* this one must arrive: else it goes on as if there were all the time in the world */
	for (int i = 0; i < 50 && x->link >= 0; i++) {
		struct pollfd p = {.fd = x->link, .events = POLLOUT};

		if (send_message(x, &m, sizeof(m.stop)) || errno == EPIPE)
			return;
		poll(&p, 1, 20);
	}
	if (x->link >= 0)
		shutdown(x->link, SHUT_WR);
}

/* The next one for what is left of the time. */
static void start_for_rest(struct exporter *x, double drain)
{
	struct buf why = BUF_INIT;
	char how[64];

	drop_link(x);
	reap(x, how, sizeof(how));
	poll(NULL, 0, 100);
	if (!spawn(x, &why))
		ask_stop(x, drain);
	buf__free(&why);
}

/* Until it has said its last figures; what it has of `end` is to deliver, until `limit` it may
 * tell. */
static void await_done(struct exporter *x, uint64_t end, uint64_t limit)
{
	while (!x->done && x->link >= 0) {
		struct pollfd p = {.fd = x->link, .events = POLLIN};
		uint64_t now = clock__monotonic();
		int err;

		if (now >= limit)
			return;
		if (poll(&p, 1, (int)((limit - now) / 1000000) + 1) <= 0)
			continue;
		err = receive(x, MSG_DONTWAIT);
		if (!err)
			take_message(x);
		else if (err == -EPIPE && now >= end)
			return;
		else if (err == -EPIPE)
			start_for_rest(x, (double)(end - now) / 1e9);
	}
}

bool exporter__stop(struct exporter *x, double drain)
{
	uint64_t end = clock__monotonic() + (uint64_t)(drain * 1e9);
	char how[64];

	if (x->link < 0)
		return false;
	ask_stop(x, drain);
	await_done(x, end, end + STOP_GRACE_MS * 1000000ull);
	drop_link(x);
	/* it closes its connections, but not for ever */
	for (int i = 0; i < 100 && x->done && x->pid; i++) {
		if (waitpid(x->pid, NULL, WNOHANG) == x->pid)
			x->pid = 0;
		else
			poll(NULL, 0, 20);
	}
	if (x->pid) {
		kill(x->pid, SIGKILL);
		reap(x, how, sizeof(how));
	}
	return x->done;
}

void exporter__free(struct exporter *x)
{
	if (!x)
		return;
	exporter__stop(x, 0);
	close_fds(x->config_fd, x->listen_fd);
	if (x->epoll >= 0)
		close(x->epoll);
	free(x);
}
