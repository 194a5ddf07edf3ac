// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* A list from the most to the least recently used; files are few, and looked up once for each
 * process and address. */
#include "modules.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "../elf_file.h"
#include "symbols.h"

/* Executable segments of a file: one, or a few for those that were patched (patchelf, BOLT). */
#define SEGMENTS_MAX 16

struct segment {
	uint64_t offset, end; /* in the file, as it is mapped: whole pages */
	uint64_t address;     /* link-time, of `offset` */
};

struct module {
	struct file_id id;
	struct segment segments[SEGMENTS_MAX];
	size_t segments_cnt;
	struct symbols *symbols; /* or NULL */
	size_t bytes;
	struct module *newer, *older;
};

struct modules {
	size_t max_files, max_bytes;
	size_t cnt, bytes;
	struct module *newest, *oldest;
};

struct file_id file_id__of(const struct stat *st)
{
	return (struct file_id){st->st_dev, st->st_ino, st->st_size, st->st_ctim};
}

bool file_id__same(const struct file_id *a, const struct file_id *b)
{
	return a->ino == b->ino && a->dev == b->dev && a->size == b->size &&
	       a->ctime.tv_sec == b->ctime.tv_sec && a->ctime.tv_nsec == b->ctime.tv_nsec;
}

struct modules *modules__new(size_t max_files, size_t max_bytes)
{
	struct modules *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->max_files = max_files ? max_files : 1;
	m->max_bytes = max_bytes;
	return m;
}

static void list__unlink(struct modules *m, struct module *f)
{
	*(f->newer ? &f->newer->older : &m->newest) = f->older;
	*(f->older ? &f->older->newer : &m->oldest) = f->newer;
}

static void list__push(struct modules *m, struct module *f)
{
	f->older = m->newest;
	f->newer = NULL;
	*(m->newest ? &m->newest->newer : &m->oldest) = f;
	m->newest = f;
}

static void drop_oldest(struct modules *m)
{
	struct module *f = m->oldest;

	m->oldest = f->newer;
	*(f->newer ? &f->newer->older : &m->newest) = NULL;
	m->cnt--;
	m->bytes -= f->bytes;
	symbols__free(f->symbols);
	free(f);
}

void modules__free(struct modules *m)
{
	if (!m)
		return;
	while (m->oldest)
		drop_oldest(m);
	free(m);
}

const struct module *modules__find(struct modules *m, const struct file_id *id)
{
	struct module *f = m->newest;

	while (f && !file_id__same(&f->id, id))
		f = f->older;
	if (f && f != m->newest) {
		list__unlink(m, f);
		list__push(m, f);
	}
	return f;
}

/* What the kernel and ld.so map of it, in whole pages (fs/binfmt_elf.c elf_map(),
 * ELF_PAGESTART). */
static void take_segments(struct module *f, const struct elf_file *e)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	size_t cnt;
	const Elf64_Phdr *p = elf_file__segments(e, &cnt);

	for (; cnt--; p++) {
		uint64_t skew = p->p_offset & (page - 1);
		struct segment s = {p->p_offset - skew, 0, p->p_vaddr - skew};

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) || !p->p_filesz ||
		    __builtin_add_overflow(p->p_offset, p->p_filesz, &s.end) ||
		    __builtin_add_overflow(s.end, page - 1, &s.end))
			continue;
		s.end &= ~(page - 1);
		if (f->segments_cnt < SEGMENTS_MAX)
			f->segments[f->segments_cnt++] = s;
	}
}

/* 0, also for what is no ELF file; -errno: another time it may go well. */
static int read_file(struct module *f, int fd)
{
	struct elf_file *e;
	int err = elf_file__open(fd, &e);

	if (err)
		return err == -ENOEXEC ? 0 : err;
	take_segments(f, e);
	err = symbols__load(e, &f->symbols);
	elf_file__close(e);
	if (f->symbols)
		f->bytes += symbols__bytes(f->symbols);
	return err == -ENOMEM ? err : 0;
}

const struct module *modules__load(struct modules *m, int fd)
{
	struct module *f;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return NULL;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->id = file_id__of(&st);
	f->bytes = sizeof(*f);
	if (read_file(f, fd)) {
		symbols__free(f->symbols);
		free(f);
		return NULL;
	}
	list__push(m, f);
	m->cnt++;
	m->bytes += f->bytes;
	while (m->oldest != f && (m->cnt > m->max_files || m->bytes > m->max_bytes))
		drop_oldest(m);
	return f;
}

size_t modules__count(const struct modules *m)
{
	return m->cnt;
}

bool module__covers(const struct module *m, uint64_t address)
{
	for (size_t i = 0; i < m->segments_cnt; i++) {
		const struct segment *s = &m->segments[i];

		if (address >= s->address && address - s->address < s->end - s->offset)
			return true;
	}
	return false;
}

bool module__address(const struct module *m, uint64_t file_offset, uint64_t *address)
{
	for (size_t i = 0; i < m->segments_cnt; i++) {
		const struct segment *s = &m->segments[i];

		if (file_offset < s->offset || file_offset >= s->end)
			continue;
		*address = s->address + (file_offset - s->offset);
		return true;
	}
	return false;
}

bool module__symbol(const struct module *m, uint64_t address, const char **name, uint64_t *offset)
{
	struct symbol s;

	if (!m->symbols || !symbols__find(m->symbols, address, &s))
		return false;
	*name = s.name;
	*offset = address - s.address;
	return true;
}
