// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * All is read through one descriptor of /proc/PID: it goes stale with the process, so that a pid
 * that is used again in between gives errors, not the facts of another.
 */
#include "proc_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../util/patient.h"
#include "cgroup.h"
#include "py_argv.h"
#include "venv.h"

#define NS_PER_S 1000000000ull
/* Milliseconds that a process may take to show its memory; without it the fact is unknown. */
#define PATIENCE_MS 50

bool proc_stat__start(const char *text, size_t len, uint64_t *ticks)
{
	const char *p = memrchr(text, ')', len), *end = text + len;
	uint64_t v = 0;
	bool any = false;

	if (!p)
		return false;
	/* Each space behind the parenthesis begins a field, the first of them field 3. */
	for (int field = 2; field < 22; field++) {
		p = memchr(p, ' ', (size_t)(end - p));
		if (!p)
			return false;
		p++;
	}
	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (uint64_t)(*p - '0');
		any = true;
	}
	*ticks = v;
	return any;
}

static uint64_t ns_per_tick(void)
{
	long per_s = sysconf(_SC_CLK_TCK);

	return NS_PER_S / (uint64_t)(per_s > 0 ? per_s : 100);
}

bool proc_stat__parse(const char *text, size_t len, struct proc_stat *out)
{
	const char *open = memchr(text, '(', len), *close = memrchr(text, ')', len);

	/* ") S 1234 ": one character of state, then the parent */
	if (!open || !close || close < open || text + len - close < 6)
		return false;
	out->comm = open + 1;
	out->comm_len = (size_t)(close - open - 1);
	out->ppid = 0;
	for (const char *p = close + 4; p < text + len && *p >= '0' && *p <= '9'; p++)
		out->ppid = out->ppid * 10 + (uint32_t)(*p - '0');
	return proc_stat__start(text, len, &out->start);
}

uint64_t proc_stat__start_ns(const struct proc_stat *st)
{
	return st->start * ns_per_tick();
}

ssize_t proc_facts__text(int dir, const char *name, char *out, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	size_t len = 0;

	if (fd < 0)
		return -1;
	while (len < size) {
		ssize_t n = read(fd, out + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	close(fd);
	return (ssize_t)len;
}

/*
 * /proc shows whole ticks (fs/proc/array.c: nsec_to_clock_t(), rounding down). One tick more or
 * less is let pass: kernels differ in what they round.
 */
static bool is_start(uint64_t ticks, uint64_t start_ns)
{
	uint64_t want = start_ns / ns_per_tick();

	return ticks + 1 >= want && ticks <= want + 1;
}

static int check_start(int dir, uint64_t start_ns, struct proc_room *room)
{
	uint64_t ticks;
	ssize_t len = proc_facts__text(dir, "stat", room->text, sizeof(room->text));

	if (len <= 0 || !proc_stat__start(room->text, (size_t)len, &ticks))
		return -ESRCH;
	return !start_ns || is_start(ticks, start_ns) ? 0 : -ESRCH;
}

bool proc_facts__is_alive(uint32_t pid, uint64_t start_ns)
{
	char path[32], text[1024]; /* 50 numbers and a name: some 300 bytes */
	uint64_t ticks;
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	len = proc_facts__text(AT_FDCWD, path, text, sizeof(text));
	return len > 0 && proc_stat__start(text, (size_t)len, &ticks) &&
	       (!start_ns || is_start(ticks, start_ns));
}

bool proc_facts__is_python(uint32_t pid)
{
	char path[32], exe[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	len = readlink(path, exe, sizeof(exe));
	return len > 0 && py_argv__is_interpreter(exe, (size_t)len);
}

static void read_link(int dir, const char *name, char *room, const char **out, size_t *out_len)
{
	ssize_t len = readlinkat(dir, name, room, PATH_MAX);

	if (len >= 0) {
		*out = room;
		*out_len = (size_t)len;
	}
}

static void read_cgroup(int dir, struct proc_room *room, struct process_facts *out)
{
	ssize_t len = proc_facts__text(dir, "cgroup", room->text, sizeof(room->text));
	struct cgroup_facts f;

	if (len <= 0)
		return;
	cgroup__parse(room->text, (size_t)len, &f);
	out->cgroup = out->container = NULL;
	out->cgroup_len = out->container_len = 0;
	if (f.path_len <= PATH_MAX) {
		out->cgroup = f.path;
		out->cgroup_len = f.path_len;
	}
	_Static_assert(sizeof(room->container) >= CGROUP_ID_SIZE, "room for the id");
	if (f.container_id[0]) {
		strcpy(room->container, f.container_id);
		out->container = room->container;
		out->container_len = strlen(room->container);
	}
}

static int open_process(uint32_t pid, uint64_t start_ns, struct proc_room *room)
{
	char path[32];
	int dir;

	snprintf(path, sizeof(path), "/proc/%u", pid);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -ESRCH;
	if (check_start(dir, start_ns, room)) {
		close(dir);
		return -ESRCH;
	}
	return dir;
}

int proc_facts__place(uint32_t pid, uint64_t start_ns, struct proc_room *room,
                      struct process_facts *out)
{
	int dir = open_process(pid, start_ns, room);

	if (dir < 0)
		return dir;
	read_link(dir, "cwd", room->cwd, &out->cwd, &out->cwd_len);
	read_cgroup(dir, room, out);
	close(dir);
	return 0;
}

/*
 * What is in the process's own memory, or where its paths lead, is read by another thread: the
 * process decides how long that takes (util/patient.h).
 */
struct argv_look {
	int dir;
	ssize_t len;
	char text[PROC_ARGV_MAX];
};

struct venv_look {
	int dir;
	struct process_facts facts; /* argv, its first, and cwd: below */
	bool found;
	char argv[PATH_MAX + 1];
	char cwd[PATH_MAX];
	char venv[PATH_MAX];
	char environ[PROC_TEXT_MAX];
};

static void look_argv(void *arg)
{
	struct argv_look *l = arg;

	l->len = proc_facts__text(l->dir, "cmdline", l->text, sizeof(l->text));
}

static void drop_argv(void *arg)
{
	close(((struct argv_look *)arg)->dir);
	free(arg);
}

static void look_venv(void *arg)
{
	struct venv_look *l = arg;

	l->found = venv__read(l->dir, &l->facts, l->environ, sizeof(l->environ), l->venv);
}

static void drop_venv(void *arg)
{
	close(((struct venv_look *)arg)->dir);
	free(arg);
}

/* Empty for a zombie: not known. */
static void read_argv(uint32_t pid, int dir, struct proc_room *room, struct process_facts *out)
{
	struct argv_look *l = malloc(sizeof(*l));
	int err;

	if (!l)
		return;
	l->dir = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	err = patient__run((pid_t)pid, PATIENCE_MS, look_argv, drop_argv, l);
	if (err == -ETIME) /* l is the thread's */
		return;
	if (!err && l->len > 0) {
		memcpy(room->argv, l->text, (size_t)l->len);
		out->argv = room->argv;
		out->argv_len = (size_t)l->len - (room->argv[l->len - 1] == '\0');
	}
	drop_argv(l);
}

static void read_venv(uint32_t pid, int dir, struct proc_room *room, struct process_facts *out)
{
	struct venv_look *l = malloc(sizeof(*l));
	int err;

	if (!l)
		return;
	l->dir = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	memset(&l->facts, 0, sizeof(l->facts));
	l->facts.argv = l->argv;
	l->facts.argv_len = out->argv_len < sizeof(l->argv) ? out->argv_len : sizeof(l->argv);
	memcpy(l->argv, out->argv, l->facts.argv_len);
	if (out->cwd) {
		memcpy(l->cwd, out->cwd, out->cwd_len);
		l->facts.cwd = l->cwd;
		l->facts.cwd_len = out->cwd_len;
	}
	err = patient__run((pid_t)pid, PATIENCE_MS, look_venv, drop_venv, l);
	if (err == -ETIME) /* l is the thread's */
		return;
	if (!err && l->found) {
		strcpy(room->venv, l->venv);
		out->venv = room->venv;
		out->venv_len = strlen(room->venv);
	}
	drop_venv(l);
}

int proc_facts__read(uint32_t pid, uint64_t start_ns, struct proc_room *room,
                     struct process_facts *out)
{
	int dir, err = 0;

	memset(out, 0, sizeof(*out));
	dir = open_process(pid, start_ns, room);
	if (dir < 0)
		return dir;
	read_link(dir, "exe", room->exe, &out->exe, &out->exe_len);
	read_link(dir, "cwd", room->cwd, &out->cwd, &out->cwd_len);
	read_argv(pid, dir, room, out);
	read_cgroup(dir, room, out);
	if (out->argv && py_argv__is_interpreter(out->exe, out->exe_len))
		read_venv(pid, dir, room, out);
	if (!out->exe && !out->cwd && !out->argv)
		err = -ESRCH;
	close(dir);
	return err;
}
