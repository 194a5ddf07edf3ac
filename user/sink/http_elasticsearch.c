// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Elasticsearch and OpenSearch, by _bulk. Documents are created, never overwritten: data streams
 * take nothing else, and with the event's id as _id a conflict means that an earlier,
 * unacknowledged batch had arrived.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "delivery.h"
#include "drivers.h"
#include "http_answers.h"
#include "http_driver.h"
#include "http_json.h"

#define ANSWER_MIN      (64u << 10)
#define ANSWER_PER_ITEM 4096 /* an error with its reason; about 100 bytes without */
#define ANSWER_MAX      (64u << 20)

/* Only what is read here: a fifth of what is sent otherwise. */
#define FILTER                                                    \
	"filter_path=errors,error.type,error.reason,items.*._id," \
	"items.*.status,items.*.error.type,items.*.error.reason"

static const struct setting es_settings[] = {
	HTTP_SETTINGS("none|gzip", "gzip"),
	{"api_key", SETTING_SECRET, NULL, NULL, 0, 0,
         "API key, encoded as Elasticsearch gives it out, in place of user or token"},
	{"index", SETTING_STRING, "logs-pytrail.audit-default", NULL, 0, 0,
         "data stream or index; its template belongs into the cluster before the first event"},
	{"pipeline", SETTING_STRING, NULL, NULL, 0, 0, "ingest pipeline that events go through"},
	{0},
};

/* The rules of Elasticsearch's "create index" API. */
static bool is_index_name(const char *s)
{
	if (strchr("-_+.", *s) || strlen(s) > 255)
		return false;
	for (; *s; s++)
		if (iscntrl((unsigned char)*s) || isupper((unsigned char)*s) ||
		    strchr("\\/*?\"<>| ,#:", *s))
			return false;
	return true;
}

static char *make_url(struct http *h, const struct settings *s)
{
	const char *pipeline = settings__string(s, "pipeline");
	struct buf path = BUF_INIT, query = BUF_INIT;
	char *url = NULL;

	buf__char(&path, '/');
	http__escape(&path, settings__string(s, "index"));
	buf__str(&path, "/_bulk");
	buf__char(&path, '\0');
	buf__str(&query, FILTER);
	if (pipeline) {
		buf__str(&query, "&pipeline=");
		http__escape(&query, pipeline);
	}
	buf__char(&query, '\0');
	if (!path.failed && !query.failed)
		url = http__url(h, path.data, query.data);
	buf__free(&path);
	buf__free(&query);
	return url;
}

static int es_open(const struct driver_config *cfg, struct driver **out, struct buf *why)
{
	static const struct http_preset preset = {.port = 9200, .token_scheme = "Bearer"};
	const char *index = settings__string(cfg->settings, "index");
	struct http_driver *d;
	int err;

	if (!http_json__is_format(cfg->format)) {
		buf__printf(why,
		            "Elasticsearch takes JSON documents, not '%s': give ecs, ocsf or json",
		            cfg->format);
		return -EINVAL;
	}
	if (!is_index_name(index)) {
		buf__printf(why,
		            "'index' takes the name of an index or data stream, in lower case, not "
		            "'%s'",
		            index);
		return -EINVAL;
	}
	err = http_driver__open(&elasticsearch_driver, sizeof(*d), cfg, &preset, &d, why);
	if (!err)
		err = http__add_authorization(d->http, "ApiKey", "api_key", why);
	if (!err && !(d->url = make_url(d->http, cfg->settings)))
		err = -ENOMEM;
	if (err) {
		http_driver__close(&d->driver);
		return err;
	}
	*out = &d->driver;
	return 0;
}

/* Errors of status 400 that are not the document's: it is right, the cluster or the settings are
 * not. */
static bool is_setup_fault(const char *type, const char *reason)
{
	static const char *const types[] = {
		"index_not_found_exception", "invalid_index_name_exception",
		"index_closed_exception",    "validation_exception",
		"cluster_block_exception",   "security_exception",
		"no_such_index_exception",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(type, types[i]))
			return true;
	return !strcmp(type, "illegal_argument_exception") &&
	       (!strncmp(reason, "pipeline with id", 16) || strstr(reason, "no write index") ||
	        strstr(reason, "maximum normal shards open") || strstr(reason, "data stream"));
}

static enum delivery_status of_status(long long status, const char *type, const char *reason)
{
	switch (status) {
	case 200 ... 299:
	case 409: /* there already */
		return DELIVERY_OK;
	case 400:
	case 422:
		return is_setup_fault(type, reason) ? DELIVERY_DENIED : DELIVERY_REJECTED;
	case 413:
		return DELIVERY_TOO_LARGE;
	case 408:
	case 429:
	case 500 ... 599:
		return DELIVERY_RETRY;
	default: /* 401, 403, 404: the index, or our rights on it */
		return status < 100 || status > 599 ? DELIVERY_RETRY : DELIVERY_DENIED;
	}
}

/* What is said of one item: `{"create":{…}}`. */
static const json_t *result_of(const json_t *answer)
{
	return json_object_iter_value(json_object_iter((json_t *)answer));
}

static bool is_verdict(const json_t *answer, const struct item *it)
{
	const json_t *result = result_of(answer);
	const char *id = http_json__string(result, "_id");

	return http_json__integer(result, "status") >= 0 &&
	       (!*id || !it->id.len ||
	        (strlen(id) == it->id.len && !memcmp(id, it->id.s, it->id.len)));
}

/* One verdict for each item that was sent, on that item, and no more. */
static bool is_complete(const json_t *answers, const struct item *items, size_t cnt,
                        const uint8_t *marks)
{
	size_t next = 0;

	for (size_t i = 0; i < cnt; i++)
		if (marks[i] != DELIVERY_REJECTED &&
		    !is_verdict(json_array_get(answers, next++), &items[i]))
			return false;
	return json_array_size(answers) == next;
}

static void take_verdict(const json_t *answer, uint8_t *status, struct delivery *out)
{
	const json_t *result = result_of(answer), *error = json_object_get(result, "error");
	const char *type = http_json__string(error, "type");
	const char *reason = http_json__string(error, "reason");
	long long code = http_json__integer(result, "status");

	*status = (uint8_t)of_status(code, type, reason);
	if (*status == DELIVERY_OK || out->per_item)
		return;
	delivery__set(out, *status, "%s: %s", type, reason); /* the first tells why */
	out->code = (int)code;
	out->per_item = true;
}

void http_elasticsearch__answer(const char *body, size_t len, const struct item *items, size_t cnt,
                                struct delivery *out)
{
	json_t *root = http_json__parse(body, len);
	const json_t *answers = json_object_get(root, "items");
	size_t next = 0;

	out->per_item = false;
	if (!is_complete(answers, items, cnt, out->items))
		delivery__set(out, DELIVERY_RETRY,
		              "the answer is not one of Elasticsearch's _bulk: %s",
		              root ? "not one verdict for each event" : "no JSON");
	else
		for (size_t i = 0; i < cnt; i++)
			if (out->items[i] != DELIVERY_REJECTED)
				take_verdict(json_array_get(answers, next++), &out->items[i], out);
	json_decref(root);
}

void http_elasticsearch__refusal(const char *body, size_t len, struct delivery *out)
{
	json_t *root = http_json__parse(body, len);
	const json_t *error = json_object_get(root, "error");
	const char *type = http_json__string(error, "type");
	const char *reason = http_json__string(error, "reason");

	if (out->status == DELIVERY_REJECTED && is_setup_fault(type, reason))
		out->status = DELIVERY_DENIED;
	if (*type)
		delivery__set(out, out->status, "%s: %s", type, reason);
	json_decref(root);
}

/* Marks what cannot be a document of its own; returns how many there are to send. */
static size_t build(struct http_driver *d, const struct item *items, size_t cnt, uint8_t *marks)
{
	struct buf *body = &d->body;
	size_t sent = 0;

	buf__reset(body);
	for (size_t i = 0; i < cnt; i++) {
		if (!http_driver__takes(d, &items[i], &marks[i]))
			continue;
		sent++;
		buf__lit(body, "{\"create\":{");
		if (items[i].id.len) {
			buf__lit(body, "\"_id\":");
			http_json__append_string(body, items[i].id.s, items[i].id.len);
		}
		buf__lit(body, "}}\n");
		buf__append(body, items[i].body.s, items[i].body.len);
		buf__char(body, '\n');
	}
	return sent;
}

static void es_send(struct driver *driver, const struct item *items, size_t cnt, struct delivery *out)
{
	struct http_driver *d = (struct http_driver *)driver;
	size_t sent = build(d, items, cnt, out->items), max = ANSWER_MIN + sent * ANSWER_PER_ITEM;
	const struct http_answer *a;

	if (!http_driver__has_some(sent, out))
		return;
	a = http__post(d->http, &(struct http_request){
					.url = d->url,
					.content_type = "application/x-ndjson",
					.body = &d->body,
					.answer_max = max < ANSWER_MAX ? max : ANSWER_MAX,
				});
	http__deliver(a, out);
	if (a->status == DELIVERY_OK)
		http_elasticsearch__answer(a->body, a->len, items, cnt, out);
	else
		http_elasticsearch__refusal(a->body, a->len, out);
	http_driver__keep_rejected(sent, cnt, out);
}

static const char *const es_schemes[] = {"elasticsearch+https", "elasticsearch+http",
                                         "opensearch+https", "opensearch+http", NULL};

const struct driver_ops elasticsearch_driver = {
	.name = "elasticsearch",
	.summary = "Elasticsearch or OpenSearch, by _bulk",
	.schemes = es_schemes,
	.default_format = "ecs",
	.settings = es_settings,
	.batch_items = 5000,
	.batch_bytes = 5u << 20,
	.open = es_open,
	.send = es_send,
	.interrupt = http_driver__interrupt,
	.close = http_driver__close,
};
