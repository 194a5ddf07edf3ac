// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Any bytes as one record: what the reader accepts, each format must render. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/wire.h"
#include "user/enrich/call_site.h"
#include "user/enrich/process.h"
#include "user/format/format.h"
#include "user/reader.h"
#include "user/util/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A line of JSON has no bytes that are not printable, its newline apart. */
static void check(const struct buf *out)
{
	if (out->failed || !out->len || out->data[out->len - 1] != '\n')
		abort();
	for (size_t i = 0; i < out->len - 1; i++)
		if ((uint8_t)out->data[i] < 0x20 || out->data[i] == 0x7f)
			abort();
}

static void render(const void *record, size_t size)
{
	static struct buf out;
	struct format_context ctx = {.instance = "0", .width = 80};
	const struct pt_lost *lost;
	struct event ev;

	if (!reader__audit(record, size, &ev)) {
		buf__reset(&out);
		format_json.event(&out, &ev, &ctx);
		check(&out);
		buf__reset(&out);
		format_text.event(&out, &ev, &ctx);
		check(&out);
	}
	lost = reader__lost(record, size);
	if (lost) {
		buf__reset(&out);
		format_json.lost(&out, lost, 1, &ctx);
		check(&out);
		buf__reset(&out);
		format_text.lost(&out, lost, 1, &ctx);
		check(&out);
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
	render(rec, size);
	if (!t)
		t = process_table__new("boot", 4);
	process_table__put_record(t, rec, size);
	if (!c)
		c = call_sites__new(4, 1u << 16);
	call_sites__put_record(c, rec, size);
	free(rec);
	return 0;
}
