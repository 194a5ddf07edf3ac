// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "branch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "enrich/process.h"
#include "pattern.h"
#include "sink/sink.h"
#include "spool/item.h"
#include "util/buf.h"
#include "util/log.h"

/* Bytes that gather before a sink gets them, unless branch__flush() comes first. */
#define BATCH (256 * 1024)
/* Of an event that the table does not have: a program's own are more than noise. */
#define SEVERITY_UNKNOWN 2
#define SEVERITY_LOST    4
#define SEVERITY_ALERT   4

struct branch {
	struct branch_target target;
	struct sink *sink; /* NULL: the target's taker has the items */
	struct format_context ctx;
	struct buf stream; /* ctx.stream */
	struct buf buf;    /* records that wait, for a sink */
	size_t whole;      /* bytes of those that are whole */
	char id[ITEM_ID_MAX + 1];
	char event[ITEM_EVENT_MAX + 1];
};

int branch_target__parse(const char *spec, struct branch_target *out)
{
	size_t len = strcspn(spec, ":");

	memset(out, 0, sizeof(*out));
	out->format = format__find(spec, len);
	if (!out->format) {
		log__error("-o %s: there is no format '%.*s', there are %s", spec, (int)len, spec,
		           format__names());
		return -EINVAL;
	}
	if (spec[len] && !spec[len + 1]) {
		log__error("-o %s: a destination is missing behind the colon", spec);
		return -EINVAL;
	}
	out->dest = spec[len] ? spec + len + 1 : NULL;
	return 0;
}

static bool wants_color(const struct sink *s)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	/* no-color.org: set and not empty. */
	return sink__is_terminal(s) && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
}

int branch__open(const struct branch_target *target, const struct format_context *ctx,
                 struct branch **out)
{
	struct branch *b = calloc(1, sizeof(*b));
	int err;

	if (!b) {
		log__error("out of memory");
		return -ENOMEM;
	}
	b->target = *target;
	b->ctx = *ctx;
	if (!target->take) {
		err = sink__open(target->dest, &b->sink);
		if (err) {
			free(b);
			return err;
		}
		b->ctx.color = wants_color(b->sink);
		b->ctx.width = sink__columns(b->sink);
	}
	if (target->format->stream)
		target->format->stream(&b->stream, &b->ctx);
	b->ctx.stream = b->stream.data;
	b->ctx.stream_len = b->stream.len;
	if (b->stream.failed) {
		branch__free(b);
		log__error("out of memory");
		return -ENOMEM;
	}
	*out = b;
	return 0;
}

void branch__free(struct branch *b)
{
	if (!b)
		return;
	sink__close(b->sink);
	buf__free(&b->stream);
	buf__free(&b->buf);
	free(b);
}

bool branch__redacts(const struct branch *b)
{
	return b->target.redact;
}

/* What is whole. */
static int branch__write(struct branch *b)
{
	int err = b->whole ? sink__write(b->sink, b->buf.data, b->whole) : 0;

	buf__reset(&b->buf);
	b->whole = 0;
	return err;
}

/* The record just rendered goes on: it is all that the buffer has, for a taker. */
static int branch__put(struct branch *b, struct item *it)
{
	if (b->buf.failed) {
		log__error("out of memory for an event");
		/* those before it are not lost with it */
		if (b->sink)
			branch__write(b);
		buf__reset(&b->buf);
		return -ENOMEM;
	}
	if (b->sink) {
		b->whole = b->buf.len;
		return b->whole < BATCH ? 0 : branch__write(b);
	}
	it->stream = (struct item_text){b->target.stream, strlen(b->target.stream)};
	it->id.s = b->id;
	it->id.len = (size_t)snprintf(b->id, sizeof(b->id), "%s-%llu", b->ctx.instance,
	                              (unsigned long long)it->seq);
	it->body = (struct item_text){b->buf.data, b->buf.len};
	while (it->body.len && it->body.s[it->body.len - 1] == '\n')
		it->body.len--;
	b->target.take(b->target.take_ctx, it);
	buf__reset(&b->buf);
	return 0;
}

/* Names that the table does not have may be any bytes: those that are not plain ASCII become
 * '?'. */
static struct item_text plain_name(struct branch *b, const struct event *ev)
{
	size_t len = ev->name_len < ITEM_EVENT_MAX ? ev->name_len : ITEM_EVENT_MAX;

	if (ev->known)
		return (struct item_text){ev->known->name, ev->known->name_len};
	for (size_t i = 0; i < len; i++)
		b->event[i] = ev->name[i] >= ' ' && ev->name[i] < 0x7f ? ev->name[i] : '?';
	return (struct item_text){b->event, len};
}

static struct item_text text_of(const char *s)
{
	return (struct item_text){s, s ? strlen(s) : 0};
}

static bool wants(const struct branch *b, const struct event *ev, uint8_t severity)
{
	return severity >= b->target.min_severity &&
	       (!b->target.patterns ||
	        pattern_list__match(b->target.patterns, ev->name, ev->name_len));
}

int branch__event(struct branch *b, const struct event *ev)
{
	struct item it = {
		.kind = ITEM_AUDIT,
		.severity = ev->known ? ev->known->severity : SEVERITY_UNKNOWN,
		.seq = ev->seq,
	};

	if (!wants(b, ev, it.severity))
		return 0;
	b->target.format->event(&b->buf, ev, &b->ctx);
	if (b->target.take) {
		it.time_ns = (int64_t)ev->audit->rec.time_ns + b->ctx.realtime_offset_ns;
		it.entity = text_of(ev->process ? ev->process->entity_id : NULL);
		it.event = plain_name(b, ev);
		it.category = text_of(ev->known ? ev->known->category : NULL);
	}
	return branch__put(b, &it);
}

int branch__process(struct branch *b, const struct pt_rec *rec, const char *what,
                    const struct process *facts, uint64_t seq)
{
	struct item it = {
		.kind = ITEM_PROCESS,
		.severity = 1,
		.seq = seq,
		.time_ns = (int64_t)rec->time_ns + b->ctx.realtime_offset_ns,
		.entity = text_of(facts->entity_id),
	};

	b->target.format->process(&b->buf, rec, what, facts, seq, &b->ctx);
	return branch__put(b, &it);
}

int branch__lost(struct branch *b, const struct pt_lost *lost, uint64_t seq)
{
	struct item it = {
		.kind = ITEM_LOST,
		.severity = SEVERITY_LOST,
		.seq = seq,
		.time_ns = (int64_t)lost->rec.time_ns + b->ctx.realtime_offset_ns,
	};

	b->target.format->lost(&b->buf, lost, seq, &b->ctx);
	return branch__put(b, &it);
}

int branch__alert(struct branch *b, const struct alert *alert, uint64_t seq)
{
	struct item it = {
		.kind = ITEM_ALERT,
		.severity = SEVERITY_ALERT,
		.seq = seq,
		.time_ns = alert->time_ns,
	};

	if (!b->target.format->alert)
		return 0;
	b->target.format->alert(&b->buf, alert, seq, &b->ctx);
	return branch__put(b, &it);
}

int branch__flush(struct branch *b)
{
	int err;

	if (!b->sink)
		return 0;
	err = branch__write(b);
	if (!err)
		err = sink__flush(b->sink);
	/* A window may have changed its size since. */
	b->ctx.width = sink__columns(b->sink);
	return err;
}

int branch__reopen(struct branch *b)
{
	if (!b->sink)
		return -ENOTSUP;
	branch__write(b);
	return sink__reopen(b->sink);
}
