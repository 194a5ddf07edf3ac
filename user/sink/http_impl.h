/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the files of the HTTP core share. */
#ifndef PYTRAIL_HTTP_IMPL_H
#define PYTRAIL_HTTP_IMPL_H

#include <stdatomic.h>

#include "http.h"
#include "http_curl.h"

enum http_coding { HTTP_CODING_NONE, HTTP_CODING_GZIP, HTTP_CODING_ZSTD };

struct http_coder;

struct http {
	CURL *easy;
	CURLM *multi;
	atomic_bool interrupted;
	bool tls;
	/* The URL in parts. */
	char *origin;   /* "https://host:9200" */
	char *path;     /* "/prefix", without a slash at its end; or "" */
	char **headers; /* of each request */
	size_t headers_cnt;
	struct curl_slist *connect_to;
	struct http_coder *coder;
	const struct settings *settings;
	struct buf body; /* of the answer */
	size_t body_max;
	bool body_cut;
	char error[CURL_ERROR_SIZE];
	struct http_answer answer;
};

/* http_url.c: origin, path, Host header for tls_name. 0 or -errno with `why`. */
int http_url__parse(struct http *h, const struct driver_config *cfg, unsigned port, struct buf *why);
/* That a proxy's URL is one. */
int http_url__check_proxy(const char *url, bool *tls, struct buf *why);

/* http_headers.c: a whole line "Name: value". May be ours: Content-Type and the like are refused
 * else. */
int http_headers__add_line(struct http *h, const char *line, const char *setting, bool secret,
                           struct buf *why);
/* From the settings header, secret_headers, user, password, token. */
int http_headers__from_settings(struct http *h, const struct http_preset *preset, struct buf *why);
void http_headers__free(struct http *h);

/* http_status.c: fills in status and reason of an answer from code, or from libcurl's error. */
void http_status__judge(struct http *h, CURLcode err, long connect_code);

/* http_coding.c */
int http_coder__new(const char *name, struct http_coder **out, struct buf *why);
void http_coder__free(struct http_coder *c);
/* Content-Encoding, NULL: none. */
const char *http_coder__name(const struct http_coder *c);
/* The body to send, valid until the next call. NULL: no memory. */
const struct buf *http_coder__encode(struct http_coder *c, const struct buf *in);

#endif
