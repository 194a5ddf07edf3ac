/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which processes are wanted, by what they are: --uid, --exe, --comm, --container, --cgroup,
 * --script, --venv. Users are decided on by the kernel at each event; all else here, once for each
 * process and exec, and by the kernel from then on (struct pt_unwanted in bpf/wire.h).
 */
#ifndef PYTRAIL_SELECTION_H
#define PYTRAIL_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct process;
struct selection;

enum selection_kind {
	SELECT_UID,       /* real user: number or name */
	SELECT_EXE,       /* glob; without a slash, of the base name; so are script and venv */
	SELECT_COMM,      /* glob */
	SELECT_CONTAINER, /* first digits of an id, or a glob of the name */
	SELECT_CGROUP,    /* path, or one above it */
	SELECT_SCRIPT,    /* glob; a module's name for -m */
	SELECT_VENV,      /* glob, of the directory */
	SELECT_KINDS
};

struct selection *selection__new(void);
void selection__free(struct selection *s);

/* `!` in front excludes. 0, -EINVAL (said), -ENOMEM. text must outlive the selection. */
int selection__add(struct selection *s, enum selection_kind kind, const char *text);

/* Whether a process's facts have to be asked for: there is more than users. NULL: no. */
bool selection__needs_facts(const struct selection *s);

/*
 * By its facts: of each kind that there is, an including rule matches (or there is none) and no
 * excluding one. What is not known matches nothing. Users are not looked at.
 */
bool selection__wants(const struct selection *s, const struct process *p);

/* By its user only. NULL: yes. */
bool selection__wants_uid(const struct selection *s, uint32_t uid);

/* The i-th user and whether it is excluded; false behind the last. */
bool selection__uid(const struct selection *s, size_t i, uint32_t *uid, bool *exclude);

#endif
