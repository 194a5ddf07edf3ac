// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "process_cache.h"

#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "../enrich/process.h"

#define ENTRIES 256 /* a power of two */
/* Bytes of a text that is kept: of one that is longer, which a command line can make, the memory is
 * given back when the next takes its place. */
#define KEEP_MAX (16 * 1024)

struct entry {
	uint64_t generation; /* of the facts; 0: empty */
	int64_t realtime_offset_ns;
	const void *host;
	struct process_parts parts;
};

static __thread struct entry *caches[PROCESS_CACHE_SLOTS];

static bool is_same_task(const struct pt_task *a, const struct pt_task *b)
{
	return a->start_ns == b->start_ns && a->pid == b->pid && a->ppid == b->ppid &&
	       a->uid == b->uid && a->gid == b->gid && a->euid == b->euid && a->egid == b->egid &&
	       a->ns_pid == b->ns_pid && a->loginuid == b->loginuid &&
	       a->session_id == b->session_id && a->cgroup_id == b->cgroup_id;
}

const struct process_parts *process_cache__get(enum process_cache_slot slot,
                                               const struct pt_task *task,
                                               const struct process *facts,
                                               const struct format_context *ctx,
                                               process_render_fn render)
{
	static __thread struct entry spare;
	struct entry *e = &spare;

	if (!caches[slot])
		caches[slot] = calloc(ENTRIES, sizeof(struct entry));
	if (facts && caches[slot])
		e = &caches[slot][facts->generation % ENTRIES];
	if (facts && e->generation == facts->generation && e->host == ctx->host &&
	    e->realtime_offset_ns == ctx->realtime_offset_ns && is_same_task(&e->parts.task, task))
		return &e->parts;
	if (e->parts.text.cap > KEEP_MAX)
		buf__free(&e->parts.text);
	buf__reset(&e->parts.text);
	e->parts.task = *task;
	render(&e->parts, task, facts, ctx);
	/* without memory it is tried again at the next event; process_parts__append() says so */
	e->generation = facts && !e->parts.text.failed ? facts->generation : 0;
	e->host = ctx->host;
	e->realtime_offset_ns = ctx->realtime_offset_ns;
	return &e->parts;
}
