// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Any bytes as one record: what the reader accepts, each format must render. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/wire.h"
#include "tests/fuzz/lines.h"
#include "user/catalog.h"
#include "user/enrich/call_site.h"
#include "user/enrich/process.h"
#include "user/format/format.h"
#include "user/reader.h"
#include "user/util/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"json", "text", "ecs", "ocsf", "cef", "leef"};

/* json has lone surrogates as escapes, the formats of SIEMs have none. */
static void check(const struct format *f, const struct buf *out)
{
	if (out->failed)
		abort();
	line__check_text(out->data, out->len, f == &format_leef);
	if (f == &format_json || f == &format_ecs || f == &format_ocsf)
		line__check_json(out->data, out->len, f != &format_json);
}

static void render_event(const struct format *f, const struct event *ev,
                         const struct format_context *ctx)
{
	static struct buf out;

	buf__reset(&out);
	f->event(&out, ev, ctx);
	check(f, &out);
}

static void render_process(const struct format *f, const struct pt_rec *rec, const char *what,
                           const struct process *p, const struct format_context *ctx)
{
	static struct buf out;

	buf__reset(&out);
	f->process(&out, rec, what, p, 1, ctx);
	check(f, &out);
}

static void render_lost(const struct format *f, const struct pt_lost *lost,
                        const struct format_context *ctx)
{
	static struct buf out;

	buf__reset(&out);
	f->lost(&out, lost, 1, ctx);
	check(f, &out);
}

/* The same arguments as those of some event that is known. */
static void take_known(struct event *ev)
{
	const struct catalog_event *known = catalog__at(ev->nodes_len / 8 % catalog__count());

	ev->known = known;
	ev->name = known->name;
	ev->name_len = known->name_len;
}

static void render(const void *record, size_t size, struct process_table *t)
{
	const struct format_context ctx = {.instance = "0", .width = 80, .attack_severity = 1};
	const struct pt_rec *rec = reader__header(record, size);
	const struct pt_lost *lost = reader__lost(record, size);
	const struct process *p = rec ? process_table__get(t, &rec->task, false, NULL) : NULL;
	const char *file;
	struct event ev;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct format *f = format__find(names[i], strlen(names[i]));

		if (!reader__audit(record, size, &ev)) {
			ev.process = p;
			render_event(f, &ev, &ctx);
			take_known(&ev);
			render_event(f, &ev, &ctx);
		}
		if (p && reader__attach(record, size, &file))
			render_process(f, rec, rec->kind == PT_REC_ATTACH ? "attach" : "detach", p,
			               &ctx);
		else if (p && rec->kind != PT_REC_LOST)
			render_process(f, rec, "exec", p, &ctx);
		if (lost)
			render_lost(f, lost, &ctx);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct process_table *t;
	static struct call_sites *c;
	struct pt_rec *rec;

	if (size < sizeof(*rec) || size > PT_RECORD_MAX)
		return -1;
	rec = malloc(size);
	memcpy(rec, data, size);
	/* What a fuzzer would need long to find. */
	rec->size = (uint32_t)size;
	rec->version = PT_WIRE_VERSION;
	if (!t)
		t = process_table__new("boot", 4);
	process_table__put_record(t, rec, size);
	render(rec, size, t);
	if (!c)
		c = call_sites__new(4, 1u << 16);
	call_sites__put_record(c, rec, size);
	free(rec);
	return 0;
}
