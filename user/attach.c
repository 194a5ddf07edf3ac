// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "layouts.h"
#include "util/log.h"

struct attached {
	const struct binary *binary;
	struct bpf_link *links[BINARY_SITES_MAX];
	__u32 sites[BINARY_SITES_MAX];
	size_t cnt;
};

struct attach {
	struct bpf_program *prog;
	int sites_fd;
	__u32 next_site;
	struct attached *files;
	size_t files_cnt, files_cap;
	__u32 warned[16]; /* versions without a layout, said once each */
	size_t warned_cnt;
};

struct attach *attach__new(struct bpf_program *prog, struct bpf_map *sites)
{
	struct attach *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->prog = prog;
	a->sites_fd = bpf_map__fd(sites);
	return a;
}

static void attached__detach(struct attached *f)
{
	size_t i;

	for (i = 0; i < f->cnt; i++)
		bpf_link__destroy(f->links[i]);
	f->cnt = 0;
}

void attach__free(struct attach *a)
{
	size_t i;

	if (!a)
		return;
	for (i = 0; i < a->files_cnt; i++)
		attached__detach(&a->files[i]);
	free(a->files);
	free(a);
}

static struct attached *attach__find(const struct attach *a, const struct binary *b)
{
	size_t i;

	for (i = 0; i < a->files_cnt; i++) {
		if (a->files[i].binary == b)
			return &a->files[i];
	}
	return NULL;
}

bool attach__has(const struct attach *a, const struct binary *b)
{
	return attach__find(a, b) != NULL;
}

size_t attach__files(const struct attach *a)
{
	return a->files_cnt;
}

const struct binary *attach__of_site(const struct attach *a, unsigned int site)
{
	size_t i, j;

	for (i = 0; i < a->files_cnt; i++) {
		for (j = 0; j < a->files[i].cnt; j++) {
			if (a->files[i].sites[j] == site)
				return a->files[i].binary;
		}
	}
	return NULL;
}

static void attach__warn_layout(struct attach *a, const struct binary *b)
{
	__u32 key = b->py_version >> 16 << 1 | b->free_threaded;
	size_t i;

	for (i = 0; i < a->warned_cnt; i++) {
		if (a->warned[i] == key)
			return;
	}
	if (a->warned_cnt < sizeof(a->warned) / sizeof(a->warned[0]))
		a->warned[a->warned_cnt++] = key;
	log__warn(
		"the object layout of CPython %s%s (%s) is not known to this pytrail: its events "
		"have "
		"names but no arguments; update pytrail, or add the version to events/layouts.tsv",
		b->py_version_text[0] ? b->py_version_text : "of unknown version",
		b->free_threaded ? " (free-threaded)" : "", b->path);
}

/* One site: its row in the map first, for the first event can come at once. */
static int attached__site(struct attach *a, struct attached *f, const struct binary *b, size_t i,
                          const struct pt_layout *layout, pid_t pid)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts);
	struct pt_site site = {0};
	struct bpf_link *link;
	char path[64];
	__u32 index = a->next_site;
	int err;

	if (index >= PT_SITES_MAX)
		return -ENOSPC;
	binary__fill_site(b, i, &site);
	site.binary = (__u32)(f - a->files);
	site.probe = PT_PROBE_USDT;
	if (layout) {
		site.layout = *layout;
		/* an argument in a place that struct pt_arg cannot say: the tuple cannot be found */
		if (site.args[1].kind != PT_ARG_NONE)
			site.flags |= PT_SITE_DECODE;
	}
	err = bpf_map_update_elem(a->sites_fd, &index, &site, BPF_ANY);
	if (err)
		return err < 0 ? err : -errno;
	opts.bpf_cookie = index;
	opts.ref_ctr_offset = b->sites[i].semaphore;
	/* by descriptor: it pins the file, deleted or in another mount namespace as it may be */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", b->fd);
	link = bpf_program__attach_uprobe_opts(a->prog, pid, path, b->sites[i].offset, &opts);
	if (!link)
		return -errno;
	f->links[f->cnt] = link;
	f->sites[f->cnt] = index;
	f->cnt++;
	a->next_site++;
	return 0;
}

int attach__binary(struct attach *a, struct binary *b, pid_t pid)
{
	const struct pt_layout *layout;
	struct attached *f;
	size_t i;
	int err;

	if (!b->sites_cnt)
		return -ENOENT;
	if (attach__find(a, b))
		return 0;
	if (a->files_cnt == a->files_cap) {
		size_t cap = a->files_cap ? a->files_cap * 2 : 16;

		f = realloc(a->files, cap * sizeof(*f));
		if (!f)
			return -ENOMEM;
		a->files = f;
		a->files_cap = cap;
	}
	f = &a->files[a->files_cnt];
	memset(f, 0, sizeof(*f));
	f->binary = b;
	layout = layouts__find(b->py_version, b->free_threaded);
	if (!layout)
		attach__warn_layout(a, b);
	for (i = 0; i < b->sites_cnt; i++) {
		err = attached__site(a, f, b, i, layout, pid);
		if (err) {
			attached__detach(f);
			return err;
		}
	}
	a->files_cnt++;
	log__debug("attached %zu site%s of %s (CPython %s%s)", f->cnt, f->cnt == 1 ? "" : "s",
	           b->path, b->py_version_text, b->free_threaded ? ", free-threaded" : "");
	return (int)f->cnt;
}

int attach__stop_decoding(struct attach *a, const struct binary *b)
{
	struct attached *f = attach__find(a, b);
	struct pt_site site;
	size_t i;
	int err;

	if (!f)
		return -ENOENT;
	for (i = 0; i < f->cnt; i++) {
		err = bpf_map_lookup_elem(a->sites_fd, &f->sites[i], &site);
		if (err)
			return err;
		site.flags &= ~PT_SITE_DECODE;
		err = bpf_map_update_elem(a->sites_fd, &f->sites[i], &site, BPF_EXIST);
		if (err)
			return err;
	}
	return 0;
}
