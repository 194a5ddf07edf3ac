// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Attaches an empty program to a file's probe site, for all processes that map it, says `attached`
 * and stays until its standard input ends.
 *
 *   floor usdt FILE                           python:audit, both arguments read by libbpf's BPF_USDT
 *   floor uprobe FILE OFFSET [REF_CTR_OFFSET]  nothing read; file offsets, any base
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "floor.skel.h"

static int say_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: floor usdt FILE | floor uprobe FILE OFFSET [REF_CTR_OFFSET]\n");
	return 2;
}

static struct bpf_link *attach(struct floor_bpf *skel, int argc, char **argv)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts);

	if (!strcmp(argv[1], "usdt"))
		return bpf_program__attach_usdt(skel->progs.floor_usdt, -1, argv[2], "python",
		                                "audit", NULL);
	if (argc > 4)
		opts.ref_ctr_offset = strtoul(argv[4], NULL, 0);
	return bpf_program__attach_uprobe_opts(skel->progs.floor_uprobe, -1, argv[2],
	                                       strtoul(argv[3], NULL, 0), &opts);
}

int main(int argc, char **argv)
{
	struct floor_bpf *skel;
	struct bpf_link *link;
	char byte;

	if (argc < 3 || (strcmp(argv[1], "usdt") && (strcmp(argv[1], "uprobe") || argc < 4)))
		return usage();
	libbpf_set_print(say_nothing);
	skel = floor_bpf__open_and_load();
	if (!skel) {
		fprintf(stderr, "floor: cannot load: %s\n", strerror(errno));
		return 1;
	}
	link = attach(skel, argc, argv);
	if (!link) {
		fprintf(stderr, "floor: cannot attach to %s: %s\n", argv[2], strerror(errno));
		floor_bpf__destroy(skel);
		return 1;
	}
	puts("attached");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	bpf_link__destroy(link);
	floor_bpf__destroy(skel);
	return 0;
}
