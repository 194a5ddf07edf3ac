// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Splunk's HTTP Event Collector. Its status 200 says that a batch is in a queue, not that it is
 * indexed: a Splunk that restarts loses it. Where the token has indexer acknowledgement on, the
 * answer has an ackId, and a batch is delivered when /services/collector/ack says so; that takes
 * seconds, so batches are large.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../util/clock.h"
#include "delivery.h"
#include "drivers.h"
#include "http_answers.h"
#include "http_driver.h"
#include "http_json.h"
#include "severity.h"

#define ANSWER_MAX     4096
#define POLL_FIRST     0.1 /* seconds until the first question, doubled each time */
#define POLL_MAX       5.0
#define EVENT_PATH     "/services/collector/event"
#define ACK_PATH       "/services/collector/ack"
#define CHANNEL_HEADER "X-Splunk-Request-Channel"

enum ack_mode { ACK_AUTO, ACK_ON, ACK_OFF };

struct splunk {
	struct http_driver http;
	char *ack_url;
	enum ack_mode ack;
	double ack_timeout;
	struct buf common; /* `"host":…,"source":…,"sourcetype":…,"index":…,` */
	struct buf question;
};

static const struct setting splunk_settings[] = {
	HTTP_SETTINGS("none|gzip", "gzip"),
	{"index", SETTING_STRING, NULL, NULL, 0, 0, "index, in place of the token's default"},
	{"source", SETTING_STRING, "pytrail", NULL, 0, 0, "source of the events"},
	{"sourcetype", SETTING_STRING, NULL, NULL, 0, 0,
         "source type, in place of pytrail: and the format's name"},
	{"ack", SETTING_CHOICE, "auto", "auto|on|off", 0, 0,
         "wait until events are indexed: auto where the token's answers have an ackId, on: hold "
         "the output where they have none"},
	{"ack_timeout", SETTING_SECONDS, "2m", NULL, 1, 3600,
         "for the acknowledgement, before the batch is sent again"},
	{0},
};

/* RFC 9562 §5.4: a random UUID. One for each start: acknowledgements belong to a channel. */
static int make_channel(char out[37])
{
	uint8_t r[16];

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		return -EIO;
	r[6] = (r[6] & 0x0f) | 0x40;
	r[8] = (r[8] & 0x3f) | 0x80;
	for (size_t i = 0; i < sizeof(r); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = "0123456789abcdef"[r[i] >> 4];
		*out++ = "0123456789abcdef"[r[i] & 15];
	}
	*out = '\0';
	return 0;
}

static void append_member(struct buf *out, const char *name, const char *value)
{
	buf__printf(out, "\"%s\":", name);
	http_json__append_string(out, value, strlen(value));
	buf__char(out, ',');
}

static int make_common(struct splunk *s, const struct driver_config *cfg)
{
	const char *type = settings__string(cfg->settings, "sourcetype");
	const char *index = settings__string(cfg->settings, "index");
	struct buf name = BUF_INIT;

	buf__printf(&name, "pytrail:%.*s", (int)strcspn(cfg->format, "+"), cfg->format);
	buf__char(&name, '\0');
	append_member(&s->common, "host", cfg->host);
	append_member(&s->common, "source", settings__string(cfg->settings, "source"));
	if (!name.failed)
		append_member(&s->common, "sourcetype", type ? type : name.data);
	if (index)
		append_member(&s->common, "index", index);
	buf__free(&name);
	return s->common.failed ? -ENOMEM : 0;
}

static int make_urls(struct splunk *s)
{
	char *base = http__url(s->http.http, "", NULL), *tail;
	struct buf ack = BUF_INIT;

	if (!base)
		return -ENOMEM;
	/* The URL may have the endpoint's own path, whole or in its short form. */
	for (const char *const *p = (const char *const[]){"/event", "/services/collector", NULL};
	     *p; p++) {
		tail = strlen(base) > strlen(*p) ? base + strlen(base) - strlen(*p) : base;
		if (!strcmp(tail, *p))
			*tail = '\0';
	}
	buf__printf(&ack, "%s" EVENT_PATH, base);
	buf__char(&ack, '\0');
	s->http.url = ack.failed ? NULL : ack.data;
	ack = BUF_INIT;
	buf__printf(&ack, "%s" ACK_PATH, base);
	buf__char(&ack, '\0');
	s->ack_url = ack.failed ? NULL : ack.data;
	free(base);
	return s->http.url && s->ack_url ? 0 : -ENOMEM;
}

static int add_channel(struct splunk *s, struct buf *why)
{
	char channel[37];
	int err = make_channel(channel);

	if (err) {
		buf__str(why, "no random numbers for the channel");
		return err;
	}
	return http__add_header(s->http.http, CHANNEL_HEADER, channel, why);
}

static void splunk_close(struct driver *d)
{
	struct splunk *s = (struct splunk *)d;

	if (!s)
		return;
	free(s->ack_url);
	buf__free(&s->common);
	buf__free(&s->question);
	http_driver__close(d);
}

static int splunk_open(const struct driver_config *cfg, struct driver **out, struct buf *why)
{
	static const struct http_preset preset = {.port = 8088, .token_scheme = "Splunk"};
	const char *ack = settings__string(cfg->settings, "ack");
	struct http_driver *d;
	struct splunk *s;
	int err;

	if (!settings__given(cfg->settings, "token") &&
	    !settings__given(cfg->settings, "secret_headers") &&
	    !settings__given(cfg->settings, "password")) {
		buf__str(why, "'token' is not given: HEC takes events with a token only");
		return -EINVAL;
	}
	err = http_driver__open(&splunk_driver, sizeof(*s), cfg, &preset, &d, why);
	s = (struct splunk *)d;
	if (!err) {
		s->ack = !strcmp(ack, "on") ? ACK_ON : !strcmp(ack, "off") ? ACK_OFF : ACK_AUTO;
		s->ack_timeout = settings__seconds(cfg->settings, "ack_timeout");
		err = make_common(s, cfg);
	}
	if (!err)
		err = make_urls(s);
	if (!err && s->ack != ACK_OFF)
		err = add_channel(s, why);
	if (err) {
		splunk_close(&d->driver);
		return err;
	}
	*out = &d->driver;
	return 0;
}

/* HEC's own codes, of Splunk's "Troubleshoot HTTP Event Collector". Those that are not here are as
 * the HTTP status has it. */
static enum delivery_status of_code(long long code, enum delivery_status fallback)
{
	switch (code) {
	case 1:  /* token disabled */
	case 2:  /* token required */
	case 3:  /* invalid authorization */
	case 4:  /* invalid token */
	case 7:  /* incorrect index: not one of the token's */
	case 10: /* data channel is missing */
	case 11: /* invalid data channel */
	case 14: /* acknowledgements are off */
	case 16: /* token in the query is not allowed */
		return DELIVERY_DENIED;
	case 5:  /* no data */
	case 6:  /* invalid data format */
	case 12: /* event field is required */
	case 13: /* event field cannot be blank */
	case 15: /* error in handling indexed fields */
		return DELIVERY_REJECTED;
	case 8:  /* internal error */
	case 9:  /* server is busy */
	case 18: /* unhealthy, queues are full, or shutting down */
	case 19:
	case 20:
	case 23:
	case 26:
	case 27:
		return DELIVERY_RETRY;
	default:
		return fallback;
	}
}

bool http_splunk__answer(const char *body, size_t len, struct delivery *out, int64_t *ack)
{
	json_t *root = http_json__parse(body, len);
	long long code = http_json__integer(root, "code");
	const char *text = http_json__string(root, "text");

	*ack = http_json__integer(root, "ackId");
	if (out->status == DELIVERY_OK && code != 0)
		delivery__set(out, of_code(code, DELIVERY_RETRY), "%s%s",
		              *text ? "HEC: " : "the answer is not one of HEC", text);
	else if (out->status != DELIVERY_OK && *text)
		delivery__set(out, of_code(code, out->status), "HEC: %s", text);
	json_decref(root);
	return out->status == DELIVERY_OK;
}

bool http_splunk__is_acked(const char *body, size_t len, int64_t ack)
{
	json_t *root = http_json__parse(body, len);
	bool acked;
	char name[24];

	snprintf(name, sizeof(name), "%" PRId64, ack);
	acked = json_is_true(json_object_get(json_object_get(root, "acks"), name));
	json_decref(root);
	return acked;
}

/* Asks once. True: that is all to be had, *out says it. */
static bool ask(struct splunk *s, int64_t ack, struct delivery *out)
{
	const struct http_answer *a;
	struct delivery said = {0};
	int64_t none;

	buf__reset(&s->question);
	buf__printf(&s->question, "{\"acks\":[%" PRId64 "]}", ack);
	a = http__post(s->http.http, &(struct http_request){
					     .url = s->ack_url,
					     .content_type = "application/json",
					     .body = &s->question,
					     .plain = true,
					     .answer_max = ANSWER_MAX,
				     });
	http__deliver(a, &said);
	out->bytes_sent += said.bytes_sent;
	if (a->status == DELIVERY_OK)
		return http_splunk__is_acked(a->body, a->len, ack);
	http_splunk__answer(a->body, a->len, &said, &none);
	if (said.status == DELIVERY_RETRY)
		return false;
	/* The events are not refused, the question is. */
	out->code = said.code;
	delivery__set(out, DELIVERY_DENIED, "acknowledgements cannot be had: %.200s", said.reason);
	return true;
}

static void wait_for_ack(struct splunk *s, int64_t ack, struct delivery *out)
{
	uint64_t end = clock__monotonic() + (uint64_t)(s->ack_timeout * 1e9);
	double pause = POLL_FIRST;

	while (http__wait(s->http.http, pause)) {
		if (ask(s, ack, out))
			return;
		pause = pause * 2 < POLL_MAX ? pause * 2 : POLL_MAX;
		if (clock__monotonic() >= end) {
			delivery__set(out, DELIVERY_RETRY,
			              "accepted, but not acknowledged as indexed within %g s",
			              s->ack_timeout);
			return;
		}
	}
	delivery__set(out, DELIVERY_RETRY, "interrupted");
}

static void append_event(struct splunk *s, const struct item *it)
{
	struct buf *body = &s->http.body;
	int64_t us = it->time_ns / 1000;

	/* Splunk keeps microseconds. */
	buf__printf(body, "{\"time\":%" PRId64 ".%06" PRId64 ",", us / 1000000,
	            us < 0 ? 0 : us % 1000000);
	buf__append(body, s->common.data, s->common.len);
	buf__printf(body, "\"fields\":{\"severity\":\"%s\"", severity__name(it->severity));
	if (it->id.len) {
		buf__lit(body, ",\"id\":");
		http_json__append_string(body, it->id.s, it->id.len);
	}
	if (it->category.len) {
		buf__lit(body, ",\"category\":");
		http_json__append_string(body, it->category.s, it->category.len);
	}
	buf__lit(body, "},\"event\":");
	http_driver__append_value(&s->http, it, body);
	buf__char(body, '}');
}

static size_t build(struct splunk *s, const struct item *items, size_t cnt, uint8_t *marks)
{
	size_t sent = 0;

	buf__reset(&s->http.body);
	for (size_t i = 0; i < cnt; i++)
		if (http_driver__takes(&s->http, &items[i], &marks[i])) {
			append_event(s, &items[i]);
			sent++;
		}
	return sent;
}

static void splunk_send(struct driver *d, const struct item *items, size_t cnt, struct delivery *out)
{
	struct splunk *s = (struct splunk *)d;
	size_t sent = build(s, items, cnt, out->items);
	const struct http_answer *a;
	int64_t ack;

	if (!http_driver__has_some(sent, out))
		return;
	a = http__post(s->http.http, &(struct http_request){
					     .url = s->http.url,
					     .content_type = "application/json",
					     .body = &s->http.body,
					     .answer_max = ANSWER_MAX,
				     });
	http__deliver(a, out);
	if (http_splunk__answer(a->body, a->len, out, &ack) && s->ack != ACK_OFF) {
		if (ack >= 0)
			wait_for_ack(s, ack, out);
		else if (s->ack == ACK_ON)
			delivery__set(out, DELIVERY_DENIED,
			              "the token has no indexer acknowledgement: turn it on in "
			              "Splunk, or set 'ack' to auto");
	}
	http_driver__keep_rejected(sent, cnt, out);
}

static const char *const splunk_schemes[] = {"splunk+https", "splunk+http", NULL};

const struct driver_ops splunk_driver = {
	.name = "splunk",
	.summary = "Splunk, by the HTTP Event Collector",
	.schemes = splunk_schemes,
	.default_format = "json",
	.settings = splunk_settings,
	.batch_items = 5000,
	.batch_bytes = 5u << 20,
	.open = splunk_open,
	.send = splunk_send,
	.interrupt = http_driver__interrupt,
	.close = splunk_close,
};
