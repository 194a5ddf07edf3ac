// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "hold.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confine/caps.h"
#include "elf_file.h"
#include "mounts.h"
#include "util/clock.h"
#include "util/log.h"

#define HELD_MAX  256
#define KNOWN_CNT 8192 /* a power of two */
/* Each event that is read opens a descriptor, and the kernel refuses an exec whose descriptor it
 * cannot open (fanotify_read(), fs/notify/fanotify/fanotify_user.c): few at a time, and many to be
 * had. */
#define EVENTS_MAX 16
#define FILES_MIN  16384

/* A file that goes on at once: it is no Python, or it has been attached. */
struct known {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

enum held_state { HELD_FREE, HELD_NEW, HELD_TAKEN };

struct slot {
	enum held_state state;
	bool answered;
	int fd;
	pid_t pid;
	uint64_t deadline_ns;
};

struct hold {
	int fan, mounts, ready, stop;
	uint64_t timeout_ns;
	pid_t exempt;
	pthread_t thread;
	bool running;
	bool marked; /* something is */
	int mark_errno;
	pthread_mutex_t lock; /* of what follows */
	struct slot slots[HELD_MAX];
	unsigned int missed;
	struct known known[KNOWN_CNT];
};

static struct known *known__slot(struct hold *h, const struct stat *st)
{
	uint64_t x = ((uint64_t)st->st_ino ^ (uint64_t)st->st_dev << 40) * 0x9e3779b97f4a7c15ull;

	return &h->known[x >> 32 & (KNOWN_CNT - 1)];
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool known__has(struct hold *h, const struct stat *st)
{
	const struct known *k = known__slot(h, st);

	return k->ino == st->st_ino && k->dev == st->st_dev && k->size == st->st_size &&
	       same_time(&k->mtime, &st->st_mtim) && same_time(&k->ctime, &st->st_ctim);
}

static void known__add(struct hold *h, const struct stat *st)
{
	*known__slot(h, st) = (struct known){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = st->st_size,
		.mtime = st->st_mtim,
		.ctime = st->st_ctim,
	};
}

static void allow(const struct hold *h, int fd)
{
	struct fanotify_response answer = {.fd = fd, .response = FAN_ALLOW};

	while (write(h->fan, &answer, sizeof(answer)) < 0 && errno == EINTR)
		continue;
}

/* A static interpreter without dynamic symbols is known by its name only. */
static bool has_python_name(int fd)
{
	char link[64], path[PATH_MAX];
	const char *slash;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	slash = strrchr(path, '/');
	return strstr(slash ? slash : path, "python") != NULL;
}

/*
 * In a few small reads, for every exec of a file that is not known waits for it. A script goes on:
 * its interpreter is opened next, and comes here too (load_script(), fs/binfmt_script.c).
 */
static bool may_be_python(int fd)
{
	struct elf_file *e;
	char soname[64];
	bool yes;
	size_t i;

	if (elf_file__open(fd, &e))
		return false;
	yes = elf_file__exports(e, "PySys_Audit") || has_python_name(fd);
	for (i = 0; !yes && i < 64; i++) {
		uint64_t offset;

		if (!elf_file__dynamic(e, DT_NEEDED, i, &offset))
			break;
		yes = elf_file__dynamic_string(e, DT_NEEDED, i, soname, sizeof(soname)) &&
		      !strncmp(soname, "libpython", 9);
	}
	elf_file__close(e);
	return yes;
}

static struct slot *hold__free_slot(struct hold *h)
{
	size_t i;

	for (i = 0; i < HELD_MAX; i++) {
		if (h->slots[i].state == HELD_FREE)
			return &h->slots[i];
	}
	return NULL;
}

/* Keeps the exec, and its descriptor. False: there is no room. */
static bool hold__keep(struct hold *h, int fd, pid_t pid)
{
	const uint64_t one = 1;
	struct slot *s;

	pthread_mutex_lock(&h->lock);
	s = hold__free_slot(h);
	if (s)
		*s = (struct slot){
			.state = HELD_NEW,
			.fd = fd,
			.pid = pid,
			.deadline_ns = clock__monotonic() + h->timeout_ns,
		};
	else
		h->missed++;
	pthread_mutex_unlock(&h->lock);
	/* it can only fail when it is readable already */
	return s && write(h->ready, &one, sizeof(one)) != 0;
}

static void hold__event(struct hold *h, int fd, pid_t pid)
{
	struct stat st;
	bool known = false, regular;

	regular = !fstat(fd, &st) && S_ISREG(st.st_mode);
	if (regular) {
		pthread_mutex_lock(&h->lock);
		known = known__has(h, &st);
		pthread_mutex_unlock(&h->lock);
	}
	if (regular && !known && pid != __atomic_load_n(&h->exempt, __ATOMIC_RELAXED)) {
		if (may_be_python(fd)) {
			if (hold__keep(h, fd, pid))
				return;
		} else {
			pthread_mutex_lock(&h->lock);
			known__add(h, &st);
			pthread_mutex_unlock(&h->lock);
		}
	}
	allow(h, fd);
	close(fd);
}

/* Those whose time is up go on. Returns in how many milliseconds to come again, -1: not at all. */
static int hold__expire(struct hold *h)
{
	uint64_t now = clock__monotonic(), next = UINT64_MAX;
	size_t i;

	pthread_mutex_lock(&h->lock);
	for (i = 0; i < HELD_MAX; i++) {
		struct slot *s = &h->slots[i];

		if (s->state == HELD_FREE || s->answered)
			continue;
		if (now >= s->deadline_ns) {
			allow(h, s->fd);
			s->answered = true;
		} else if (s->deadline_ns < next) {
			next = s->deadline_ns;
		}
	}
	pthread_mutex_unlock(&h->lock);
	return next == UINT64_MAX ? -1 : (int)((next - now) / 1000000) + 1;
}

static void on_mount(void *ctx, const struct mount_entry *m)
{
	struct hold *h = ctx;

	if (!mount_entry__is_local(m))
		return;
	/* to mark a file system again changes nothing */
	if (!fanotify_mark(h->fan, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN_EXEC_PERM, AT_FDCWD,
	                   m->path))
		__atomic_store_n(&h->marked, true, __ATOMIC_RELAXED);
	else
		h->mark_errno = errno;
}

static void hold__read(struct hold *h)
{
	struct fanotify_event_metadata events[EVENTS_MAX];
	ssize_t len = read(h->fan, events, sizeof(events));
	struct fanotify_event_metadata *m = events;

	for (; len > 0 && FAN_EVENT_OK(m, len); m = FAN_EVENT_NEXT(m, len)) {
		if (m->vers == FANOTIFY_METADATA_VERSION && m->fd >= 0)
			hold__event(h, m->fd, m->pid);
	}
}

static void *hold__run(void *arg)
{
	struct hold *h = arg;
	struct pollfd fds[] = {
		{.fd = h->fan, .events = POLLIN},
		{.fd = h->stop, .events = POLLIN},
		{.fd = h->mounts, .events = POLLPRI},
	};

	/* all others' execs wait for this thread: Linux takes it for this thread only */
	setpriority(PRIO_PROCESS, 0, -10);
	caps__limit_to_needed();
	while (!(fds[1].revents & POLLIN)) {
		if (poll(fds, 3, hold__expire(h)) <= 0)
			continue;
		if (fds[0].revents & POLLIN)
			hold__read(h);
		if (fds[2].revents & (POLLPRI | POLLERR))
			mounts__each(h->mounts, on_mount, h);
	}
	return NULL;
}

/* So many that events can always be opened. */
static int raise_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return -errno;
	if (files.rlim_max < FILES_MIN)
		files.rlim_max = FILES_MIN; /* wants CAP_SYS_RESOURCE */
	files.rlim_cur = files.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &files) ? -errno : 0;
}

static int hold__open(struct hold *h)
{
	int err = raise_files();

	if (err) {
		log__error("--hold-new needs %d open files (ulimit -n): %s", FILES_MIN,
		           strerror(-err));
		return err;
	}
	h->fan = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_QUEUE,
	                       O_RDONLY | O_CLOEXEC | O_LARGEFILE);
	h->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	h->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	h->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (h->fan < 0 || h->mounts < 0 || h->ready < 0 || h->stop < 0) {
		err = -errno;
		log__error("--hold-new: %s",
		           err == -EPERM ? "it needs root (CAP_SYS_ADMIN)" : strerror(-err));
		return err;
	}
	return 0;
}

int hold__start(unsigned int timeout_ms, pid_t exempt, struct hold **out)
{
	struct hold *h = calloc(1, sizeof(*h));
	int err, mounts;

	if (!h) {
		log__error("out of memory");
		return -ENOMEM;
	}
	h->fan = h->mounts = h->ready = h->stop = -1;
	h->timeout_ns = (uint64_t)timeout_ms * 1000000;
	h->exempt = exempt;
	pthread_mutex_init(&h->lock, NULL);
	err = hold__open(h);
	if (!err) {
		/* who stops it with ^Z must not stop the host */
		signal(SIGTSTP, SIG_IGN);
		signal(SIGTTIN, SIG_IGN);
		signal(SIGTTOU, SIG_IGN);
		err = -pthread_create(&h->thread, NULL, hold__run, h);
		h->running = !err;
	}
	if (!err) {
		/* the thread has its own */
		mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
		err = mounts < 0 ? -errno : mounts__each(mounts, on_mount, h);
		if (mounts >= 0)
			close(mounts);
		if (!err && !__atomic_load_n(&h->marked, __ATOMIC_RELAXED))
			err = h->mark_errno ? -h->mark_errno : -ENOENT;
	}
	if (err && h->running) {
		log__error(
			"--hold-new: the kernel refuses to hold programs (%s): it must be 5.0 or "
			"newer, with CONFIG_FANOTIFY_ACCESS_PERMISSIONS",
			strerror(-err));
	}
	if (err) {
		hold__stop(h);
		return err;
	}
	*out = h;
	return 0;
}

void hold__stop(struct hold *h)
{
	const uint64_t one = 1;
	size_t i;

	if (!h)
		return;
	if (h->running) {
		while (write(h->stop, &one, sizeof(one)) < 0 && errno == EINTR)
			continue;
		pthread_join(h->thread, NULL);
	}
	/* the last descriptor: what waits for an answer goes on */
	if (h->fan >= 0)
		close(h->fan);
	if (h->mounts >= 0)
		close(h->mounts);
	if (h->ready >= 0)
		close(h->ready);
	if (h->stop >= 0)
		close(h->stop);
	for (i = 0; i < HELD_MAX; i++) {
		if (h->slots[i].state != HELD_FREE)
			close(h->slots[i].fd);
	}
	pthread_mutex_destroy(&h->lock);
	free(h);
}

int hold__fd(const struct hold *h)
{
	return h->ready;
}

void hold__exempt(struct hold *h, pid_t pid)
{
	__atomic_store_n(&h->exempt, pid, __ATOMIC_RELAXED);
}

void hold__pass(struct hold *h, const struct stat *st)
{
	pthread_mutex_lock(&h->lock);
	known__add(h, st);
	pthread_mutex_unlock(&h->lock);
}

bool hold__next(struct hold *h, struct held *out)
{
	uint64_t count;
	bool found = false;
	unsigned int i;

	/* first, so that one that comes while we look makes it readable again */
	if (read(h->ready, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return false;
	pthread_mutex_lock(&h->lock);
	for (i = 0; i < HELD_MAX && !found; i++) {
		struct slot *s = &h->slots[i];

		if (s->state != HELD_NEW)
			continue;
		s->state = HELD_TAKEN;
		*out = (struct held){.pid = s->pid, .fd = s->fd, .slot = i};
		found = true;
	}
	pthread_mutex_unlock(&h->lock);
	return found;
}

bool hold__release(struct hold *h, const struct held *held, bool done)
{
	struct slot *s = &h->slots[held->slot];
	struct stat st;
	bool late;

	done = done && !fstat(held->fd, &st);
	pthread_mutex_lock(&h->lock);
	late = s->answered;
	if (!late)
		allow(h, s->fd);
	if (done)
		known__add(h, &st);
	s->state = HELD_FREE;
	pthread_mutex_unlock(&h->lock);
	/* only now: the kernel knows the exec by this number */
	close(held->fd);
	return !late;
}

unsigned int hold__missed(struct hold *h)
{
	unsigned int n;

	pthread_mutex_lock(&h->lock);
	n = h->missed;
	h->missed = 0;
	pthread_mutex_unlock(&h->lock);
	return n;
}
