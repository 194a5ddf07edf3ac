/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Probes on files: each python:audit site of a file, or each of its audit functions, is attached
 * once, whatever the number of processes that map it, present and future; a semaphore is counted by
 * the kernel.
 */
#ifndef PYTRAIL_ATTACH_H
#define PYTRAIL_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "binary.h"

struct attach;
struct bpf_map;
struct bpf_program;
struct entry_program;
struct site_programs;

enum probe_mode {
	PROBE_AUTO,   /* USDT where the file has it, else uprobes */
	PROBE_USDT,   /* that only */
	PROBE_UPROBE, /* uprobes on the audit functions, USDT or not */
};

/* Which probe a file is traced by in that mode; 0: by none. */
enum pt_probe attach__probe(const struct binary *b, enum probe_mode mode);

struct attach_options {
	struct bpf_program *usdt; /* for sites */
	/* for functions; NULL in a mode that needs none, or: */
	struct entry_program *entry_program;
	struct bpf_map *sites;
	enum probe_mode mode;
	/* in place of those two, where this kernel needs them; or NULL */
	struct site_programs *copies;
	/* attach__binary() does not wait for the entry program while that is loaded on the side */
	bool early;
	/* they were loaded for multi-uprobe links: for every process only, never for one */
	bool multi;
};

/* NULL: no memory. */
struct attach *attach__new(const struct attach_options *opts);

/* Arguments are wanted of no file attached from now on: its events have names only. */
void attach__names_only(struct attach *a);

/* Detaches everything: the kernel waits for running programs, for each file tenths of a second,
 * with multi-uprobe links a fraction of that; this waits for some seconds at most, see link_set.h.
 * attach__of_site() still answers, for the records that are left. */
void attach__detach(struct attach *a);
/* The same, and frees. */
void attach__free(struct attach *a);

/*
 * Attaches all sites of a file. pid: -1 for every process, else the kernel's own filter for one.
 * The binary must outlive the attachment. Returns the number of sites, 0 when the file is attached
 * already; -ENOENT: it has no probe; -EINPROGRESS: the program for it is being loaded (see early);
 * -ENOSPC: no more room in the sites map; or what the kernel said. Said are only, once per version,
 * that its layout is not known, and per file what uprobes cannot see in it or see at a high price.
 */
int attach__binary(struct attach *a, struct binary *b, pid_t pid);

/* Detaches a file. Its sites' indexes can be used again. */
void attach__drop(struct attach *a, const struct binary *b);

/* Whether a file is attached, all its processes or the one. */
bool attach__has(const struct attach *a, const struct binary *b);

/* Whether the arguments of a file's events are decoded from now on, or arrive as names only. 0 or
 * -errno. */
int attach__set_decoding(struct attach *a, const struct binary *b, bool on);

size_t attach__files(const struct attach *a);

/* Whether most of the sites that there can be are used: then files that nothing runs should go. */
bool attach__is_crowded(const struct attach *a);

/* The file of a site's index (struct pt_audit.site), NULL: none. */
const struct binary *attach__of_site(const struct attach *a, unsigned int site);

#endif
