/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the drivers that speak HTTP share: one libcurl session an output, with a connection that is
 * kept, TLS, proxy, credentials, compression, and limits on what a hostile receiver can do with an
 * answer. A driver builds a body, posts it, and reads what its protocol says in the answer.
 *
 * No redirect is followed, no cookie kept, and no proxy is taken from the environment: the
 * configuration says where events go. Only http and https are spoken, HTTP/1.1, TLS 1.2 or later.
 */
#ifndef PYTRAIL_HTTP_H
#define PYTRAIL_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "driver.h"
#include "../util/buf.h"

struct http;

/* Rows for the table of each such driver: driver_ops has one table. Codings that its receivers
 * take. */
#define HTTP_SETTINGS(codings, coding)                                                                       \
	{"compression", SETTING_CHOICE, coding, codings, 0, 0, "of the bodies of requests"},                 \
		{"header",                                                                                   \
	         SETTING_LIST,                                                                               \
	         NULL,                                                                                       \
	         NULL,                                                                                       \
	         0,                                                                                          \
	         0,                                                                                          \
	         "'Name: value', sent with each request; may be given again"},                               \
		{"secret_headers",                                                                           \
	         SETTING_SECRET,                                                                             \
	         NULL,                                                                                       \
	         NULL,                                                                                       \
	         0,                                                                                          \
	         0,                                                                                          \
	         "more headers, one a line, that nobody may read: an API key"},                              \
		{"user", SETTING_STRING, NULL, NULL, 0, 0, "name for basic authentication"},                 \
		{"password", SETTING_SECRET, NULL, NULL, 0, 0, "its password"},                              \
		{"token", SETTING_SECRET, NULL, NULL, 0, 0, "token that shows who we are"},                  \
		{"proxy",                                                                                    \
	         SETTING_STRING,                                                                             \
	         NULL,                                                                                       \
	         NULL,                                                                                       \
	         0,                                                                                          \
	         0,                                                                                          \
	         "http://, https:// or socks5h:// and a host; proxies of the environment are not "           \
	         "used"},                                                                                    \
		{"proxy_user", SETTING_STRING, NULL, NULL, 0, 0, "name for the proxy"},                      \
		{"proxy_password", SETTING_SECRET, NULL, NULL, 0, 0, "its password"},                        \
	{                                                                                                    \
		"proxy_tls_ca", SETTING_PATH, NULL, NULL, 0,                                                 \
			0, "certificates that an https proxy's is checked against, in place of the system's" \
	}

/* What differs between the receivers. */
struct http_preset {
	unsigned port;            /* of a URL that names none; 0: the scheme's own */
	const char *token_scheme; /* before a token in the Authorization header: "Bearer" */
};

struct http_request {
	const char *url;    /* http__url() */
	const char *method; /* NULL: POST */
	const char *content_type;
	const char *header;     /* one more "Name: value", or NULL */
	const struct buf *body; /* sent compressed as the settings say */
	bool plain;             /* not compressed */
	size_t answer_max;      /* bytes of the answer's body that are taken */
};

/* What came back. */
struct http_answer {
	enum delivery_status status; /* as HTTP and libcurl have it; a protocol may know better */
	int code;                    /* HTTP's; 0: none came */
	bool complete;               /* the answer's body is all there */
	bool cut;                    /* it was longer than answer_max */
	double retry_after;          /* seconds, 0: did not say; at most HTTP_RETRY_AFTER_MAX */
	const char *body;            /* not terminated */
	size_t len;
	char content_type[64];
	char reason[256]; /* why not, where status is not DELIVERY_OK: any bytes */
	size_t bytes_sent;
};

#define HTTP_RETRY_AFTER_MAX 3600

/*
 * Checks the URL and the settings of HTTP_SETTINGS and driver_settings and loads libcurl. 0 or
 * -errno with a sentence in `why`.
 */
int http__open(const struct driver_config *cfg, const struct http_preset *preset, struct http **out,
               struct buf *why);
void http__close(struct http *h); /* NULL is fine */

/* A header of every request from now on, checked as those of the settings. 0 or -errno with
 * `why`. */
int http__add_header(struct http *h, const char *name, const char *value, struct buf *why);

/* "Authorization: SCHEME secret" from a setting, where it is given. 0 or -errno with `why`. */
int http__add_authorization(struct http *h, const char *scheme, const char *setting, struct buf *why);

/*
 * The URL with `path` behind its own, unless that ends with `path` already, and the query, which
 * may be NULL, both escaped by the caller. To be freed; NULL: no memory.
 */
char *http__url(const struct http *h, const char *path, const char *query);

/* Appends a text to be part of a query or path. */
void http__escape(struct buf *out, const char *text);

/* Sends and waits. The answer is the session's, until the next request. Any thread, one at a
 * time. */
const struct http_answer *http__post(struct http *h, const struct http_request *rq);

/* Sleeps. False: interrupted, before or meanwhile. */
bool http__wait(struct http *h, double seconds);

/* From any thread: what http__post() and http__wait() do ends soon, and each later one at once. */
void http__interrupt(struct http *h);

/* What the answer as a whole means for the batch. */
void http__deliver(const struct http_answer *a, struct delivery *out);

#endif
