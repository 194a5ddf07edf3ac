// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The table of processes: a hash table with chains, and a list from the most to the least recently
 * used entry, whose end goes when the table is full.
 */
#include "process.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ancestry.h"
#include "cgroup.h"
#include "containers.h"
#include "proc_facts.h"
#include "process_json.h"
#include "../util/buf.h"
#include "../util/clock.h"
#include "../util/fnv.h"

struct entry {
	struct process p; /* first: what is handed out */
	char *blob;       /* owned: every text that p points to */
	size_t bytes;     /* of blob, and of p.hidden */
	struct process_table *table;
	bool stale;       /* executed another file: to be read anew */
	bool fresh;       /* read, and nobody was told */
	bool executed;    /* since it was forked, as far as is known */
	bool asked;       /* process_table__get() was called for it */
	uint32_t exec_id; /* of the task when its facts were read, as cgroup_id */
	uint64_t cgroup_id;
	struct entry *next; /* in its chain */
	struct entry *newer, *older;
};

/* Of the texts of all entries: a command line alone can have PROC_ARGV_MAX, and anybody can start
 * many. */
#define BYTES_MAX (64u << 20)

struct process_table {
	char boot_id[64];
	uint64_t since_ns; /* CLOCK_BOOTTIME */
	size_t max, cnt, seen, mask;
	size_t bytes; /* of all blobs */
	uint64_t evicted;
	struct entry **chains;
	struct entry *newest, *oldest;
	struct buf json, python_json;
	struct proc_room room;
	struct containers *containers;
	char ancestry[ANCESTRY_BYTES];
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
	t->containers = containers__new(NULL);
	if (!t->chains || !t->containers) {
		containers__free(t->containers);
		free(t->chains);
		free(t);
		return NULL;
	}
	t->since_ns = clock__boottime();
	strncpy(t->boot_id, boot_id ? boot_id : "", sizeof(t->boot_id) - 1);
	return t;
}

static void entry__free(struct entry *e)
{
	free(e->p.hidden);
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
	containers__free(t->containers);
	buf__free(&t->json);
	buf__free(&t->python_json);
	free(t->chains);
	free(t);
}

/* By pid alone, so that a parent, of which that is known, is found. */
static struct entry **chain(struct process_table *t, uint32_t pid)
{
	uint64_t h = pid * 0x9e3779b97f4a7c15ull;

	return &t->chains[(h >> 32) & t->mask];
}

static struct entry *find(struct process_table *t, uint32_t pid, uint64_t start_ns)
{
	struct entry *e = *chain(t, pid);

	while (e && (e->p.pid != pid || e->p.start_ns != start_ns))
		e = e->next;
	return e;
}

/* The last process that had that pid before then. */
static struct entry *find_before(struct process_table *t, uint32_t pid, uint64_t before_ns)
{
	struct entry *e, *best = NULL;

	for (e = *chain(t, pid); e; e = e->next)
		if (e->p.pid == pid && e->p.start_ns <= before_ns &&
		    (!best || e->p.start_ns > best->p.start_ns))
			best = e;
	return best;
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
	struct entry *e = t->oldest, **at = chain(t, e->p.pid);

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	list__unlink(t, e);
	t->bytes -= e->bytes;
	t->evicted++;
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
	e->table = t;
	make_entity_id(t->boot_id, &e->p);
	at = chain(t, pid);
	e->next = *at;
	*at = e;
	list__push_newest(t, e);
	t->cnt++;
	return e;
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

static uint64_t generations;

/* Puts facts, none when NULL, in place of those that the entry has. 0 or -ENOMEM: nothing
 * changed. */
static int set_facts(struct process_table *t, struct entry *e, const struct process_facts *facts)
{
	static const struct process_facts none;
	const struct process_facts *f = facts ? facts : &none;
	char *blob, *pos;

	process_json__make(&t->json, &e->p, f);
	process_json__python(&t->python_json, f);
	blob = t->json.failed || t->python_json.failed
	               ? NULL
	               : malloc(t->json.len + t->python_json.len + f->exe_len + f->argv_len +
	                        f->cwd_len + f->container_len + f->cgroup_len + f->ancestry_len +
	                        f->venv_len + f->names_len + 10);
	if (!blob)
		return -ENOMEM;
	pos = blob;
	e->p.json = keep(&pos, t->json.data, t->json.len);
	e->p.json_len = t->json.len;
	e->p.python_json =
		keep(&pos, t->python_json.len ? t->python_json.data : "", t->python_json.len);
	e->p.python_json_len = t->python_json.len;
	e->p.exe = keep(&pos, f->exe, f->exe_len);
	e->p.argv = keep(&pos, f->argv, f->argv_len);
	e->p.argv_len = f->argv_len;
	e->p.cwd = keep(&pos, f->cwd, f->cwd_len);
	e->p.container_id = keep(&pos, f->container, f->container_len);
	e->p.cgroup = keep(&pos, f->cgroup, f->cgroup_len);
	e->p.ancestry = keep(&pos, f->ancestry, f->ancestry_len);
	e->p.ancestry_len = f->ancestry_len;
	e->p.venv = keep(&pos, f->venv, f->venv_len);
	e->p.generation = __atomic_add_fetch(&generations, 1, __ATOMIC_RELAXED);
	e->p.names = keep(&pos, f->names, f->names_len);
	e->p.names_len = f->names_len;
	/* the first of them is terminated by the NUL behind it */
	e->p.container_name = f->names_len && e->p.names[0] ? e->p.names : NULL;
	e->p.partial = !facts;
	e->stale = false;
	e->fresh = facts;
	t->bytes += (size_t)(pos - blob) - e->bytes;
	e->bytes = (size_t)(pos - blob);
	e->p.wanted = 0;
	free(e->p.hidden);
	e->p.hidden = NULL;
	e->p.hidden_made = false;
	free(e->blob);
	e->blob = blob;
	/* not this one, even where it was the oldest */
	list__unlink(t, e);
	list__push_newest(t, e);
	while (t->bytes > BYTES_MAX && t->oldest != e)
		evict_oldest(t);
	return 0;
}

/* The ancestors of a task: from its parent's entry as far as that is known, else from /proc. */
static void make_ancestry(struct process_table *t, const struct pt_task *task,
                          struct process_facts *f)
{
	const struct entry *parent = find_before(t, task->ppid, task->start_ns);
	size_t len = 0;

	/* one that has executed something else since shows it in /proc only */
	if (parent && parent->blob && !parent->p.partial && (!parent->stale || parent->p.exited)) {
		struct ancestor a = {.pid = task->ppid,
		                     .comm = parent->p.comm,
		                     .exe = parent->p.exe ? parent->p.exe : ""};

		ancestry__put(t->ancestry, sizeof(t->ancestry), &len, &a);
		if (parent->p.ancestry)
			ancestry__append(t->ancestry, sizeof(t->ancestry), &len, parent->p.ancestry,
			                 parent->p.ancestry_len, ANCESTRY_MAX - 1);
	} else {
		ancestry__read(task->ppid, task->start_ns, t->ancestry, sizeof(t->ancestry), &len);
	}
	if (len) {
		f->ancestry = t->ancestry;
		f->ancestry_len = len;
	}
}

/*
 * The facts of a process that is gone, as its parent had them: it was forked and has executed
 * nothing since. The kernel's count of a process's execs is copied by fork (struct
 * task_struct.self_exec_id).
 */
static int inherit(struct process_table *t, const struct entry *e, const struct pt_task *task,
                   struct process_facts *f)
{
	const struct entry *parent = find_before(t, task->ppid, task->start_ns);

	if (!parent || parent == e || e->executed || !parent->blob || parent->p.partial ||
	    parent->stale || parent->exec_id != task->exec_id)
		return -ESRCH;
	process__facts(&parent->p, f);
	f->ancestry = NULL; /* its own */
	f->ancestry_len = 0;
	return 0;
}

/* What the container's runtime calls it, in place of what is known of that. */
static void name_container(struct process_table *t, struct process_facts *f)
{
	const struct container_facts *c = NULL;
	char id[CGROUP_ID_SIZE], *p = t->room.names;

	f->names = NULL;
	f->names_len = 0;
	if (!f->container_len || f->container_len >= sizeof(id))
		return;
	memcpy(id, f->container, f->container_len);
	id[f->container_len] = '\0';
	c = containers__get(t->containers, id, f->cgroup ?: "", f->cgroup_len);
	if (!c)
		return;
	p = stpcpy(p, c->name) + 1;
	p = stpcpy(p, c->image) + 1;
	p = stpcpy(p, c->pod) + 1;
	p = stpcpy(p, c->pod_namespace);
	f->names = t->room.names;
	f->names_len = (size_t)(p - t->room.names);
}

/* What the facts were read for is kept beside them: when it changes they are read again. */
static bool is_current(const struct entry *e, const struct pt_task *task, bool live)
{
	if (!e->blob)
		return false;
	return !live || (!e->stale && e->exec_id == task->exec_id && e->cgroup_id == task->cgroup_id);
}

static int read_facts(struct process_table *t, struct entry *e, const struct pt_task *task, bool live)
{
	struct process_facts facts, inherited;
	bool partial = true;
	int err = -ESRCH;

	/*
	 * A child that was forked after we started, and has executed nothing when it raised this:
	 * /proc may show already what it executed then.
	 */
	if (live && !e->blob && task->start_ns > t->since_ns && !inherit(t, e, task, &facts)) {
		proc_facts__place(task->pid, task->start_ns, &t->room, &facts);
		partial = false;
		err = 0;
	} else if (live) {
		err = proc_facts__read(task->pid, task->start_ns, &t->room, &facts);
		/* without memory, on its way out: there is nothing to be seen but some links */
		partial = err || !facts.exe || !facts.argv;
	}
	if (live && partial && !inherit(t, e, task, &inherited)) {
		facts = inherited;
		partial = false;
		err = 0;
	}
	if (!err)
		make_ancestry(t, task, &facts);
	if (!err && live)
		name_container(t, &facts);
	/* It moved to another control group and is gone: what was read before is still true of
	 * it. */
	if (err && live && e->blob && !e->p.partial && !e->stale && e->exec_id == task->exec_id) {
		e->cgroup_id = task->cgroup_id;
		return 0;
	}
	e->exec_id = task->exec_id;
	e->cgroup_id = task->cgroup_id;
	snprintf(e->p.comm, sizeof(e->p.comm), "%.*s", PT_COMM_LEN, task->comm);
	/* It executed another file and was gone before that was read: what was known is not
	 * true. */
	if (set_facts(t, e, err ? NULL : &facts))
		return -ENOMEM;
	e->p.partial = partial;
	if (partial)
		e->fresh = false; /* a replay has none of it, and says so too */
	return 0;
}

const struct process *process_table__get(struct process_table *t, const struct pt_task *task,
                                         bool live, bool *fresh)
{
	struct entry *e = t->newest;

	if (fresh)
		*fresh = false;
	if (!e || e->p.pid != task->pid || e->p.start_ns != task->start_ns) {
		e = find(t, task->pid, task->start_ns);
		if (e) {
			list__unlink(t, e);
			list__push_newest(t, e);
		}
	}
	if (!e)
		e = insert(t, task->pid, task->start_ns);
	if (!e)
		return NULL;
	if (!e->asked) {
		e->asked = true;
		t->seen++;
	}
	if (!is_current(e, task, live) && read_facts(t, e, task, live))
		return NULL;
	if (fresh && live) {
		*fresh = e->fresh;
		e->fresh = false;
	}
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

_Static_assert(sizeof(struct pt_process) + 4 * PATH_MAX + PROC_ARGV_MAX + CGROUP_ID_SIZE +
                               ANCESTRY_BYTES + 4 * CONTAINER_TEXT_MAX <
                       PT_RECORD_MAX,
               "all facts fit one record");

const struct process *process_table__known(struct process_table *t, const struct pt_task *task,
                                           bool live, bool *fresh)
{
	struct entry *e = find(t, task->pid, task->start_ns);

	*fresh = false;
	if (!e || (!is_current(e, task, live) && read_facts(t, e, task, live)))
		return NULL;
	if (live) {
		*fresh = e->fresh;
		e->fresh = false;
	}
	return &e->p;
}

int process_table__meet(struct process_table *t, const struct pt_task *task)
{
	return find(t, task->pid, task->start_ns) || insert(t, task->pid, task->start_ns) ? 0
	                                                                                  : -ENOMEM;
}

bool process_table__met(struct process_table *t, const struct pt_task *task)
{
	return find(t, task->pid, task->start_ns);
}

bool process__track(const struct process *p)
{
	bool first = !p->tracked;

	((struct entry *)p)->p.tracked = true;
	return first;
}

void process__decide(const struct process *p, bool wanted)
{
	/* a process is the first member of an entry, and never const in itself */
	((struct entry *)p)->p.wanted = wanted ? 1 : -1;
}

void process__set_hidden(const struct process *p, struct process *hidden, size_t bytes)
{
	struct entry *e = (struct entry *)p;

	free(e->p.hidden);
	e->p.hidden = hidden;
	e->p.hidden_made = true;
	/* room is made when the next facts come */
	e->bytes += bytes;
	e->table->bytes += bytes;
}

static size_t text_len(const char *s)
{
	return s ? strlen(s) : 0;
}

void process__facts(const struct process *p, struct process_facts *out)
{
	*out = (struct process_facts){
		.exe = p->exe,
		.exe_len = text_len(p->exe),
		.argv = p->argv,
		.argv_len = p->argv_len,
		.cwd = p->cwd,
		.cwd_len = text_len(p->cwd),
		.container = p->container_id,
		.container_len = text_len(p->container_id),
		.cgroup = p->cgroup,
		.cgroup_len = text_len(p->cgroup),
		.ancestry = p->ancestry,
		.ancestry_len = p->ancestry_len,
		.venv = p->venv,
		.venv_len = text_len(p->venv),
		.names = p->names,
		.names_len = p->names_len,
	};
}

static uint32_t wire_len(const char *s, size_t len)
{
	return s ? (uint32_t)len : PT_UNKNOWN_LEN;
}

void process__to_record(const struct process *p, const struct pt_rec *like, struct buf *b)
{
	struct process_facts f;
	struct pt_process r = {.rec = *like};
	size_t texts;
	static const char zeros[8];

	process__facts(p, &f);
	r.exe_len = wire_len(f.exe, f.exe_len);
	r.argv_len = wire_len(f.argv, f.argv_len);
	r.cwd_len = wire_len(f.cwd, f.cwd_len);
	r.container_len = wire_len(f.container, f.container_len);
	r.cgroup_len = wire_len(f.cgroup, f.cgroup_len);
	r.ancestry_len = wire_len(f.ancestry, f.ancestry_len);
	r.venv_len = wire_len(f.venv, f.venv_len);
	r.names_len = wire_len(f.names, f.names_len);
	texts = f.exe_len + f.argv_len + f.cwd_len + f.container_len + f.cgroup_len +
	        f.ancestry_len + f.venv_len + f.names_len;
	r.rec.kind = PT_REC_PROCESS;
	r.rec.version = PT_WIRE_VERSION;
	r.rec.size = (uint32_t)((sizeof(r) + texts + 7) & ~(size_t)7);
	buf__append(b, &r, sizeof(r));
	buf__append(b, f.exe, f.exe_len);
	buf__append(b, f.argv, f.argv_len);
	buf__append(b, f.cwd, f.cwd_len);
	buf__append(b, f.container, f.container_len);
	buf__append(b, f.cgroup, f.cgroup_len);
	buf__append(b, f.ancestry, f.ancestry_len);
	buf__append(b, f.venv, f.venv_len);
	buf__append(b, f.names, f.names_len);
	buf__append(b, zeros, r.rec.size - sizeof(r) - texts);
}

void process_table__fork(struct process_table *t, const struct pt_task *task)
{
	struct process_facts facts;
	struct entry *e = find(t, task->pid, task->start_ns);

	if (e)
		return;
	e = insert(t, task->pid, task->start_ns);
	if (!e || inherit(t, e, task, &facts))
		return; /* at its first event, then */
	make_ancestry(t, task, &facts);
	e->exec_id = task->exec_id;
	e->cgroup_id = task->cgroup_id;
	snprintf(e->p.comm, sizeof(e->p.comm), "%.*s", PT_COMM_LEN, task->comm);
	set_facts(t, e, &facts);
}

void process_table__exec(struct process_table *t, const struct pt_task *task, bool live)
{
	struct entry *e = find(t, task->pid, task->start_ns);

	if (!e && live && proc_facts__is_python(task->pid))
		e = insert(t, task->pid, task->start_ns);
	if (!e)
		return;
	e->executed = true;
	e->stale = true;
	if (live && proc_facts__is_python(task->pid))
		read_facts(t, e, task, live);
}

void process_table__exit(struct process_table *t, const struct pt_task *task)
{
	struct entry *e = find(t, task->pid, task->start_ns);

	/* The first to go when room is needed: records of its last moments may still come. */
	if (e) {
		e->p.exited = true;
		list__unlink(t, e);
		list__push_oldest(t, e);
	}
}

size_t process_table__count(const struct process_table *t)
{
	return t->seen;
}

uint64_t process_table__evicted(const struct process_table *t)
{
	return t->evicted;
}
