// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What the verifier of this kernel makes of each program: one line for each, tab-separated: name,
 * "ok" or the error, instructions processed, their limit, states at most for one instruction,
 * states; the end of the verifier's log of one that is refused follows on standard error. Exit
 * status 1 when one is refused.
 *
 *	build/tests/verifier/stats [-v] [PROGRAM...]
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "feature.h"
#include "site_programs.h"

#include "pytrail.skel.h"

#define LOG_SIZE (16u << 20)
#define LOG_STATS \
	4u /* BPF_LOG_STATS, kernel/bpf/verifier.c: a line of figures at the end of the log */

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

static void put_stats(const char *name, int err, const char *log)
{
	unsigned long processed = 0, limit = 0, peak = 0, total = 0;
	const char *line = strstr(log, "processed ");

	for (const char *next = line; next; next = strstr(next + 1, "\nprocessed "))
		line = next;
	if (line) {
		line += *line == '\n';
		sscanf(line,
		       "processed %lu insns (limit %lu) max_states_per_insn %lu total_states %lu",
		       &processed, &limit, &peak, &total);
	}
	printf("%s\t%s\t%lu\t%lu\t%lu\t%lu\n", name, err ? strerror(-err) : "ok", processed, limit,
	       peak, total);
	fflush(stdout);
	if (err) {
		size_t len = strlen(log);

		fprintf(stderr, "%s\n", len > 6000 ? log + len - 6000 : log);
	}
}

/* Loads one program and nothing else. */
static int try_program(const char *name, char *log, unsigned level)
{
	struct pytrail_bpf *skel = pytrail_bpf__open();
	struct bpf_program *p;
	int err;

	if (!skel)
		return -errno;
	bpf_object__for_each_program(p, skel->obj)
		bpf_program__set_autoload(p, !strcmp(bpf_program__name(p), name));
	p = bpf_object__find_program_by_name(skel->obj, name);
	if (!p) {
		pytrail_bpf__destroy(skel);
		return -ENOENT;
	}
	skel->rodata->cfg_sleepable = strstr(name, "_sleepable") != NULL;
	skel->rodata->cfg_filter_processes = true;
	skel->rodata->cfg_filter_events = true;
	skel->rodata->cfg_users = true;
	skel->rodata->cfg_select = true;
	log[0] = '\0';
	bpf_program__set_log_level(p, level);
	bpf_program__set_log_buf(p, log, LOG_SIZE);
	err = pytrail_bpf__load(skel);
	put_stats(name, err, log);
	pytrail_bpf__destroy(skel);
	return err;
}

/* Whether this kernel is asked for it at all. */
static bool is_for_this_kernel(const char *name)
{
	if (strstr(name, "_old"))
		return site_programs__needed();
	if (site_programs__needed() && (strstr(name, "_sleepable") || strstr(name, "_plain")))
		return false;
	if (strstr(name, "_sleepable") || strstr(name, "_plain"))
		return feature__has(FEATURE_SLEEPABLE_UPROBE) == (strstr(name, "_sleepable") != NULL);
	if (!strcmp(name, "watch_map"))
		return feature__has(FEATURE_TP_MMAP);
	return true;
}

static int try_all(char *log, unsigned level)
{
	struct pytrail_bpf *skel = pytrail_bpf__open();
	struct bpf_program *p;
	int status = 0;

	if (!skel)
		return 1;
	bpf_object__for_each_program(p, skel->obj) if (is_for_this_kernel(bpf_program__name(p)) &&
	                                               try_program(bpf_program__name(p), log, level))
		status = 1;
	pytrail_bpf__destroy(skel);
	return status;
}

int main(int argc, char **argv)
{
	bool verbose = argc > 1 && !strcmp(argv[1], "-v");
	unsigned level = verbose ? 2 | LOG_STATS : LOG_STATS;
	char *log = malloc(LOG_SIZE);
	int status = 0;

	if (!log)
		return 1;
	libbpf_set_print(quiet);
	argv += 1 + verbose;
	if (!*argv)
		status = try_all(log, level);
	for (; *argv; argv++)
		if (try_program(*argv, log, level))
			status = 1;
	free(log);
	return status;
}
