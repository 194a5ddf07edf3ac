/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the kernel measures of BPF programs when it is asked to (kernel.bpf_stats_enabled), for it
 * costs each run of every program on the host some 20 ns.
 */
#ifndef PYTRAIL_RUN_STATS_H
#define PYTRAIL_RUN_STATS_H

#include <stddef.h>
#include <stdint.h>

struct bpf_object;
struct bpf_program;
struct buf;

#define RUN_STATS_MAX 12 /* programs of the skeleton, and some */

struct run_stats {
	char name[32];
	uint64_t run_ns; /* CPU time of all runs; nanoseconds */
	uint64_t runs;
	uint64_t missed; /* runs that the kernel left out, for the program ran on that CPU already: for a task
			  * that was preempted in it, since Linux 7.0 */
};

/* Measured for as long as the descriptor that is returned is open. -1: it is not, and why was
 * said. */
int run_stats__start(void);

/* The program's since it was loaded. 0 or -errno. */
int run_stats__of(const struct bpf_program *p, struct run_stats *out);
/* struct run_stats.missed, counted without run_stats__start(), too. 0: of a program that is not
 * loaded, and before Linux 5.12. */
uint64_t run_stats__missed(const struct bpf_program *p);
/* Of each program of an object that is loaded. Returns how many, at most max. */
size_t run_stats__each(const struct bpf_object *obj, struct run_stats *out, size_t max);
void run_stats__add(struct run_stats *to, const struct run_stats *from);

/* Appends "audit_sleepable 1000 runs of 812 ns, watch_exec …"; programs that have not run are left
 * out. */
void run_stats__text(struct buf *out, const struct run_stats *stats, size_t cnt);

#endif
