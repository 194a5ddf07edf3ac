// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "lost_item.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../bpf/wire.h"
#include "../format/format.h"
#include "../util/buf.h"
#include "../util/fnv.h"
#include "item.h"
#include "reader.h"

#define SEVERITY 4

int lost_item__render(const struct spool_loss *loss, const char *output, const char *stream,
                      const struct format_context *ctx, struct buf *mem, struct item *out)
{
	const struct format *f = format__find(stream, strcspn(stream, "+"));
	struct format_context own = *ctx;
	struct pt_lost lost = {
		.rec = {.kind = PT_REC_LOST, .version = PT_WIRE_VERSION, .size = sizeof(lost)},
		.count = loss->count,
		.first_ns = (uint64_t)(loss->first_ns - ctx->realtime_offset_ns),
		.last_ns = (uint64_t)(loss->last_ns - ctx->realtime_offset_ns),
		.cause = loss->cause,
	};
	char id[ITEM_ID_MAX + 1];
	size_t id_len;

	if (!f)
		return -ENOENT;
	/* Of before this boot: there is no monotonic time, the wall time is kept. */
	if (loss->first_ns < ctx->realtime_offset_ns) {
		own.realtime_offset_ns = loss->first_ns;
		lost.first_ns = 0;
		lost.last_ns = (uint64_t)(loss->last_ns - loss->first_ns);
	}
	if (loss->last_ns < loss->first_ns) /* the clock was set back */
		lost.last_ns = lost.first_ns;
	lost.rec.time_ns = lost.last_ns;
	own.color = false;
	own.width = 0;
	memset(own.instance, 0, sizeof(own.instance));
	fnv__hex(own.instance,
	         fnv64__add(fnv64__add(FNV64_INIT, ctx->instance, strlen(ctx->instance)), output,
	                    strlen(output)));
	id_len = (size_t)snprintf(id, sizeof(id), "%s-%llu", own.instance,
	                          (unsigned long long)loss->last);
	buf__reset(mem);
	buf__append(mem, id, id_len);
	f->lost(mem, &lost, loss->last, &own);
	if (mem->failed)
		return -ENOMEM;
	if (mem->len > id_len && mem->data[mem->len - 1] == '\n')
		mem->len--;
	*out = (struct item){
		.kind = ITEM_LOST,
		.severity = SEVERITY,
		.time_ns = loss->last_ns,
		.seq = loss->last,
		.stream = {stream, strlen(stream)},
		.id = {mem->data, id_len},
		.event = {"", 0},
		.entity = {"", 0},
		.category = {"", 0},
		.body = {mem->data + id_len, mem->len - id_len},
	};
	return 0;
}
