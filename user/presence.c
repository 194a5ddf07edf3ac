// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "presence.h"

#include <stdlib.h>
#include <string.h>

#include "enrich/proc_facts.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/log.h"

#define CHAINS 4096 /* a power of two */

/* A process that is told. */
struct present {
	struct pt_task task; /* at that time */
	uint64_t told_ns;    /* CLOCK_MONOTONIC */
	const struct binary *binary;
	uint8_t probe;
	struct present *next; /* in its chain */
};

/* One that is to be. */
struct open_one {
	struct pt_rec rec; /* time_ns 0: only task.pid is known */
	const struct binary *binary;
	uint8_t probe;
	enum presence_late late;
};

struct presence {
	struct presence_options opts;
	struct present *chains[CHAINS];
	size_t cnt;
	struct open_one *open;
	size_t open_cnt, open_cap;
	struct buf tasks;
	struct buf record;
	bool said_full;
};

struct presence *presence__new(const struct presence_options *opts)
{
	struct presence *p = calloc(1, sizeof(*p));

	if (p)
		p->opts = *opts;
	return p;
}

void presence__free(struct presence *p)
{
	struct present *x, *next;
	size_t i;

	if (!p)
		return;
	for (i = 0; i < CHAINS; i++) {
		for (x = p->chains[i]; x; x = next) {
			next = x->next;
			free(x);
		}
	}
	free(p->open);
	buf__free(&p->tasks);
	buf__free(&p->record);
	free(p);
}

/* Where the process is in its chain, or the chain's end. */
static struct present **find(const struct presence *p, uint32_t pid, uint64_t start_ns)
{
	struct present **at = (struct present **)&p->chains[pid & (CHAINS - 1)];

	while (*at && ((*at)->task.pid != pid || (*at)->task.start_ns != start_ns))
		at = &(*at)->next;
	return at;
}

bool presence__knows(const struct presence *p, const struct pt_task *task)
{
	return p && *find(p, task->pid, task->start_ns);
}

static void put_record(struct presence *p, struct pt_attach *a, const struct binary *b)
{
	static const char zeros[8];
	size_t len = strlen(b->path);

	a->file_len = (uint32_t)len;
	a->py_version = b->py_version;
	if (b->free_threaded)
		a->flags |= PT_ATTACH_FREE_THREADED;
	a->rec.size = (uint32_t)((sizeof(*a) + len + 7) & ~(size_t)7);
	a->rec.version = PT_WIRE_VERSION;
	a->rec.task.tid = a->rec.task.pid;
	buf__reset(&p->record);
	buf__append(&p->record, a, sizeof(*a));
	buf__append(&p->record, b->path, len);
	buf__append(&p->record, zeros, a->rec.size - sizeof(*a) - len);
	if (!p->record.failed)
		p->opts.record(p->opts.record_ctx, p->record.data, p->record.len);
}

static void tell_detach(struct presence *p, struct present **at, uint64_t now,
                        enum pt_detach_reason reason)
{
	struct present *x = *at;
	struct pt_attach a = {
		.rec = {.kind = PT_REC_DETACH, .time_ns = now, .task = x->task},
		.probe = x->probe,
		.reason = (uint8_t)reason,
	};

	*at = x->next;
	p->cnt--;
	put_record(p, &a, x->binary);
	free(x);
}

static void tell_attach(struct presence *p, struct pt_attach *a, const struct binary *b)
{
	const struct pt_task *task = &a->rec.task;
	struct present *x, **at = find(p, task->pid, task->start_ns);

	/* it was told from what was found of it, which the kernel's word of its exec only
	 * confirms */
	if (*at && (*at)->binary == b)
		return;
	if (*at)
		tell_detach(p, at, a->rec.time_ns, PT_DETACH_EXEC);
	at = find(p, task->pid, task->start_ns);
	x = p->cnt < p->opts.max ? calloc(1, sizeof(*x)) : NULL;
	if (!x) {
		if (!p->said_full)
			log__warn("more than %zu processes at once: not of all of them it is told "
			          "that they are attached and detached",
			          p->opts.max);
		p->said_full = true;
		return;
	}
	x->task = *task;
	x->told_ns = a->rec.time_ns;
	x->binary = b;
	x->probe = a->probe;
	*at = x;
	p->cnt++;
	a->rec.kind = PT_REC_ATTACH;
	put_record(p, a, b);
}

/* CLOCK_BOOTTIME as CLOCK_MONOTONIC: they differ by how long the host was suspended, up to now. */
static uint64_t to_monotonic(uint64_t boot_ns)
{
	/* in this order: it is never less than nothing */
	uint64_t now = clock__monotonic(), suspended = clock__boottime() - now;

	return boot_ns > suspended ? boot_ns - suspended : 0;
}

/* Says how late it is, since_ns: CLOCK_MONOTONIC when the process began to run what it runs. */
static void set_late(struct pt_attach *a, const struct binary *b, uint64_t since_ns,
                     enum presence_late late)
{
	if (late == PRESENCE_IN_TIME || (late == PRESENCE_BY_START && since_ns >= b->attached_ns))
		return;
	a->flags |= PT_ATTACH_LATE;
	a->late_ns = b->attached_ns > since_ns ? b->attached_ns - since_ns : 0;
}

static struct open_one *open_another(struct presence *p)
{
	struct open_one *o = p->open;

	if (p->open_cnt == p->open_cap) {
		size_t cap = p->open_cap ? p->open_cap * 2 : 16;

		o = realloc(p->open, cap * sizeof(*o));
		if (!o)
			return NULL; /* it is told at its first event */
		p->open = o;
		p->open_cap = cap;
	}
	o += p->open_cnt++;
	memset(o, 0, sizeof(*o));
	return o;
}

void presence__found(struct presence *p, pid_t pid, const struct binary *b, enum probe_mode mode,
                     enum presence_late late)
{
	struct open_one *o = p ? open_another(p) : NULL;

	if (!o)
		return;
	o->rec.task.pid = (uint32_t)pid;
	o->binary = b;
	o->probe = (uint8_t)attach__probe(b, mode);
	o->late = late;
}

void presence__heard(struct presence *p, const struct pt_rec *rec, const struct binary *b,
                     enum probe_mode mode, enum presence_late late)
{
	struct open_one *o = p ? open_another(p) : NULL;

	if (!o)
		return;
	o->rec = *rec;
	o->binary = b;
	o->probe = (uint8_t)attach__probe(b, mode);
	o->late = late;
}

static int by_pid(const void *a, const void *b)
{
	const struct pt_task *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* The tasks that there are, in order; how many. */
static size_t read_tasks(struct presence *p)
{
	size_t cnt;

	buf__reset(&p->tasks);
	if (!p->opts.tasks || p->opts.tasks(p->opts.tasks_ctx, &p->tasks) || p->tasks.failed)
		return 0;
	cnt = p->tasks.len / sizeof(struct pt_task);
	if (cnt)
		qsort(p->tasks.data, cnt, sizeof(struct pt_task), by_pid);
	return cnt;
}

static void tell_open(struct presence *p, const struct open_one *o, size_t tasks_cnt)
{
	struct pt_attach a = {.rec = o->rec, .probe = o->probe};
	uint64_t since_ns = o->rec.time_ns;
	const struct pt_task *task;

	if (!since_ns) {
		task = tasks_cnt ? bsearch(&o->rec.task, p->tasks.data, tasks_cnt, sizeof(*task),
		                           by_pid)
		                 : NULL;
		if (!task)
			return;
		a.rec.task = *task;
		since_ns = to_monotonic(task->start_ns);
	}
	a.rec.time_ns = clock__monotonic();
	set_late(&a, o->binary, since_ns, o->late);
	tell_attach(p, &a, o->binary);
}

void presence__flush(struct presence *p)
{
	bool unknown = false;
	size_t i, tasks_cnt;

	if (!p || !p->open_cnt)
		return;
	for (i = 0; i < p->open_cnt; i++)
		unknown |= !p->open[i].rec.time_ns;
	tasks_cnt = unknown ? read_tasks(p) : 0;
	for (i = 0; i < p->open_cnt; i++)
		tell_open(p, &p->open[i], tasks_cnt);
	p->open_cnt = 0;
}

void presence__event(struct presence *p, const struct pt_audit *audit, const struct binary *b)
{
	struct pt_attach a = {.rec = audit->rec, .probe = audit->probe};

	if (!p || !b)
		return;
	set_late(&a, b, to_monotonic(audit->rec.task.start_ns), PRESENCE_BY_START);
	tell_attach(p, &a, b);
}

void presence__gone(struct presence *p, const struct pt_rec *rec, enum pt_detach_reason reason)
{
	struct present **at;

	if (!p)
		return;
	at = find(p, rec->task.pid, rec->task.start_ns);
	/* an exec before it was found: what was found is what it executed */
	if (*at && (reason != PT_DETACH_EXEC || rec->time_ns > (*at)->told_ns))
		tell_detach(p, at, rec->time_ns, reason);
}

/* Calls for each: 0: it stays, else why it goes. */
static void each(struct presence *p,
                 enum pt_detach_reason (*why)(const struct present *, const void *), const void *arg)
{
	uint64_t now = clock__monotonic();
	struct present **at;
	size_t i;

	for (i = 0; i < CHAINS; i++) {
		for (at = &p->chains[i]; *at;) {
			enum pt_detach_reason reason = why(*at, arg);

			if (reason)
				tell_detach(p, at, now, reason);
			else
				at = &(*at)->next;
		}
	}
}

static enum pt_detach_reason of_file(const struct present *x, const void *binary)
{
	return x->binary == binary ? PT_DETACH_FILE : PT_DETACH_NONE;
}

static enum pt_detach_reason is_over(const struct present *x, const void *arg)
{
	return proc_facts__is_alive(x->task.pid, x->task.start_ns) ? PT_DETACH_NONE : PT_DETACH_EXIT;
}

static enum pt_detach_reason at_end(const struct present *x, const void *arg)
{
	return is_over(x, NULL) ? PT_DETACH_EXIT : PT_DETACH_END;
}

void presence__dropped(struct presence *p, const struct binary *b)
{
	size_t i;

	if (!p)
		return;
	for (i = p->open_cnt; i-- > 0;) {
		if (p->open[i].binary == b)
			p->open[i] = p->open[--p->open_cnt];
	}
	each(p, of_file, b);
}

void presence__sweep(struct presence *p)
{
	if (p)
		each(p, is_over, NULL);
}

void presence__end(struct presence *p)
{
	if (p)
		each(p, at_end, NULL);
}
