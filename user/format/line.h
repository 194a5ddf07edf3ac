/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What `cef` and `leef` share: a line of key=value behind a header. They differ in their keys, in
 * what stands between two of them, and in how a value is escaped.
 */
#ifndef PYTRAIL_LINE_H
#define PYTRAIL_LINE_H

#include "format.h"
#include "line_text.h"
#include "process_cache.h"

enum line_key {
	LINE_ID,
	LINE_SEQUENCE,
	LINE_CATEGORY,
	LINE_ACTION,
	LINE_HOST,
	LINE_PID,
	LINE_PPID,
	LINE_TID,
	LINE_UID,
	LINE_EUID,
	LINE_COMM,
	LINE_EXE,
	LINE_COMMAND_LINE,
	LINE_ENTITY,
	LINE_CONTAINER,
	LINE_FILE_PATH,
	LINE_FILE_NAME,
	LINE_OLD_PATH,
	LINE_DST_IP,
	LINE_DST_HOST,
	LINE_DST_PORT,
	LINE_URL,
	LINE_METHOD,
	LINE_CHILD_EXE,
	LINE_CHILD_COMMAND_LINE,
	LINE_TARGET_PID,
	LINE_TECHNIQUE,
	LINE_ARGS,
	LINE_NOTES,
	LINE_PYTHON,
	LINE_REASON,
	LINE_COUNT,
	LINE_MESSAGE,
	LINE_OUTPUT,
	LINE_KEYS
};

struct line_dialect {
	/* by enum line_key: all that stands before the value, "=" included */
	const char *const *keys;
	char separator;
	enum line_style value;
	enum process_cache_slot cache;
	process_render_fn render; /* calls line__process() */
	/* Header and time; severity 1 to 5. */
	void (*head)(struct buf *out, const char *code, size_t code_len, const char *action,
	             unsigned severity, int64_t realtime_ns);
};

/* The dialects' parts of struct format. */
void line__event(const struct line_dialect *d, struct buf *out, const struct event *ev,
                 const struct format_context *ctx);
void line__process_record(const struct line_dialect *d, struct buf *out, const struct pt_rec *rec,
                          const char *what, const struct process *facts, uint64_t seq,
                          const struct format_context *ctx);
void line__lost(const struct line_dialect *d, struct buf *out, const struct pt_lost *lost,
                uint64_t seq, const struct format_context *ctx);
void line__alert(const struct line_dialect *d, struct buf *out, const struct alert *a, uint64_t seq,
                 const struct format_context *ctx);
/* What is the same for all events of a process, in one part. */
void line__process(const struct line_dialect *d, struct process_parts *p, const struct pt_task *task,
                   const struct process *facts, const struct format_context *ctx);

/* 1 to 5 as 1 to 10: 1, 3, 5, 8, 10. */
unsigned line__severity(unsigned severity);

#endif
