// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Any receiver that takes events by POST, a line each or as one array: collectors of vendors,
 * Vector, Fluent Bit. */
#include <errno.h>
#include <string.h>

#include "delivery.h"
#include "drivers.h"
#include "http_driver.h"
#include "http_json.h"

#define ANSWER_MAX 4096 /* the status says it all; the beginning of a text goes into the reason */

struct webhook {
	struct http_driver http;
	const char *method, *content_type;
	bool array;
};

static const struct setting webhook_settings[] = {
	HTTP_SETTINGS("none|gzip|zstd", "none"),
	{"body", SETTING_CHOICE, "lines", "lines|array", 0, 0,
         "an event a line (NDJSON, or plain text), or a JSON array of events"},
	{"method", SETTING_CHOICE, "POST", "POST|PUT", 0, 0, "of requests"},
	{"content_type", SETTING_STRING, NULL, NULL, 0, 0,
         "of requests, in place of application/x-ndjson, application/json or text/plain"},
	{"query", SETTING_STRING, NULL, NULL, 0, 0, "put behind the URL and a '?'"},
	{"secret_path", SETTING_SECRET, NULL, NULL, 0, 0,
         "what follows the URL's path, where it has a token in it: '/receiver/v1/TOKEN?x=y'"},
	{0},
};

static bool is_visible(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s <= 0x20 || (unsigned char)*s >= 0x7f)
			return false;
	return true;
}

static int make_url(struct webhook *w, const struct settings *s, struct buf *why)
{
	const char *query = settings__string(s, "query");
	size_t len = 0;
	const char *path = settings__secret(s, "secret_path", &len);

	if ((query && (!is_visible(query) || strchr(query, '#')))) {
		buf__printf(why, "'query' takes a query as it is in a URL, escaped, not '%s'", query);
		return -EINVAL;
	}
	if (path && (*path != '/' || strlen(path) != len || !is_visible(path) || strchr(path, '#'))) {
		buf__str(why,
		         "the file of 'secret_path' must hold one line, '/' and what follows it "
		         "in the URL");
		return -EINVAL;
	}
	if (path && query && strchr(path, '?')) {
		buf__str(why, "'query' is given, but 'secret_path' has a query already");
		return -EINVAL;
	}
	w->http.url = http__url(w->http.http, path ? path : "", query);
	return w->http.url ? 0 : -ENOMEM;
}

static int webhook_open(const struct driver_config *cfg, struct driver **out, struct buf *why)
{
	static const struct http_preset preset = {.token_scheme = "Bearer"};
	const char *type = settings__string(cfg->settings, "content_type");
	struct http_driver *d;
	struct webhook *w;
	int err = http_driver__open(&webhook_driver, sizeof(*w), cfg, &preset, &d, why);

	w = (struct webhook *)d;
	if (!err)
		err = make_url(w, cfg->settings, why);
	if (!err && type && (!*type || strlen(type) > 100 || strpbrk(type, "\r\n"))) {
		buf__str(why, "'content_type' takes a type such as application/json");
		err = -EINVAL;
	}
	if (err) {
		http_driver__close(&d->driver);
		return err;
	}
	w->method = settings__string(cfg->settings, "method");
	w->array = !strcmp(settings__string(cfg->settings, "body"), "array");
	w->content_type = type         ? type
	                  : w->array   ? "application/json"
	                  : d->is_json ? "application/x-ndjson"
	                               : "text/plain; charset=utf-8";
	*out = &d->driver;
	return 0;
}

static size_t build(struct webhook *w, const struct item *items, size_t cnt, uint8_t *marks)
{
	struct buf *body = &w->http.body;
	size_t sent = 0;

	buf__reset(body);
	for (size_t i = 0; i < cnt; i++) {
		if (!http_driver__takes(&w->http, &items[i], &marks[i]))
			continue;
		if (w->array) {
			buf__char(body, sent ? ',' : '[');
			http_driver__append_value(&w->http, &items[i], body);
		} else {
			buf__append(body, items[i].body.s, items[i].body.len);
			buf__char(body, '\n');
		}
		sent++;
	}
	if (w->array)
		buf__char(body, ']');
	return sent;
}

static void webhook_send(struct driver *d, const struct item *items, size_t cnt, struct delivery *out)
{
	struct webhook *w = (struct webhook *)d;
	size_t sent = build(w, items, cnt, out->items);
	const struct http_answer *a;

	if (!http_driver__has_some(sent, out))
		return;
	a = http__post(w->http.http, &(struct http_request){
					     .url = w->http.url,
					     .method = w->method,
					     .content_type = w->content_type,
					     .body = &w->http.body,
					     .answer_max = ANSWER_MAX,
				     });
	http__deliver(a, out);
	/* What more it has to say beyond what is read does not undo the status. */
	if (a->cut && a->code >= 200 && a->code < 300)
		out->status = DELIVERY_OK;
	http_driver__keep_rejected(sent, cnt, out);
}

static const char *const webhook_schemes[] = {"webhook+https", "webhook+http", "https", "http", NULL};

const struct driver_ops webhook_driver = {
	.name = "webhook",
	.summary = "any HTTP receiver, events as lines or as a JSON array",
	.schemes = webhook_schemes,
	.default_format = "json",
	.settings = webhook_settings,
	.batch_items = 1000,
	.batch_bytes = 1u << 20,
	.open = webhook_open,
	.send = webhook_send,
	.interrupt = http_driver__interrupt,
	.close = http_driver__close,
};
