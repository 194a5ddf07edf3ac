/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The kernel side as one object: the BPF programs and maps with their settings, the probes
 * attached, the processes selected, the ring, and the counters.
 */
#ifndef PYTRAIL_SESSION_H
#define PYTRAIL_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach.h"

struct buf;
struct session;
struct pattern_list;
struct pt_task;
struct selection;

struct session_options {
	uint32_t ring_size;
	uint32_t max_string;
	uint32_t max_items;
	uint32_t max_depth;
	uint32_t max_rate; /* events a second and process, 0: no limit */
	bool selected;     /* only processes given to session__select(); else every process */
	bool kernel_pid;   /* the kernel's own pid filter is used: no look-up at each event */
	bool follow;       /* children of selected processes too */
	enum probe_mode probe;
	bool tasks;        /* session__tasks() will be called */
	bool names_only;   /* no arguments are decoded: events cost their programs less */
	bool measure_runs; /* for session__runs() */
	bool early;        /* attach_options.early */
	const struct pattern_list *patterns; /* or NULL */
	const struct selection *selection;   /* or NULL */
};

/* A record from the ring; not 0 ends session__drain(), which returns it. */
typedef int (*session_record_fn)(void *ctx, const void *record, size_t size);

/*
 * Loads the programs. 0; -EPERM and others with the reason said: this host, or this user, cannot
 * trace.
 */
int session__open(const struct session_options *opts, session_record_fn fn, void *ctx,
                  struct session **out);

/* Detaches and frees. What the ring still holds is gone: drain before, after session__detach(). */
void session__close(struct session *s);
/* A descriptor that becomes readable once what is loaded on the side is; -1: nothing is. */
int session__loading_fd(const struct session *s);
/* Whether files are attached by links of many uprobes, not by perf events. */
bool session__is_multi(const struct session *s);
/* Whether BPF programs may still be loaded: when files are attached later on, or on the side for
 * now. */
bool session__loads_later(const struct session *s);
struct attach *session__attach(struct session *s);
void session__detach(struct session *s);

/* Wants a process (selected mode). 0 or -errno. */
int session__select(struct session *s, pid_t pid);
/* Wants it no more: it has ended. */
void session__deselect(struct session *s, pid_t pid);
bool session__selects(const struct session *s, pid_t pid);
/* Calls fn with each selected process, which returns whether that stays wanted. */
void session__each_selected(struct session *s, bool (*fn)(void *ctx, pid_t pid), void *ctx);
/* How many selected processes are alive (follow mode: the kernel removes them as they exit, or,
 * when it leaves that out, targets__rescan() does). */
size_t session__selected(struct session *s);

/* Wants to be told of this process's exit, whether it is selected or not. */
void session__track(struct session *s, pid_t pid);

/* The kernel drops the events of this process from now on, for as long as it executes nothing else
 * and stays in its control group. */
void session__unwanted(struct session *s, const struct pt_task *task);

/* Appends a struct pt_task of each process that there is. 0; -EOPNOTSUPP: not with this kernel; or
 * -errno. */
int session__tasks(void *session, struct buf *out);

/* Becomes readable when the programs wake the collector. */
int session__fd(const struct session *s);
/* Hands waiting records to fn, a bounded number of them. Returns their number, or what fn returned
 * when that was not 0 (which ends the drain), or -errno. */
int session__drain(struct session *s);

/* What of processes, beside events, did not come from the kernel since the start. */
struct session_pressure {
	uint64_t unfollowed; /* processes that a selected one forked: their events are not seen */
	uint64_t news_lost;  /* execs, exits and mappings that were not told: the ring was full */
	uint64_t news_left_out; /* the same: the kernel left the program out, see run_stats.h */
};
struct session_pressure session__pressure(const struct session *s);

/* Sums over all CPUs. */
struct pt_counters session__counters(const struct session *s);

/* Run times of the programs that are loaded, if that was asked for. Returns how many, at most
 * max. */
struct run_stats;
size_t session__runs(const struct session *s, struct run_stats *out, size_t max);

/*
 * Calls fn with a PT_REC_LOST record for each process and cause that has lost events since the last
 * call. Returns 0, or what fn returned.
 */
int session__losses(struct session *s);

#endif
