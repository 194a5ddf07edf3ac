// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Processes in ECS. `process` is the one that raised the event; where the event starts another,
 * `process` is that one, as far as its command line tells it, and `process.parent` the one that
 * raised it, as in the events of any other sensor. pytrail.process has the ids of the one that
 * raised it in both.
 */
#include <string.h>

#include "ecs.h"
#include "json.h"
#include "process_text.h"
#include "when.h"
#include "../enrich/ancestry.h"
#include "../enrich/cgroup.h"
#include "../enrich/host_facts.h"
#include "../enrich/proc_facts.h"
#include "../enrich/process.h"

/* Ids of users and groups are keywords. */
static void put_id(struct buf *out, const char *name, uint32_t id)
{
	buf__str(out, name);
	buf__u64(out, id);
	buf__char(out, '"');
}

static void put_ids(struct buf *out, const struct pt_task *t, const struct process *facts,
                    const struct format_context *ctx)
{
	buf__lit(out, "\"pid\":");
	buf__u64(out, t->pid);
	if (t->ns_pid) {
		buf__lit(out, ",\"vpid\":");
		buf__u64(out, t->ns_pid);
	}
	if (facts) {
		buf__lit(out, ",\"entity_id\":\"");
		buf__str(out, facts->entity_id);
		buf__char(out, '"');
	}
	if (ctx->host && ctx->host->has_boottime_offset) {
		char when[WHEN_UTC_LEN];

		when__utc(when, (int64_t)(t->start_ns + (uint64_t)ctx->host->boottime_offset_ns));
		buf__lit(out, ",\"start\":\"");
		buf__append(out, when, sizeof(when));
		buf__char(out, '"');
	}
	put_id(out, ",\"user\":{\"id\":\"", t->euid);
	put_id(out, "},\"real_user\":{\"id\":\"", t->uid);
	put_id(out, "},\"group\":{\"id\":\"", t->egid);
	put_id(out, "},\"real_group\":{\"id\":\"", t->gid);
	buf__char(out, '}');
}

/* `,"args":["python3","app.py"],"args_count":2` of NUL-separated texts. */
static void put_args(struct buf *out, const char *argv, size_t len)
{
	const char *end = argv + len;
	uint64_t cnt = 0;

	buf__lit(out, ",\"args\":[");
	for (;;) {
		const char *nul = memchr(argv, '\0', (size_t)(end - argv));

		json__whole_string(out, argv, (size_t)((nul ? nul : end) - argv));
		cnt++;
		if (!nul)
			break;
		buf__char(out, ',');
		argv = nul + 1;
	}
	buf__lit(out, "],\"args_count\":");
	buf__u64(out, cnt);
}

static void put_program(struct buf *out, const struct process *facts)
{
	if (!facts)
		return;
	if (facts->exe) {
		process_text__name(out, facts->exe);
		process_text__member(out, ",\"executable\":", facts->exe, strlen(facts->exe));
	} else if (facts->comm[0]) {
		process_text__member(out, ",\"name\":", facts->comm, strlen(facts->comm));
	}
	if (facts->argv) {
		put_args(out, facts->argv, facts->argv_len);
		buf__lit(out, ",\"command_line\":");
		process_text__command_line(out, facts->argv, facts->argv_len);
	}
	if (facts->cwd)
		process_text__member(out, ",\"working_directory\":", facts->cwd, strlen(facts->cwd));
}

static void put_parent(struct buf *out, const struct pt_task *t, const struct process *facts)
{
	const char *pos = facts ? facts->ancestry : NULL;
	struct ancestor a;

	buf__lit(out, ",\"parent\":{\"pid\":");
	buf__u64(out, t->ppid);
	/* The list is of the time of the first event: another parent since then is not in it. */
	if (pos && ancestry__next(&pos, facts->ancestry + facts->ancestry_len, &a) &&
	    a.pid == t->ppid) {
		if (*a.exe) {
			process_text__name(out, a.exe);
			process_text__member(out, ",\"executable\":", a.exe, strlen(a.exe));
		} else {
			process_text__member(out, ",\"name\":", a.comm, strlen(a.comm));
		}
	}
	buf__char(out, '}');
}

static void put_after(struct buf *out, const struct pt_task *t, const struct process *facts,
                      const struct cgroup_facts *cgroup)
{
	put_id(out, ",\"user\":{\"id\":\"", t->uid);
	if (t->euid != t->uid) {
		put_id(out, ",\"effective\":{\"id\":\"", t->euid);
		buf__char(out, '}');
	}
	buf__char(out, '}');
	if (facts && facts->container_id && *facts->container_id) {
		buf__lit(out, ",\"container\":{");
		process_text__member(out, "\"id\":", facts->container_id,
		                     strlen(facts->container_id));
		process_text__container_member(out, ",\"name\":", facts, PROCESS_NAME_CONTAINER);
		if (*process_text__container(facts, PROCESS_NAME_IMAGE)) {
			process_text__container_member(out, ",\"image\":{\"name\":", facts,
			                               PROCESS_NAME_IMAGE);
			buf__char(out, '}');
		}
		buf__char(out, '}');
	}
	if (cgroup->pod_uid[0]) {
		buf__lit(out, ",\"orchestrator\":{\"type\":\"kubernetes\",\"resource\":{\"type\":"
		              "\"pod\"");
		process_text__member(out, ",\"id\":", cgroup->pod_uid, strlen(cgroup->pod_uid));
		process_text__container_member(out, ",\"name\":", facts, PROCESS_NAME_POD);
		buf__char(out, '}');
		process_text__container_member(out, ",\"namespace\":", facts, PROCESS_NAME_NAMESPACE);
		buf__char(out, '}');
	}
}

/* What is there of a process that ECS has no field for, and its ids once more. */
static void put_pytrail(struct buf *out, const struct pt_task *t, const struct process *facts,
                        const struct cgroup_facts *cgroup)
{
	buf__lit(out, ",\"pytrail\":{\"process\":{\"pid\":");
	buf__u64(out, t->pid);
	if (t->start_ns <= INT64_MAX) {
		buf__lit(out, ",\"start_ns\":");
		buf__u64(out, t->start_ns);
	}
	if (t->loginuid != PT_UNSET_ID)
		put_id(out, ",\"loginuid\":\"", t->loginuid);
	if (t->session_id != PT_UNSET_ID)
		put_id(out, ",\"session_id\":\"", t->session_id);
	if (t->cgroup_id > 1) {
		buf__lit(out, ",\"cgroup_id\":\"");
		buf__u64(out, t->cgroup_id);
		buf__char(out, '"');
	}
	if (facts) {
		process_text__member(out, ",\"entity_id\":", facts->entity_id,
		                     strlen(facts->entity_id));
		if (facts->exe)
			process_text__name(out, facts->exe);
		if (facts->cgroup)
			process_text__member(out, ",\"cgroup\":", facts->cgroup,
			                     strlen(facts->cgroup));
		if (cgroup->unit)
			process_text__member(out, ",\"unit\":", cgroup->unit, cgroup->unit_len);
		if (facts->ancestry)
			process_text__ancestry(out, facts, "executable");
		if (facts->argv_len >= PROC_ARGV_MAX - 1)
			buf__lit(out, ",\"args_truncated\":true");
	}
	buf__char(out, '}');
}

static void render(struct process_parts *p, const struct pt_task *task, const struct process *facts,
                   const struct format_context *ctx)
{
	struct cgroup_facts cgroup = {0};

	if (facts && facts->cgroup)
		cgroup__parse_path(facts->cgroup, strlen(facts->cgroup), &cgroup);
	put_ids(&p->text, task, facts, ctx);
	p->end[ECS_PART_IDS] = p->text.len;
	put_program(&p->text, facts);
	p->end[ECS_PART_PROGRAM] = p->text.len;
	put_parent(&p->text, task, facts);
	p->end[ECS_PART_PARENT] = p->text.len;
	put_after(&p->text, task, facts, &cgroup);
	p->end[ECS_PART_AFTER] = p->text.len;
	put_pytrail(&p->text, task, facts, &cgroup);
	p->end[ECS_PART_PYTRAIL] = p->text.len;
	process_text__python(&p->text, facts);
	p->end[ECS_PART_PYTHON] = p->text.len;
}

const struct process_parts *ecs__process_parts(const struct pt_task *task,
                                               const struct process *facts,
                                               const struct format_context *ctx)
{
	return process_cache__get(PROCESS_CACHE_ECS, task, facts, ctx, render);
}

static void put_thread(struct buf *out, const struct pt_task *t)
{
	buf__lit(out, ",\"thread\":{\"id\":");
	buf__u64(out, t->tid);
	buf__lit(out, ",\"name\":");
	json__whole_string(out, t->comm, strnlen(t->comm, sizeof(t->comm)));
	buf__char(out, '}');
}

/* --- a process that is to be started ---------------------------------------------------------- */

static void put_child_args(struct buf *out, const struct fields_command *c)
{
	struct node_iter it = c->it;
	struct node n;
	uint64_t cnt = 0;

	if (!c->has_args)
		return;
	buf__lit(out, ",\"args\":[");
	if (c->text.kind != PT_K_END) {
		json__whole_node_string(out, &c->text);
		cnt = 1;
	} else {
		for (; fields__next_text(&it, &n); cnt++) {
			if (cnt)
				buf__char(out, ',');
			json__whole_node_string(out, &n);
		}
	}
	buf__lit(out, "],\"args_count\":");
	buf__u64(out, cnt);
}

/* What is known of the program: its file may be looked for in PATH yet. */
static void put_child(struct buf *out, const struct fields *f, const char *comma)
{
	struct fields_command c;
	size_t at = out->len;

	fields__command(f, &c);
	process_text__child_program(out, &c, "executable");
	put_child_args(out, &c);
	if (c.has_args || c.text.kind != PT_K_END) {
		buf__lit(out, ",\"command_line\":");
		process_text__child_line(out, &c);
	}
	if (fields__has_text(f, ROLE_CWD)) {
		buf__lit(out, ",\"working_directory\":");
		json__whole_node_string(out, &f->node[ROLE_CWD]);
	}
	if (!*comma && out->len > at) {
		memmove(out->data + at, out->data + at + 1, out->len - at - 1);
		out->len--;
	}
}

static void put_previous(struct buf *out, const struct process *facts)
{
	if (!facts || !facts->exe || !facts->argv)
		return;
	buf__lit(out, ",\"previous\":{");
	process_text__member(out, "\"executable\":", facts->exe, strlen(facts->exe));
	put_args(out, facts->argv, facts->argv_len);
	buf__char(out, '}');
}

void ecs__process(struct buf *out, const struct pt_task *task, const struct process *facts,
                  const struct process_parts *parts, const struct fields *f)
{
	bool is_spawn = f && f->is_spawn && !f->is_exec;

	buf__lit(out, ",\"process\":{");
	if (is_spawn) {
		size_t at = out->len;

		put_child(out, f, "");
		buf__str(out, out->len > at ? ",\"parent\":{" : "\"parent\":{");
	}
	process_parts__append(out, parts, ECS_PART_IDS);
	if (f && f->is_exec) {
		put_child(out, f, ",");
		if (facts && facts->cwd)
			process_text__member(out, ",\"working_directory\":", facts->cwd,
			                     strlen(facts->cwd));
		put_previous(out, facts);
	} else {
		process_parts__append(out, parts, ECS_PART_PROGRAM);
	}
	if (!is_spawn)
		process_parts__append(out, parts, ECS_PART_PARENT);
	put_thread(out, task);
	if (is_spawn)
		buf__char(out, '}');
	buf__char(out, '}');
}
