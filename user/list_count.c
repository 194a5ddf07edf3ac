// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "list_count.h"

#include <limits.h>
#include <stdlib.h>

#include "commands.h"
#include "enrich/proc_facts.h"
#include "pattern.h"
#include "reader.h"
#include "selection.h"
#include "trace_loop.h"
#include "trace_options.h"
#include "util/log.h"

#define CHAINS    4096
#define COUNT_MAX 65536 /* processes; what is not counted for want of room is said */

struct counted {
	uint32_t pid;
	uint64_t start_ns;
	uint64_t events;
	struct counted *next; /* in its chain */
};

struct list_count {
	struct trace_options opts;
	struct trace_loop *loop;
	struct counted *chains[CHAINS];
	size_t cnt;
	bool said_full;
	uint64_t interval_ns, next_ns;
	bool again, called;
	int (*fn)(void *ctx);
	void *ctx;
	int code; /* of fn */
};

struct list_count *list_count__new(void)
{
	struct list_count *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->opts.ring_size = 8 << 20;
	c->opts.max_string = 16;
	c->opts.max_items = c->opts.max_depth = 1;
	c->opts.names_only = true;
	c->opts.interpreters = "none"; /* those that run are listed */
	c->opts.patterns = pattern_list__new();
	c->opts.selection = selection__new();
	c->code = -1;
	if (!c->opts.patterns || !c->opts.selection) {
		list_count__free(c);
		return NULL;
	}
	return c;
}

void list_count__free(struct list_count *c)
{
	struct counted *x, *next;

	if (!c)
		return;
	for (size_t i = 0; i < CHAINS; i++) {
		for (x = c->chains[i]; x; x = next) {
			next = x->next;
			free(x);
		}
	}
	trace_loop__free(c->loop);
	trace_options__free(&c->opts);
	free(c);
}

static void add(struct list_count *c, const struct pt_task *task, uint64_t events)
{
	struct counted **at = &c->chains[task->pid % CHAINS], *x;

	while (*at && ((*at)->pid != task->pid || (*at)->start_ns != task->start_ns))
		at = &(*at)->next;
	if (!*at) {
		x = c->cnt < COUNT_MAX ? calloc(1, sizeof(*x)) : NULL;
		if (!x) {
			if (!c->said_full)
				log__warn("list: more than %d processes: not all are counted",
				          COUNT_MAX);
			c->said_full = true;
			return;
		}
		x->pid = task->pid;
		x->start_ns = task->start_ns;
		*at = x;
		c->cnt++;
	}
	(*at)->events += events;
}

static void forget(struct list_count *c, const struct pt_task *task)
{
	struct counted **at = &c->chains[task->pid % CHAINS], *x;

	for (; (x = *at); at = &x->next) {
		if (x->pid == task->pid && x->start_ns == task->start_ns) {
			*at = x->next;
			c->cnt--;
			free(x);
			return;
		}
	}
}

static int on_record(void *ctx, const void *record, size_t size)
{
	const struct pt_rec *rec = reader__header(record, size);
	const struct pt_lost *lost;
	struct list_count *c = ctx;

	if (!rec)
		return 0;
	if (rec->kind == PT_REC_AUDIT) {
		add(c, &rec->task, 1);
	} else if (rec->kind == PT_REC_LOST) {
		lost = reader__lost(record, size);
		if (lost && rec->task.pid)
			add(c, &rec->task, lost->count);
	} else if (rec->kind == PT_REC_EXIT) {
		forget(c, &rec->task);
	}
	return 0;
}

static void call(struct list_count *c)
{
	c->called = true;
	c->code = c->fn(c->ctx);
	if (c->code >= 0 || !c->again)
		trace_loop__stop(c->loop);
}

static int on_due(void *ctx, uint64_t now)
{
	struct list_count *c = ctx;

	if (!c->next_ns)
		c->next_ns = now + c->interval_ns;
	if (now >= c->next_ns) {
		c->next_ns = now + c->interval_ns;
		session__losses(trace_loop__session(c->loop));
		call(c);
	}
	now = (c->next_ns - now) / 1000000 + 1;
	return now < INT_MAX ? (int)now : INT_MAX;
}

int list_count__run(struct list_count *c, double seconds, bool again, int (*fn)(void *ctx), void *ctx)
{
	static const struct trace_hooks hooks = {.record = on_record, .due = on_due, .input_fd = -1};
	int code;

	c->interval_ns = (uint64_t)(seconds * 1e9);
	c->again = again;
	c->fn = fn;
	c->ctx = ctx;
	code = trace_loop__open(&c->opts, &hooks, c, &c->loop);
	if (code >= 0)
		return code;
	trace_loop__run(c->loop);
	if (!c->called)
		call(c);
	trace_loop__finish(c->loop);
	return c->code >= 0 ? c->code : EXIT_OK;
}

uint64_t list_count__elapsed(const struct list_count *c)
{
	return trace_loop__elapsed(c->loop);
}

uint64_t list_count__of(const struct list_count *c, pid_t pid)
{
	const struct counted *x = c->chains[(uint32_t)pid % CHAINS];

	/* another process had that pid before */
	while (x && (x->pid != (uint32_t)pid || !proc_facts__is_alive(x->pid, x->start_ns)))
		x = x->next;
	return x ? x->events : 0;
}
