// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The table of processes: a hash table with chains, and a list from the most to the least recently
 * used entry, whose end goes when the table is full.
 */
#include "process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proc_facts.h"
#include "../format/format.h"
#include "../util/buf.h"
#include "../util/fnv.h"

struct entry {
	struct process p;   /* first: what is handed out */
	char *blob;         /* owned: every text that p points to */
	bool stale;         /* executed another file: to be read anew */
	struct entry *next; /* in its chain */
	struct entry *newer, *older;
};

struct process_table {
	char boot_id[64];
	size_t max, cnt, seen, mask;
	struct entry **chains;
	struct entry *newest, *oldest;
	struct buf json;
	struct proc_room room;
};

struct process_table *process_table__new(const char *boot_id, size_t max_entries)
{
	struct process_table *t = calloc(1, sizeof(*t));
	size_t chains = 16;

	if (!t)
		return NULL;
	t->max = max_entries ? max_entries : 1;
	while (chains < t->max)
		chains *= 2;
	t->mask = chains - 1;
	t->chains = calloc(chains, sizeof(*t->chains));
	if (!t->chains) {
		free(t);
		return NULL;
	}
	strncpy(t->boot_id, boot_id ? boot_id : "", sizeof(t->boot_id) - 1);
	return t;
}

static void entry__free(struct entry *e)
{
	free(e->blob);
	free(e);
}

void process_table__free(struct process_table *t)
{
	struct entry *e, *older;

	if (!t)
		return;
	for (e = t->newest; e; e = older) {
		older = e->older;
		entry__free(e);
	}
	buf__free(&t->json);
	free(t->chains);
	free(t);
}

static struct entry **chain(struct process_table *t, uint32_t pid, uint64_t start_ns)
{
	uint64_t h = (start_ns ^ (uint64_t)pid << 32 ^ pid) * 0x9e3779b97f4a7c15ull;

	return &t->chains[(h >> 32) & t->mask];
}

static struct entry *find(struct process_table *t, uint32_t pid, uint64_t start_ns)
{
	struct entry *e = *chain(t, pid, start_ns);

	while (e && (e->p.pid != pid || e->p.start_ns != start_ns))
		e = e->next;
	return e;
}

static void list__unlink(struct process_table *t, struct entry *e)
{
	*(e->newer ? &e->newer->older : &t->newest) = e->older;
	*(e->older ? &e->older->newer : &t->oldest) = e->newer;
	e->newer = e->older = NULL;
}

static void list__push_newest(struct process_table *t, struct entry *e)
{
	e->older = t->newest;
	e->newer = NULL;
	*(t->newest ? &t->newest->newer : &t->oldest) = e;
	t->newest = e;
}

static void list__push_oldest(struct process_table *t, struct entry *e)
{
	e->newer = t->oldest;
	e->older = NULL;
	*(t->oldest ? &t->oldest->older : &t->newest) = e;
	t->oldest = e;
}

static void evict_oldest(struct process_table *t)
{
	struct entry *e = t->oldest, **at = chain(t, e->p.pid, e->p.start_ns);

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	list__unlink(t, e);
	entry__free(e);
	t->cnt--;
}

/* FNV-1a of 128 bits over the text of the boot id, then pid (4 bytes) and start_ns (8 bytes), both
 * least significant byte first. The same process has the same id in every stream of this host. */
static void make_entity_id(const char *boot_id, struct process *p)
{
	unsigned __int128 h = fnv128__add(FNV128_INIT, boot_id, strlen(boot_id));
	uint8_t bytes[12];

	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(p->pid >> 8 * i);
	for (int i = 0; i < 8; i++)
		bytes[4 + i] = (uint8_t)(p->start_ns >> 8 * i);
	h = fnv128__add(h, bytes, sizeof(bytes));
	fnv__hex(p->entity_id, (uint64_t)(h >> 64));
	fnv__hex(p->entity_id + 16, (uint64_t)h);
	p->entity_id[32] = '\0';
}

static struct entry *insert(struct process_table *t, uint32_t pid, uint64_t start_ns)
{
	struct entry *e = calloc(1, sizeof(*e)), **at;

	if (!e)
		return NULL;
	if (t->cnt >= t->max)
		evict_oldest(t);
	e->p.pid = pid;
	e->p.start_ns = start_ns;
	make_entity_id(t->boot_id, &e->p);
	at = chain(t, pid, start_ns);
	e->next = *at;
	*at = e;
	list__push_newest(t, e);
	t->cnt++;
	t->seen++;
	return e;
}

static void put_member(struct buf *b, const char *name, const char *s, size_t len)
{
	if (!s)
		return;
	buf__str(b, name);
	json__string(b, s, len);
	buf__char(b, ',');
}

static void put_argv(struct buf *b, const char *argv, size_t len)
{
	const char *end;

	if (!argv)
		return;
	end = argv + len;
	buf__lit(b, "\"argv\":[");
	for (;;) {
		const char *nul = memchr(argv, '\0', (size_t)(end - argv));

		json__string(b, argv, (size_t)((nul ? nul : end) - argv));
		if (!nul)
			break;
		buf__char(b, ',');
		argv = nul + 1;
	}
	buf__lit(b, "],");
	if (len >= PROC_ARGV_MAX - 1)
		buf__lit(b, "\"argv_truncated\":true,");
}

static void make_json(struct buf *b, const struct process *p, const struct process_facts *f)
{
	buf__reset(b);
	put_member(b, "\"exe\":", f->exe, f->exe_len);
	put_argv(b, f->argv, f->argv_len);
	put_member(b, "\"cwd\":", f->cwd, f->cwd_len);
	buf__lit(b, "\"start_ns\":");
	buf__u64(b, p->start_ns);
	buf__lit(b, ",\"entity_id\":\"");
	buf__str(b, p->entity_id);
	buf__char(b, '"');
	if (f->container_len) {
		buf__lit(b, ",\"container_id\":");
		json__string(b, f->container, f->container_len);
	}
}

static const char *keep(char **pos, const char *s, size_t len)
{
	char *at = *pos;

	if (!s)
		return NULL;
	if (len)
		memcpy(at, s, len);
	at[len] = '\0';
	*pos += len + 1;
	return at;
}

/* Puts facts, none when NULL, in place of those that the entry has. 0 or -ENOMEM: nothing changed. */
static int set_facts(struct process_table *t, struct entry *e, const struct process_facts *facts)
{
	static const struct process_facts none;
	const struct process_facts *f = facts ? facts : &none;
	char *blob, *pos;

	make_json(&t->json, &e->p, f);
	blob = t->json.failed ? NULL
	                      : malloc(t->json.len + f->exe_len + f->argv_len + f->cwd_len +
	                               f->container_len + 5);
	if (!blob)
		return -ENOMEM;
	pos = blob;
	e->p.json = keep(&pos, t->json.data, t->json.len);
	e->p.json_len = t->json.len;
	e->p.exe = keep(&pos, f->exe, f->exe_len);
	e->p.argv = keep(&pos, f->argv, f->argv_len);
	e->p.argv_len = f->argv_len;
	e->p.cwd = keep(&pos, f->cwd, f->cwd_len);
	e->p.container_id = keep(&pos, f->container, f->container_len);
	e->p.partial = !facts;
	e->stale = false;
	free(e->blob);
	e->blob = blob;
	return 0;
}

const struct process *process_table__get(struct process_table *t, const struct pt_task *task,
                                         bool live, bool *fresh)
{
	struct entry *e = t->newest;
	struct process_facts facts;
	int err = -ESRCH;

	if (fresh)
		*fresh = false;
	if (!e || e->p.pid != task->pid || e->p.start_ns != task->start_ns) {
		e = find(t, task->pid, task->start_ns);
		if (e) {
			list__unlink(t, e);
			list__push_newest(t, e);
		}
	}
	if (e && e->blob && !(e->stale && live))
		return &e->p;
	if (!e)
		e = insert(t, task->pid, task->start_ns);
	if (!e)
		return NULL;
	if (live)
		err = proc_facts__read(task->pid, task->start_ns, &t->room, &facts);
	/* It executed another file and was gone before that was read: what was known is not true. */
	if (set_facts(t, e, err ? NULL : &facts))
		return NULL;
	if (fresh)
		*fresh = live && !err;
	return &e->p;
}

int process_table__put_record(struct process_table *t, const void *record, size_t size)
{
	const struct pt_rec *rec = record;
	struct process_facts facts;
	struct entry *e;
	int err = reader__process(record, size, &facts);

	if (err)
		return err;
	e = find(t, rec->task.pid, rec->task.start_ns);
	if (!e)
		e = insert(t, rec->task.pid, rec->task.start_ns);
	return e ? set_facts(t, e, &facts) : -ENOMEM;
}

static uint32_t wire_len(const char *s, size_t len)
{
	return s ? (uint32_t)len : PT_UNKNOWN_LEN;
}

void process__to_record(const struct process *p, const struct pt_rec *like, struct buf *b)
{
	size_t exe = p->exe ? strlen(p->exe) : 0, cwd = p->cwd ? strlen(p->cwd) : 0;
	size_t container = p->container_id ? strlen(p->container_id) : 0;
	size_t texts = exe + p->argv_len + cwd + container;
	struct pt_process r = {
		.rec = *like,
		.exe_len = wire_len(p->exe, exe),
		.argv_len = wire_len(p->argv, p->argv_len),
		.cwd_len = wire_len(p->cwd, cwd),
		.container_len = wire_len(p->container_id, container),
	};
	static const char zeros[8];

	r.rec.kind = PT_REC_PROCESS;
	r.rec.version = PT_WIRE_VERSION;
	r.rec.size = (uint32_t)((sizeof(r) + texts + 7) & ~(size_t)7);
	buf__append(b, &r, sizeof(r));
	buf__append(b, p->exe, exe);
	buf__append(b, p->argv, p->argv_len);
	buf__append(b, p->cwd, cwd);
	buf__append(b, p->container_id, container);
	buf__append(b, zeros, r.rec.size - sizeof(r) - texts);
}

void process_table__exec(struct process_table *t, const struct pt_task *task)
{
	struct entry *e = find(t, task->pid, task->start_ns);

	if (e)
		e->stale = true;
}

void process_table__exit(struct process_table *t, const struct pt_task *task)
{
	struct entry *e = find(t, task->pid, task->start_ns);

	/* The first to go when room is needed: records of its last moments may still come. */
	if (e) {
		list__unlink(t, e);
		list__push_oldest(t, e);
	}
}

size_t process_table__count(const struct process_table *t)
{
	return t->seen;
}
