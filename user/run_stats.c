// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "run_stats.h"

#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "util/buf.h"
#include "util/log.h"

int run_stats__start(void)
{
	int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);

	if (fd >= 0)
		return fd;
	log__warn("the run time of BPF programs is not measured: %s (BPF_ENABLE_STATS needs Linux "
	          "5.8 and CAP_SYS_ADMIN)",
	          strerror(-fd));
	return -1;
}

int run_stats__of(const struct bpf_program *p, struct run_stats *out)
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);
	int err = bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &len);

	if (err)
		return err;
	snprintf(out->name, sizeof(out->name), "%s", bpf_program__name(p));
	out->run_ns = info.run_time_ns;
	out->runs = info.run_cnt;
	out->missed = info.recursion_misses;
	return 0;
}

uint64_t run_stats__missed(const struct bpf_program *p)
{
	struct run_stats stats;

	return bpf_program__fd(p) >= 0 && !run_stats__of(p, &stats) ? stats.missed : 0;
}

size_t run_stats__each(const struct bpf_object *obj, struct run_stats *out, size_t max)
{
	struct bpf_program *p;
	size_t n = 0;

	bpf_object__for_each_program(p, obj)
	{
		if (n < max && bpf_program__fd(p) >= 0 && !run_stats__of(p, &out[n]))
			n++;
	}
	return n;
}

void run_stats__add(struct run_stats *to, const struct run_stats *from)
{
	to->run_ns += from->run_ns;
	to->runs += from->runs;
	to->missed += from->missed;
}

void run_stats__text(struct buf *out, const struct run_stats *stats, size_t cnt)
{
	const char *comma = "";

	for (size_t i = 0; i < cnt; i++) {
		const struct run_stats *s = &stats[i];

		if (!s->runs && !s->missed)
			continue;
		buf__printf(out, "%s%s %llu runs of %llu ns", comma, s->name,
		            (unsigned long long)s->runs,
		            (unsigned long long)(s->runs ? s->run_ns / s->runs : 0));
		if (s->missed)
			buf__printf(out, " (and %llu left out by the kernel)",
			            (unsigned long long)s->missed);
		comma = ", ";
	}
}
