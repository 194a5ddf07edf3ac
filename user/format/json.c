// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The `json` format: one object a line, see schema.json. The hot path: fixed parts are written with
 * one check for room, nothing is allocated once the buffer is warm.
 */
#include "json.h"

#include <string.h>

#include "when.h"
#include "../catalog.h"
#include "../enrich/call_site.h"
#include "../enrich/process.h"

/* Room for all fixed parts and numbers of one record's head, or of its process. */
#define FIXED_MAX 512

#define LIT(p, s) ((char *)mempcpy((p), "" s, sizeof(s) - 1))

static char *put_u64(char *p, uint64_t v)
{
	char text[20];
	unsigned i = sizeof(text);

	do {
		text[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	return mempcpy(p, text + i, sizeof(text) - i);
}

/* `{"type":"audit","id":"…-17","seq":17,"time":"…","monotonic_ns":123,` */
static void put_head(struct buf *out, const char *type, uint64_t seq, uint64_t time_ns,
                     const struct format_context *ctx)
{
	char *p;

	if (!buf__reserve(out, FIXED_MAX))
		return;
	p = out->data + out->len;
	p = LIT(p, "{\"type\":\"");
	p = stpcpy(p, type);
	p = LIT(p, "\",\"id\":\"");
	p = mempcpy(p, ctx->instance, strnlen(ctx->instance, sizeof(ctx->instance)));
	*p++ = '-';
	p = put_u64(p, seq);
	p = LIT(p, "\",\"seq\":");
	p = put_u64(p, seq);
	p = LIT(p, ",\"time\":\"");
	when__utc(p, (int64_t)(time_ns + (uint64_t)ctx->realtime_offset_ns));
	p = LIT(p + WHEN_UTC_LEN, "\",\"monotonic_ns\":");
	p = put_u64(p, time_ns);
	*p++ = ',';
	out->len = (size_t)(p - out->data);
}

static void put_comm(struct buf *out, const struct pt_task *t)
{
	buf__lit(out, "\"comm\":");
	json__string(out, t->comm, strnlen(t->comm, sizeof(t->comm)));
}

/* What the kernel says of the process beyond the ids that every event has: mostly nothing. */
static void put_identity(struct buf *out, const struct pt_task *t)
{
	char *p;

	if (!buf__reserve(out, FIXED_MAX))
		return;
	p = out->data + out->len;
	if (t->ns_pid && t->ns_pid != t->pid)
		p = put_u64(LIT(p, ",\"ns_pid\":"), t->ns_pid);
	if (t->euid != t->uid)
		p = put_u64(LIT(p, ",\"euid\":"), t->euid);
	if (t->egid != t->gid)
		p = put_u64(LIT(p, ",\"egid\":"), t->egid);
	if (t->loginuid != PT_UNSET_ID)
		p = put_u64(LIT(p, ",\"loginuid\":"), t->loginuid);
	if (t->session_id != PT_UNSET_ID)
		p = put_u64(LIT(p, ",\"session_id\":"), t->session_id);
	/* The root of the v2 hierarchy has 1 (fs/kernfs): where all is in v1 that says nothing. */
	if (t->cgroup_id > 1)
		p = put_u64(LIT(p, ",\"cgroup_id\":"), t->cgroup_id);
	out->len = (size_t)(p - out->data);
}

static void put_process(struct buf *out, const struct pt_task *t, const struct process *facts)
{
	char *p;

	if (!buf__reserve(out, FIXED_MAX))
		return;
	p = out->data + out->len;
	p = LIT(p, ",\"process\":{\"pid\":");
	p = put_u64(p, t->pid);
	p = LIT(p, ",\"tid\":");
	p = put_u64(p, t->tid);
	p = LIT(p, ",\"ppid\":");
	p = put_u64(p, t->ppid);
	p = LIT(p, ",\"uid\":");
	p = put_u64(p, t->uid);
	p = LIT(p, ",\"gid\":");
	p = put_u64(p, t->gid);
	*p++ = ',';
	out->len = (size_t)(p - out->data);
	put_comm(out, t);
	buf__char(out, ',');
	if (facts) {
		buf__append(out, facts->json, facts->json_len);
	} else {
		buf__lit(out, "\"start_ns\":");
		buf__u64(out, t->start_ns);
	}
	put_identity(out, t);
	buf__char(out, '}');
}

/* PY_VERSION_HEX as CPython writes it: "3.11.2", "3.15.0a3", "3.14.0rc1" (Include/patchlevel.h);
 * only "3.13" when micro and level are not known. */
static char *put_version(char *p, uint32_t hex)
{
	unsigned level = hex >> 4 & 15, serial = hex & 15;

	p = put_u64(p, hex >> 24);
	*p++ = '.';
	p = put_u64(p, hex >> 16 & 255);
	if (!(hex & 0xffff))
		return p;
	*p++ = '.';
	p = put_u64(p, hex >> 8 & 255);
	if (level == 0xf || !level)
		return p;
	if (level == 0xc)
		p = LIT(p, "rc");
	else
		*p++ = level == 0xa ? 'a' : 'b';
	return put_u64(p, serial);
}

static void put_python(struct buf *out, uint32_t version, uint8_t probe, bool free_threaded)
{
	char *p;

	if (!buf__reserve(out, FIXED_MAX))
		return;
	p = out->data + out->len;
	p = LIT(p, ",\"python\":{");
	if (version) {
		p = LIT(p, "\"version\":\"");
		p = put_version(p, version);
		p = LIT(p, "\",");
	}
	if (probe == PT_PROBE_UPROBE)
		p = LIT(p, "\"probe\":\"uprobe\"");
	else
		p = LIT(p, "\"probe\":\"usdt\"");
	if (free_threaded)
		p = LIT(p, ",\"free_threaded\":true");
	out->len = (size_t)(p - out->data);
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
		buf__str(out, ev->known->json_prefix);
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

	put_head(out, "audit", ev->seq, a->rec.time_ns, ctx);
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
	put_process(out, &a->rec.task, ev->process);
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

	put_head(out, "process", seq, rec->time_ns, ctx);
	buf__lit(out, "\"action\":\"");
	buf__str(out, what);
	buf__char(out, '"');
	if (a)
		put_attach(out, a);
	put_process(out, &rec->task, facts);
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

	put_head(out, "lost", seq, lost->last_ns, ctx);
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

	put_head(out, "alert", seq, (uint64_t)(a->time_ns - ctx->realtime_offset_ns), ctx);
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
