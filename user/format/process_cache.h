/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What formats render of a process, kept for its next event: all that is the same for each of them
 * as long as its facts and ids are. A fixed number of processes for each format and thread; no
 * memory beyond that.
 */
#ifndef PYTRAIL_PROCESS_CACHE_H
#define PYTRAIL_PROCESS_CACHE_H

#include <stdint.h>

#include "../reader.h"
#include "../util/buf.h"

struct format_context;

enum process_cache_slot {
	PROCESS_CACHE_JSON,
	PROCESS_CACHE_ECS,
	PROCESS_CACHE_OCSF,
	PROCESS_CACHE_CEF,
	PROCESS_CACHE_LEEF,
	PROCESS_CACHE_SLOTS
};

#define PROCESS_PARTS_MAX 6

/* Parts of one text. */
struct process_parts {
	struct buf text;
	size_t end[PROCESS_PARTS_MAX];
	struct pt_task task; /* they were rendered for */
};

static inline void process_parts__append(struct buf *out, const struct process_parts *p, unsigned part)
{
	size_t from = part ? p->end[part - 1] : 0;

	buf__append(out, p->text.data + from, p->end[part] - from);
	out->failed = out->failed || p->text.failed;
}

/* Fills an empty text and its ends. facts may be NULL. What is made of the task's tid and comm is
 * of one thread of the process: whoever uses it compares them with those of process_parts.task. */
typedef void (*process_render_fn)(struct process_parts *p, const struct pt_task *task,
                                  const struct process *facts, const struct format_context *ctx);

/* The parts of a process, rendered now if they must be; valid until the next call. */
const struct process_parts *process_cache__get(enum process_cache_slot slot,
                                               const struct pt_task *task,
                                               const struct process *facts,
                                               const struct format_context *ctx,
                                               process_render_fn render);

#endif
