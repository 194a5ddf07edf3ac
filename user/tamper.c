// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "tamper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/format.h"
#include "util/clock.h"
#include "util/patient.h"

/* Processes looked at in one call: each costs some ten system calls. */
#define CHECKS 8
/* Processes kept at once; of more nothing is looked for. */
#define PROCESSES_MAX 16384
/* Milliseconds that a look may take: it is some ten microseconds, unless the process's pages come
 * from who lets us wait. */
#define PATIENCE_MS 50
/* Looks in a row that have not come back in time, a second's, before that is a sign: a machine that
 * has too much to do may keep one from running, too. */
#define LATE_MAX 4
/* A process of which that was said is looked at so often. */
#define PASS_NS 10000000000u

enum sign {
	SIGN_SEMAPHORE,
	SIGN_BREAKPOINT,
	SIGN_CHANGED,
	SIGN_DELETED,
	SIGN_WITHHELD,
};

static const char *const names[] = {
	[SIGN_SEMAPHORE] = "probe_disarmed",    [SIGN_BREAKPOINT] = "probe_overwritten",
	[SIGN_CHANGED] = "interpreter_changed", [SIGN_DELETED] = "interpreter_deleted",
	[SIGN_WITHHELD] = "memory_withheld",
};

struct watched {
	pid_t pid;
	const struct binary *binary;
	uint64_t bias;
	/* signs of the last look: attaching, exec and exit look like them for a moment */
	uint8_t seen;
	uint8_t said;
	uint8_t late;     /* looks in a row that did not come back */
	uint64_t next_ns; /* 0: looked at each time */
};

/* A look at one process, in a thread of its own (util/patient.h): what it needs, and what it
 * found. */
struct look {
	pid_t pid;
	enum pt_probe probe;
	uint64_t bias;
	struct binary binary; /* a copy: its fd is the look's, its path must not be used */
	bool gone;
	bool has_stat;
	struct stat st; /* of the interpreter's file */
	uint8_t signs;
};

struct file {
	const struct binary *binary;
	struct stat st; /* when the first process of it was found */
	uint8_t said;
};

struct tamper {
	struct tamper_options o;
	struct watched *list;
	size_t cnt, cap, next;
	struct file *files;
	size_t files_cnt;
};

struct tamper *tamper__new(const struct tamper_options *opts)
{
	struct tamper *t = calloc(1, sizeof(*t));

	if (t)
		t->o = *opts;
	return t;
}

void tamper__free(struct tamper *t)
{
	if (!t)
		return;
	free(t->list);
	free(t->files);
	free(t);
}

static struct file *tamper__file(struct tamper *t, const struct binary *b)
{
	struct file *f;
	size_t i;

	for (i = 0; i < t->files_cnt; i++)
		if (t->files[i].binary == b)
			return &t->files[i];
	f = realloc(t->files, (t->files_cnt + 1) * sizeof(*f));
	if (!f)
		return NULL;
	t->files = f;
	f = &t->files[t->files_cnt];
	*f = (struct file){.binary = b};
	if (fstat(b->fd, &f->st))
		return NULL;
	t->files_cnt++;
	return f;
}

static bool tamper__grow(struct tamper *t)
{
	size_t cap = t->cap ? t->cap * 2 : 64;
	struct watched *list;

	if (t->cnt < t->cap)
		return true;
	if (t->cnt >= PROCESSES_MAX)
		return false;
	list = realloc(t->list, cap * sizeof(*list));
	if (!list)
		return false;
	t->list = list;
	t->cap = cap;
	return true;
}

void tamper__found(struct tamper *t, pid_t pid, const struct binary *b, uint64_t bias)
{
	size_t i;

	if (!t)
		return;
	for (i = 0; i < t->cnt; i++) {
		struct watched *w = &t->list[i];

		if (w->pid != pid)
			continue;
		if (w->binary != b || w->bias != bias)
			*w = (struct watched){.pid = pid, .binary = b, .bias = bias};
		return;
	}
	if (tamper__grow(t) && tamper__file(t, b))
		t->list[t->cnt++] = (struct watched){.pid = pid, .binary = b, .bias = bias};
}

void tamper__dropped(struct tamper *t, const struct binary *b)
{
	size_t i;

	if (!t)
		return;
	for (i = t->cnt; i-- > 0;)
		if (t->list[i].binary == b)
			t->list[i] = t->list[--t->cnt];
	for (i = t->files_cnt; i-- > 0;)
		if (t->files[i].binary == b)
			t->files[i] = t->files[--t->files_cnt];
}

static void tamper__say(struct tamper *t, const struct watched *w, enum sign sign, const char *message)
{
	struct pt_task task = {.pid = (uint32_t)w->pid};
	struct alert a = {
		.time_ns = (int64_t)clock__realtime(),
		.alert = names[sign],
		.message = message,
		.task = &task,
	};
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", w->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, task.comm, sizeof(task.comm) - 1);
		if (n > 0 && task.comm[n - 1] == '\n')
			task.comm[n - 1] = '\0';
		close(fd);
	}
	t->o.alert(t->o.alert_ctx, &a);
}

/*
 * Whether these bytes, from where a probe is, can be the kernel's: a breakpoint, or of a nop of 5
 * bytes the call that Linux 6.18 makes of it (arch/x86/kernel/uprobes.c).
 */
static bool is_probe(const uint8_t *now, const uint8_t *file)
{
#if defined(__x86_64__)
	static const uint8_t nop5[] = {0x0f, 0x1f, 0x44, 0x00, 0x00};

	return now[0] == 0xcc || (now[0] == 0xe8 && !memcmp(file, nop5, sizeof(nop5)));
#elif defined(__aarch64__)
	uint32_t word;

	memcpy(&word, now, sizeof(word));
	return word == 0xd42000a0; /* brk #5, BRK64_OPCODE_UPROBES */
#else
	return true;
#endif
}

#define PROBE_BYTES 5

static bool probe__is_there(const struct look *l, int mem, uint64_t address, uint64_t offset)
{
	uint8_t now[PROBE_BYTES], file[PROBE_BYTES] = {0};

	/* a page that is not there holds no probe, and what is in another's place neither */
	if (pread(mem, now, sizeof(now), (off_t)(address + l->bias)) != sizeof(now))
		return false;
	return pread(l->binary.fd, file, sizeof(file), (off_t)offset) != sizeof(file) ||
	       is_probe(now, file);
}

static uint8_t look__usdt(const struct look *l, int mem)
{
	const struct binary *b = &l->binary;
	uint8_t signs = 0;
	uint16_t count;
	size_t i;

	for (i = 0; i < b->sites_cnt && patient__is_awaited(); i++) {
		const struct binary_site *s = &b->sites[i];

		if (s->semaphore &&
		    pread(mem, &count, sizeof(count), (off_t)(s->semaphore_address + l->bias)) ==
		            sizeof(count) &&
		    !count)
			signs |= 1u << SIGN_SEMAPHORE;
		if (!probe__is_there(l, mem, s->address, s->offset))
			signs |= 1u << SIGN_BREAKPOINT;
	}
	return signs;
}

static uint8_t look__entries(const struct look *l, int mem)
{
	const struct binary *b = &l->binary;
	uint8_t signs = 0;
	size_t i;

	for (i = 0; i < b->entries_cnt && patient__is_awaited(); i++)
		if (!probe__is_there(l, mem, b->entries[i].address, b->entries[i].offset))
			signs |= 1u << SIGN_BREAKPOINT;
	return signs;
}

static void look__run(void *arg)
{
	struct look *l = arg;
	char path[64];
	int mem;

	snprintf(path, sizeof(path), "/proc/%d/mem", l->pid);
	/* waits for an exec, too */
	mem = open(path, O_RDONLY | O_CLOEXEC);
	if (mem < 0) {
		l->gone = errno == ENOENT || errno == ESRCH;
		return;
	}
	l->signs = l->probe == PT_PROBE_USDT ? look__usdt(l, mem) : look__entries(l, mem);
	close(mem);
	l->has_stat = !fstat(l->binary.fd, &l->st);
}

static void look__free(void *arg)
{
	struct look *l = arg;

	close(l->binary.fd);
	free(l);
}

static struct look *look__new(const struct tamper *t, const struct watched *w)
{
	struct look *l = malloc(sizeof(*l));

	if (!l)
		return NULL;
	*l = (struct look){
		.pid = w->pid,
		.probe = attach__probe(w->binary, t->o.mode),
		.bias = w->bias,
		.binary = *w->binary,
	};
	l->binary.path = NULL;
	l->binary.fd = fcntl(w->binary->fd, F_DUPFD_CLOEXEC, 0);
	if (l->binary.fd >= 0)
		return l;
	free(l);
	return NULL;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static uint8_t file__signs(const struct file *f, const struct stat *now)
{
	const struct stat *was = &f->st;

	if (now->st_size != was->st_size || !same_time(&now->st_mtim, &was->st_mtim))
		return 1u << SIGN_CHANGED;
	if (!now->st_nlink && was->st_nlink)
		return 1u << SIGN_DELETED;
	/* The time of the content can be set back, that of the inode not; links, names, owners
	 * change that, too. */
	if (!same_time(&now->st_ctim, &was->st_ctim) && now->st_nlink == was->st_nlink &&
	    now->st_mode == was->st_mode && now->st_uid == was->st_uid && now->st_gid == was->st_gid)
		return 1u << SIGN_CHANGED;
	return 0;
}

static void say_process(struct tamper *t, struct watched *w, uint8_t signs)
{
	if (signs & 1u << SIGN_SEMAPHORE)
		tamper__say(t, w, SIGN_SEMAPHORE,
		            "the semaphore of the process's own probe is 0 while it is traced: its "
		            "events are not seen");
	if (signs & 1u << SIGN_BREAKPOINT)
		tamper__say(
			t, w, SIGN_BREAKPOINT,
			"the breakpoint of the probe is gone from the process's memory: its events "
			"are not seen");
	if (signs & 1u << SIGN_WITHHELD)
		tamper__say(t, w, SIGN_WITHHELD,
		            "the process's memory does not come (FUSE, or a lock that it holds): "
		            "whether its probe is in place cannot be seen");
	w->said |= signs;
}

static void say_file(struct tamper *t, const struct watched *w, struct file *f, uint8_t signs)
{
	char text[512];

	snprintf(text, sizeof(text),
	         signs & 1u << SIGN_CHANGED
	                 ? "the interpreter's file %.400s was changed, renamed or had its times "
	                   "set while it runs"
	                 : "the interpreter's file %.400s was deleted or replaced while it runs",
	         f->binary->path);
	tamper__say(t, w, signs & 1u << SIGN_CHANGED ? SIGN_CHANGED : SIGN_DELETED, text);
	f->said |= signs;
}

static bool look__found(struct tamper *t, struct watched *w, const struct look *l)
{
	struct file *f = tamper__file(t, w->binary);
	uint8_t signs;

	if (l->gone)
		return false;
	if (f && l->has_stat) {
		signs = file__signs(f, &l->st) & (uint8_t)~f->said;
		if (signs)
			say_file(t, w, f, signs);
	}
	w->late = 0;
	signs = l->signs & (uint8_t)~w->said;
	if (signs & w->seen) {
		if (!t->o.runs(t->o.runs_ctx, w->pid, w->binary, w->bias))
			return false;
		say_process(t, w, signs & w->seen);
	}
	w->seen = signs;
	return true;
}

/* Whether it still runs that file is not asked: what shows that may not come either. */
static void tamper__late(struct tamper *t, struct watched *w)
{
	if (w->late < LATE_MAX)
		w->late++;
	if (w->late < LATE_MAX)
		return;
	if (!(w->said & 1u << SIGN_WITHHELD))
		say_process(t, w, 1u << SIGN_WITHHELD);
	w->next_ns = clock__monotonic() + PASS_NS;
}

/* False: the process is gone. */
static bool tamper__look(struct tamper *t, struct watched *w)
{
	struct look *l;
	bool keep = true;

	if (w->next_ns && clock__monotonic() < w->next_ns)
		return true;
	l = look__new(t, w);
	if (!l)
		return true;
	switch (patient__run(w->pid, PATIENCE_MS, look__run, look__free, l)) {
	case 0:
		keep = look__found(t, w, l);
		break;
	case -ETIME: /* l is the thread's */
		tamper__late(t, w);
		return true;
	case -EINPROGRESS:
		tamper__late(t, w);
		break;
	default: /* another time */
		break;
	}
	look__free(l);
	return keep;
}

void tamper__check(struct tamper *t)
{
	size_t i;

	if (!t)
		return;
	for (i = 0; i < CHECKS && i < t->cnt; i++) {
		if (t->next >= t->cnt)
			t->next = 0;
		if (tamper__look(t, &t->list[t->next]))
			t->next++;
		else
			t->list[t->next] = t->list[--t->cnt];
	}
}
