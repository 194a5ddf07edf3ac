// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../format/json.h"
#include "../util/buf.h"

/* A collector that has not said anything for so long does not work. */
#define STALE_NS 30000000000ll

uint64_t figures__rss(void)
{
	char line[256] = "", *second;
	FILE *f = fopen("/proc/self/statm", "re");
	uint64_t pages = 0;

	if (f && fgets(line, sizeof(line), f) && (second = strchr(line, ' ')))
		pages = strtoull(second, NULL, 10);
	if (f)
		fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

bool figures__healthy(struct buf *out, const struct tracer_figures *t,
                      const struct exporter_figures *e, int64_t now_ns)
{
	size_t before = out->len;

	if (!t->time_ns || now_ns - t->time_ns > STALE_NS)
		buf__printf(out, "the tracer has not told its figures for %lld s\n",
		            t->time_ns ? (long long)((now_ns - t->time_ns) / 1000000000) : 0);
	if (t->has_spool && t->spool.disk_error)
		buf__printf(out, "the spool cannot be written: errno %d\n", t->spool.disk_error);
	for (uint32_t i = 0; i < e->cnt; i++) {
		const struct worker_figures *w = &e->outputs[i].worker;

		if (w->state == WORKER_HELD || w->state == WORKER_OPEN || w->state == WORKER_FAILED)
			buf__printf(out, "output %s is %s, %llu events wait\n", e->outputs[i].name,
			            worker_state__name(w->state), (unsigned long long)w->pending);
	}
	return out->len == before;
}

static uint64_t filtered(const struct tracer_figures *t)
{
	uint64_t sum = t->output.filtered + t->output.unselected;

	for (size_t i = 0; i < PT_FILTERED_CAUSES; i++)
		sum += t->kernel.filtered[i];
	return sum;
}

static uint64_t lost(const struct tracer_figures *t)
{
	uint64_t sum = t->output.malformed;

	for (size_t i = 0; i < PT_LOST_CAUSES; i++)
		sum += t->kernel.lost[i];
	return sum;
}

static void put_lost(struct buf *b, const struct tracer_figures *t)
{
	bool first = true;

	buf__lit(b, ",\"lost\":{");
	for (uint32_t i = 0; i < PT_LOST_CAUSES; i++) {
		uint64_t n = t->kernel.lost[i] + (i == PT_LOST_READER ? t->output.malformed : 0);

		if (!n)
			continue;
		buf__printf(b, "%s\"%s\":%llu", first ? "" : ",", lost_cause__name(i),
		            (unsigned long long)n);
		first = false;
	}
	buf__char(b, '}');
}

static void put_spool(struct buf *b, const struct spool_stats *s)
{
	buf__printf(
		b,
		",\"spool\":{\"bytes\":%llu,\"segments\":%llu,\"appended\":%llu,\"written\":%llu,"
		"\"lost_full\":%llu,\"lost_error\":%llu,\"evicted\":%llu,\"disk_error\":%d}",
		(unsigned long long)s->bytes, (unsigned long long)s->segments,
		(unsigned long long)s->appended, (unsigned long long)s->written,
		(unsigned long long)s->lost_full, (unsigned long long)s->lost_error,
		(unsigned long long)s->evicted, s->disk_error);
}

static void put_output(struct buf *b, const struct output_figures *o)
{
	const struct worker_figures *w = &o->worker;

	buf__printf(
		b,
		"{\"name\":\"%s\",\"driver\":\"%s\",\"state\":\"%s\",\"delivered\":%llu,"
		"\"pending\":"
		"%llu,\"filtered\":%llu,\"dead\":%llu,\"lost\":%llu,\"retries\":%llu,"
		"\"oldest_age_seconds\":%.3f,\"latency_seconds\":%.6f,\"retry_in_seconds\":%.3f,"
		"\"last_code\":%d,\"last_reason\":",
		o->name, o->driver, worker_state__name(w->state), (unsigned long long)w->delivered,
		(unsigned long long)w->pending, (unsigned long long)w->filtered,
		(unsigned long long)w->dead, (unsigned long long)w->lost,
		(unsigned long long)w->retries, w->oldest_age, w->latency_last, w->retry_in,
		w->last_code);
	json__string(b, w->last_reason, strlen(w->last_reason));
	buf__char(b, '}');
}

void figures__json(struct buf *out, const struct tracer_figures *t, const struct exporter_figures *e)
{
	struct buf why = BUF_INIT;
	bool healthy = figures__healthy(&why, t, e, t->time_ns);

	buf__printf(out,
	            "{\"version\":\"%s\",\"healthy\":%s,\"uptime_seconds\":%.3f,\"seen\":%llu,"
	            "\"events\":"
	            "%llu,\"filtered\":%llu",
	            PYTRAIL_VERSION, healthy ? "true" : "false",
	            (double)(t->time_ns - t->started_ns) / 1e9, (unsigned long long)t->kernel.seen,
	            (unsigned long long)t->output.events, (unsigned long long)filtered(t));
	put_lost(out, t);
	buf__printf(out,
	            ",\"processes\":%llu,\"files\":%llu,\"rss_bytes\":%llu,\"exporter\":{\"up\":%s,"
	            "\"restarts\":%llu,\"rss_bytes\":%llu}",
	            (unsigned long long)t->output.processes, (unsigned long long)t->files,
	            (unsigned long long)t->rss_bytes, t->exporter_up ? "true" : "false",
	            (unsigned long long)t->exporter_restarts, (unsigned long long)e->rss_bytes);
	if (t->has_spool)
		put_spool(out, &t->spool);
	buf__lit(out, ",\"outputs\":[");
	for (uint32_t i = 0; i < e->cnt; i++) {
		if (i)
			buf__char(out, ',');
		put_output(out, &e->outputs[i]);
	}
	buf__lit(out, "]}\n");
	buf__free(&why);
}

/* What a peer said, for a terminal: as JSON has it. */
static void put_reason(struct buf *out, const struct worker_figures *w)
{
	if (!w->last_reason[0])
		return;
	buf__lit(out, "\n    last failure: ");
	json__string(out, w->last_reason, strlen(w->last_reason));
	if (w->retry_in > 0)
		buf__printf(out, ", tried again in %.1f s", w->retry_in);
}

void figures__text(struct buf *out, const struct tracer_figures *t, const struct exporter_figures *e)
{
	struct buf why = BUF_INIT;
	bool healthy = figures__healthy(&why, t, e, t->time_ns);

	buf__printf(
		out,
		"pytrail %s, up %.0f s: %s\n  seen %llu, put out %llu, filtered %llu, lost %llu; "
		"%llu processes, %llu files attached, %.1f MiB\n",
		PYTRAIL_VERSION, (double)(t->time_ns - t->started_ns) / 1e9,
		healthy ? "healthy" : "not well", (unsigned long long)t->kernel.seen,
		(unsigned long long)t->output.events, (unsigned long long)filtered(t),
		(unsigned long long)lost(t), (unsigned long long)t->output.processes,
		(unsigned long long)t->files, (double)t->rss_bytes / 1048576);
	for (uint32_t i = 0; i < PT_LOST_CAUSES; i++)
		if (t->kernel.lost[i])
			buf__printf(out, "  lost %llu: %s\n", (unsigned long long)t->kernel.lost[i],
			            lost_cause__name(i));
	if (t->has_spool)
		buf__printf(
			out,
			"  spool: %.1f MiB in %llu segments; %llu evicted, %llu found no room%s\n",
			(double)t->spool.bytes / 1048576, (unsigned long long)t->spool.segments,
			(unsigned long long)t->spool.evicted,
			(unsigned long long)t->spool.lost_full + t->spool.lost_error,
			t->spool.disk_error ? "; IT CANNOT BE WRITTEN" : "");
	if (t->has_spool)
		buf__printf(out, "  exporter: %s, started again %llu times, %.1f MiB\n",
		            t->exporter_up ? "up" : "DOWN", (unsigned long long)t->exporter_restarts,
		            (double)e->rss_bytes / 1048576);
	for (uint32_t i = 0; i < e->cnt; i++) {
		const struct worker_figures *w = &e->outputs[i].worker;

		buf__printf(out,
		            "  output %s (%s): %s, %llu delivered, %llu pending (oldest %.1f s), "
		            "%llu lost, %llu dead letters, %llu retries",
		            e->outputs[i].name, e->outputs[i].driver, worker_state__name(w->state),
		            (unsigned long long)w->delivered, (unsigned long long)w->pending,
		            w->oldest_age, (unsigned long long)w->lost, (unsigned long long)w->dead,
		            (unsigned long long)w->retries);
		put_reason(out, w);
		buf__char(out, '\n');
	}
	buf__append(out, why.data, why.len);
	buf__free(&why);
}
