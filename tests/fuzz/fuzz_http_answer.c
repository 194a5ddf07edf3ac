// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Any bytes as the answer of each kind of HTTP receiver, and as an event that OTLP sends as a
 * structure. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "user/sink/http_answers.h"
#include "user/sink/http_otlp_value.h"
#include "user/util/buf.h"
#include "user/util/protobuf.h"

#define ITEMS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever it says, it is one of what can be said. */
static void check(const struct delivery *d)
{
	if ((int)d->status < DELIVERY_OK || d->status > DELIVERY_REJECTED || d->dropped > ITEMS ||
	    !memchr(d->reason, '\0', sizeof(d->reason)))
		abort();
	for (size_t i = 0; d->per_item && i < ITEMS; i++)
		if (d->items[i] > DELIVERY_REJECTED)
			abort();
}

static void answers(const char *body, size_t len, int code, const struct item *items)
{
	uint8_t each[ITEMS] = {DELIVERY_OK, DELIVERY_REJECTED, DELIVERY_OK};
	int64_t ack;

	for (int parser = 0; parser < 7; parser++) {
		struct delivery d = {.items = each, .code = code};

		d.status = code < 300    ? DELIVERY_OK
		           : code == 400 ? DELIVERY_REJECTED
		                         : DELIVERY_RETRY;
		if (parser == 0)
			http_elasticsearch__answer(body, len, items, ITEMS, &d);
		else if (parser == 1)
			http_elasticsearch__refusal(body, len, &d);
		else if (parser == 2 && http_splunk__answer(body, len, &d, &ack))
			http_splunk__is_acked(body, len, ack);
		else if (parser == 3 || parser == 4)
			http_otlp__answer(body, len, parser == 3, ITEMS, &d);
		else if (parser == 5)
			http_otlp__refusal(body, len, code & 1, &d);
		else if (parser == 6)
			http_loki__refusal(body, len, &d);
		check(&d);
	}
}

/* A message all of whose fields can be read, as far down as they are nested in place. */
static void check_message(const char *data, size_t len)
{
	const uint8_t *p = (const uint8_t *)data, *end = p + len;
	struct protobuf_field f;
	bool bad;

	while (protobuf__next(&p, end, &f, &bad))
		;
	if (bad)
		abort();
}

static void structure(const char *body, size_t len)
{
	static struct buf out;
	static struct otlp_encoder e = {.out = &out};
	struct item_text json = {body, len};
	json_error_t error;

	for (int i = 0; i < 2; i++) {
		bool good;

		e.json = i;
		buf__reset(&out);
		good = otlp__structure(&e, json);
		if (!good && out.len)
			abort();
		if (!good)
			otlp__string(&e, json);
		if (e.json) {
			json_t *root = json_loadb(out.data, out.len, JSON_ALLOW_NUL, &error);

			if (!root)
				abort();
			json_decref(root);
		} else {
			check_message(out.data, out.len);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int codes[] = {200, 400, 429, 500};
	static const struct item items[ITEMS] = {
		{.id = {"a-1", 3}, .body = {"{}", 2}},
		{.id = {"a-2", 3}, .body = {"{}", 2}},
		{.id = {"", 0}, .body = {"{}", 2}},
	};
	char *body;

	if (!size)
		return -1;
	/* of its very size, so that a byte too far is seen */
	body = malloc(size - 1 ? size - 1 : 1);
	memcpy(body, data + 1, size - 1);
	answers(body, size - 1, codes[data[0] & 3], items);
	structure(body, size - 1);
	free(body);
	return 0;
}
