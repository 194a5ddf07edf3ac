/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Facts of processes, by (pid, start time): read from /proc once, or taken from the PT_REC_PROCESS
 * records of a file. Entries of exited processes stay for a while; the table is bounded.
 */
#ifndef PYTRAIL_PROCESS_H
#define PYTRAIL_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../reader.h"

struct buf;
struct process_table;

struct process {
	uint32_t pid;
	uint64_t start_ns;  /* CLOCK_BOOTTIME */
	char entity_id[33]; /* hash of boot id, pid, start: lower-case hexadecimal */
	/*
	 * Rendered once: the members of "process" in the JSON event that do not change from event
	 * to event,
	 * `"exe":"…","argv":["…"],"cwd":"…","start_ns":1,"entity_id":"…","container_id":"…"` and so
	 * on; and those of "python", a comma before each: `,"script":"app.py","venv":"/srv/venv"`.
	 */
	const char *json;
	size_t json_len;
	const char *python_json;
	size_t python_json_len;
	const char *exe; /* terminated; NULL when not known, as cwd and container_id */
	const char *cwd;
	const char *container_id;
	const char *container_name; /* or its Kubernetes name in the pod */
	const char *cgroup;
	const char *venv;
	const char *argv; /* NUL-separated */
	size_t argv_len;
	const char *ancestry; /* see ancestry.h */
	size_t ancestry_len;
	const char *names; /* of the container, as in struct pt_process */
	size_t names_len;
	uint64_t generation; /* of these facts: no others, of any process, have the same; never 0 */
	bool partial;        /* the process was gone before its facts could be read */
	bool exited;
	bool hidden_made;           /* user/redact/ has looked at it: */
	struct process *hidden;     /* owned: the same with secrets hidden; NULL: there are none */
	bool tracked;               /* its exit will be told */
	signed char wanted;         /* by --exe and the like: 1, -1; 0: not decided */
	char comm[PT_COMM_LEN + 1]; /* of the thread that raised the first event since its exec */
};

/* boot_id: text of /proc/sys/kernel/random/boot_id, of the host the records come from. Names of
 * containers are looked for below the directory PYTRAIL_HOST_ROOT of the environment, or /. NULL:
 * no memory. */
struct process_table *process_table__new(const char *boot_id, size_t max_entries);
void process_table__free(struct process_table *t);

/*
 * The entry of the task's process, or NULL without memory. With `live`, a process not seen before
 * is read from /proc (its start time must be the task's: a pid that was used again is not
 * mistaken), and *fresh, when given, says that it was: once for each reading. One that is gone, and
 * has executed nothing since it was forked, has the facts of its parent. Valid until the entry is
 * evicted: use it for the event at hand.
 */
const struct process *process_table__get(struct process_table *t, const struct pt_task *task,
                                         bool live, bool *fresh);

/*
 * The entry of a process that is known already, or NULL: one that raised an event, executed a
 * Python, or was forked by one. As process_table__get() otherwise; it does not count as asked for.
 */
const struct process *process_table__known(struct process_table *t, const struct pt_task *task,
                                           bool live, bool *fresh);
/* The process is known from now on. 0 or -ENOMEM. */
int process_table__meet(struct process_table *t, const struct pt_task *task);
/* Whether it is: if process_table__known() has nothing of it then, there was no memory. */
bool process_table__met(struct process_table *t, const struct pt_task *task);

/* Says once for each process that its exit is to be told. */
bool process__track(const struct process *p);

/* Keeps for as long as the facts stay as they are whether the process is wanted. */
void process__decide(const struct process *p, bool wanted);

/* Puts a PT_REC_PROCESS record's facts into the table. 0, -EBADMSG, -ENOMEM. */
int process_table__put_record(struct process_table *t, const void *record, size_t size);

/* Appends the PT_REC_PROCESS record of an entry to b (8-byte padded), for --record. */
void process__to_record(const struct process *p, const struct pt_rec *like, struct buf *b);

/* Gives it what is shown in its place where secrets are hidden (malloc'ed; NULL: itself), of so
 * many bytes. */
void process__set_hidden(const struct process *p, struct process *hidden, size_t bytes);

/* What the entry has, as it came. */
void process__facts(const struct process *p, struct process_facts *out);

/* The process was forked: until it executes something it has its parent's facts. */
void process_table__fork(struct process_table *t, const struct pt_task *task);

/*
 * The process executed another file: its facts are read anew at the next event; with `live` at once
 * when that is a Python, which may be gone by then. Or it exited: they are kept for a while.
 */
void process_table__exec(struct process_table *t, const struct pt_task *task, bool live);
void process_table__exit(struct process_table *t, const struct pt_task *task);

/* Entries that had to go for want of room: of processes that had been silent for longest. */
uint64_t process_table__evicted(const struct process_table *t);
size_t process_table__count(const struct process_table *t); /* distinct processes ever asked for */

#endif
