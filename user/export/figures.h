/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What pytrail tells of itself: the tracer's figures and the outputs'. Plain memory that the two
 * processes, which are the same program, hand to each other as it is; and the texts that are made
 * of it.
 */
#ifndef PYTRAIL_FIGURES_H
#define PYTRAIL_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../bpf/wire.h"
#include "../config/config.h"
#include "../output.h"
#include "../run_stats.h"
#include "../spool/spool.h"
#include "worker.h"

struct tracer_figures {
	int64_t time_ns;    /* CLOCK_REALTIME: when these were taken */
	int64_t started_ns; /* the same: of the daemon */
	struct pt_counters kernel;
	struct output_stats output;
	uint64_t files; /* attached */
	bool has_spool;
	struct spool_stats spool;
	uint64_t rss_bytes;
	uint64_t exporter_restarts;
	bool exporter_up;
	uint32_t programs_cnt;
	struct run_stats programs[RUN_STATS_MAX]; /* only where they are measured */
};

struct output_figures {
	char name[OUTPUT_NAME_MAX + 1];
	char driver[24];
	struct worker_figures worker;
};

struct exporter_figures {
	uint64_t rss_bytes;
	uint32_t cnt;
	struct output_figures outputs[CONFIG_OUTPUTS_MAX];
};

/* Resident memory of this process, bytes; 0: not known. */
uint64_t figures__rss(void);

/* Prometheus' text format, version 0.0.4. */
void figures__prometheus(struct buf *out, const struct tracer_figures *t,
                         const struct exporter_figures *e);
/* One JSON object and a newline. */
void figures__json(struct buf *out, const struct tracer_figures *t, const struct exporter_figures *e);
/* Lines for people. */
void figures__text(struct buf *out, const struct tracer_figures *t, const struct exporter_figures *e);
/* Appends why all is not well, a line each; returns whether it is well. now_ns: CLOCK_REALTIME. */
bool figures__healthy(struct buf *out, const struct tracer_figures *t,
                      const struct exporter_figures *e, int64_t now_ns);

#endif
