/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the files of the `ecs` format share. */
#ifndef PYTRAIL_ECS_H
#define PYTRAIL_ECS_H

#include "fields.h"
#include "format.h"
#include "process_cache.h"
#include "../util/buf.h"

#define ECS_VERSION "9.4.0"

/* ecs_process.c: the parts of a process. */
enum ecs_part {
	/* `"pid":1,"entity_id":"…","user":{"id":"0"},…`: members of process or process.parent */
	ECS_PART_IDS,
	ECS_PART_PROGRAM, /* `,"name":"python3","executable":"…","args":[…],…`: the same */
	ECS_PART_PARENT,  /* `,"parent":{…}` */
	/* `,"user":{…},"container":{…},"orchestrator":{…}`: members of the record */
	ECS_PART_AFTER,
	ECS_PART_PYTRAIL, /* `,"pytrail":{"process":{…}` */
	ECS_PART_PYTHON,  /* `,"script":"app.py",…`: members of pytrail.python */
};
const struct process_parts *ecs__process_parts(const struct pt_task *task,
                                               const struct process *facts,
                                               const struct format_context *ctx);
/* `,"process":{…}` of an event: the process that raised it, or that is to be started by it. */
void ecs__process(struct buf *out, const struct pt_task *task, const struct process *facts,
                  const struct process_parts *parts, const struct fields *f);

/* ecs_fields.c: `,"file":{…}`, `,"destination":{…}` and so on, and `,"related":{…}`. */
void ecs__fields(struct buf *out, const struct fields *f, const struct pt_task *task);
/* The members of pytrail.audit that are not ECS's: `,"source_path":"…"`. */
void ecs__own_fields(struct buf *out, const struct fields *f);

#endif
