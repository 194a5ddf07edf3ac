/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "file_table.h"

/*
 * Same file: the same (dev, inode); or, when an overlay is involved, the same inode number and
 * times. On an overlay the inode that a uprobe hangs on is that of the lower file (d_real_inode()
 * in kernel/trace/trace_uprobe.c), which many containers share, and stat(2) shows its number and
 * times, but a device number of the overlay's own (Documentation/filesystems/overlayfs.rst, "Inode
 * properties"). To attach through two of them would report each event twice. The change time, in
 * nanoseconds, cannot be set at will: another file does not come to equal one in all of these.
 *
 * A file that was copied up has the number of the lower one still, but hangs on another inode;
 * fanotify shows it by the number that it has in the upper directory. Whether two open files are
 * one is then told by a page of both: one inode has one page cache.
 */

#define SLOTS_MIN 256
/* Anybody can make files and map them: the memory of what they are not is bounded. */
#define NEGATIVES_MAX 65536
#define SAME_INO_MAX  64

struct slot {
	bool used;
	bool overlay;
	bool seen; /* by file_table__is_first() */
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
	struct binary *binary;
};

struct file_table {
	struct slot *slots;
	size_t cap; /* a power of two */
	size_t used;
	size_t negatives;
	struct binary **binaries;
	size_t binaries_cnt;
};

struct file_table *file_table__new(void)
{
	struct file_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->cap = SLOTS_MIN;
	t->slots = calloc(t->cap, sizeof(*t->slots));
	if (!t->slots) {
		free(t);
		return NULL;
	}
	return t;
}

void file_table__free(struct file_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->binaries_cnt; i++)
		binary__free(t->binaries[i]);
	free(t->binaries);
	free(t->slots);
	free(t);
}

/* By the inode number alone, for on an overlay a file is known by others' device numbers, too. */
static size_t hash_ino(ino_t ino)
{
	return (size_t)(((uint64_t)ino * 0x9e3779b97f4a7c15ull) >> 32);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_binary(const struct slot *s, const struct stat *st, bool overlay)
{
	struct stat now;

	/* Its descriptor is open: the inode cannot have become another file's. On an overlay it
	 * can, by being copied up, which changes the times at least. */
	if (s->dev == st->st_dev && !s->overlay)
		return true;
	if (s->dev == st->st_dev)
		return s->size == st->st_size && same_time(&s->mtime, &st->st_mtim) &&
		       same_time(&s->ctime, &st->st_ctim);
	if (!overlay && !s->overlay)
		return false;
	/* A new link or owner changes the time of change of a file that is still the same. */
	return !fstat(s->binary->fd, &now) && now.st_size == st->st_size &&
	       same_time(&now.st_mtim, &st->st_mtim) && same_time(&now.st_ctim, &st->st_ctim);
}

enum file_verdict file_table__find(struct file_table *t, const struct stat *st, bool overlay,
                                   struct binary **out)
{
	for (size_t i = hash_ino(st->st_ino);; i++) {
		const struct slot *s = &t->slots[i & (t->cap - 1)];

		if (!s->used)
			return FILE_UNKNOWN;
		if (s->ino != st->st_ino)
			continue;
		if (s->binary && is_binary(s, st, overlay)) {
			*out = s->binary;
			return FILE_INTERPRETER;
		}
		/* Nothing holds this inode: another file may have it by now, or other content. */
		if (!s->binary && s->dev == st->st_dev && s->size == st->st_size &&
		    same_time(&s->mtime, &st->st_mtim))
			return FILE_NO_INTERPRETER;
	}
}

static void put(struct slot *slots, size_t cap, const struct slot *s)
{
	size_t i = hash_ino(s->ino);

	while (slots[i & (cap - 1)].used)
		i++;
	slots[i & (cap - 1)] = *s;
}

/* Into a table of that size, without what is forgotten. */
static int rebuild(struct file_table *t, size_t cap, bool forget)
{
	struct slot *slots = calloc(cap, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < t->cap; i++)
		if (t->slots[i].used && (t->slots[i].binary || !forget))
			put(slots, cap, &t->slots[i]);
	if (forget) {
		t->used -= t->negatives;
		t->negatives = 0;
	}
	free(t->slots);
	t->slots = slots;
	t->cap = cap;
	return 0;
}

static int make_room(struct file_table *t, const struct binary *b)
{
	struct binary **more;
	struct rlimit files;

	if (t->negatives >= NEGATIVES_MAX && rebuild(t, t->cap, true))
		return -ENOMEM;
	if ((t->used + 1) * 2 > t->cap && rebuild(t, t->cap * 2, false))
		return -ENOMEM;
	if (!b)
		return 0;
	if (!getrlimit(RLIMIT_NOFILE, &files) && t->binaries_cnt >= files.rlim_cur / 2)
		return -EMFILE;
	more = realloc(t->binaries, (t->binaries_cnt + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	t->binaries = more;
	return 0;
}

static struct slot slot_of(const struct stat *st, bool overlay, struct binary *b)
{
	return (struct slot){
		.used = true,
		.overlay = overlay,
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = st->st_size,
		.mtime = st->st_mtim,
		.ctime = st->st_ctim,
		.binary = b,
	};
}

/* The number of the page frame that a mapped page is in; 0: not known, which takes CAP_SYS_ADMIN
 * (the kernel's Documentation/admin-guide/mm/pagemap.rst). */
static uint64_t page_frame(int pagemap, const volatile char *page)
{
	uint64_t entry, present = 1ull << 63, frame = (1ull << 55) - 1;
	off_t at = (off_t)((uintptr_t)page / (uintptr_t)sysconf(_SC_PAGESIZE) * sizeof(entry));

	(void)*page;
	if (pread(pagemap, &entry, sizeof(entry), at) != sizeof(entry) || !(entry & present))
		return 0;
	return entry & frame;
}

/* Whether two files of more than no bytes are one. */
static bool is_one(int a, int b)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	void *of_a = mmap(NULL, size, PROT_READ, MAP_SHARED, a, 0);
	void *of_b = mmap(NULL, size, PROT_READ, MAP_SHARED, b, 0);
	uint64_t frame = 0;
	bool one = false;

	if (pagemap >= 0 && of_a != MAP_FAILED && of_b != MAP_FAILED) {
		frame = page_frame(pagemap, of_a);
		one = frame && frame == page_frame(pagemap, of_b);
	}
	if (of_a != MAP_FAILED)
		munmap(of_a, size);
	if (of_b != MAP_FAILED)
		munmap(of_b, size);
	if (pagemap >= 0)
		close(pagemap);
	return one;
}

enum file_verdict file_table__find_open(struct file_table *t, int fd, const struct stat *st,
                                        bool overlay, struct binary **out)
{
	for (size_t i = 0; i < t->cap; i++) {
		const struct slot *s = &t->slots[i];
		struct slot alias;

		if (!s->binary || (!overlay && !s->overlay) || !st->st_size ||
		    s->size != st->st_size || !is_one(s->binary->fd, fd))
			continue;
		*out = s->binary;
		alias = slot_of(st, overlay, s->binary);
		/* it dies with the binary; its own file is held open by nobody, so that its number
		 * says little */
		alias.overlay = true;
		if ((t->used + 1) * 2 <= t->cap || !rebuild(t, t->cap * 2, false)) {
			put(t->slots, t->cap, &alias);
			t->used++;
		}
		return FILE_INTERPRETER;
	}
	return FILE_UNKNOWN;
}

/*
 * The slot of what was no interpreter under that number before: the same file, which has changed,
 * or one of very many file systems that have the number. NULL: there is none that is to be used
 * again.
 */
static struct slot *former_negative(struct file_table *t, const struct stat *st)
{
	size_t same = 0;

	for (size_t i = hash_ino(st->st_ino);; i++) {
		struct slot *s = &t->slots[i & (t->cap - 1)];

		if (!s->used)
			return NULL;
		if (s->ino != st->st_ino || s->binary)
			continue;
		if (s->dev == st->st_dev || ++same == SAME_INO_MAX)
			return s;
	}
}

int file_table__add(struct file_table *t, const struct stat *st, bool overlay, struct binary *b)
{
	struct slot s = slot_of(st, overlay, b), *former = b ? NULL : former_negative(t, st);
	int err;

	if (former) {
		*former = s;
		return 0;
	}
	err = make_room(t, b);
	if (err) {
		binary__free(b);
		return err;
	}
	put(t->slots, t->cap, &s);
	t->used++;
	if (b)
		t->binaries[t->binaries_cnt++] = b;
	else
		t->negatives++;
	return 0;
}

void file_table__forget(struct file_table *t, struct binary *b)
{
	for (size_t i = 0; i < t->cap; i++) {
		struct slot *s = &t->slots[i];

		if (!s->used || s->binary != b)
			continue;
		/* The slot stays in its chain, as a file that no other equals. */
		s->binary = NULL;
		s->size = -1;
		t->negatives++;
	}
	for (size_t i = 0; i < t->binaries_cnt; i++) {
		if (t->binaries[i] == b) {
			t->binaries[i] = t->binaries[--t->binaries_cnt];
			binary__free(b);
			return;
		}
	}
}

bool file_table__is_first(struct file_table *t, const struct binary *b)
{
	for (size_t i = hash_ino(b->ino);; i++) {
		struct slot *s = &t->slots[i & (t->cap - 1)];
		bool first = !s->seen;

		if (!s->used)
			return false;
		if (s->binary != b)
			continue;
		s->seen = true;
		return first;
	}
}

size_t file_table__binaries(const struct file_table *t, struct binary *const **out)
{
	*out = t->binaries;
	return t->binaries_cnt;
}
