/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the files of the `ocsf` format share. */
#ifndef PYTRAIL_OCSF_H
#define PYTRAIL_OCSF_H

#include "fields.h"
#include "format.h"
#include "process_cache.h"
#include "../util/buf.h"

/* ocsf_process.c: the parts of a process. */
enum ocsf_part {
	OCSF_PART_IDS, /* `"pid":1,"uid":"…","name":"python3",…`: members of a process object */
	OCSF_PART_REST,     /* `,"cmd_line":"…",…,"parent_process":{…}`: the others */
	OCSF_PART_USER,     /* `,"user":{"uid":"0"}`: of actor */
	OCSF_PART_UNMAPPED, /* `"process":{"start_ns":1,…}`: of unmapped */
	OCSF_PART_PYTHON,   /* `,"script":"app.py",…`: of unmapped.python */
};
const struct process_parts *ocsf__process_parts(const struct pt_task *task,
                                                const struct process *facts,
                                                const struct format_context *ctx);
/* The process object of a process that is to be started; uid, the event's id, stands for its pid,
 * which is not known yet. Or of this process as it becomes another program. */
void ocsf__child(struct buf *out, const struct event *ev, const struct fields *f,
                 const char *instance);

/* ocsf_objects.c: `,"file":{…}` and so on, those that the event's class is about. */
void ocsf__objects(struct buf *out, const struct event *ev, const struct fields *f,
                   const struct process_parts *parts, const struct format_context *ctx);

/* The members of an endpoint that is this host, braces included. */
void ocsf__this_host(struct buf *out, const struct format_context *ctx);

#endif
