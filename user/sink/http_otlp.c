// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * OpenTelemetry logs by OTLP/HTTP, opentelemetry/proto/logs/v1/logs.proto, as protobuf or JSON. The
 * body of a record is the event as a structure, which is what backends do most with: those that
 * want text render it as JSON, the others would have to parse it first.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../util/clock.h"
#include "../util/log.h"
#include "../util/protobuf.h"
#include "delivery.h"
#include "drivers.h"
#include "http_answers.h"
#include "http_driver.h"
#include "http_json.h"
#include "http_otlp_value.h"
#include "severity.h"

#define ANSWER_MAX   (64u << 10)
#define SAY_EVERY_NS 60000000000ull

/* Numbers of fields, of opentelemetry-proto 1.11.0. */
enum { REQUEST_RESOURCE_LOGS = 1 };
enum { RESOURCE_LOGS_RESOURCE = 1, RESOURCE_LOGS_SCOPE_LOGS = 2 };
enum { RESOURCE_ATTRIBUTES = 1 };
enum { SCOPE_LOGS_SCOPE = 1, SCOPE_LOGS_RECORDS = 2 };
enum { SCOPE_NAME = 1, SCOPE_VERSION = 2 };
enum {
	RECORD_TIME = 1,
	RECORD_SEVERITY_NUMBER = 2,
	RECORD_SEVERITY_TEXT = 3,
	RECORD_BODY = 5,
	RECORD_ATTRIBUTES = 6,
	RECORD_OBSERVED_TIME = 11,
	RECORD_EVENT_NAME = 12,
};

struct otlp {
	struct http_driver http;
	struct otlp_encoder encoder; /* writes to http.body */
	const char *service;
	const char *output;
	bool structured;
	uint64_t dropped; /* not said yet */
	uint64_t say_at;
};

static const struct setting otlp_settings[] = {
	HTTP_SETTINGS("none|gzip|zstd", "gzip"),
	{"encoding", SETTING_CHOICE, "protobuf", "protobuf|json", 0, 0, "of the requests"},
	{"body", SETTING_CHOICE, "structured", "structured|text", 0, 0,
         "of a record: the event as a structure, or its JSON as one text"},
	{"service", SETTING_STRING, "pytrail", NULL, 0, 0, "resource attribute service.name"},
	{0},
};

static void otlp_close(struct driver *d)
{
	if (d)
		buf__free(&((struct otlp *)d)->encoder.text);
	http_driver__close(d);
}

static int otlp_open(const struct driver_config *cfg, struct driver **out, struct buf *why)
{
	static const struct http_preset preset = {.port = 4318, .token_scheme = "Bearer"};
	const struct settings *s = cfg->settings;
	struct http_driver *d;
	struct otlp *o;
	int err = http_driver__open(&otlp_driver, sizeof(*o), cfg, &preset, &d, why);

	o = (struct otlp *)d;
	if (!err && !(d->url = http__url(d->http, "/v1/logs", NULL)))
		err = -ENOMEM;
	if (err) {
		otlp_close(&d->driver);
		return err;
	}
	o->encoder.json = !strcmp(settings__string(s, "encoding"), "json");
	o->encoder.out = &d->body;
	o->structured = d->is_json && !strcmp(settings__string(s, "body"), "structured");
	o->service = settings__string(s, "service");
	o->output = cfg->output;
	*out = &d->driver;
	return 0;
}

static struct item_text text(const char *s)
{
	return (struct item_text){s, strlen(s)};
}

/* Severity numbers of the log data model: INFO, INFO2, WARN, ERROR, FATAL. */
static unsigned severity_number(unsigned severity)
{
	static const uint8_t numbers[] = {9, 10, 13, 17, 21};

	return numbers[severity__clamp(severity) - 1];
}

/* The event, or what else it is: names are of a class of events. */
static struct item_text event_name(const struct item *it)
{
	switch (it->kind) {
	case ITEM_PROCESS:
		return text("pytrail.process");
	case ITEM_LOST:
		return text("pytrail.lost");
	case ITEM_ALERT:
		return text("pytrail.alert");
	default:
		return it->event.len ? it->event : text("pytrail.audit");
	}
}

static void append_attributes(struct otlp *o, const struct item *it)
{
	/* log.record.uid is of the semantic conventions. */
	const struct {
		const char *key;
		struct item_text value;
	} all[] = {
		{"log.record.uid", it->id},
		{"pytrail.event", it->event},
		{"pytrail.category", it->category},
		{"pytrail.entity_id", it->entity},
	};
	bool first = true;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i].value.len)
			otlp__attribute(&o->encoder, RECORD_ATTRIBUTES, all[i].key, all[i].value,
			                &first);
}

static void append_body(struct otlp *o, const struct item *it)
{
	if (!o->structured || !otlp__structure(&o->encoder, it->body))
		otlp__string(&o->encoder, it->body);
}

static void append_record_json(struct otlp *o, const struct item *it, uint64_t now)
{
	struct buf *out = &o->http.body;
	struct item_text name = event_name(it);

	buf__printf(out,
	            "{\"timeUnixNano\":\"%" PRIu64 "\",\"observedTimeUnixNano\":\"%" PRIu64
	            "\",\"severityNumber\":%u,\"severityText\":\"%s\",\"eventName\":",
	            (uint64_t)it->time_ns, now, severity_number(it->severity),
	            severity__name(it->severity));
	http_json__append_string(out, name.s, name.len);
	buf__lit(out, ",\"body\":");
	append_body(o, it);
	buf__lit(out, ",\"attributes\":[");
	append_attributes(o, it);
	buf__lit(out, "]}");
}

static void append_record_protobuf(struct otlp *o, const struct item *it, uint64_t now)
{
	struct buf *out = &o->http.body, *utf8 = &o->encoder.text;
	const char *severity = severity__name(it->severity);
	struct item_text name = event_name(it);
	size_t record = out->len, body;

	protobuf__put_fixed64(out, RECORD_TIME, (uint64_t)it->time_ns);
	protobuf__put_fixed64(out, RECORD_OBSERVED_TIME, now);
	protobuf__put_varint(out, RECORD_SEVERITY_NUMBER, severity_number(it->severity));
	protobuf__put_bytes(out, RECORD_SEVERITY_TEXT, severity, strlen(severity));
	buf__reset(utf8);
	http_json__append_utf8(utf8, name.s, name.len);
	out->failed = out->failed || utf8->failed;
	protobuf__put_bytes(out, RECORD_EVENT_NAME, utf8->data, utf8->len);
	body = out->len;
	append_body(o, it);
	protobuf__nest(out, RECORD_BODY, body);
	append_attributes(o, it);
	protobuf__nest(out, SCOPE_LOGS_RECORDS, record);
}

static void append_resource(struct otlp *o)
{
	bool first = true;

	otlp__attribute(&o->encoder, RESOURCE_ATTRIBUTES, "service.name", text(o->service), &first);
	otlp__attribute(&o->encoder, RESOURCE_ATTRIBUTES, "service.version", text(o->http.version),
	                &first);
	otlp__attribute(&o->encoder, RESOURCE_ATTRIBUTES, "host.name", text(o->http.host), &first);
	otlp__attribute(&o->encoder, RESOURCE_ATTRIBUTES, "os.type", text("linux"), &first);
	otlp__attribute(&o->encoder, RESOURCE_ATTRIBUTES, "pytrail.boot_id", text(o->http.boot_id),
	                &first);
}

static void build_json(struct otlp *o, const struct item *items, size_t cnt, uint64_t now)
{
	struct buf *out = &o->http.body;

	buf__lit(out, "{\"resourceLogs\":[{\"resource\":{\"attributes\":[");
	append_resource(o);
	buf__lit(out, "]},\"scopeLogs\":[{\"scope\":{\"name\":\"pytrail\",\"version\":");
	http_json__append_string(out, o->http.version, strlen(o->http.version));
	buf__lit(out, "},\"logRecords\":[");
	for (size_t i = 0; i < cnt; i++) {
		if (i)
			buf__char(out, ',');
		append_record_json(o, &items[i], now);
	}
	buf__lit(out, "]}]}]}");
}

static void build_protobuf(struct otlp *o, const struct item *items, size_t cnt, uint64_t now)
{
	struct buf *out = &o->http.body;
	size_t scope_logs, scope;

	append_resource(o);
	protobuf__nest(out, RESOURCE_LOGS_RESOURCE, 0);
	scope_logs = scope = out->len;
	protobuf__put_bytes(out, SCOPE_NAME, "pytrail", strlen("pytrail"));
	protobuf__put_bytes(out, SCOPE_VERSION, o->http.version, strlen(o->http.version));
	protobuf__nest(out, SCOPE_LOGS_SCOPE, scope);
	for (size_t i = 0; i < cnt; i++)
		append_record_protobuf(o, &items[i], now);
	protobuf__nest(out, RESOURCE_LOGS_SCOPE_LOGS, scope_logs);
	protobuf__nest(out, REQUEST_RESOURCE_LOGS, 0);
}

/* Not each time: a receiver that drops may do so in each batch. */
static void say_dropped(struct otlp *o, const struct delivery *d)
{
	uint64_t now = clock__monotonic();

	o->dropped += d->dropped;
	if (!o->dropped || now < o->say_at)
		return;
	log__warn("output '%s': %" PRIu64
	          " records dropped for good by the receiver; the last time: %s",
	          o->output, o->dropped, d->reason);
	o->dropped = 0;
	o->say_at = now + SAY_EVERY_NS;
}

static void otlp_send(struct driver *d, const struct item *items, size_t cnt, struct delivery *out)
{
	struct otlp *o = (struct otlp *)d;
	bool json = o->encoder.json;
	const struct http_answer *a;

	buf__reset(&o->http.body);
	(json ? build_json : build_protobuf)(o, items, cnt, clock__realtime());
	a = http__post(o->http.http,
	               &(struct http_request){
			       .url = o->http.url,
			       .content_type = json ? "application/json" : "application/x-protobuf",
			       .body = &o->http.body,
			       .answer_max = ANSWER_MAX,
		       });
	http__deliver(a, out);
	json = !strncmp(a->content_type, "application/json", 16) || (json && !*a->content_type);
	if (a->status != DELIVERY_OK)
		http_otlp__refusal(a->body, a->len, json, out);
	else
		http_otlp__answer(a->body, a->len, json, cnt, out);
	say_dropped(o, out);
}

static const char *const otlp_schemes[] = {"otlp+https", "otlp+http", NULL};

const struct driver_ops otlp_driver = {
	.name = "otlp",
	.summary = "OpenTelemetry collectors and backends, logs by OTLP/HTTP",
	.schemes = otlp_schemes,
	.default_format = "json",
	.settings = otlp_settings,
	.batch_items = 2000,
	.batch_bytes = 4u << 20,
	.open = otlp_open,
	.send = otlp_send,
	.interrupt = http_driver__interrupt,
	.close = otlp_close,
};
