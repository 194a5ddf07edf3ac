// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "line.h"

#include <string.h>

#include "fields.h"
#include "json.h"
#include "../enrich/host_facts.h"
#include "../enrich/process.h"
#include "../py_version.h"

static __thread struct buf scratch;

static void put_key(const struct line_dialect *d, struct buf *out, enum line_key key)
{
	buf__char(out, d->separator);
	buf__str(out, d->keys[key]);
}

static void put_text(const struct line_dialect *d, struct buf *out, enum line_key key,
                     const char *s, size_t len)
{
	if (!s || !len)
		return;
	put_key(d, out, key);
	line_text__put(out, d->value, s, len);
}

static void put_string(const struct line_dialect *d, struct buf *out, enum line_key key,
                       const char *s)
{
	if (s)
		put_text(d, out, key, s, strlen(s));
}

static void put_number(const struct line_dialect *d, struct buf *out, enum line_key key, uint64_t v)
{
	put_key(d, out, key);
	buf__u64(out, v);
}

static void put_node(const struct line_dialect *d, struct buf *out, enum line_key key,
                     const struct node *n)
{
	if (n->kind == PT_K_END || !n->len)
		return;
	put_key(d, out, key);
	line_text__put_node(out, d->value, n);
}

static void put_role(const struct line_dialect *d, struct buf *out, enum line_key key,
                     const struct fields *f, enum mapping_role role)
{
	if (fields__has_text(f, role))
		put_node(d, out, key, &f->node[role]);
}

unsigned line__severity(unsigned severity)
{
	static const unsigned char of[] = {0, 1, 3, 5, 8, 10};

	return of[severity < sizeof(of) ? severity : sizeof(of) - 1];
}

static void put_id(const struct line_dialect *d, struct buf *out, uint64_t seq,
                   const struct format_context *ctx)
{
	put_key(d, out, LINE_ID);
	buf__append(out, ctx->instance, strnlen(ctx->instance, sizeof(ctx->instance)));
	buf__char(out, '-');
	buf__u64(out, seq);
	put_number(d, out, LINE_SEQUENCE, seq);
	if (ctx->host)
		put_string(d, out, LINE_HOST, ctx->host->name);
}

void line__process(const struct line_dialect *d, struct process_parts *p, const struct pt_task *task,
                   const struct process *facts, const struct format_context *ctx)
{
	struct buf *out = &p->text;

	put_number(d, out, LINE_PID, task->pid);
	put_number(d, out, LINE_PPID, task->ppid);
	put_number(d, out, LINE_UID, task->uid);
	if (task->euid != task->uid)
		put_number(d, out, LINE_EUID, task->euid);
	if (facts) {
		put_string(d, out, LINE_EXE, facts->exe);
		put_string(d, out, LINE_ENTITY, facts->entity_id);
		put_string(d, out, LINE_CONTAINER, facts->container_id);
	}
	if (facts && facts->argv) {
		buf__reset(&scratch);
		buf__append(&scratch, facts->argv, facts->argv_len);
		for (size_t i = 0; i < scratch.len; i++)
			if (!scratch.data[i])
				scratch.data[i] = ' ';
		out->failed |= scratch.failed;
		put_text(d, out, LINE_COMMAND_LINE, scratch.data, scratch.len);
	}
	p->end[0] = out->len;
}

static void put_process(const struct line_dialect *d, struct buf *out, const struct pt_task *task,
                        const struct process *facts, const struct format_context *ctx)
{
	process_parts__append(out, process_cache__get(d->cache, task, facts, ctx, d->render), 0);
	put_number(d, out, LINE_TID, task->tid);
	put_text(d, out, LINE_COMM, task->comm, strnlen(task->comm, sizeof(task->comm)));
}

static void put_endpoint(const struct line_dialect *d, struct buf *out,
                         const struct fields_endpoint *e)
{
	if (!e->known)
		return;
	if (e->has_ip)
		put_text(d, out, LINE_DST_IP, e->ip, e->ip_len);
	else
		put_node(d, out, LINE_DST_HOST, &e->host);
	if (e->has_port)
		put_number(d, out, LINE_DST_PORT, e->port);
}

static void put_command(const struct line_dialect *d, struct buf *out, const struct fields *f)
{
	struct fields_command c;
	struct node n;

	fields__command(f, &c);
	put_node(d, out, LINE_CHILD_EXE, &c.executable);
	if (c.text.kind != PT_K_END) {
		put_node(d, out, LINE_CHILD_COMMAND_LINE, &c.text);
		return;
	}
	if (!c.has_args)
		return;
	put_key(d, out, LINE_CHILD_COMMAND_LINE);
	for (bool first = true; fields__next_text(&c.it, &n); first = false) {
		if (!first)
			buf__char(out, ' ');
		line_text__put_node(out, d->value, &n);
	}
}

static void put_paths(const struct line_dialect *d, struct buf *out, const struct fields *f)
{
	static const enum mapping_role roles[] = {ROLE_FILE, ROLE_DLL, ROLE_SCRIPT};
	struct node name;

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (!fields__has_text(f, roles[i]) || !f->node[roles[i]].len)
			continue;
		put_node(d, out, LINE_FILE_PATH, &f->node[roles[i]]);
		if (fields__name(&f->node[roles[i]], &name))
			put_node(d, out, LINE_FILE_NAME, &name);
		break;
	}
	if (fields__has(f, ROLE_FROM))
		put_role(d, out, LINE_OLD_PATH, f, ROLE_FROM);
	else
		put_role(d, out, LINE_OLD_PATH, f, ROLE_TARGET);
}

static void put_fields(const struct line_dialect *d, struct buf *out, const struct fields *f)
{
	int64_t pid;

	put_paths(d, out, f);
	put_endpoint(d, out, f->remote.known ? &f->remote : &f->local);
	if (!f->remote.known)
		put_role(d, out, LINE_DST_HOST, f, ROLE_QUERY);
	put_role(d, out, LINE_URL, f, ROLE_URL);
	put_role(d, out, LINE_METHOD, f, ROLE_METHOD);
	if (f->is_spawn)
		put_command(d, out, f);
	if (fields__int(f, ROLE_PID, &pid) && pid >= 0)
		put_number(d, out, LINE_TARGET_PID, (uint64_t)pid);
}

/* The arguments as the `json` format has them, and what is not whole among them. */
static void put_args(const struct line_dialect *d, struct buf *out, const struct event *ev)
{
	unsigned notes = json__name_notes(ev);

	if (!(ev->audit->flags & PT_AUDIT_UNDECODED)) {
		buf__reset(&scratch);
		notes = json__values(&scratch, ev);
		put_text(d, out, LINE_ARGS, scratch.data, scratch.len);
		out->failed |= scratch.failed;
	}
	buf__reset(&scratch);
	json__notes_as_lists(&scratch, ev, notes);
	if (!scratch.len)
		return;
	scratch.data[0] = '{'; /* its comma */
	buf__char(&scratch, '}');
	put_text(d, out, LINE_NOTES, scratch.data, scratch.len);
	out->failed |= scratch.failed;
}

static int64_t realtime(uint64_t ns, const struct format_context *ctx)
{
	return (int64_t)(ns + (uint64_t)ctx->realtime_offset_ns);
}

void line__event(const struct line_dialect *d, struct buf *out, const struct event *ev,
                 const struct format_context *ctx)
{
	const struct pt_audit *a = ev->audit;
	char version[32];
	struct fields f;

	fields__of(&f, ev);
	if (a->flags & PT_AUDIT_NAME_UNREADABLE)
		d->head(out, "unreadable", 10, f.map->action, f.map->severity,
		        realtime(a->rec.time_ns, ctx));
	else
		d->head(out, ev->name, ev->name_len, f.map->action, f.map->severity,
		        realtime(a->rec.time_ns, ctx));
	put_id(d, out, ev->seq, ctx);
	put_string(d, out, LINE_CATEGORY, f.map->category);
	put_string(d, out, LINE_ACTION, f.map->action);
	put_process(d, out, &a->rec.task, ev->process, ctx);
	put_fields(d, out, &f);
	if (f.map->technique && format__says_attack(ctx, f.map->severity))
		put_string(d, out, LINE_TECHNIQUE, f.map->technique);
	if (a->py_version) {
		py_version__format(a->py_version, version, sizeof(version));
		put_string(d, out, LINE_PYTHON, version);
	}
	put_args(d, out, ev);
	buf__char(out, '\n');
}

void line__process_record(const struct line_dialect *d, struct buf *out, const struct pt_rec *rec,
                          const char *what, const struct process *facts, uint64_t seq,
                          const struct format_context *ctx)
{
	char code[64] = "pytrail.process.", action[64] = "process-";
	const char *file = NULL;
	const struct pt_attach *a = reader__attach(rec, rec->size, &file);

	strncat(code, what, sizeof(code) - strlen(code) - 1);
	strncat(action, what, sizeof(action) - strlen(action) - 1);
	d->head(out, code, strlen(code), action, 1, realtime(rec->time_ns, ctx));
	put_id(d, out, seq, ctx);
	put_string(d, out, LINE_CATEGORY, "process");
	put_string(d, out, LINE_ACTION, action);
	put_process(d, out, &rec->task, facts, ctx);
	if (a) {
		put_text(d, out, LINE_FILE_PATH, file, a->file_len);
		if (rec->kind == PT_REC_DETACH)
			put_string(d, out, LINE_REASON, detach_reason__name(a->reason));
		else if (a->flags & PT_ATTACH_LATE)
			put_string(d, out, LINE_REASON, "late");
	}
	buf__char(out, '\n');
}

void line__lost(const struct line_dialect *d, struct buf *out, const struct pt_lost *lost,
                uint64_t seq, const struct format_context *ctx)
{
	const struct pt_task *t = &lost->rec.task;
	const char *cause = lost_cause__name(lost->cause);

	d->head(out, "pytrail.lost", 12, "events-lost", 3, realtime(lost->last_ns, ctx));
	put_id(d, out, seq, ctx);
	put_string(d, out, LINE_CATEGORY, "process");
	put_string(d, out, LINE_ACTION, "events-lost");
	put_number(d, out, LINE_COUNT, lost->count);
	put_string(d, out, LINE_REASON, cause);
	put_key(d, out, LINE_MESSAGE);
	buf__u64(out, lost->count);
	buf__lit(out, " events were lost: ");
	buf__str(out, cause);
	if (t->pid) {
		put_number(d, out, LINE_PID, t->pid);
		put_text(d, out, LINE_COMM, t->comm, strnlen(t->comm, sizeof(t->comm)));
	}
	buf__char(out, '\n');
}

void line__alert(const struct line_dialect *d, struct buf *out, const struct alert *a, uint64_t seq,
                 const struct format_context *ctx)
{
	d->head(out, "pytrail.alert", 13, "alert", a->task ? 4 : 3, a->time_ns);
	put_id(d, out, seq, ctx);
	put_string(d, out, LINE_CATEGORY, "process");
	put_string(d, out, LINE_ACTION, a->alert);
	put_string(d, out, LINE_OUTPUT, a->output);
	if (a->task) {
		put_number(d, out, LINE_PID, a->task->pid);
		put_text(d, out, LINE_COMM, a->task->comm,
		         strnlen(a->task->comm, sizeof(a->task->comm)));
	}
	put_string(d, out, LINE_MESSAGE, a->message);
	buf__char(out, '\n');
}
