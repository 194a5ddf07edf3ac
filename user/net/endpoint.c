// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../util/buf.h"

static int refuse(struct buf *why, const char *url, const char *what)
{
	buf__printf(why, "'%s' is not a URL that can be used here: %s", url, what);
	return -EINVAL;
}

/* False: it does not fit, or has a byte that no part of a URL has. */
static bool copy(char *out, size_t size, const char *s, size_t len)
{
	if (len >= size)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f)
			return false;
	memcpy(out, s, len);
	out[len] = '\0';
	return true;
}

bool endpoint__is(const char *url, const char *scheme)
{
	size_t len = strlen(scheme);

	return !strncmp(url, scheme, len) && url[len] == ':';
}

static int parse_scheme(const char *url, struct endpoint *out, const char **rest, struct buf *why)
{
	const char *colon = strchr(url, ':');

	memset(out, 0, sizeof(*out));
	if (!colon || colon == url ||
	    !copy(out->scheme, sizeof(out->scheme), url, (size_t)(colon - url)))
		return refuse(why, url, "it has no scheme");
	*rest = colon + 1;
	return 0;
}

static int parse_port(const char *url, const char *s, size_t len, struct endpoint *out,
                      struct buf *why)
{
	unsigned v = 0;

	for (size_t i = 0; i < len; i++)
		v = s[i] >= '0' && s[i] <= '9' && len <= 5 ? v * 10 + (unsigned)(s[i] - '0') : 65536;
	if (!v || v > 65535 || !copy(out->port, sizeof(out->port), s, len))
		return refuse(why, url, "the port is not a number from 1 to 65535");
	return 0;
}

int endpoint__parse(const char *url, const char *default_port, struct endpoint *out, struct buf *why)
{
	const char *s, *end, *host_end, *port = NULL;
	int err = parse_scheme(url, out, &s, why);

	if (err)
		return err;
	if (strncmp(s, "//", 2))
		return refuse(why, url, "'//' and a host have to follow the scheme");
	s += 2;
	end = s + strcspn(s, "/?#");
	if (memchr(s, '@', (size_t)(end - s)))
		return refuse(why, url, "a user or password belongs into the settings");
	if (*s == '[') {
		s++;
		host_end = memchr(s, ']', (size_t)(end - s));
		if (!host_end || (host_end + 1 < end && host_end[1] != ':'))
			return refuse(why, url, "the address in brackets has no end");
		if (host_end + 1 < end)
			port = host_end + 2;
	} else {
		host_end = memchr(s, ':', (size_t)(end - s));
		if (host_end)
			port = host_end + 1;
		else
			host_end = end;
	}
	if (host_end == s || !copy(out->host, sizeof(out->host), s, (size_t)(host_end - s)))
		return refuse(why, url, "the host is missing, too long or not well-formed");
	if (!copy(out->path, sizeof(out->path), end, strlen(end)))
		return refuse(why, url, "the path is too long or not well-formed");
	if (port)
		return parse_port(url, port, (size_t)(end - port), out, why);
	if (!default_port)
		return refuse(why, url, "it has no port");
	strcpy(out->port, default_port);
	return 0;
}

int endpoint__parse_path(const char *url, const char *default_path, struct endpoint *out,
                         struct buf *why)
{
	const char *s;
	int err = parse_scheme(url, out, &s, why);

	if (err)
		return err;
	if (!strncmp(s, "//", 2))
		s += 2;
	if (!*s && default_path)
		s = default_path;
	if (*s != '/')
		return refuse(why, url, "an absolute path has to follow the scheme");
	if (!copy(out->path, sizeof(out->path), s, strlen(s)))
		return refuse(why, url, "the path is too long or not well-formed");
	return 0;
}
