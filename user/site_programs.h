/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Programs for kernels that cannot tell a program at which of its sites it was hit (no attach
 * cookies, before 5.15) or that have no fetching atomics (before 5.12): each site is given a copy
 * of its own, loaded with the site's number as a constant. The copies share all maps of the
 * session's own programs.
 */
#ifndef PYTRAIL_SITE_PROGRAMS_H
#define PYTRAIL_SITE_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_program;
struct pytrail_bpf;
struct run_stats;
struct site_programs;

/* Whether this kernel needs them. */
bool site_programs__needed(void);

/* skel: loaded, and to live longer. NULL: no memory. */
struct site_programs *site_programs__new(struct pytrail_bpf *skel);
void site_programs__free(struct site_programs *p);

/* Loads the copy for a site's index, and owns it. entry: of an audit function, else of a USDT site.
 * NULL: errno says why. */
struct bpf_program *site_programs__load(struct site_programs *p, uint32_t site, bool entry);
/* The run times of all copies so far, those that are gone included: an element for each kind of
 * program. Returns how many, at most max. */
size_t site_programs__runs(const struct site_programs *p, struct run_stats *out, size_t max);
/* The site is detached: its copy can go. */
void site_programs__drop(struct site_programs *p, uint32_t site);

#endif
