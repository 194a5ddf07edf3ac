// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The `json` format: one object a line, see schema.json. The hot path: fixed parts are written with
 * one check for room, nothing is allocated once the buffer is warm.
 */
#include "json.h"

#include <string.h>

#include "process_cache.h"
#include "put.h"
#include "when.h"
#include "../catalog.h"
#include "../enrich/call_site.h"
#include "../enrich/process.h"

/* Parts of what is kept of a process: the second and the fourth are of one of its threads. */
enum json_part {
	JSON_PART_PID,
	JSON_PART_TID,
	JSON_PART_IDS,
	JSON_PART_COMM,
	JSON_PART_FACTS,
};

/* `{"type":"audit","id":"…-17","seq":17,"time":"…","monotonic_ns":123,`; begin is all before the
 * id. */
static void put_head(struct buf *out, const char *begin, size_t begin_len, uint64_t seq,
                     uint64_t time_ns, const struct format_context *ctx)
{
	const char *digits;
	size_t len;
	char *p;

	if (!buf__reserve(out, PUT_FIXED_MAX))
		return;
	p = mempcpy(out->data + out->len, begin, begin_len);
	p = mempcpy(p, ctx->instance, strnlen(ctx->instance, sizeof(ctx->instance)));
	*p++ = '-';
	digits = p;
	p = digits__put(p, seq);
	len = (size_t)(p - digits);
	p = PUT_LIT(p, "\",\"seq\":");
	p = mempcpy(p, digits, len);
	p = PUT_LIT(p, ",\"time\":\"");
	when__utc(p, (int64_t)(time_ns + (uint64_t)ctx->realtime_offset_ns));
	p = PUT_LIT(p + WHEN_UTC_LEN, "\",\"monotonic_ns\":");
	p = digits__put(p, time_ns);
	*p++ = ',';
	out->len = (size_t)(p - out->data);
}

#define PUT_HEAD(out, type, seq, time_ns, ctx)            \
	put_head(out, "{\"type\":\"" type "\",\"id\":\"", \
	         sizeof("{\"type\":\"" type "\",\"id\":\"") - 1, seq, time_ns, ctx)

static void put_comm(struct buf *out, const struct pt_task *t)
{
	buf__lit(out, "\"comm\":");
	json__string(out, t->comm, strnlen(t->comm, sizeof(t->comm)));
}

/* What the kernel says of the process beyond the ids that every event has: mostly nothing. */
static void put_identity(struct buf *out, const struct pt_task *t)
{
	char *p;

	if (!buf__reserve(out, PUT_FIXED_MAX))
		return;
	p = out->data + out->len;
	if (t->ns_pid && t->ns_pid != t->pid)
		p = digits__put(PUT_LIT(p, ",\"ns_pid\":"), t->ns_pid);
	if (t->euid != t->uid)
		p = digits__put(PUT_LIT(p, ",\"euid\":"), t->euid);
	if (t->egid != t->gid)
		p = digits__put(PUT_LIT(p, ",\"egid\":"), t->egid);
	if (t->loginuid != PT_UNSET_ID)
		p = digits__put(PUT_LIT(p, ",\"loginuid\":"), t->loginuid);
	if (t->session_id != PT_UNSET_ID)
		p = digits__put(PUT_LIT(p, ",\"session_id\":"), t->session_id);
	/* The root of the v2 hierarchy has 1 (fs/kernfs): where all is in v1 that says nothing. */
	if (t->cgroup_id > 1)
		p = digits__put(PUT_LIT(p, ",\"cgroup_id\":"), t->cgroup_id);
	out->len = (size_t)(p - out->data);
}

static void render_process(struct process_parts *parts, const struct pt_task *t,
                           const struct process *facts, const struct format_context *ctx)
{
	struct buf *out = &parts->text;
	char *p;

	(void)ctx;
	if (!buf__reserve(out, PUT_FIXED_MAX))
		return;
	p = PUT_LIT(out->data, ",\"process\":{\"pid\":");
	p = digits__put(p, t->pid);
	p = PUT_LIT(p, ",\"tid\":");
	parts->end[JSON_PART_PID] = (size_t)(p - out->data);
	p = digits__put(p, t->tid);
	parts->end[JSON_PART_TID] = (size_t)(p - out->data);
	p = PUT_LIT(p, ",\"ppid\":");
	p = digits__put(p, t->ppid);
	p = PUT_LIT(p, ",\"uid\":");
	p = digits__put(p, t->uid);
	p = PUT_LIT(p, ",\"gid\":");
	p = digits__put(p, t->gid);
	*p++ = ',';
	out->len = parts->end[JSON_PART_IDS] = (size_t)(p - out->data);
	put_comm(out, t);
	parts->end[JSON_PART_COMM] = out->len;
	buf__char(out, ',');
	if (facts) {
		buf__append(out, facts->json, facts->json_len);
	} else {
		buf__lit(out, "\"start_ns\":");
		buf__u64(out, t->start_ns);
	}
	put_identity(out, t);
	buf__char(out, '}');
	parts->end[JSON_PART_FACTS] = out->len;
}

static void put_process(struct buf *out, const struct pt_task *t, const struct process *facts,
                        const struct format_context *ctx)
{
	const struct process_parts *parts =
		process_cache__get(PROCESS_CACHE_JSON, t, facts, ctx, render_process);

	if (t->tid == parts->task.tid && !memcmp(t->comm, parts->task.comm, sizeof(t->comm))) {
		buf__append(out, parts->text.data, parts->end[JSON_PART_FACTS]);
		out->failed = out->failed || parts->text.failed;
		return;
	}
	process_parts__append(out, parts, JSON_PART_PID);
	buf__u64(out, t->tid);
	process_parts__append(out, parts, JSON_PART_IDS);
	put_comm(out, t);
	process_parts__append(out, parts, JSON_PART_FACTS);
}

/* PY_VERSION_HEX as CPython writes it: "3.11.2", "3.15.0a3", "3.14.0rc1" (Include/patchlevel.h);
 * only "3.13" when micro and level are not known. */
static char *put_version(char *p, uint32_t hex)
{
	unsigned level = hex >> 4 & 15, serial = hex & 15;

	p = digits__put(p, hex >> 24);
	*p++ = '.';
	p = digits__put(p, hex >> 16 & 255);
	if (!(hex & 0xffff))
		return p;
	*p++ = '.';
	p = digits__put(p, hex >> 8 & 255);
	if (level == 0xf || !level)
		return p;
	if (level == 0xc)
		p = PUT_LIT(p, "rc");
	else
		*p++ = level == 0xa ? 'a' : 'b';
	return digits__put(p, serial);
}

static size_t render_python(char *text, uint32_t version, uint8_t probe, bool free_threaded)
{
	char *p = PUT_LIT(text, ",\"python\":{");

	if (version) {
		p = PUT_LIT(p, "\"version\":\"");
		p = put_version(p, version);
		p = PUT_LIT(p, "\",");
	}
	if (probe == PT_PROBE_UPROBE)
		p = PUT_LIT(p, "\"probe\":\"uprobe\"");
	else
		p = PUT_LIT(p, "\"probe\":\"usdt\"");
	if (free_threaded)
		p = PUT_LIT(p, ",\"free_threaded\":true");
	return (size_t)(p - text);
}

static void put_python(struct buf *out, uint32_t version, uint8_t probe, bool free_threaded)
{
	/* the same as of the last event, mostly */
	static __thread struct {
		uint32_t version;
		uint8_t probe;
		bool free_threaded;
		size_t len;
		char text[PUT_FIXED_MAX];
	} last;

	if (!last.len || version != last.version || probe != last.probe ||
	    free_threaded != last.free_threaded) {
		last.version = version;
		last.probe = probe;
		last.free_threaded = free_threaded;
		last.len = render_python(last.text, version, probe, free_threaded);
	}
	buf__append(out, last.text, last.len);
}

static void end_python(struct buf *out, const struct process *facts)
{
	if (facts)
		buf__append(out, facts->python_json, facts->python_json_len);
	buf__char(out, '}');
}

static void put_name(struct buf *out, const struct event *ev)
{
	if (ev->known) {
		buf__append(out, ev->known->json_prefix, ev->known->json_prefix_len);
		return;
	}
	buf__lit(out, "\"event\":");
	if (ev->audit->flags & PT_AUDIT_NAME_UNREADABLE)
		buf__lit(out, "null");
	else
		json__string(out, ev->name, ev->name_len);
	buf__char(out, ',');
}

static void json_event(struct buf *out, const struct event *ev, const struct format_context *ctx)
{
	const struct pt_audit *a = ev->audit;
	unsigned notes;

	PUT_HEAD(out, "audit", ev->seq, a->rec.time_ns, ctx);
	put_name(out, ev);
	if (a->flags & PT_AUDIT_UNDECODED)
		buf__lit(out, "\"undecoded\":true");
	else
		buf__lit(out, "\"args\":");
	notes = a->flags & PT_AUDIT_UNDECODED ? json__name_notes(ev) : json__values(out, ev);
	if (ev->known)
		buf__lit(out, ",\"known\":true");
	else
		buf__lit(out, ",\"known\":false");
	if (notes)
		json__notes(out, ev, notes);
	put_process(out, &a->rec.task, ev->process, ctx);
	put_python(out, a->py_version, a->probe, a->flags & PT_AUDIT_FREE_THREADED);
	end_python(out, ev->process);
	if (ev->call_site)
		buf__append(out, ev->call_site->json, ev->call_site->json_len);
	if (!ev->process || ev->process->partial)
		buf__lit(out, ",\"enrichment\":\"partial\"}\n");
	else
		buf__lit(out, "}\n");
}

/* How late it is, or why it ends, beside the action. */
static void put_attach(struct buf *out, const struct pt_attach *a)
{
	if (a->rec.kind == PT_REC_DETACH) {
		buf__lit(out, ",\"reason\":\"");
		buf__str(out, detach_reason__name(a->reason));
		buf__char(out, '"');
	} else if (a->flags & PT_ATTACH_LATE) {
		buf__lit(out, ",\"late\":true,\"late_ns\":");
		buf__u64(out, a->late_ns);
	}
}

static void json_process(struct buf *out, const struct pt_rec *rec, const char *what,
                         const struct process *facts, uint64_t seq, const struct format_context *ctx)
{
	const char *file = NULL;
	const struct pt_attach *a = reader__attach(rec, rec->size, &file);

	PUT_HEAD(out, "process", seq, rec->time_ns, ctx);
	buf__lit(out, "\"action\":\"");
	buf__str(out, what);
	buf__char(out, '"');
	if (a)
		put_attach(out, a);
	put_process(out, &rec->task, facts, ctx);
	if (a) {
		put_python(out, a->py_version, a->probe, a->flags & PT_ATTACH_FREE_THREADED);
		buf__lit(out, ",\"file\":");
		json__string(out, file, a->file_len);
		end_python(out, facts);
	}
	if (facts->partial)
		buf__lit(out, ",\"enrichment\":\"partial\"}\n");
	else
		buf__lit(out, "}\n");
}

/* The little that is known of a process beside an event. */
static void put_who(struct buf *out, const struct pt_task *t)
{
	buf__lit(out, ",\"process\":{\"pid\":");
	buf__u64(out, t->pid);
	buf__char(out, ',');
	put_comm(out, t);
	buf__char(out, '}');
}

static void json_lost(struct buf *out, const struct pt_lost *lost, uint64_t seq,
                      const struct format_context *ctx)
{
	const struct pt_task *t = &lost->rec.task;

	PUT_HEAD(out, "lost", seq, lost->last_ns, ctx);
	buf__lit(out, "\"count\":");
	buf__u64(out, lost->count);
	buf__lit(out, ",\"cause\":\"");
	buf__str(out, lost_cause__name(lost->cause));
	buf__lit(out, "\",\"first_monotonic_ns\":");
	buf__u64(out, lost->first_ns);
	buf__lit(out, ",\"last_monotonic_ns\":");
	buf__u64(out, lost->last_ns);
	if (t->pid)
		put_who(out, t);
	buf__lit(out, "}\n");
}

static void json_alert(struct buf *out, const struct alert *a, uint64_t seq,
                       const struct format_context *ctx)
{
	char since[WHEN_UTC_LEN];

	PUT_HEAD(out, "alert", seq, (uint64_t)(a->time_ns - ctx->realtime_offset_ns), ctx);
	buf__printf(out, "\"alert\":\"%s\"", a->alert);
	if (a->output) {
		buf__lit(out, ",\"output\":");
		json__string(out, a->output, strlen(a->output));
	}
	buf__lit(out, ",\"message\":");
	json__string(out, a->message, strlen(a->message));
	if (a->since_ns) {
		when__utc(since, a->since_ns);
		buf__printf(out, ",\"since\":\"%.*s\"", WHEN_UTC_LEN, since);
	}
	if (a->task)
		put_who(out, a->task);
	buf__lit(out, "}\n");
}

const struct format format_json = {"json", json_event, json_process, json_lost, NULL, json_alert};
