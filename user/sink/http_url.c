// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* URLs of receivers and proxies: "elasticsearch+https://host:9200/prefix" is https behind the
 * "+". */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http_impl.h"

/* The parts of a URL, each libcurl's memory, NULL when it is not there. */
struct parts {
	char *scheme, *host, *port, *path;
};

static void parts__free(struct parts *p)
{
	curl.curl_free(p->scheme);
	curl.curl_free(p->host);
	curl.curl_free(p->port);
	curl.curl_free(p->path);
}

static bool has(CURLU *u, CURLUPart part)
{
	char *text = NULL;
	bool there = curl.curl_url_get(u, part, &text, 0) == CURLUE_OK;

	curl.curl_free(text);
	return there;
}

static char *get(CURLU *u, CURLUPart part)
{
	char *text = NULL;

	curl.curl_url_get(u, part, &text, 0);
	return text;
}

static int refuse(CURLU *u, const char *secrets, struct buf *why)
{
	if (has(u, CURLUPART_USER) || has(u, CURLUPART_PASSWORD)) {
		/* The URL is not repeated: it has what should not be seen. */
		buf__printf(why,
		            "the URL has a name or password in it, for all who may read the "
		            "configuration: give them by %s",
		            secrets);
		return -EINVAL;
	}
	if (has(u, CURLUPART_FRAGMENT)) {
		buf__str(why, "the URL has a '#': nothing behind it would be sent");
		return -EINVAL;
	}
	return 0;
}

static int split(const char *url, const char *secrets, struct parts *out, struct buf *why)
{
	CURLU *u = curl.curl_url();
	CURLUcode code;
	int err;

	if (!u)
		return -ENOMEM;
	code = curl.curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
	if (code) {
		/* Not repeated either: it may have a password that could not be told from the
		 * rest. */
		buf__printf(why, "the URL is none: %s", curl.curl_url_strerror(code));
		err = -EINVAL;
	} else {
		err = refuse(u, secrets, why);
	}
	if (!err) {
		out->scheme = get(u, CURLUPART_SCHEME);
		out->host = get(u, CURLUPART_HOST);
		out->port = get(u, CURLUPART_PORT);
		out->path = get(u, CURLUPART_PATH);
	}
	curl.curl_url_cleanup(u);
	if (!err && (!out->scheme || !out->host || !*out->host)) {
		buf__str(why, "the URL names no host");
		parts__free(out);
		err = -EINVAL;
	}
	return err;
}

/*
 * The receiver is reached at its own address, but asked for by the name that its certificate has:
 * SNI and the check use that; the Host header stays what the URL says.
 */
static int use_name(struct http *h, const struct parts *p, const char *port, const char *name,
                    struct buf *why)
{
	struct buf line = BUF_INIT;
	int err;

	buf__printf(&line, "::%s:%s", p->host, port);
	buf__char(&line, '\0');
	h->connect_to = line.failed ? NULL : curl.curl_slist_append(NULL, line.data);
	buf__reset(&line);
	buf__printf(&line, "%s:%s", p->host, port);
	buf__char(&line, '\0');
	err = line.failed || !h->connect_to ? -ENOMEM : http__add_header(h, "Host", line.data, why);
	buf__free(&line);
	return err;
}

static bool is_hostname(const char *name)
{
	for (const char *s = name; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("-._", *s))
			return false;
	return *name;
}

/* A URL that names no port gets the preset's, or the scheme's, in the text too: use_name() needs
 * one. */
static int build(struct http *h, const struct driver_config *cfg, const struct parts *p,
                 unsigned port, struct buf *why)
{
	const char *name = settings__string(cfg->settings, "tls_name");
	size_t len = p->path ? strlen(p->path) : 0;
	struct buf origin = BUF_INIT;
	char text[16];
	int err = 0;

	snprintf(text, sizeof(text), "%u", port ? port : h->tls ? 443 : 80);
	if (name && !is_hostname(name)) {
		buf__printf(why, "'tls_name' takes the name of a host, not '%s'", name);
		return -EINVAL;
	}
	if (name)
		err = use_name(h, p, p->port ? p->port : text, name, why);
	if (err)
		return err;
	buf__printf(&origin, "%s://%s:%s", p->scheme, name ? name : p->host,
	            p->port ? p->port : text);
	buf__char(&origin, '\0');
	h->origin = origin.data;
	while (len && p->path[len - 1] == '/')
		len--;
	h->path = strndup(p->path ? p->path : "", len);
	return origin.failed || !h->path ? -ENOMEM : 0;
}

int http_url__parse(struct http *h, const struct driver_config *cfg, unsigned port, struct buf *why)
{
	const char *colon = strchr(cfg->url, ':'), *plus = strchr(cfg->url, '+');
	const char *url = plus && plus < colon ? plus + 1 : cfg->url;
	struct parts p = {0};
	int err = split(url, "'user' and 'password', or 'token'", &p, why);

	if (err)
		return err;
	h->tls = !strcmp(p.scheme, "https");
	if (!h->tls && strcmp(p.scheme, "http")) {
		buf__str(why, "the URL is neither http nor https");
		err = -EINVAL;
	} else {
		err = build(h, cfg, &p, port, why);
	}
	parts__free(&p);
	return err;
}

int http_url__check_proxy(const char *url, bool *tls, struct buf *why)
{
	struct parts p = {0};
	int err;

	buf__lit(why, "'proxy': ");
	err = split(url, "'proxy_user' and 'proxy_password'", &p, why);
	if (err)
		return err;
	*tls = !strcmp(p.scheme, "https");
	if (!*tls && strcmp(p.scheme, "http") && strcmp(p.scheme, "socks5h") &&
	    strcmp(p.scheme, "socks5")) {
		buf__printf(why, "takes http://, https://, socks5:// or socks5h://, not '%s://'",
		            p.scheme);
		err = -EINVAL;
	}
	parts__free(&p);
	if (!err)
		why->len -= strlen("'proxy': ");
	return err;
}

char *http__url(const struct http *h, const char *path, const char *query)
{
	size_t have = strlen(h->path), len = strlen(path);
	bool there = have >= len && !strcmp(h->path + have - len, path);
	struct buf url = BUF_INIT;

	buf__printf(&url, "%s%s%s%s%s", h->origin, h->path, there ? "" : path, query ? "?" : "",
	            query ? query : "");
	buf__char(&url, '\0');
	if (url.failed)
		buf__free(&url);
	return url.data;
}

void http__escape(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (isalnum((unsigned char)*text) || strchr("-._~", *text))
			buf__char(out, *text);
		else
			buf__printf(out, "%%%02X", (unsigned char)*text);
	}
}
