/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The JSON of a process's facts, made once for each process. */
#ifndef PYTRAIL_PROCESS_JSON_H
#define PYTRAIL_PROCESS_JSON_H

struct buf;
struct process;
struct process_facts;

/* struct process.json, of its pid, start and entity_id and of the facts; in place of what b
 * holds. */
void process_json__make(struct buf *b, const struct process *p, const struct process_facts *f);
/* struct process.python_json. */
void process_json__python(struct buf *b, const struct process_facts *f);

#endif
