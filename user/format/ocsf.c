// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The `ocsf` format: events of the Open Cybersecurity Schema Framework, one a line. As ecs.c: what
 * is the same for all records of a stream, of an event or of a process is rendered once and copied.
 * What OCSF has no attribute for is in `unmapped`, nanoseconds among it, as its times are in
 * milliseconds.
 */
#include "ocsf.h"

#include <string.h>

#include "args_text.h"
#include "json.h"
#include "process_text.h"
#include "put.h"
#include "../enrich/host_facts.h"
#include "../enrich/process.h"
#include "../mapping.h"

static void put_member(struct buf *out, const char *name, const char *value)
{
	if (*value)
		process_text__member(out, name, value, strlen(value));
}

/* `"device":{…},"metadata":{…,"profiles":["host",…`: the list is left open. */
static void ocsf_stream(struct buf *out, const struct format_context *ctx)
{
	static const struct host_facts none;
	const struct host_facts *h = ctx->host ? ctx->host : &none;

	buf__lit(out, "\"device\":");
	ocsf__this_host(out, ctx);
	out->len -= out->len != 0; /* its brace */
	buf__lit(out, ",\"type_id\":0,\"type\":\"Unknown\"");
	put_member(out, ",\"boot_uid\":", h->boot_id);
	buf__lit(out, ",\"os\":{\"type_id\":200,\"type\":\"Linux\",\"name\":");
	json__whole_string(out, h->os_pretty[0] ? h->os_pretty : "Linux",
	                   h->os_pretty[0] ? strlen(h->os_pretty) : 5);
	put_member(out, ",\"version\":", h->os_version);
	put_member(out, ",\"kernel_release\":", h->kernel);
	buf__lit(out, "}},\"metadata\":{\"version\":\"");
	buf__str(out, mapping__ocsf_version());
	buf__lit(out,
	         "\",\"product\":{\"name\":\"pytrail\",\"vendor_name\":\"pytrail\",\"version\":"
	         "\"" PYTRAIL_VERSION "\"},\"log_name\":\"pytrail.audit\",\"log_provider\":"
	         "\"cpython\",\"profiles\":[\"host\","
	         "\"container\",\"linux/linux_users\"");
}

/* The rest of metadata, and the time. */
static void put_metadata(struct buf *out, const char *code, size_t code_len, uint64_t seq,
                         uint64_t time_ns, bool has_attacks, const struct format_context *ctx)
{
	int64_t now = (int64_t)(time_ns + (uint64_t)ctx->realtime_offset_ns);
	char *p;

	if (ctx->stream)
		buf__append(out, ctx->stream, ctx->stream_len);
	else
		ocsf_stream(out, ctx);
	if (has_attacks)
		buf__lit(out, ",\"security_control\"");
	buf__char(out, ']');
	if (code) {
		buf__lit(out, ",\"event_code\":");
		json__whole_string(out, code, code_len);
	}
	if (!buf__reserve(out, PUT_FIXED_MAX))
		return;
	p = PUT_LIT(out->data + out->len, ",\"uid\":\"");
	p = mempcpy(p, ctx->instance, strnlen(ctx->instance, sizeof(ctx->instance)));
	*p++ = '-';
	p = digits__put(p, seq);
	p = PUT_LIT(p, "\",\"sequence\":");
	p = digits__put(p, seq);
	p = PUT_LIT(p, "},\"time\":");
	p = digits__put(p, now > 0 ? (uint64_t)now / 1000000 : 0);
	out->len = (size_t)(p - out->data);
}

static void put_actor(struct buf *out, const struct pt_task *task, const struct process_parts *parts)
{
	buf__lit(out, ",\"actor\":{\"process\":{");
	process_parts__append(out, parts, OCSF_PART_IDS);
	process_parts__append(out, parts, OCSF_PART_REST);
	buf__lit(out, ",\"ptid\":");
	buf__u64(out, task->tid);
	buf__char(out, '}');
	process_parts__append(out, parts, OCSF_PART_USER);
	buf__char(out, '}');
}

static void begin_unmapped(struct buf *out, uint64_t time_ns, const struct pt_task *task,
                           const struct process_parts *parts, const struct format_context *ctx)
{
	/* as texts: more than the 53 bits that readers of JSON may have */
	buf__lit(out, ",\"unmapped\":{\"time_ns\":\"");
	buf__i64(out, (int64_t)(time_ns + (uint64_t)ctx->realtime_offset_ns));
	buf__lit(out, "\",\"thread_name\":");
	json__whole_string(out, task->comm, strnlen(task->comm, sizeof(task->comm)));
	buf__char(out, ',');
	process_parts__append(out, parts, OCSF_PART_UNMAPPED);
}

static void put_args(struct buf *out, const struct event *ev)
{
	unsigned notes;

	if (ev->known)
		buf__lit(out, ",\"known\":true");
	else
		buf__lit(out, ",\"known\":false");
	if (ev->audit->flags & PT_AUDIT_UNDECODED) {
		json__notes_as_lists(out, ev, json__name_notes(ev));
		return;
	}
	buf__lit(out, ",\"args\":");
	notes = args_text__object(out, ev);
	if (notes)
		json__notes_as_lists(out, ev, notes);
}

static void ocsf_event(struct buf *out, const struct event *ev, const struct format_context *ctx)
{
	const struct pt_task *task = &ev->audit->rec.task;
	const struct process_parts *parts = ocsf__process_parts(task, ev->process, ctx);
	uint64_t time_ns = ev->audit->rec.time_ns;
	bool has_attacks, has_name = !(ev->audit->flags & PT_AUDIT_NAME_UNREADABLE);
	struct fields f;

	fields__of(&f, ev);
	has_attacks = f.map->ocsf_attacks && format__says_attack(ctx, f.map->severity);
	buf__char(out, '{');
	buf__append(out, f.map->ocsf, f.map->ocsf_len);
	put_metadata(out, has_name ? ev->name : NULL, ev->name_len, ev->seq, time_ns, has_attacks,
	             ctx);
	ocsf__objects(out, ev, &f, parts, ctx);
	put_actor(out, task, parts);
	if (has_attacks)
		buf__append(out, f.map->ocsf_attacks, f.map->ocsf_attacks_len);
	begin_unmapped(out, time_ns, task, parts, ctx);
	buf__lit(out, ",\"python\":{");
	process_text__interpreter(out, ev->audit->py_version, ev->audit->probe,
	                          ev->audit->flags & PT_AUDIT_FREE_THREADED);
	process_parts__append(out, parts, OCSF_PART_PYTHON);
	buf__char(out, '}');
	put_args(out, ev);
	if (ev->call_site)
		process_text__call_site(out, ev->call_site);
	if (!ev->process || ev->process->partial)
		buf__lit(out, ",\"enrichment\":\"partial\"");
	buf__lit(out, "}}\n");
}

#define PROCESS_EVENT(activity, name)                                                     \
	"{\"activity_id\":" activity ",\"activity_name\":\"" name                         \
	"\",\"category_uid\":1,\"category_name\":\"System Activity\",\"class_uid\":1007," \
	"\"class_name\":\"Process Activity\",\"type_uid\":1007"

static void put_attach(struct buf *out, const struct pt_attach *a, const char *file,
                       const struct process_parts *parts)
{
	buf__lit(out, ",\"python\":{");
	process_text__interpreter(out, a->py_version, a->probe, a->flags & PT_ATTACH_FREE_THREADED);
	process_parts__append(out, parts, OCSF_PART_PYTHON);
	process_text__member(out, ",\"file\":", file, a->file_len);
	buf__char(out, '}');
	if (a->rec.kind == PT_REC_DETACH) {
		buf__lit(out, ",\"reason\":\"");
		buf__str(out, detach_reason__name(a->reason));
		buf__char(out, '"');
	} else if (a->flags & PT_ATTACH_LATE) {
		buf__lit(out, ",\"late\":true,\"late_ns\":\"");
		buf__u64(out, a->late_ns);
		buf__char(out, '"');
	}
}

static void ocsf_process(struct buf *out, const struct pt_rec *rec, const char *what,
                         const struct process *facts, uint64_t seq, const struct format_context *ctx)
{
	const struct process_parts *parts = ocsf__process_parts(&rec->task, facts, ctx);
	const char *file = NULL;
	const struct pt_attach *a = reader__attach(rec, rec->size, &file);
	char code[64] = "pytrail.process.";

	strncat(code, what, sizeof(code) - strlen(code) - 1);
	if (!strcmp(what, "exec"))
		buf__lit(out, PROCESS_EVENT("1", "Launch") "01,\"launch_type_id\":3");
	else if (!strcmp(what, "exit"))
		buf__lit(out, PROCESS_EVENT("2", "Terminate") "02");
	else
		buf__lit(out, PROCESS_EVENT("99", "Other") "99");
	buf__lit(out, ",\"severity_id\":1,\"severity\":\"Informational\",");
	put_metadata(out, code, strlen(code), seq, rec->time_ns, false, ctx);
	buf__lit(out, ",\"process\":{");
	process_parts__append(out, parts, OCSF_PART_IDS);
	process_parts__append(out, parts, OCSF_PART_REST);
	buf__char(out, '}');
	put_actor(out, &rec->task, parts);
	begin_unmapped(out, rec->time_ns, &rec->task, parts, ctx);
	if (a)
		put_attach(out, a, file, parts);
	if (facts->partial)
		buf__lit(out, ",\"enrichment\":\"partial\"");
	buf__lit(out, "}}\n");
}

static void put_ms(struct buf *out, const char *name, uint64_t ns, const struct format_context *ctx)
{
	int64_t now = (int64_t)(ns + (uint64_t)ctx->realtime_offset_ns);

	buf__str(out, name);
	buf__u64(out, now > 0 ? (uint64_t)now / 1000000 : 0);
}

/* An error of this application. */
#define APPLICATION_ERROR                                                           \
	"{\"activity_id\":1,\"activity_name\":\"General "                           \
	"Error\",\"category_uid\":6,\"category_name\":"                             \
	"\"Application Activity\",\"class_uid\":6008,\"class_name\":\"Application " \
	"Error\",\"type_uid\":600801,"                                              \
	"\"type_name\":\"Application Error: General "                               \
	"Error\",\"severity_id\":3,\"severity\":\"Medium\","

/* One: events that it could not see. */
static void ocsf_lost(struct buf *out, const struct pt_lost *lost, uint64_t seq,
                      const struct format_context *ctx)
{
	const struct pt_task *t = &lost->rec.task;
	const char *cause = lost_cause__name(lost->cause);

	buf__lit(out, APPLICATION_ERROR);
	put_metadata(out, "pytrail.lost", 12, seq, lost->last_ns, false, ctx);
	put_ms(out, ",\"start_time\":", lost->first_ns, ctx);
	put_ms(out, ",\"end_time\":", lost->last_ns, ctx);
	buf__lit(out, ",\"status_id\":2,\"status\":\"Failure\",\"status_code\":\"");
	buf__str(out, cause);
	buf__lit(out, "\",\"message\":\"");
	buf__u64(out, lost->count);
	buf__lit(out, " events were lost: ");
	buf__str(out, cause);
	buf__char(out, '"');
	if (t->pid) {
		buf__lit(out, ",\"actor\":{\"process\":{\"pid\":");
		buf__u64(out, t->pid);
		process_text__member(out, ",\"name\":", t->comm, strnlen(t->comm, sizeof(t->comm)));
		buf__lit(out, "}}");
	}
	/* exact, where the message is not read */
	buf__lit(out, ",\"unmapped\":{\"lost\":\"");
	buf__u64(out, lost->count);
	buf__lit(out, "\"}}\n");
}

static void ocsf_alert(struct buf *out, const struct alert *a, uint64_t seq,
                       const struct format_context *ctx)
{
	uint64_t time_ns = (uint64_t)(a->time_ns - ctx->realtime_offset_ns);

	buf__lit(out, APPLICATION_ERROR);
	put_metadata(out, "pytrail.alert", 13, seq, time_ns, false, ctx);
	if (a->since_ns)
		put_ms(out, ",\"start_time\":", (uint64_t)(a->since_ns - ctx->realtime_offset_ns),
		       ctx);
	process_text__member(out,
	                     ",\"status_id\":2,\"status\":\"Failure\",\"status_code\":", a->alert,
	                     strlen(a->alert));
	process_text__member(out, ",\"message\":", a->message, strlen(a->message));
	process_text__member(out, ",\"unmapped\":{\"alert\":", a->alert, strlen(a->alert));
	if (a->output)
		process_text__member(out, ",\"output\":", a->output, strlen(a->output));
	if (a->task)
		buf__printf(out, ",\"pid\":\"%u\"", a->task->pid);
	buf__lit(out, "}}\n");
}

const struct format format_ocsf = {"ocsf",    ocsf_event,  ocsf_process,
                                   ocsf_lost, ocsf_stream, ocsf_alert};
