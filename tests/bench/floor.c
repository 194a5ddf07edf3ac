// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Attaches an empty program to a file's probe site, for all processes that map it, says `attached`
 * and stays until its standard input ends.
 *
 *   floor usdt FILE                    python:audit, both arguments read by libbpf's BPF_USDT
 *   floor uprobe FILE OFFSET[:REF]...  nothing read; file offsets of sites and their semaphores
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
	fprintf(stderr, "usage: floor usdt FILE | floor uprobe FILE OFFSET[:REF]...\n");
	return 2;
}

/* Links live as long as the process. Returns 0 or -errno. */
static int attach_usdt(struct floor_bpf *skel, const char *path)
{
	return bpf_program__attach_usdt(skel->progs.floor_usdt, -1, path, "python", "audit", NULL)
	               ? 0
	               : -errno;
}

static int attach_uprobes(struct floor_bpf *skel, const char *path, char **sites, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		LIBBPF_OPTS(bpf_uprobe_opts, opts);
		char *end;
		size_t offset = strtoul(sites[i], &end, 0);

		if (*end == ':')
			opts.ref_ctr_offset = strtoul(end + 1, NULL, 0);
		if (!bpf_program__attach_uprobe_opts(skel->progs.floor_uprobe, -1, path, offset,
		                                     &opts))
			return -errno;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct floor_bpf *skel;
	char byte;
	int err;

	if (argc < 3 || (strcmp(argv[1], "usdt") && (strcmp(argv[1], "uprobe") || argc < 4)))
		return usage();
	libbpf_set_print(say_nothing);
	skel = floor_bpf__open_and_load();
	if (!skel) {
		fprintf(stderr, "floor: cannot load: %s\n", strerror(errno));
		return 1;
	}
	err = !strcmp(argv[1], "usdt") ? attach_usdt(skel, argv[2])
	                               : attach_uprobes(skel, argv[2], argv + 3, argc - 3);
	if (err) {
		fprintf(stderr, "floor: cannot attach to %s: %s\n", argv[2], strerror(-err));
		return 1;
	}
	puts("attached");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
