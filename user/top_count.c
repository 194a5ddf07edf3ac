// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "top_count.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "catalog.h"
#include "enrich/process.h"
#include "pattern.h"
#include "reader.h"
#include "selection.h"
#include "util/clock.h"

/* Rows that are kept. */
#define PROCESSES_MAX  16384
#define EVENTS_MAX     4096
#define CONTAINERS_MAX 4096
/* A process's facts are asked for once and then kept in its row, unless they decide on all its
 * events. */
#define FACTS_MAX 256

struct top_count {
	struct top_count_options opts;
	struct process_table *facts;
	struct tally *tallies[TOP_VIEWS];
	struct top_totals now, shown;
	uint64_t malformed;
	uint64_t tick_ns, cpu_ns;
};

/* A process, as a key: no padding. */
struct process_key {
	uint64_t start_ns;
	uint64_t pid;
};

struct top_count *top_count__new(const struct top_count_options *opts)
{
	static const size_t sizes[TOP_VIEWS] = {
		[TOP_BY_PROCESS] = PROCESSES_MAX,
		[TOP_BY_EVENT] = EVENTS_MAX,
		[TOP_BY_CONTAINER] = CONTAINERS_MAX,
	};
	struct top_count *t = calloc(1, sizeof(*t));
	char boot_id[64];
	int i;

	if (!t)
		return NULL;
	t->opts = *opts;
	t->tick_ns = clock__monotonic();
	clock__boot_id(boot_id, sizeof(boot_id));
	t->facts = process_table__new(boot_id, selection__needs_facts(opts->selection) ? PROCESSES_MAX
	                                                                               : FACTS_MAX);
	for (i = 0; i < TOP_VIEWS; i++)
		t->tallies[i] = tally__new(sizes[i]);
	if (!t->facts || !t->tallies[0] || !t->tallies[1] || !t->tallies[2]) {
		top_count__free(t);
		return NULL;
	}
	return t;
}

void top_count__free(struct top_count *t)
{
	int i;

	if (!t)
		return;
	for (i = 0; i < TOP_VIEWS; i++)
		tally__free(t->tallies[i]);
	process_table__free(t->facts);
	free(t);
}

static struct process_key key_of(const struct pt_task *task)
{
	return (struct process_key){task->start_ns, task->pid};
}

/* The command line with blanks between its words; the thread's name where that cannot be read. */
static void name_process(struct tally_row *r, const struct pt_task *task, const struct process *p)
{
	char line[TALLY_NAME_MAX];
	size_t len = p && p->argv ? p->argv_len : 0, i;

	if (!len) {
		tally_row__set_name(r, task->comm, strnlen(task->comm, sizeof(task->comm)));
		return;
	}
	if (len > sizeof(line))
		len = sizeof(line);
	for (i = 0; i < len; i++)
		line[i] = p->argv[i] ? p->argv[i] : ' ';
	while (len && line[len - 1] == ' ')
		len--;
	tally_row__set_name(r, line, len);
}

/* What a process's row says beside its count. */
static void fill_process(struct top_count *t, struct tally_row *r, const struct event *ev)
{
	const struct pt_audit *a = ev->audit;
	const struct process *p = process_table__get(t->facts, &a->rec.task, true, NULL);

	r->stale = false;
	r->pid = a->rec.task.pid;
	r->uid = a->rec.task.uid;
	r->py_version = a->py_version;
	r->probe = a->probe;
	name_process(r, &a->rec.task, p);
	tally_row__set_container(r, p ? p->container_id : NULL, p ? p->container_name : NULL);
}

/* Digits of a container's id that its tools show. */
#define SHORT_ID 12

/* A container's row has its name, with the id that the name may not be alone in having. */
static void name_container(struct tally_row *in, const struct tally_row *process)
{
	char text[TALLY_NAME_MAX];
	int len;

	if (!process->container_name)
		return;
	len = snprintf(text, sizeof(text), "%s (%.*s)", process->container_name, SHORT_ID,
	               process->container);
	tally_row__set_name(in, text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

static void count(struct top_count *t, const struct event *ev)
{
	const struct process_key key = key_of(&ev->audit->rec.task);
	struct tally_row *r = tally__count(t->tallies[TOP_BY_PROCESS], &key, sizeof(key)), *in;
	const char *container = "";
	bool fresh = r && r->fresh;

	if (fresh)
		t->now.processes++;
	if (r && (fresh || r->stale))
		fill_process(t, r, ev);
	if (r && r->container)
		container = r->container;
	in = tally__count(t->tallies[TOP_BY_CONTAINER], container, strlen(container));
	if (in && fresh) {
		in->processes++;
		name_container(in, r);
	}
	r = tally__count(t->tallies[TOP_BY_EVENT], ev->name, ev->name_len);
	if (r && r->fresh) {
		r->severity = ev->known ? ev->known->severity : 0;
		r->category = ev->known ? ev->known->category : NULL;
	}
}

/* The first event of a process since its exec decides on all of them. */
static bool is_selected(struct top_count *t, const struct pt_task *task)
{
	const struct process *p;

	if (!selection__needs_facts(t->opts.selection))
		return true;
	p = process_table__get(t->facts, task, true, NULL);
	if (!p)
		return true;
	if (!p->wanted) {
		process__decide(p, selection__wants(t->opts.selection, p));
		if (p->wanted < 0 && t->opts.unwanted)
			t->opts.unwanted(t->opts.unwanted_ctx, task);
	}
	return p->wanted > 0;
}

static void on_exec(struct top_count *t, const struct pt_task *task)
{
	const struct process_key key = key_of(task);
	struct tally_row *r = tally__find(t->tallies[TOP_BY_PROCESS], &key, sizeof(key));

	process_table__exec(t->facts, task, true);
	if (r)
		r->stale = true;
}

int top_count__record(void *top_count, const void *record, size_t size)
{
	struct top_count *t = top_count;
	const struct pt_rec *rec = reader__header(record, size);
	struct event ev;

	if (rec && rec->kind == PT_REC_EXEC)
		on_exec(t, &rec->task);
	if (rec && rec->kind != PT_REC_AUDIT)
		return 0;
	if (!rec || reader__audit(record, size, &ev)) {
		t->malformed++;
		return 0;
	}
	if ((t->opts.patterns && !pattern_list__match(t->opts.patterns, ev.name, ev.name_len)) ||
	    !is_selected(t, &rec->task)) {
		t->now.filtered++;
		return 0;
	}
	t->now.events++;
	count(t, &ev);
	return 0;
}

/* Time that this process has spent on CPUs, nanoseconds. */
static uint64_t cpu_time(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_SELF, &u))
		return 0;
	return ((uint64_t)u.ru_utime.tv_sec + (uint64_t)u.ru_stime.tv_sec) * 1000000000u +
	       ((uint64_t)u.ru_utime.tv_usec + (uint64_t)u.ru_stime.tv_usec) * 1000;
}

void top_count__tick(struct top_count *t, const struct pt_counters *c, uint64_t now)
{
	double seconds = (double)(now - t->tick_ns) / 1e9;
	struct top_totals *s = &t->shown;
	uint64_t cpu = cpu_time(), events = s->events;
	int i;

	*s = t->now;
	for (i = 0; i < PT_FILTERED_CAUSES; i++)
		s->filtered += c->filtered[i];
	s->lost = t->malformed;
	for (i = 0; i < PT_LOST_CAUSES; i++)
		s->lost += c->lost[i];
	if (seconds > 0) {
		s->rate = (double)(s->events - events) / seconds;
		s->cpu = t->cpu_ns ? (double)(cpu - t->cpu_ns) / 1e9 / seconds : 0;
	}
	t->tick_ns = now;
	t->cpu_ns = cpu;
	for (i = 0; i < TOP_VIEWS; i++)
		tally__tick(t->tallies[i], seconds);
}

const struct top_totals *top_count__totals(const struct top_count *t)
{
	return &t->shown;
}

struct tally *top_count__tally(struct top_count *t, enum top_by by)
{
	return t->tallies[by];
}

uint64_t top_count__malformed(const struct top_count *t)
{
	return t->malformed;
}

struct top_totals top_count__now(const struct top_count *t)
{
	return t->now;
}
