// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "entry_program.h"
#include "layouts.h"
#include "link_set.h"
#include "site_programs.h"
#include "uprobe_multi.h"
#include "util/clock.h"
#include "util/log.h"

struct attached {
	const struct binary *binary;
	struct link_set links;
	__u32 sites[LINKS_MAX];
	size_t cnt;
};

struct attach {
	struct bpf_program *usdt;
	struct entry_program *entry_program;
	struct site_programs *copies; /* or NULL: those two serve every site */
	enum probe_mode mode;
	bool multi;
	bool early;
	bool names_only;
	int sites_fd;
	__u8 used[PT_SITES_MAX]; /* sites */
	__u32 next_site;         /* where to look for a free one */
	struct attached *files;
	size_t files_cnt, files_cap;
	__u32 warned[16]; /* versions without a layout, said once each */
	size_t warned_cnt;
};

enum pt_probe attach__probe(const struct binary *b, enum probe_mode mode)
{
	if (b->sites_cnt && mode != PROBE_UPROBE)
		return PT_PROBE_USDT;
	if (b->entries_cnt && mode != PROBE_USDT)
		return PT_PROBE_UPROBE;
	return 0;
}

struct attach *attach__new(const struct attach_options *opts)
{
	struct attach *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->usdt = opts->usdt;
	a->entry_program = opts->entry_program;
	a->mode = opts->mode;
	a->multi = opts->multi;
	a->copies = opts->copies;
	a->early = opts->early;
	a->sites_fd = bpf_map__fd(opts->sites);
	return a;
}

void attach__names_only(struct attach *a)
{
	a->names_only = true;
}

/* For a few files that takes tenths of a second. */
#define DETACH_MS 5000

void attach__detach(struct attach *a)
{
	struct link_set **sets = calloc(a->files_cnt + 1, sizeof(*sets));
	size_t i;

	if (!sets) {
		for (i = 0; i < a->files_cnt; i++)
			link_set__close(&a->files[i].links);
		return;
	}
	for (i = 0; i < a->files_cnt; i++)
		sets[i] = &a->files[i].links;
	if (!link_sets__close(sets, a->files_cnt, DETACH_MS))
		log__warn(
			"a traced process keeps the kernel from detaching, by a page of its memory "
			"that does not come (userfaultfd, FUSE): this process cannot end before "
			"that one does");
	free(sets);
}

void attach__free(struct attach *a)
{
	if (!a)
		return;
	attach__detach(a);
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

bool attach__is_crowded(const struct attach *a)
{
	size_t used = 0;

	for (size_t i = 0; i < PT_SITES_MAX; i++)
		used += a->used[i] != 0;
	return used > PT_SITES_MAX / 2;
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

/* A free index of the sites map, PT_SITES_MAX: there is none. The longest unused comes first. */
static __u32 attach__free_site(const struct attach *a)
{
	__u32 i, k;

	for (i = 0; i < PT_SITES_MAX; i++) {
		k = (a->next_site + i) % PT_SITES_MAX;
		if (!a->used[k])
			return k;
	}
	return PT_SITES_MAX;
}

void attach__drop(struct attach *a, const struct binary *b)
{
	struct attached *f = attach__find(a, b);
	struct link_set *links;
	size_t i;

	if (!f)
		return;
	links = &f->links;
	link_sets__close(&links, 1, 0);
	for (i = 0; i < f->cnt; i++) {
		a->used[f->sites[i]] = 0;
		if (a->copies)
			site_programs__drop(a->copies, f->sites[i]);
	}
	*f = a->files[--a->files_cnt];
	log__debug("detached %s", b->path);
}

/* What the kernel needs to know of one site. */
struct where {
	uint64_t offset;
	uint64_t semaphore;
};

/* The sites of a file, their rows in the map. */
struct wheres {
	struct bpf_program *prog; /* NULL: a copy for each */
	bool entries;
	uint64_t offsets[LINKS_MAX], semaphores[LINKS_MAX], cookies[LINKS_MAX];
};

/* One site: its row in the map first, for the first event can come at once. */
static int attached__site(struct attach *a, struct attached *f, struct pt_site *site,
                          const struct where *at, struct wheres *all)
{
	const struct pt_layout *layout =
		layouts__find(f->binary->py_version, f->binary->free_threaded);
	__u32 index = attach__free_site(a);
	int err;

	if (index == PT_SITES_MAX || f->cnt == LINKS_MAX)
		return -ENOSPC;
	site->binary = (__u32)(f - a->files);
	if (layout && !a->names_only) {
		site->layout = *layout;
		/* an argument in a place that struct pt_arg cannot say: the tuple cannot be
		 * found */
		if (site->probe == PT_PROBE_UPROBE || site->args[1].kind != PT_ARG_NONE)
			site->flags |= PT_SITE_DECODE;
	}
	err = bpf_map_update_elem(a->sites_fd, &index, site, BPF_ANY);
	if (err)
		return err < 0 ? err : -errno;
	all->offsets[f->cnt] = at->offset;
	all->semaphores[f->cnt] = at->semaphore;
	all->cookies[f->cnt] = index;
	f->sites[f->cnt] = index;
	f->cnt++;
	a->used[index] = 1;
	a->next_site = index + 1;
	return 0;
}

/* All sites of a file at once, or each on its own. */
static int attached__link(struct attach *a, struct attached *f, const struct wheres *all, pid_t pid)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts);
	const struct uprobe_multi multi = {all->offsets, all->semaphores, all->cookies,
	                                   (uint32_t)f->cnt};
	char path[64];
	size_t i;

	/* by descriptor: it pins the file, deleted or in another mount namespace as it may be */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", f->binary->fd);
	if (a->multi) {
		f->links.multi = uprobe_multi__attach(bpf_program__fd(all->prog), path, &multi);
		return f->links.multi < 0 ? f->links.multi : 0;
	}
	for (i = 0; i < f->cnt; i++) {
		struct bpf_program *prog = all->prog;

		if (a->copies)
			prog = site_programs__load(a->copies, f->sites[i], all->entries);
		else
			opts.bpf_cookie = all->cookies[i];
		if (!prog)
			return -errno;
		opts.ref_ctr_offset = all->semaphores[i];
		f->links.links[i] =
			bpf_program__attach_uprobe_opts(prog, pid, path, all->offsets[i], &opts);
		if (!f->links.links[i])
			return -errno;
	}
	return 0;
}

static int attached__usdt(struct attach *a, struct attached *f, struct wheres *all)
{
	const struct binary *b = f->binary;
	size_t i;
	int err = 0;

	all->prog = a->usdt;
	all->entries = false;
	for (i = 0; i < b->sites_cnt && !err; i++) {
		struct where at = {b->sites[i].offset, b->sites[i].semaphore};
		struct pt_site site = {0};

		binary__fill_site(b, i, &site);
		site.probe = PT_PROBE_USDT;
		err = attached__site(a, f, &site, &at, all);
	}
	return err;
}

static int attached__entries(struct attach *a, struct attached *f, struct wheres *all)
{
	const struct binary *b = f->binary;
	size_t i;
	int err = 0;

	all->entries = true;
	all->prog = a->copies ? NULL : entry_program__get(a->entry_program);
	if (!all->prog && !a->copies)
		return -errno;
	for (i = 0; i < b->entries_cnt && !err; i++) {
		struct where at = {b->entries[i].offset, 0};
		struct pt_site site = {0};

		binary__fill_entry(b, i, &site);
		site.probe = PT_PROBE_UPROBE;
		err = attached__site(a, f, &site, &at, all);
		if (b->entries[i].single_stepped)
			log__warn("%s: each event costs its program about 10 us, for %s has no "
			          "instruction that "
			          "the kernel can probe cheaply (%s)",
			          b->path, b->entries[i].function, b->entries[i].why);
	}
	if (!err && b->missing[0])
		log__warn("%s: %s", b->path, b->missing);
	return err;
}

/* Room for one more file, not counted yet. */
static struct attached *attach__grow(struct attach *a)
{
	struct attached *f;

	if (a->files_cnt == a->files_cap) {
		size_t cap = a->files_cap ? a->files_cap * 2 : 16;

		f = realloc(a->files, cap * sizeof(*f));
		if (!f)
			return NULL;
		a->files = f;
		a->files_cap = cap;
	}
	f = &a->files[a->files_cnt];
	memset(f, 0, sizeof(*f));
	f->links.multi = -1;
	return f;
}

int attach__binary(struct attach *a, struct binary *b, pid_t pid)
{
	enum pt_probe probe = attach__probe(b, a->mode);
	struct attached *f;
	struct wheres all = {0};
	int err;

	if (!probe)
		return -ENOENT;
	if (attach__find(a, b))
		return 0;
	if (probe == PT_PROBE_UPROBE && a->early && entry_program__loading(a->entry_program))
		return -EINPROGRESS;
	f = attach__grow(a);
	if (!f)
		return -ENOMEM;
	f->binary = b;
	if (!a->names_only && !layouts__find(b->py_version, b->free_threaded))
		attach__warn_layout(a, b);
	err = probe == PT_PROBE_USDT ? attached__usdt(a, f, &all) : attached__entries(a, f, &all);
	if (!err)
		err = attached__link(a, f, &all, pid);
	a->files_cnt++;
	if (err) {
		attach__drop(a, b);
		return err;
	}
	b->attached_ns = clock__monotonic();
	log__debug("attached %zu %s site%s of %s (CPython %s%s)", f->cnt,
	           probe == PT_PROBE_USDT ? "usdt" : "uprobe", f->cnt == 1 ? "" : "s", b->path,
	           b->py_version_text, b->free_threaded ? ", free-threaded" : "");
	return (int)f->cnt;
}

int attach__set_decoding(struct attach *a, const struct binary *b, bool on)
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
		if (on)
			site.flags |= PT_SITE_DECODE;
		else
			site.flags &= ~PT_SITE_DECODE;
		err = bpf_map_update_elem(a->sites_fd, &f->sites[i], &site, BPF_EXIST);
		if (err)
			return err;
	}
	return 0;
}
