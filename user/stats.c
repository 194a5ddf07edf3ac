// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "stats.h"

#include "format/json.h"
#include "output.h"
#include "run_stats.h"
#include "session.h"
#include "util/buf.h"
#include "util/log.h"

void stats__say(const struct session *s, const struct output_stats *out, bool final)
{
	struct pt_counters c = session__counters(s);
	struct run_stats runs[RUN_STATS_MAX];
	struct buf b = BUF_INIT;
	size_t cnt;
	uint32_t i;

	buf__printf(&b,
	            "kernel: %llu seen = %llu emitted (%llu bytes, %llu wakeups) + %llu filtered "
	            "by process + "
	            "%llu filtered by event",
	            (unsigned long long)c.seen, (unsigned long long)c.emitted,
	            (unsigned long long)c.emitted_bytes, (unsigned long long)c.wakeups,
	            (unsigned long long)c.filtered[PT_FILTERED_PROCESS],
	            (unsigned long long)c.filtered[PT_FILTERED_EVENT]);
	for (i = 0; i < PT_LOST_CAUSES; i++)
		if (lost_cause__in_kernel(i))
			buf__printf(&b, " + %llu lost (%s)", (unsigned long long)c.lost[i],
			            lost_cause__name(i));
	buf__printf(&b,
	            "; %llu values unreadable; output: %llu events, %llu filtered by process, %llu "
	            "by event, %llu malformed; %llu processes forgotten",
	            (unsigned long long)c.unreadable, (unsigned long long)out->events,
	            (unsigned long long)out->unselected, (unsigned long long)out->filtered,
	            (unsigned long long)out->malformed, (unsigned long long)out->forgotten);
	cnt = session__runs(s, runs, RUN_STATS_MAX);
	if (cnt)
		buf__printf(&b, "; BPF:");
	run_stats__text(&b, runs, cnt);
	if (!b.failed)
		log__info("stats%s: %.*s", final ? "" : " so far", (int)b.len, b.data);
	buf__free(&b);
}

uint64_t stats__summary(const struct pt_counters *c, const struct output_stats *out,
                        uint64_t elapsed_ns)
{
	uint64_t filtered = out->filtered + out->unselected, lost = out->malformed;
	uint32_t i;

	for (i = 0; i < PT_FILTERED_CAUSES; i++)
		filtered += c->filtered[i];
	for (i = 0; i < PT_LOST_CAUSES; i++)
		lost += c->lost[i];
	log__info("%llu events, %llu filtered, %llu lost, %llu processes, %.1f s",
	          (unsigned long long)out->events, (unsigned long long)filtered,
	          (unsigned long long)lost, (unsigned long long)out->processes,
	          (double)elapsed_ns / 1e9);
	if (c->lost[PT_LOST_RING_FULL])
		log__info("%llu events found the ring full: a larger --ring-size, or a narrower "
		          "-e, keeps them",
		          (unsigned long long)c->lost[PT_LOST_RING_FULL]);
	return lost;
}
