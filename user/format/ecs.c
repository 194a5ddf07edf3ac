// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The `ecs` format: documents of the Elastic Common Schema, one a line. Objects are nested, a field
 * has the same type in every document, and each of them is in scripts/packaging/elasticsearch/. The
 * hot path, as json.c is: what is the same for all records of a stream, of an event or of a process
 * is rendered once and copied.
 */
#include "ecs.h"

#include <string.h>

#include "args_text.h"
#include "json.h"
#include "process_text.h"
#include "put.h"
#include "when.h"
#include "../enrich/host_facts.h"
#include "../enrich/process.h"

/* `{"@timestamp":"…",` and the stream's part. */
static void put_head(struct buf *out, uint64_t time_ns, const struct format_context *ctx)
{
	char *p;

	if (!buf__reserve(out, PUT_FIXED_MAX))
		return;
	p = PUT_LIT(out->data + out->len, "{\"@timestamp\":\"");
	when__utc(p, (int64_t)(time_ns + (uint64_t)ctx->realtime_offset_ns));
	p = PUT_LIT(p + WHEN_UTC_LEN, "\",");
	out->len = (size_t)(p - out->data);
	if (ctx->stream)
		buf__append(out, ctx->stream, ctx->stream_len);
	else
		buf__lit(out, "\"ecs\":{\"version\":\"" ECS_VERSION "\"},");
}

/* `"id":"…-17","sequence":17,"created":"…"}`: the record was made in the kernel at that moment. */
static void put_id(struct buf *out, uint64_t seq, uint64_t time_ns, const struct format_context *ctx)
{
	char *p;

	if (!buf__reserve(out, PUT_FIXED_MAX))
		return;
	p = PUT_LIT(out->data + out->len, "\"id\":\"");
	p = mempcpy(p, ctx->instance, strnlen(ctx->instance, sizeof(ctx->instance)));
	*p++ = '-';
	p = digits__put(p, seq);
	p = PUT_LIT(p, "\",\"sequence\":");
	p = digits__put(p, seq);
	p = PUT_LIT(p, ",\"created\":\"");
	when__utc(p, (int64_t)(time_ns + (uint64_t)ctx->realtime_offset_ns));
	p = PUT_LIT(p + WHEN_UTC_LEN, "\"}");
	out->len = (size_t)(p - out->data);
}

static void put_member(struct buf *out, const char *name, const char *value)
{
	if (!*value)
		return;
	buf__char(out, ',');
	buf__str(out, name);
	json__whole_string(out, value, strlen(value));
}

static void put_os(struct buf *out, const struct host_facts *h)
{
	buf__lit(out, ",\"os\":{\"type\":\"linux\"");
	put_member(out, "\"kernel\":", h->kernel);
	put_member(out, "\"platform\":", h->os_id);
	put_member(out, "\"name\":", h->os_name);
	put_member(out, "\"version\":", h->os_version);
	put_member(out, "\"full\":", h->os_pretty);
	buf__char(out, '}');
}

static void ecs_stream(struct buf *out, const struct format_context *ctx)
{
	static const struct host_facts none;
	const struct host_facts *h = ctx->host ? ctx->host : &none;

	buf__lit(out, "\"ecs\":{\"version\":\"" ECS_VERSION "\"},\"host\":{");
	/* Pids are those of the initial PID namespace; the number is PROC_PID_INIT_INO of
	 * linux/proc_ns.h. */
	buf__lit(out, "\"pid_ns_ino\":\"4026531836\"");
	put_member(out, "\"id\":", h->id);
	put_member(out, "\"hostname\":", h->name);
	put_member(out, "\"name\":", h->name);
	put_member(out, "\"architecture\":", h->arch);
	if (h->boot_id[0]) {
		buf__lit(out, ",\"boot\":{\"id\":");
		json__whole_string(out, h->boot_id, strlen(h->boot_id));
		buf__char(out, '}');
	}
	put_os(out, h);
	buf__lit(out, "},\"observer\":{\"vendor\":\"pytrail\",\"product\":\"pytrail\",\"type\":"
	              "\"sensor\","
	              "\"version\":\"" PYTRAIL_VERSION "\"");
	put_member(out, "\"hostname\":", h->name);
	buf__lit(out, "},");
}

static void put_event(struct buf *out, const struct event *ev, const struct mapping *map,
                      const struct format_context *ctx)
{
	buf__append(out, map->ecs, map->ecs_len);
	if (!ev->known && !(ev->audit->flags & PT_AUDIT_NAME_UNREADABLE)) {
		buf__lit(out, "\"code\":");
		json__whole_string(out, ev->name, ev->name_len);
		buf__char(out, ',');
	}
	put_id(out, ev->seq, ev->audit->rec.time_ns, ctx);
}

/* `,"audit":{"known":true,"args":{…}`: what ECS has no fields for. */
static void put_audit(struct buf *out, const struct event *ev, const struct fields *f)
{
	unsigned notes;

	if (ev->known)
		buf__lit(out, ",\"audit\":{\"known\":true");
	else
		buf__lit(out, ",\"audit\":{\"known\":false");
	if (ev->audit->flags & PT_AUDIT_UNDECODED) {
		json__notes_as_lists(out, ev, json__name_notes(ev));
	} else {
		buf__lit(out, ",\"args\":");
		notes = args_text__object(out, ev);
		if (notes)
			json__notes_as_lists(out, ev, notes);
	}
	ecs__own_fields(out, f);
	if (ev->call_site)
		process_text__call_site(out, ev->call_site);
	if (!ev->process || ev->process->partial)
		buf__lit(out, ",\"enrichment\":\"partial\"");
	buf__char(out, '}');
}

static void ecs_event(struct buf *out, const struct event *ev, const struct format_context *ctx)
{
	const struct pt_task *task = &ev->audit->rec.task;
	const struct process_parts *parts = ecs__process_parts(task, ev->process, ctx);
	struct fields f;

	fields__of(&f, ev);
	put_head(out, ev->audit->rec.time_ns, ctx);
	put_event(out, ev, f.map, ctx);
	ecs__process(out, task, ev->process, parts, &f);
	process_parts__append(out, parts, ECS_PART_AFTER);
	ecs__fields(out, &f, task);
	if (f.map->ecs_threat && format__says_attack(ctx, f.map->severity))
		buf__append(out, f.map->ecs_threat, f.map->ecs_threat_len);
	process_parts__append(out, parts, ECS_PART_PYTRAIL);
	buf__lit(out, ",\"python\":{");
	process_text__interpreter(out, ev->audit->py_version, ev->audit->probe,
	                          ev->audit->flags & PT_AUDIT_FREE_THREADED);
	process_parts__append(out, parts, ECS_PART_PYTHON);
	buf__char(out, '}');
	put_audit(out, ev, &f);
	buf__lit(out, "}}\n");
}

/* How late our sight of a process begins, and of which file. */
static void put_attach(struct buf *out, const struct pt_attach *a, const char *file,
                       const struct process_parts *parts)
{
	buf__lit(out, ",\"python\":{");
	process_text__interpreter(out, a->py_version, a->probe, a->flags & PT_ATTACH_FREE_THREADED);
	process_parts__append(out, parts, ECS_PART_PYTHON);
	buf__lit(out, ",\"file\":");
	json__whole_string(out, file, a->file_len);
	buf__char(out, '}');
	if (a->rec.kind != PT_REC_ATTACH || !(a->flags & PT_ATTACH_LATE))
		return;
	buf__lit(out, ",\"attach\":{\"late\":true");
	if (a->late_ns <= INT64_MAX) {
		buf__lit(out, ",\"late_ns\":");
		buf__u64(out, a->late_ns);
	}
	buf__char(out, '}');
}

/* What becomes of a process, or of our sight of it. */
static void ecs_process(struct buf *out, const struct pt_rec *rec, const char *what,
                        const struct process *facts, uint64_t seq, const struct format_context *ctx)
{
	const struct process_parts *parts = ecs__process_parts(&rec->task, facts, ctx);
	const char *type = !strcmp(what, "exec") ? "start" : !strcmp(what, "exit") ? "end" : "info";
	const char *file = NULL;
	const struct pt_attach *a = reader__attach(rec, rec->size, &file);

	put_head(out, rec->time_ns, ctx);
	buf__lit(out, "\"event\":{\"kind\":\"event\",\"category\":[\"process\"],\"type\":[\"");
	buf__str(out, type);
	buf__lit(out, "\"],\"action\":\"process-");
	buf__str(out, what);
	buf__lit(out,
	         "\",\"severity\":1,\"outcome\":\"success\",\"provider\":\"kernel\",\"module\":"
	         "\"pytrail\",\"dataset\":\"pytrail.audit\",\"code\":\"pytrail.process.");
	buf__str(out, what);
	buf__lit(out, "\",");
	if (a && rec->kind == PT_REC_DETACH) {
		buf__lit(out, "\"reason\":\"");
		buf__str(out, detach_reason__name(a->reason));
		buf__lit(out, "\",");
	}
	put_id(out, seq, rec->time_ns, ctx);
	ecs__process(out, &rec->task, facts, parts, NULL);
	process_parts__append(out, parts, ECS_PART_AFTER);
	ecs__fields(out, NULL, &rec->task);
	process_parts__append(out, parts, ECS_PART_PYTRAIL);
	if (a)
		put_attach(out, a, file, parts);
	if (facts->partial)
		buf__lit(out, ",\"audit\":{\"enrichment\":\"partial\"}");
	buf__lit(out, "}}\n");
}

static void put_time(struct buf *out, const char *name, uint64_t ns, const struct format_context *ctx)
{
	char text[WHEN_UTC_LEN];

	when__utc(text, (int64_t)(ns + (uint64_t)ctx->realtime_offset_ns));
	buf__str(out, name);
	buf__append(out, text, sizeof(text));
	buf__lit(out, "\",");
}

/* The little that is known of a process beside an event. */
static void put_who(struct buf *out, const struct pt_task *t)
{
	buf__lit(out, ",\"process\":{\"pid\":");
	buf__u64(out, t->pid);
	buf__lit(out, ",\"name\":");
	json__whole_string(out, t->comm, strnlen(t->comm, sizeof(t->comm)));
	buf__char(out, '}');
}

static void ecs_lost(struct buf *out, const struct pt_lost *lost, uint64_t seq,
                     const struct format_context *ctx)
{
	const struct pt_task *t = &lost->rec.task;
	const char *cause = lost_cause__name(lost->cause);

	put_head(out, lost->last_ns, ctx);
	buf__lit(out,
	         "\"event\":{\"kind\":\"pipeline_error\",\"category\":[\"process\"],\"type\":["
	         "\"info\"],"
	         "\"action\":\"events-lost\",\"severity\":3,\"outcome\":\"failure\",\"provider\":"
	         "\"pytrail\",\"module\":\"pytrail\",\"dataset\":\"pytrail.audit\",\"code\":"
	         "\"pytrail.lost\",\"reason\":\"");
	buf__str(out, cause);
	buf__lit(out, "\",");
	put_time(out, "\"start\":\"", lost->first_ns, ctx);
	put_time(out, "\"end\":\"", lost->last_ns, ctx);
	put_id(out, seq, lost->last_ns, ctx);
	buf__lit(out, ",\"message\":\"");
	buf__u64(out, lost->count);
	buf__lit(out, " events were lost: ");
	buf__str(out, cause);
	buf__char(out, '"');
	if (t->pid)
		put_who(out, t);
	buf__lit(out, ",\"pytrail\":{\"lost\":{\"count\":");
	/* 63 bits are what a long of Elasticsearch has */
	buf__u64(out, lost->count > INT64_MAX ? INT64_MAX : lost->count);
	buf__lit(out, ",\"cause\":\"");
	buf__str(out, cause);
	buf__lit(out, "\"}}}\n");
}

static void ecs_alert(struct buf *out, const struct alert *a, uint64_t seq,
                      const struct format_context *ctx)
{
	uint64_t time_ns = (uint64_t)(a->time_ns - ctx->realtime_offset_ns);

	put_head(out, time_ns, ctx);
	/* of a process it is a sign of tampering */
	buf__str(out, a->task ? "\"event\":{\"kind\":\"alert\",\"category\":[\"process\"],\"type\":"
	                        "[\"change\"],"
	                        "\"severity\":4,"
	                      : "\"event\":{\"kind\":\"pipeline_error\",\"category\":[\"process\"],"
	                        "\"type\":["
	                        "\"info\"],\"severity\":3,\"outcome\":\"failure\",");
	buf__lit(out, "\"provider\":\"pytrail\",\"module\":"
	              "\"pytrail\","
	              "\"dataset\":\"pytrail.audit\",\"code\":\"pytrail.alert\",\"action\":");
	json__whole_string(out, a->alert, strlen(a->alert));
	buf__char(out, ',');
	if (a->since_ns)
		put_time(out, "\"start\":\"", (uint64_t)(a->since_ns - ctx->realtime_offset_ns), ctx);
	put_id(out, seq, time_ns, ctx);
	buf__lit(out, ",\"message\":");
	json__whole_string(out, a->message, strlen(a->message));
	if (a->task)
		put_who(out, a->task);
	buf__lit(out, ",\"pytrail\":{\"alert\":{\"name\":");
	json__whole_string(out, a->alert, strlen(a->alert));
	if (a->output)
		put_member(out, "\"output\":", a->output);
	buf__lit(out, "}}}\n");
}

const struct format format_ecs = {"ecs", ecs_event, ecs_process, ecs_lost, ecs_stream, ecs_alert};
