// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Processes in OCSF: who raised an event is `actor.process`; `process` is what the event is
 * about. */
#include <string.h>

#include "json.h"
#include "ocsf.h"
#include "process_text.h"
#include "../enrich/ancestry.h"
#include "../enrich/cgroup.h"
#include "../enrich/host_facts.h"
#include "../enrich/proc_facts.h"
#include "../enrich/process.h"

static void put_id(struct buf *out, const char *name, uint32_t id)
{
	buf__str(out, name);
	buf__u64(out, id);
	buf__lit(out, "\"}");
}

static void put_ids(struct buf *out, const struct pt_task *t, const struct process *facts)
{
	buf__lit(out, "\"pid\":");
	buf__u64(out, t->pid);
	if (!facts)
		return;
	process_text__member(out, ",\"uid\":", facts->entity_id, strlen(facts->entity_id));
	if (facts->exe) {
		process_text__name(out, facts->exe);
		process_text__member(out, ",\"path\":", facts->exe, strlen(facts->exe));
	} else if (facts->comm[0]) {
		process_text__member(out, ",\"name\":", facts->comm, strlen(facts->comm));
	}
}

static void put_file(struct buf *out, const char *exe)
{
	const char *base = process_text__base(exe);

	process_text__member(out, ",\"file\":{\"type_id\":1,\"name\":", base, strlen(base));
	process_text__member(out, ",\"path\":", exe, strlen(exe));
	buf__char(out, '}');
}

static void put_parent(struct buf *out, const struct pt_task *t, const struct process *facts)
{
	const char *pos = facts ? facts->ancestry : NULL;
	struct ancestor a;

	buf__lit(out, ",\"parent_process\":{\"pid\":");
	buf__u64(out, t->ppid);
	if (pos && ancestry__next(&pos, facts->ancestry + facts->ancestry_len, &a) &&
	    a.pid == t->ppid) {
		process_text__member(out, ",\"name\":", a.comm, strlen(a.comm));
		if (*a.exe)
			process_text__member(out, ",\"path\":", a.exe, strlen(a.exe));
	}
	buf__char(out, '}');
}

static void put_container(struct buf *out, const struct process *facts,
                          const struct cgroup_facts *cgroup)
{
	if (!facts->container_id || !*facts->container_id)
		return;
	process_text__member(out, ",\"container\":{\"uid\":", facts->container_id,
	                     strlen(facts->container_id));
	process_text__container_member(out, ",\"name\":", facts, PROCESS_NAME_CONTAINER);
	if (cgroup->pod_uid[0])
		process_text__member(out, ",\"orchestrator\":\"kubernetes\",\"pod_uuid\":",
		                     cgroup->pod_uid, strlen(cgroup->pod_uid));
	buf__char(out, '}');
}

static void put_users(struct buf *out, const struct pt_task *t)
{
	put_id(out, ",\"user\":{\"uid\":\"", t->uid);
	put_id(out, ",\"group\":{\"uid\":\"", t->gid);
	buf__lit(out, ",\"euid\":");
	buf__u64(out, t->euid);
	buf__lit(out, ",\"egid\":");
	buf__u64(out, t->egid);
	if (t->loginuid != PT_UNSET_ID) {
		buf__lit(out, ",\"auid\":");
		buf__u64(out, t->loginuid);
	}
	if (t->session_id != PT_UNSET_ID)
		put_id(out, ",\"session\":{\"uid\":\"", t->session_id);
}

static void put_rest(struct buf *out, const struct pt_task *t, const struct process *facts,
                     const struct cgroup_facts *cgroup, const struct format_context *ctx)
{
	if (t->ns_pid) {
		buf__lit(out, ",\"namespace_pid\":");
		buf__u64(out, t->ns_pid);
	}
	if (ctx->host && ctx->host->has_boottime_offset) {
		buf__lit(out, ",\"created_time\":");
		buf__i64(out,
		         (int64_t)(t->start_ns + (uint64_t)ctx->host->boottime_offset_ns) / 1000000);
	}
	put_users(out, t);
	if (facts && facts->exe)
		put_file(out, facts->exe);
	if (facts && facts->argv) {
		buf__lit(out, ",\"cmd_line\":");
		process_text__command_line(out, facts->argv, facts->argv_len);
	}
	if (facts && facts->cwd)
		process_text__member(out, ",\"working_directory\":", facts->cwd, strlen(facts->cwd));
	if (facts)
		put_container(out, facts, cgroup);
	put_parent(out, t, facts);
	if (facts && facts->ancestry)
		process_text__ancestry(out, facts, "path");
}

/* What the process object has no place for. */
static void put_unmapped(struct buf *out, const struct pt_task *t, const struct process *facts,
                         const struct cgroup_facts *cgroup)
{
	buf__lit(out, "\"process\":{\"start_ns\":\"");
	buf__u64(out, t->start_ns);
	buf__char(out, '"');
	if (t->cgroup_id > 1) {
		buf__lit(out, ",\"cgroup_id\":\"");
		buf__u64(out, t->cgroup_id);
		buf__char(out, '"');
	}
	if (facts && facts->cgroup)
		process_text__member(out, ",\"cgroup\":", facts->cgroup, strlen(facts->cgroup));
	if (cgroup->unit)
		process_text__member(out, ",\"unit\":", cgroup->unit, cgroup->unit_len);
	if (facts) {
		process_text__container_member(out, ",\"image\":", facts, PROCESS_NAME_IMAGE);
		process_text__container_member(out, ",\"pod\":", facts, PROCESS_NAME_POD);
		process_text__container_member(out, ",\"namespace\":", facts, PROCESS_NAME_NAMESPACE);
	}
	if (facts && facts->argv_len >= PROC_ARGV_MAX - 1)
		buf__lit(out, ",\"cmd_line_truncated\":true");
	buf__char(out, '}');
}

static void render(struct process_parts *p, const struct pt_task *task, const struct process *facts,
                   const struct format_context *ctx)
{
	struct cgroup_facts cgroup = {0};

	if (facts && facts->cgroup)
		cgroup__parse_path(facts->cgroup, strlen(facts->cgroup), &cgroup);
	put_ids(&p->text, task, facts);
	p->end[OCSF_PART_IDS] = p->text.len;
	put_rest(&p->text, task, facts, &cgroup, ctx);
	p->end[OCSF_PART_REST] = p->text.len;
	put_id(&p->text, ",\"user\":{\"uid\":\"", task->uid);
	p->end[OCSF_PART_USER] = p->text.len;
	put_unmapped(&p->text, task, facts, &cgroup);
	p->end[OCSF_PART_UNMAPPED] = p->text.len;
	process_text__python(&p->text, facts);
	p->end[OCSF_PART_PYTHON] = p->text.len;
}

const struct process_parts *ocsf__process_parts(const struct pt_task *task,
                                                const struct process *facts,
                                                const struct format_context *ctx)
{
	return process_cache__get(PROCESS_CACHE_OCSF, task, facts, ctx, render);
}

void ocsf__child(struct buf *out, const struct event *ev, const struct fields *f, const char *instance)
{
	struct fields_command c;

	fields__command(f, &c);
	if (f->is_exec) {
		buf__lit(out, "{\"pid\":");
		buf__u64(out, ev->audit->rec.task.pid);
		if (ev->process)
			process_text__member(out, ",\"uid\":", ev->process->entity_id,
			                     strlen(ev->process->entity_id));
	} else {
		buf__lit(out, "{\"uid\":\"");
		buf__str(out, instance);
		buf__char(out, '-');
		buf__u64(out, ev->seq);
		buf__char(out, '"');
	}
	process_text__child_program(out, &c, "path");
	if (c.has_args || c.text.kind != PT_K_END) {
		buf__lit(out, ",\"cmd_line\":");
		process_text__child_line(out, &c);
	}
	if (fields__has_text(f, ROLE_CWD)) {
		buf__lit(out, ",\"working_directory\":");
		json__whole_node_string(out, &f->node[ROLE_CWD]);
	}
	buf__char(out, '}');
}
