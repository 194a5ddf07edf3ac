// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The first byte says what the others are: a record, which is redacted and rendered; or a text that
 * is looked through. Places must lie in the text and not overlap; what is made of an event must be
 * as sound as the event.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/wire.h"
#include "user/enrich/process.h"
#include "user/format/format.h"
#include "user/reader.h"
#include "user/redact/redact.h"
#include "user/redact/scan.h"
#include "user/util/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(uint8_t by, const uint8_t *s, size_t len)
{
	struct scan sc = scan__of(s, len, by & 0x80);
	struct command c = {0};
	size_t from = 0;

	if (by & 1)
		scan__urls(&sc);
	if (by & 2)
		scan__command_line(&sc);
	if (by & 4)
		scan__command_word(&sc, &c);
	if (by & 8)
		scan__login(&sc);
	if (by & 16)
		scan__variable(&sc);
	scan__finish(&sc);
	for (unsigned i = 0; i < sc.cnt; i++) {
		if (sc.spans[i].start < from || sc.spans[i].start >= sc.spans[i].end ||
		    sc.spans[i].end > len)
			abort();
		from = sc.spans[i].end;
	}
}

static void redact(struct pt_rec *rec, size_t size)
{
	static const uint8_t key[MARK_KEY_BYTES];
	static struct process_table *t;
	static struct redact *r;
	static struct buf out;
	struct format_context ctx = {.instance = "0", .width = 80};
	struct redact_rules rules = REDACT_RULES_DEFAULT;
	const struct event *hidden;
	struct event ev;

	if (!r) {
		r = redact__new(&rules, key);
		t = process_table__new("boot", 4);
	}
	rec->size = (uint32_t)size;
	rec->version = PT_WIRE_VERSION;
	if (!process_table__put_record(t, rec, size))
		redact__process(r, process_table__get(t, &rec->task, false, NULL));
	if (reader__audit(rec, size, &ev))
		return;
	hidden = redact__event(r, &ev);
	if (hidden->nodes_len > REDACTED_NODES_MAX)
		abort();
	buf__reset(&out);
	format_json.event(&out, hidden, &ctx);
	format_text.event(&out, hidden, &ctx);
	if (out.failed)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (!size || size > PT_RECORD_MAX)
		return -1;
	copy = malloc(size);
	memcpy(copy, data + 1, size - 1);
	if (!*data && size > sizeof(struct pt_rec))
		redact((struct pt_rec *)copy, size - 1);
	else
		look(*data, copy, size - 1);
	free(copy);
	return 0;
}
