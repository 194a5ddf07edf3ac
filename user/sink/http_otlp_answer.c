// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What an OTLP receiver answers: an ExportLogsServiceResponse, or with an error status a
 * google.rpc.Status, in the encoding of the request. Retried is what the specification lets be
 * retried: 429, 502, 503 and 504 (and 408, by which servers end idle connections). A partial
 * success is final: which records were dropped is not said.
 */
#include <inttypes.h>
#include <string.h>

#include "../util/protobuf.h"
#include "delivery.h"
#include "http_answers.h"
#include "http_json.h"

#define MESSAGE_MAX 200

struct partial {
	int64_t rejected;
	char message[MESSAGE_MAX];
};

static void take_message(char *out, const void *data, size_t len)
{
	if (len >= MESSAGE_MAX)
		len = MESSAGE_MAX - 1;
	memcpy(out, data, len);
	out[len] = '\0';
}

/* The fields of a message with a number in field 1 and a text in field 2, as both messages are. */
static bool read_pair(const uint8_t *p, size_t len, struct partial *out)
{
	const uint8_t *end = p + len;
	struct protobuf_field f;
	bool bad;

	while (protobuf__next(&p, end, &f, &bad)) {
		if (f.number == 1 && !f.data)
			out->rejected = (int64_t)f.value;
		else if (f.number == 2 && f.data)
			take_message(out->message, f.data, f.len);
	}
	return !bad;
}

static bool read_protobuf(const char *body, size_t len, struct partial *out)
{
	const uint8_t *p = (const uint8_t *)body, *end = p + len;
	struct protobuf_field f;
	bool bad;

	while (protobuf__next(&p, end, &f, &bad))
		if (f.number == 1 && (!f.data || !read_pair(f.data, f.len, out)))
			return false;
	return !bad;
}

static bool read_json(const char *body, size_t len, struct partial *out)
{
	json_t *root = http_json__parse(len ? body : "{}", len ? len : 2);
	const json_t *partial = json_object_get(root, "partialSuccess");
	const json_t *rejected = json_object_get(partial, "rejectedLogRecords");
	const char *message = http_json__string(partial, "errorMessage");
	bool good = json_is_object(root) && (!partial || json_is_object(partial));
	char *rest = NULL;

	/* A 64-bit integer is a string in protobuf's JSON; some send a number. */
	if (json_is_integer(rejected))
		out->rejected = json_integer_value(rejected);
	else if (json_is_string(rejected))
		out->rejected = strtoll(json_string_value(rejected), &rest, 10);
	else if (rejected)
		good = false;
	good = good && (!rest || (rest != json_string_value(rejected) && !*rest));
	take_message(out->message, message, strlen(message));
	json_decref(root);
	return good;
}

void http_otlp__answer(const char *body, size_t len, bool json, size_t cnt, struct delivery *out)
{
	struct partial p = {0};

	if (!(json ? read_json(body, len, &p) : read_protobuf(body, len, &p)) || p.rejected < 0 ||
	    (uint64_t)p.rejected > cnt) {
		delivery__set(out, DELIVERY_RETRY, "the answer is not one of OTLP");
		return;
	}
	if (!p.rejected) {
		/* A warning may be there, the records are accepted. */
		delivery__set(out, DELIVERY_OK, "%s", p.message);
	} else if ((uint64_t)p.rejected == cnt) {
		delivery__set(out, DELIVERY_REJECTED, "dropped by the receiver: %s", p.message);
		delivery__per_item(out, cnt, DELIVERY_REJECTED);
	} else {
		out->dropped = (size_t)p.rejected;
		delivery__set(out, DELIVERY_OK,
		              "the receiver dropped %" PRId64
		              " of %zu records, without saying which: "
		              "%s",
		              p.rejected, cnt, p.message);
	}
}

void http_otlp__refusal(const char *body, size_t len, bool json, struct delivery *out)
{
	struct partial status = {0};

	if (json) {
		json_t *root = http_json__parse(body, len);
		const char *message = http_json__string(root, "message");

		take_message(status.message, message, strlen(message));
		json_decref(root);
	} else if (!read_pair((const uint8_t *)body, len, &status)) {
		status.message[0] = '\0';
	}
	/* "All other 4xx or 5xx response status codes MUST NOT be retried." Thrown away they are
	 * not either: the output is held, and somebody told. */
	if (out->status == DELIVERY_RETRY && out->code >= 500 && out->code != 502 &&
	    out->code != 503 && out->code != 504)
		out->status = DELIVERY_DENIED;
	if (status.message[0])
		delivery__set(out, out->status, "HTTP status %d: %s", out->code, status.message);
}
