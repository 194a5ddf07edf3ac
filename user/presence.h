/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * From when to when the events of each process are seen (`--processes`): a PT_REC_ATTACH record
 * before the first of them, or as soon as the process is found, and a PT_REC_DETACH behind the
 * last.
 */
#ifndef PYTRAIL_PRESENCE_H
#define PYTRAIL_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../bpf/wire.h"
#include "attach.h"
#include "binary.h"

struct buf;
struct presence;

struct presence_options {
	size_t max; /* processes at once: of more nothing is told, which is warned of */
	/* Takes the records, whose result does not matter here. */
	int (*record)(void *ctx, const void *record, size_t size);
	void *record_ctx;
	/* Appends a struct pt_task of each process that there is. 0 or -errno: then what is only
	 * found, and not heard of from the kernel, is told at its first event. NULL: the same. */
	int (*tasks)(void *ctx, struct buf *out);
	void *tasks_ctx;
};

enum presence_late {
	PRESENCE_IN_TIME,
	PRESENCE_LATE,     /* it ran before its file was attached */
	PRESENCE_BY_START, /* it is if it started before that */
};

/* NULL: no memory. */
struct presence *presence__new(const struct presence_options *opts);
void presence__free(struct presence *p);

/* All below do nothing when p is NULL. Files must be attached; they are kept until
 * presence__dropped(). */

/* A process has a file, and was found without the kernel's word. Told by presence__flush(). */
void presence__found(struct presence *p, pid_t pid, const struct binary *b, enum probe_mode mode,
                     enum presence_late late);

/*
 * The same of the process of a record, PT_REC_EXEC or PT_REC_MAP; it has run since its time. What
 * the process was before ends with presence__gone().
 */
void presence__heard(struct presence *p, const struct pt_rec *rec, const struct binary *b,
                     enum probe_mode mode, enum presence_late late);

/* Tells what is open, but for processes that are told already. */
void presence__flush(struct presence *p);

/* Whether the process is told. An event of one that is not: presence__event() tells it before. */
bool presence__knows(const struct presence *p, const struct pt_task *task);
void presence__event(struct presence *p, const struct pt_audit *audit, const struct binary *b);

/* The process has executed another file, or ended. */
void presence__gone(struct presence *p, const struct pt_rec *rec, enum pt_detach_reason reason);

/* A file's probes are taken away. */
void presence__dropped(struct presence *p, const struct binary *b);

/* Processes whose end was not told by the kernel: now and then. */
void presence__sweep(struct presence *p);

/* Tracing ends. */
void presence__end(struct presence *p);

#endif
