// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "site_programs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "feature.h"
#include "program_copy.h"
#include "run_stats.h"

#include "pytrail.skel.h"

#include "../bpf/wire.h"

struct site_programs {
	struct pytrail_bpf *skel;
	struct pytrail_bpf *copies[PT_SITES_MAX];
	struct run_stats gone[2]; /* of copies that were dropped: audit_old, entry_old */
};

bool site_programs__needed(void)
{
	return !feature__has(FEATURE_ATTACH_COOKIE) || !feature__has(FEATURE_FETCH_ATOMICS);
}

struct site_programs *site_programs__new(struct pytrail_bpf *skel)
{
	struct site_programs *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->skel = skel;
	strcpy(p->gone[0].name, "audit_old");
	strcpy(p->gone[1].name, "entry_old");
	return p;
}

void site_programs__free(struct site_programs *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < PT_SITES_MAX; i++)
		pytrail_bpf__destroy(p->copies[i]);
	free(p);
}

static int load(struct pytrail_bpf *copy, const struct pytrail_bpf *from, uint32_t site, bool entry)
{
	memcpy(copy->rodata, from->rodata, sizeof(*copy->rodata));
	copy->rodata->cfg_site = site;
	return program_copy__load(copy, from, entry ? copy->progs.entry_old : copy->progs.audit_old);
}

struct bpf_program *site_programs__load(struct site_programs *p, uint32_t site, bool entry)
{
	struct pytrail_bpf *copy = pytrail_bpf__open();
	int err;

	if (!copy)
		return NULL;
	err = load(copy, p->skel, site, entry);
	if (err) {
		pytrail_bpf__destroy(copy);
		errno = -err;
		return NULL;
	}
	site_programs__drop(p, site);
	p->copies[site] = copy;
	return entry ? copy->progs.entry_old : copy->progs.audit_old;
}

/* A copy has one program. */
static void add_runs(struct run_stats *sums, const struct pytrail_bpf *copy)
{
	struct run_stats one;

	if (run_stats__each(copy->obj, &one, 1))
		run_stats__add(&sums[strcmp(one.name, "audit_old") != 0], &one);
}

size_t site_programs__runs(const struct site_programs *p, struct run_stats *out, size_t max)
{
	struct run_stats sums[2];

	memcpy(sums, p->gone, sizeof(sums));
	for (size_t i = 0; i < PT_SITES_MAX; i++) {
		if (p->copies[i])
			add_runs(sums, p->copies[i]);
	}
	if (max > 2)
		max = 2;
	memcpy(out, sums, max * sizeof(*out));
	return max;
}

void site_programs__drop(struct site_programs *p, uint32_t site)
{
	if (p->copies[site])
		add_runs(p->gone, p->copies[site]);
	pytrail_bpf__destroy(p->copies[site]);
	p->copies[site] = NULL;
}
