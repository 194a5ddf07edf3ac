/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where the events of a command go: files, and receivers over the network by way of a spool and the
 * exporter. The same for `trace`, `replay` and `daemon`.
 */
#ifndef PYTRAIL_OUTLETS_H
#define PYTRAIL_OUTLETS_H

#include "../branch.h"
#include "../config/config.h"
#include "exporter.h"
#include "figures.h"

struct outlets;

struct outlets_options {
	bool changes; /* outlets__replace() may follow */
	/* Of the spool; NULL: a private one in TMPDIR or /var/tmp, gone at the end. */
	const char *dir;
	uint64_t max_bytes;   /* 0: 1 GiB */
	double sync_interval; /* see spool.h */
	const char *user;     /* the exporter's, or NULL */
	const char *listen;   /* of the metrics, or NULL: not served */
	const char *boot_id;
	int64_t realtime_offset_ns;
	bool exporter_always; /* for its metrics, even with files only */
	struct exporter_hooks hooks;
};

/* The outputs must outlive it, or the next outlets__replace(). 0; -EINVAL: one of them is wrong, or
 * -errno; said. */
int outlets__open(const struct outlets_options *opts, const struct config_output *outputs,
                  size_t cnt, struct outlets **out);
/* Other outputs; what cannot be changed is left as it is with -errno, said. */
int outlets__replace(struct outlets *o, const struct outlets_options *opts,
                     const struct config_output *outputs, size_t cnt);
/* Around it, and around what else a change is made of: what receivers still have to get is not lost
 * by one that is not kept. Then outlets__replace() with those of before follows. See
 * spool__begin_change(). */
void outlets__begin_change(struct outlets *o);
void outlets__end_change(struct outlets *o, bool keep);
void outlets__free(struct outlets *o);

/* Where records are to be put; valid until the next outlets__replace(). */
const struct branch_target *outlets__targets(const struct outlets *o, size_t *cnt);
/* What was put since reaches the disk and the exporter. */
void outlets__flush(struct outlets *o);

/* As exporter.h; -1: there is none. */
int outlets__fd(const struct outlets *o);
void outlets__handle(struct outlets *o);
int outlets__due(struct outlets *o, uint64_t now);
/* Fills in what it knows, and hands all to the exporter. */
void outlets__tell(struct outlets *o, struct tracer_figures *t);
const struct exporter_figures *outlets__figures(const struct outlets *o);

/*
 * Ends it, after up to `drain` seconds of delivery, and says what was not delivered. Returns how
 * many records that were: lost with a private spool, else still in it and not counted.
 */
uint64_t outlets__finish(struct outlets *o, double drain);

/* The outputs of -o: FORMAT[:DEST] each, or a URL alone. cnt 0: text or json on standard output.
 * redact: files, too. Secrets are loaded. 0 and *out (to be freed with each
 * config_output__clear()), -EINVAL, -ENOMEM; said. */
int outlets__parse(const char *const *specs, size_t cnt, bool redact, struct config_output **out,
                   size_t *out_cnt);

#endif
