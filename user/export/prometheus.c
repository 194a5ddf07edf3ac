// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The metrics' names, in one place. Labels are bounded: by tables of this program and by the
 * configuration. */
#include <math.h>
#include <stddef.h>

#include "../format/json.h"
#include "../util/buf.h"
#include "figures.h"

static void family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf__printf(b, "# HELP pytrail_%s %s\n# TYPE pytrail_%s %s\n", name, help, name, type);
}

static void put_u64(struct buf *b, const char *name, uint64_t v)
{
	buf__printf(b, "pytrail_%s %llu\n", name, (unsigned long long)v);
}

static void put_events(struct buf *b, const struct tracer_figures *t)
{
	family(b, "events_total", "counter", "Audit events that were put out.");
	for (size_t c = 0; c < output_categories_cnt(); c++)
		for (unsigned s = 1; s <= 5; s++)
			if (t->output.by_category[c][s])
				buf__printf(b,
				            "pytrail_events_total{category=\"%s\",severity=\"%u\"} "
				            "%llu\n",
				            output_category(c), s,
				            (unsigned long long)t->output.by_category[c][s]);
	family(b, "events_seen_total", "counter", "Audit events that the probes saw.");
	put_u64(b, "events_seen_total", t->kernel.seen);
	family(b, "events_filtered_total", "counter", "Audit events that were not wanted.");
	buf__printf(
		b,
		"pytrail_events_filtered_total{reason=\"process\"} %llu\n"
		"pytrail_events_filtered_total{reason=\"event\"} %llu\n",
		(unsigned long long)(t->kernel.filtered[PT_FILTERED_PROCESS] + t->output.unselected),
		(unsigned long long)(t->kernel.filtered[PT_FILTERED_EVENT] + t->output.filtered));
}

static void put_lost(struct buf *b, const struct tracer_figures *t)
{
	family(b, "events_lost_total", "counter",
	       "Audit events that were lost, by stage and reason.");
	for (uint32_t i = 0; i < PT_LOST_CAUSES; i++)
		if (lost_cause__in_kernel(i))
			buf__printf(b,
			            "pytrail_events_lost_total{stage=\"kernel\",reason=\"%s\"} "
			            "%llu\n",
			            lost_cause__name(i), (unsigned long long)t->kernel.lost[i]);
	buf__printf(b, "pytrail_events_lost_total{stage=\"reader\",reason=\"%s\"} %llu\n",
	            lost_cause__name(PT_LOST_READER), (unsigned long long)t->output.malformed);
	if (!t->has_spool)
		return;
	buf__printf(b,
	            "pytrail_events_lost_total{stage=\"spool\",reason=\"full\"} %llu\n"
	            "pytrail_events_lost_total{stage=\"spool\",reason=\"error\"} %llu\n"
	            "pytrail_events_lost_total{stage=\"spool\",reason=\"evicted\"} %llu\n",
	            (unsigned long long)t->spool.lost_full, (unsigned long long)t->spool.lost_error,
	            (unsigned long long)t->spool.evicted);
}

static void put_spool(struct buf *b, const struct spool_stats *s, const struct exporter_figures *e)
{
	double age = 0;

	for (uint32_t i = 0; i < e->cnt; i++)
		age = fmax(age, e->outputs[i].worker.oldest_age);
	family(b, "spool_bytes", "gauge", "Bytes of the spool on disk.");
	put_u64(b, "spool_bytes", s->bytes);
	family(b, "spool_segments", "gauge", "Segment files of the spool.");
	put_u64(b, "spool_segments", s->segments);
	family(b, "spool_appended_total", "counter", "Records given to the spool.");
	put_u64(b, "spool_appended_total", s->appended);
	family(b, "spool_written_bytes_total", "counter", "Bytes written to the spool.");
	put_u64(b, "spool_written_bytes_total", s->written_bytes);
	family(b, "spool_sync_errors_total", "counter", "Failed attempts to sync the spool.");
	put_u64(b, "spool_sync_errors_total", s->sync_errors);
	family(b, "spool_oldest_age_seconds", "gauge",
	       "Age of the oldest record that some output has not delivered.");
	buf__printf(b, "pytrail_spool_oldest_age_seconds %.3f\n", age);
}

static void put_programs(struct buf *b, const struct tracer_figures *t)
{
	if (!t->programs_cnt)
		return;
	family(b, "bpf_run_seconds_total", "counter", "CPU time of the BPF programs.");
	for (uint32_t i = 0; i < t->programs_cnt; i++)
		buf__printf(b, "pytrail_bpf_run_seconds_total{program=\"%s\"} %.9f\n",
		            t->programs[i].name, (double)t->programs[i].run_ns / 1e9);
	family(b, "bpf_runs_total", "counter", "Runs of the BPF programs.");
	for (uint32_t i = 0; i < t->programs_cnt; i++)
		buf__printf(b, "pytrail_bpf_runs_total{program=\"%s\"} %llu\n", t->programs[i].name,
		            (unsigned long long)t->programs[i].runs);
	family(b, "bpf_missed_runs_total", "counter",
	       "Runs that the kernel left out, for the program ran on that CPU already.");
	for (uint32_t i = 0; i < t->programs_cnt; i++)
		buf__printf(b, "pytrail_bpf_missed_runs_total{program=\"%s\"} %llu\n",
		            t->programs[i].name, (unsigned long long)t->programs[i].missed);
}

static void put_processes(struct buf *b, const struct tracer_figures *t,
                          const struct exporter_figures *e)
{
	family(b, "processes_total", "counter", "Processes of which an event was put out.");
	put_u64(b, "processes_total", t->output.processes);
	family(b, "attached_files", "gauge", "Files whose probes are attached.");
	put_u64(b, "attached_files", t->files);
	family(b, "resident_memory_bytes", "gauge", "Resident memory of pytrail's processes.");
	buf__printf(b, "pytrail_resident_memory_bytes{process=\"tracer\"} %llu\n",
	            (unsigned long long)t->rss_bytes);
	if (e->rss_bytes)
		buf__printf(b, "pytrail_resident_memory_bytes{process=\"exporter\"} %llu\n",
		            (unsigned long long)e->rss_bytes);
	family(b, "start_time_seconds", "gauge", "When the daemon started, Unix time.");
	buf__printf(b, "pytrail_start_time_seconds %.3f\n", (double)t->started_ns / 1e9);
	family(b, "exporter_restarts_total", "counter",
	       "How often the exporter had to be started again.");
	put_u64(b, "exporter_restarts_total", t->exporter_restarts);
}

/* One sample of each output. */
struct output_metric {
	const char *name, *type, *help;
	size_t offset; /* in struct worker_figures */
	bool seconds;  /* a double, else a count */
};

#define COUNT(name, type, member, help)                                          \
	{                                                                        \
		name, type, help, offsetof(struct worker_figures, member), false \
	}
#define SECONDS(name, type, member, help)                                       \
	{                                                                       \
		name, type, help, offsetof(struct worker_figures, member), true \
	}

static const struct output_metric output_metrics[] = {
	COUNT("output_delivered_total", "counter", delivered,
              "Records that the receiver acknowledged."),
	COUNT("output_filtered_total", "counter", filtered, "Records that the output did not want."),
	COUNT("output_dead_letters_total", "counter", dead,
              "Records that the receiver will never take."),
	COUNT("output_lost_total", "counter", lost,
              "Records that were lost before they were delivered."),
	COUNT("output_pending", "gauge", pending, "Records in the spool that are not delivered yet."),
	SECONDS("output_oldest_age_seconds", "gauge", oldest_age, "Age of the oldest of them."),
	COUNT("output_batches_total", "counter", batches, "Batches sent, each attempt counts."),
	COUNT("output_retries_total", "counter", retries, "Attempts that repeat an earlier one."),
	COUNT("output_sent_bytes_total", "counter", bytes_sent, "Bytes sent."),
	SECONDS("output_send_seconds_total", "counter", send_sum, "Time spent in sending batches."),
	SECONDS("output_latency_seconds_total", "counter", latency_sum,
                "Time from events to their acknowledgements, summed over those delivered."),
	SECONDS("output_latency_seconds", "gauge", latency_last,
                "Time from the oldest event of the last batch to its acknowledgement."),
};

static void put_output_metric(struct buf *b, const struct output_metric *m,
                              const struct exporter_figures *e)
{
	family(b, m->name, m->type, m->help);
	for (uint32_t i = 0; i < e->cnt; i++) {
		const void *value = (const char *)&e->outputs[i].worker + m->offset;

		buf__printf(b, "pytrail_%s{output=\"%s\"} ", m->name, e->outputs[i].name);
		if (m->seconds)
			buf__printf(b, "%.6f\n", *(const double *)value);
		else
			buf__printf(b, "%llu\n", (unsigned long long)*(const uint64_t *)value);
	}
}

static void put_failures(struct buf *b, const struct exporter_figures *e)
{
	static const char *const reasons[] = {
		[DELIVERY_RETRY] = "unavailable",
		[DELIVERY_DENIED] = "denied",
		[DELIVERY_TOO_LARGE] = "too_large",
		[DELIVERY_REJECTED] = "rejected",
	};

	family(b, "output_errors_total", "counter", "Attempts or records that failed, by reason.");
	for (uint32_t i = 0; i < e->cnt; i++)
		for (size_t r = DELIVERY_RETRY; r <= DELIVERY_REJECTED; r++)
			buf__printf(b,
			            "pytrail_output_errors_total{output=\"%s\",reason=\"%s\"} "
			            "%llu\n",
			            e->outputs[i].name, reasons[r],
			            (unsigned long long)e->outputs[i].worker.failures[r]);
}

static void put_states(struct buf *b, const struct exporter_figures *e)
{
	family(b, "output_state", "gauge", "1 for the state that the output is in.");
	for (uint32_t i = 0; i < e->cnt; i++)
		for (int s = WORKER_IDLE; s <= WORKER_STOPPED; s++)
			buf__printf(b, "pytrail_output_state{output=\"%s\",state=\"%s\"} %d\n",
			            e->outputs[i].name, worker_state__name((enum worker_state)s),
			            e->outputs[i].worker.state == (enum worker_state)s);
}

static void put_outputs(struct buf *b, const struct exporter_figures *e)
{
	for (size_t i = 0; i < sizeof(output_metrics) / sizeof(output_metrics[0]); i++)
		put_output_metric(b, &output_metrics[i], e);
	put_failures(b, e);
	put_states(b, e);
}

void figures__prometheus(struct buf *out, const struct tracer_figures *t,
                         const struct exporter_figures *e)
{
	struct buf why = BUF_INIT;

	family(out, "build_info", "gauge", "1; the version is a label.");
	buf__printf(out, "pytrail_build_info{version=\"%s\"} 1\n", PYTRAIL_VERSION);
	if (!t->time_ns) {
		buf__free(&why);
		return; /* the tracer has not told anything yet */
	}
	family(out, "healthy", "gauge", "1 when all is well, as /healthz has it.");
	buf__printf(out, "pytrail_healthy %d\n", figures__healthy(&why, t, e, t->time_ns));
	put_events(out, t);
	put_lost(out, t);
	put_processes(out, t, e);
	put_programs(out, t);
	if (t->has_spool)
		put_spool(out, &t->spool, e);
	if (e->cnt)
		put_outputs(out, e);
	buf__free(&why);
}
