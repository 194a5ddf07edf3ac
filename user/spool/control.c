// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../../bpf/wire.h"
#include "../util/buf.h"
#include "../util/clock.h"
#include "../util/crc32c.h"

static int say(struct buf *why, int err, const char *dir, const char *what)
{
	buf__printf(why, "the spool '%s' %s", dir, what);
	return err;
}

static int say_errno(struct buf *why, int err, const char *dir)
{
	buf__printf(why, "cannot open '%s/" CONTROL_NAME "': %s", dir, strerror(-err));
	return err;
}

static int open_file(int dirfd, const char *dir, bool writer, struct buf *why)
{
	int flags = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	int fd = openat(dirfd, CONTROL_NAME, flags | (writer ? O_RDWR | O_CREAT : O_RDONLY), 0640);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? say(why, -ENOENT, dir, "is not there, or empty")
		                       : say_errno(why, -errno, dir);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    (st.st_size != sizeof(struct control_file) && !(writer && !st.st_size))) {
		close(fd);
		return say(why, -EINVAL, dir, "has a 'control' that is not one of a spool");
	}
	if (writer && flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		return say(why, -EBUSY, dir, "is written by another pytrail");
	}
	/* What is mapped must be there: a full disk would kill us otherwise. */
	if (writer && !st.st_size) {
		int err = posix_fallocate(fd, 0, sizeof(struct control_file));

		if (err) {
			close(fd);
			unlinkat(dirfd, CONTROL_NAME, 0);
			return say_errno(why, -err, dir);
		}
	}
	return fd;
}

static void init(struct control_file *c)
{
	c->version = CONTROL_VERSION;
	c->size = sizeof(*c);
	if (getrandom(&c->spool_id, sizeof(c->spool_id), GRND_NONBLOCK) != sizeof(c->spool_id))
		c->spool_id = clock__realtime();
	__atomic_store_n(&c->magic, CONTROL_MAGIC, __ATOMIC_RELEASE);
}

int control__map(int dirfd, const char *dir, bool writer, int *fd, struct control_file **out,
                 struct buf *why)
{
	struct control_file *c;

	*fd = open_file(dirfd, dir, writer, why);
	if (*fd < 0)
		return *fd;
	c = mmap(NULL, sizeof(*c), PROT_READ | (writer ? PROT_WRITE : 0), MAP_SHARED, *fd, 0);
	if (c == MAP_FAILED) {
		int err = -errno;

		close(*fd);
		return say_errno(why, err, dir);
	}
	if (writer && !c->magic)
		init(c);
	if (__atomic_load_n(&c->magic, __ATOMIC_ACQUIRE) != CONTROL_MAGIC ||
	    c->version != CONTROL_VERSION || c->size != sizeof(*c)) {
		munmap(c, sizeof(*c));
		close(*fd);
		return say(
			why, -EINVAL, dir,
			"is damaged or of another version of pytrail: drain it with that one, or "
			"remove it");
	}
	*out = c;
	return 0;
}

void control__unmap(struct control_file *c)
{
	if (c)
		munmap(c, sizeof(*c));
}

#define LIVE_WORDS (sizeof(struct control_live) / sizeof(uint64_t))

void control__publish(struct control_file *c, const struct control_live *live)
{
	const uint64_t *from = (const uint64_t *)live;
	uint64_t *to = (uint64_t *)&c->live;
	/* One that was killed within has left it odd. */
	uint32_t lock = c->lock | 1;

	__atomic_store_n(&c->lock, lock, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (size_t i = 0; i < LIVE_WORDS; i++)
		__atomic_store_n(&to[i], from[i], __ATOMIC_RELAXED);
	__atomic_store_n(&c->lock, lock + 1, __ATOMIC_RELEASE);
}

void control__snapshot(const struct control_file *c, struct control_live *out)
{
	const uint64_t *from = (const uint64_t *)&c->live;
	uint64_t *to = (uint64_t *)out;

	/* A writer that died within is replaced by one that publishes at its start: what is torn
	 * until then does not matter for long, and waiting for it without end would. */
	for (int tries = 0; tries < 1000; tries++) {
		uint32_t lock = __atomic_load_n(&c->lock, __ATOMIC_ACQUIRE);

		for (size_t i = 0; i < LIVE_WORDS; i++)
			to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (!(lock & 1) && __atomic_load_n(&c->lock, __ATOMIC_RELAXED) == lock)
			return;
		if (tries > 100)
			usleep(100);
	}
	memset(out, 0, sizeof(*out));
}

void control__wake(struct control_file *c, bool writer)
{
	if (writer)
		__atomic_fetch_add(&c->wake, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &c->wake, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

uint32_t control__word(const struct control_file *c)
{
	return __atomic_load_n(&c->wake, __ATOMIC_ACQUIRE);
}

void control__wait(const struct control_file *c, uint32_t seen, double seconds)
{
	struct timespec ts = {.tv_sec = (time_t)seconds,
	                      .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};

	syscall(SYS_futex, &c->wake, FUTEX_WAIT, seen, seconds < 0 ? NULL : &ts, NULL, 0);
}

#define STATE_CHECKED offsetof(struct control_state, reserved)

static uint32_t state__crc(const struct control_state *st)
{
	return crc32c(0, (const char *)st + STATE_CHECKED, sizeof(*st) - STATE_CHECKED);
}

/* Texts come terminated out of here, indices within bounds. */
static bool state__sane(const struct control_state *st)
{
	for (size_t i = 0; i < SPOOL_STREAMS_MAX; i++)
		if (!memchr(st->streams[i].name, '\0', sizeof(st->streams[i].name)))
			return false;
	for (size_t i = 0; i < SPOOL_OUTPUTS_MAX; i++)
		if (!memchr(st->outputs[i].name, '\0', sizeof(st->outputs[i].name)) ||
		    st->outputs[i].stream >= SPOOL_STREAMS_MAX)
			return false;
	return st->generation != 0;
}

bool control__load(const struct control_file *c, struct control_state *out)
{
	struct control_state st;
	bool found = false;

	for (size_t i = 0; i < 2; i++) {
		memcpy(&st, &c->slots[i].state, sizeof(st)); /* it may change below us */
		if (st.crc != state__crc(&st) || !state__sane(&st) ||
		    (found && st.generation < out->generation))
			continue;
		*out = st;
		found = true;
	}
	return found;
}

void control__store(struct control_file *c, struct control_state *st)
{
	st->generation++;
	st->crc = state__crc(st);
	memcpy(&c->slots[st->generation & 1].state, st, sizeof(*st));
}

void control__note(struct control_file *c, uint64_t first, uint64_t last, uint32_t cause)
{
	uint64_t at = c->notes_cnt;
	struct control_note *n = &c->notes[at % CONTROL_NOTES];
	struct control_note *prev = &c->notes[(at - 1) % CONTROL_NOTES];

	if (at && prev->cause == cause && prev->last + 1 == first) {
		__atomic_store_n(&prev->last, last, __ATOMIC_RELEASE);
		return;
	}
	n->first = first;
	n->last = last;
	n->cause = cause;
	__atomic_store_n(&c->notes_cnt, at + 1, __ATOMIC_RELEASE);
}

uint32_t control__cause(const struct control_file *c, uint64_t first, uint64_t last)
{
	uint64_t cnt = __atomic_load_n(&c->notes_cnt, __ATOMIC_ACQUIRE);
	uint64_t from = cnt > CONTROL_NOTES ? cnt - CONTROL_NOTES : 0;
	bool full = false;

	for (uint64_t i = from; i < cnt; i++) {
		struct control_note n = c->notes[i % CONTROL_NOTES];

		if (n.first > last || n.last < first)
			continue;
		if (n.cause == PT_LOST_SPOOL_ERROR)
			return PT_LOST_SPOOL_ERROR;
		full = true;
	}
	/* What is too old to be in the notes: there were many, and evictions are what there are
	 * many of. */
	if (!full && from && last < c->notes[from % CONTROL_NOTES].first)
		full = true;
	return full ? PT_LOST_SPOOL_FULL : PT_LOST_SPOOL_ERROR;
}

uint64_t control__clamp(const struct control_state *st, uint64_t run, uint64_t seq)
{
	for (size_t i = 0; i < CONTROL_RUNS; i++)
		if (st->runs[i].run > run && st->runs[i].first && st->runs[i].first <= seq)
			seq = st->runs[i].first - 1;
	return seq;
}

int control__stream(const struct control_state *st, const char *name, size_t len)
{
	for (int i = 0; i < SPOOL_STREAMS_MAX; i++)
		if (len && strlen(st->streams[i].name) == len &&
		    !memcmp(st->streams[i].name, name, len))
			return i;
	return -1;
}

const struct control_output *control__output(const struct control_state *st, const char *name)
{
	for (size_t i = 0; *name && i < SPOOL_OUTPUTS_MAX; i++)
		if (!strcmp(st->outputs[i].name, name))
			return &st->outputs[i];
	return NULL;
}
