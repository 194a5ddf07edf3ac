// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Grafana Loki's push API, as JSON. Few labels, each with few values: a stream for every process
 * would ruin a Loki. What else receivers filter by is structured metadata (Loki 2.9 and later, from
 * 3.0 on by default). Entries go in as they come; Loki takes those that are out of order within its
 * own window.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delivery.h"
#include "drivers.h"
#include "http_answers.h"
#include "http_driver.h"
#include "http_json.h"
#include "severity.h"

#define ANSWER_MAX  4096
#define STREAMS_MAX 256 /* in a batch: categories are few, times five severities */

struct stream {
	struct item_text category;
	uint8_t severity;
};

struct loki {
	struct http_driver http;
	struct buf labels; /* those of every stream: `"job":"pytrail","host":"…"` */
	bool metadata;
	struct stream streams[STREAMS_MAX];
	size_t streams_cnt;
	uint16_t *stream_of; /* of each item */
	size_t stream_of_cap;
};

static const struct setting loki_settings[] = {
	HTTP_SETTINGS("none|gzip", "gzip"),
	{"job", SETTING_STRING, "pytrail", NULL, 0, 0, "value of the label job"},
	{"label", SETTING_LIST, NULL, NULL, 0, 0,
         "'name=value', one more label for all events; may be given again"},
	{"tenant", SETTING_STRING, NULL, NULL, 0, 0, "X-Scope-OrgID, where Loki has many tenants"},
	{"metadata", SETTING_BOOL, "yes", NULL, 0, 0,
         "send id, event and entity as structured metadata; no: for a Loki that refuses it"},
	{0},
};

/* Prometheus's data model: label names; ours may not be set twice. */
static bool is_label_name(const char *s, size_t len)
{
	static const char *const ours[] = {"job", "host", "category", "severity"};

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (strlen(ours[i]) == len && !strncmp(ours[i], s, len))
			return false;
	for (size_t i = 0; i < len; i++)
		if (!(s[i] == '_' || (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') ||
		      (i && s[i] >= '0' && s[i] <= '9')))
			return false;
	return len;
}

static int make_labels(struct loki *l, const struct settings *s, struct buf *why)
{
	const char *job = settings__string(s, "job");
	const char *const *more;
	size_t cnt = settings__list(s, "label", &more);

	buf__lit(&l->labels, "\"job\":");
	http_json__append_string(&l->labels, job, strlen(job));
	buf__lit(&l->labels, ",\"host\":");
	http_json__append_string(&l->labels, l->http.host, strlen(l->http.host));
	for (size_t i = 0; i < cnt; i++) {
		const char *equals = strchr(more[i], '=');

		if (!equals || !is_label_name(more[i], (size_t)(equals - more[i])) || !equals[1]) {
			buf__printf(why,
			            "'label' takes name=value, the name of letters, digits and _ "
			            "and not one of job, host, category, severity, not '%s'",
			            more[i]);
			return -EINVAL;
		}
		buf__char(&l->labels, ',');
		http_json__append_string(&l->labels, more[i], (size_t)(equals - more[i]));
		buf__char(&l->labels, ':');
		http_json__append_string(&l->labels, equals + 1, strlen(equals + 1));
	}
	return l->labels.failed ? -ENOMEM : 0;
}

static void loki_close(struct driver *d)
{
	struct loki *l = (struct loki *)d;

	if (!l)
		return;
	buf__free(&l->labels);
	free(l->stream_of);
	http_driver__close(d);
}

static int loki_open(const struct driver_config *cfg, struct driver **out, struct buf *why)
{
	static const struct http_preset preset = {.port = 3100, .token_scheme = "Bearer"};
	const char *tenant = settings__string(cfg->settings, "tenant");
	struct http_driver *d;
	struct loki *l;
	int err = http_driver__open(&loki_driver, sizeof(*l), cfg, &preset, &d, why);

	l = (struct loki *)d;
	if (!err)
		err = make_labels(l, cfg->settings, why);
	if (!err && tenant)
		err = http__add_header(d->http, "X-Scope-OrgID", tenant, why);
	if (!err && !(d->url = http__url(d->http, "/loki/api/v1/push", NULL)))
		err = -ENOMEM;
	if (err) {
		loki_close(&d->driver);
		return err;
	}
	l->metadata = settings__bool(cfg->settings, "metadata");
	*out = &d->driver;
	return 0;
}

static size_t find_stream(struct loki *l, struct item_text category, uint8_t severity)
{
	size_t i;

	for (i = 0; i < l->streams_cnt; i++) {
		const struct stream *s = &l->streams[i];

		if (s->severity == severity && s->category.len == category.len &&
		    !memcmp(s->category.s, category.s, category.len))
			return i;
	}
	l->streams[i] = (struct stream){category, severity};
	return l->streams_cnt++;
}

/* The item's stream, made when it is new. The label is left out when there are more than there can
 * be. */
static size_t stream_of(struct loki *l, const struct item *it)
{
	bool full = l->streams_cnt >= STREAMS_MAX - SEVERITY_MAX;

	return find_stream(l, full ? (struct item_text){"", 0} : it->category,
	                   severity__clamp(it->severity));
}

static void append_metadata(struct buf *body, const char *name, struct item_text value, bool *first)
{
	if (!value.len)
		return;
	buf__str(body, *first ? ",{\"" : ",\"");
	buf__str(body, name);
	buf__lit(body, "\":");
	http_json__append_string(body, value.s, value.len);
	*first = false;
}

static void append_entry(struct loki *l, const struct item *it)
{
	struct buf *body = &l->http.body;
	bool first = true;

	buf__lit(body, "[\"");
	buf__i64(body, it->time_ns);
	buf__lit(body, "\",");
	http_json__append_string(body, it->body.s, it->body.len);
	if (l->metadata) {
		append_metadata(body, "id", it->id, &first);
		append_metadata(body, "event", it->event, &first);
		append_metadata(body, "entity", it->entity, &first);
		if (!first)
			buf__char(body, '}');
	}
	buf__char(body, ']');
}

static void append_stream(struct loki *l, size_t stream, const struct item *items, size_t cnt)
{
	struct item_text category = l->streams[stream].category;
	struct buf *body = &l->http.body;
	bool first = true;

	buf__lit(body, "{\"stream\":{");
	buf__append(body, l->labels.data, l->labels.len);
	if (category.len) {
		buf__lit(body, ",\"category\":");
		http_json__append_string(body, category.s, category.len);
	}
	buf__printf(body, ",\"severity\":\"%s\"},\"values\":[",
	            severity__name(l->streams[stream].severity));
	for (size_t i = 0; i < cnt; i++) {
		if (l->stream_of[i] != stream)
			continue;
		if (!first)
			buf__char(body, ',');
		first = false;
		append_entry(l, &items[i]);
	}
	buf__lit(body, "]}");
}

static bool build(struct loki *l, const struct item *items, size_t cnt)
{
	struct buf *body = &l->http.body;

	if (cnt > l->stream_of_cap) {
		uint16_t *more = reallocarray(l->stream_of, cnt, sizeof(*more));

		if (!more)
			return false;
		l->stream_of = more;
		l->stream_of_cap = cnt;
	}
	l->streams_cnt = 0;
	for (size_t i = 0; i < cnt; i++)
		l->stream_of[i] = (uint16_t)stream_of(l, &items[i]);
	buf__reset(body);
	buf__lit(body, "{\"streams\":[");
	for (size_t i = 0; i < l->streams_cnt; i++) {
		if (i)
			buf__char(body, ',');
		append_stream(l, i, items, cnt);
	}
	buf__lit(body, "]}");
	return true;
}

void http_loki__refusal(const char *body, size_t len, struct delivery *out)
{
	static const char setting[] = "allow_structured_metadata";

	/* 400 is for entries, too old ones say, but for this one, which all would meet. */
	if (out->code == 400 && memmem(body, len, setting, strlen(setting)))
		delivery__set(out, DELIVERY_DENIED,
		              "this Loki takes no structured metadata: set 'metadata' to no, or %s "
		              "there",
		              setting);
}

static void loki_send(struct driver *d, const struct item *items, size_t cnt, struct delivery *out)
{
	struct loki *l = (struct loki *)d;
	const struct http_answer *a;

	if (!build(l, items, cnt)) {
		delivery__set(out, DELIVERY_RETRY, "out of memory");
		return;
	}
	a = http__post(l->http.http, &(struct http_request){
					     .url = l->http.url,
					     .content_type = "application/json",
					     .body = &l->http.body,
					     .answer_max = ANSWER_MAX,
				     });
	http__deliver(a, out);
	if (a->status != DELIVERY_OK)
		http_loki__refusal(a->body, a->len, out);
}

static const char *const loki_schemes[] = {"loki+https", "loki+http", NULL};

const struct driver_ops loki_driver = {
	.name = "loki",
	.summary = "Grafana Loki, by its push API",
	.schemes = loki_schemes,
	.default_format = "json",
	.settings = loki_settings,
	.batch_items = 1000,
	.batch_bytes = 1u << 20,
	.open = loki_open,
	.send = loki_send,
	.interrupt = http_driver__interrupt,
	.close = loki_close,
};
