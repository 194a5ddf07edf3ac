/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The user side's pipeline behind the ring, the same for live records and replayed ones: record →
 * reader → process facts → every -o format and sink, and --record. Owns sequence numbers and the
 * count of what user space emitted, filtered and lost.
 */
#ifndef PYTRAIL_OUTPUT_H
#define PYTRAIL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alert;
struct branch_target;
struct output;
struct pt_task;
struct pattern_list;
struct record_writer;
struct selection;

struct output_options {
	/* FORMAT[:DEST] of every -o; none: text or json on standard output */
	const char *const *specs;
	size_t specs_cnt;
	const struct branch_target *targets; /* or NULL: in place of specs; copied */
	size_t targets_cnt;
	struct record_writer *record; /* or NULL; not owned */
	/* or NULL; not owned: what the kernel could not decide */
	const struct pattern_list *patterns;
	/* or NULL; not owned: which processes. unwanted is told of each that is not, once for its
	 * exec. */
	const struct selection *selection;
	void (*unwanted)(void *ctx, const struct pt_task *task);
	void *unwanted_ctx;
	bool processes; /* what becomes of processes is put out, too */
	/* or NULL: told of each process that is seen, once, with `processes` */
	void (*track)(void *ctx, const struct pt_task *task);
	void *track_ctx;
	const char *boot_id; /* of the host the records come from */
	int64_t realtime_offset_ns;
	uint64_t instance_ns;     /* start of the collector, CLOCK_REALTIME */
	uint64_t max_events;      /* 0: no limit */
	bool live;                /* /proc is that of the records */
	unsigned attack_severity; /* struct format_context has the same */
	/*
	 * or NULL; not owned: how secrets are taken out of what goes to specs, and to targets with
	 * `redact`; without it all rules hold for these, with a key of this run. Never from
	 * --record. The process table's facts remember what was hidden in them: one redact for the
	 * life of an output.
	 */
	struct redact *redact;
};

/* Categories of events/audit.tsv, "other" (what the table does not have) first. */
#define OUTPUT_CATEGORIES_MAX 32
size_t output_categories_cnt(void);
const char *output_category(size_t i);

struct output_stats {
	uint64_t events;     /* emitted to every output */
	uint64_t filtered;   /* by patterns, here */
	uint64_t unselected; /* by the selection of processes, here */
	uint64_t malformed;  /* records refused by the reader */
	uint64_t lost;       /* sum of the counts of lost records that passed */
	uint64_t processes;
	uint64_t by_category[OUTPUT_CATEGORIES_MAX][6]; /* of events: [category][severity] */
	uint64_t forgotten; /* processes of which the facts had to go for want of room */
};

/* 0, or -EINVAL for a bad -o (said), or -errno (said). */
int output__new(const struct output_options *opts, struct output **out);
void output__free(struct output *o);

/* Other targets from now on, in place of all that there are, which are flushed; files are opened
 * anew. 0, or -errno (said): they stay then. */
int output__set_targets(struct output *o, const struct branch_target *targets, size_t cnt);

struct call_site_file;

/* How a live record's site is told to be in a file (0; -ENOENT: not any more): for call sites in
 * it. */
typedef int (*output_probed_fn)(void *ctx, unsigned int site, struct call_site_file *out);
void output__set_probed(struct output *o, output_probed_fn fn, void *ctx);

/*
 * One record of any kind. Returns 0; 1 when max_events is reached with it; -errno when an output
 * failed for good (said once; -EPIPE is the quiet end of a pipe).
 */
int output__record(struct output *o, const void *record, size_t size);
/* Something that pytrail itself has to say in the stream. 0 or -errno. */
int output__alert(struct output *o, const struct alert *alert);
int output__flush(struct output *o);
/* Opens all files anew. Returns how many there are. */
size_t output__reopen(struct output *o);
const struct output_stats *output__stats(const struct output *o);

#endif
