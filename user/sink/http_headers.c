// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Headers of requests: those of the settings, and who we are. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_impl.h"
#include "../util/base64.h"

/* Ours to say: a second one would contradict it, or break the framing of the request. */
static const char *const reserved[] = {
	"connection", "content-encoding", "content-length",    "content-type", "expect", "host",
	"te",         "trailer",          "transfer-encoding", "upgrade",      NULL,
};
/* Would show a secret in the configuration. */
static const char *const secret_names[] = {
	"authorization", "cookie", "proxy-authorization", "x-api-key", "api-key", NULL,
};

static bool in_list(const char *const *list, const char *name, size_t len)
{
	for (; *list; list++)
		if (strlen(*list) == len && !strncasecmp(*list, name, len))
			return true;
	return false;
}

/* RFC 9110 §5.6.2: token. */
static bool is_token(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("!#$%&'*+-.^_`|~", s[i]))
			return false;
	return len > 0;
}

static bool has_control(const char *s)
{
	for (; *s; s++)
		if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
			return true;
	return false;
}

static int keep(struct http *h, const char *line)
{
	char **headers = reallocarray(h->headers, h->headers_cnt + 1, sizeof(*headers));

	if (!headers)
		return -ENOMEM;
	h->headers = headers;
	headers[h->headers_cnt] = strdup(line);
	if (!headers[h->headers_cnt])
		return -ENOMEM;
	h->headers_cnt++;
	return 0;
}

int http_headers__add_line(struct http *h, const char *line, const char *setting, bool secret,
                           struct buf *why)
{
	const char *colon = strchr(line, ':');
	size_t len = colon ? (size_t)(colon - line) : 0;

	if (!colon || !is_token(line, len) || has_control(colon) ||
	    !colon[1 + strspn(colon + 1, " \t")]) {
		buf__printf(why, "'%s' takes 'Name: value'%s", setting, secret ? ", one a line" : "");
		return -EINVAL;
	}
	if (in_list(reserved, line, len)) {
		buf__printf(why, "'%s' cannot set the header '%.*s': pytrail does", setting,
		            (int)len, line);
		return -EINVAL;
	}
	if (!secret && in_list(secret_names, line, len)) {
		buf__printf(
			why,
			"'%s' would put the secret of '%.*s' into the configuration: give it by "
			"'secret_headers'",
			setting, (int)len, line);
		return -EINVAL;
	}
	return keep(h, line);
}

int http__add_header(struct http *h, const char *name, const char *value, struct buf *why)
{
	struct buf line = BUF_INIT;
	int err = -ENOMEM;

	buf__printf(&line, "%s: %s", name, value);
	buf__char(&line, '\0');
	if (has_control(value)) {
		buf__printf(why, "the value of '%s' must be one line without controls", name);
		err = -EINVAL;
	} else if (!line.failed) {
		err = keep(h, line.data);
	}
	if (line.data)
		explicit_bzero(line.data, line.cap);
	buf__free(&line);
	return err;
}

/* A secret that is to be one word of text. */
static int get_secret(const struct http *h, const char *setting, const char **out, struct buf *why)
{
	size_t len = 0;

	*out = settings__secret(h->settings, setting, &len);
	if (!*out)
		return 0;
	if (!len || strlen(*out) != len || has_control(*out)) {
		buf__printf(why, "the file of '%s' must hold one line of text", setting);
		return -EINVAL;
	}
	return 0;
}

int http__add_authorization(struct http *h, const char *scheme, const char *setting, struct buf *why)
{
	struct buf value = BUF_INIT;
	const char *secret;
	int err = get_secret(h, setting, &secret, why);

	if (err || !secret)
		return err;
	for (size_t i = 0; i < h->headers_cnt; i++)
		if (!strncasecmp(h->headers[i], "authorization:", 14)) {
			buf__printf(why,
			            "'%s' is one way too many to authenticate: give one of user, "
			            "token, api_key, or Authorization in secret_headers",
			            setting);
			return -EINVAL;
		}
	buf__printf(&value, "%s %s", scheme, secret);
	buf__char(&value, '\0');
	err = value.failed ? -ENOMEM : http__add_header(h, "Authorization", value.data, why);
	if (value.data)
		explicit_bzero(value.data, value.cap);
	buf__free(&value);
	return err;
}

static int add_basic(struct http *h, struct buf *why)
{
	const char *user = settings__string(h->settings, "user"), *password;
	struct buf plain = BUF_INIT, value = BUF_INIT;
	int err = get_secret(h, "password", &password, why);

	if (err)
		return err;
	if (!user != !password) {
		buf__printf(why, "'%s' is given without '%s'", user ? "user" : "password",
		            user ? "password" : "user");
		return -EINVAL;
	}
	if (!user)
		return 0;
	if (strchr(user, ':') || has_control(user)) { /* RFC 7617 §2 */
		buf__str(why, "'user' cannot have a colon or controls in it");
		return -EINVAL;
	}
	buf__printf(&plain, "%s:%s", user, password);
	buf__lit(&value, "Basic ");
	base64__append(&value, plain.data, plain.len);
	buf__char(&value, '\0');
	err = plain.failed || value.failed ? -ENOMEM
	                                   : http__add_header(h, "Authorization", value.data, why);
	if (plain.data)
		explicit_bzero(plain.data, plain.cap);
	if (value.data)
		explicit_bzero(value.data, value.cap);
	buf__free(&plain);
	buf__free(&value);
	return err;
}

static int add_secret_lines(struct http *h, struct buf *why)
{
	size_t len = 0;
	const char *text = settings__secret(h->settings, "secret_headers", &len), *end;
	int err = 0;

	if (text && strlen(text) != len) {
		buf__str(why, "'secret_headers' takes 'Name: value', one a line");
		return -EINVAL;
	}
	for (; text && *text && !err; text = *end ? end + 1 : end) {
		char *line;

		end = strchrnul(text, '\n');
		len = (size_t)(end - text);
		if (len && text[len - 1] == '\r')
			len--;
		if (!len)
			continue;
		line = strndup(text, len);
		err = line ? http_headers__add_line(h, line, "secret_headers", true, why) : -ENOMEM;
		if (line)
			explicit_bzero(line, len);
		free(line);
	}
	return err;
}

int http_headers__from_settings(struct http *h, const struct http_preset *preset, struct buf *why)
{
	const char *const *lines;
	size_t cnt = settings__list(h->settings, "header", &lines), i;
	int err = 0;

	for (i = 0; i < cnt && !err; i++)
		err = http_headers__add_line(h, lines[i], "header", false, why);
	if (!err)
		err = add_secret_lines(h, why);
	if (!err)
		err = add_basic(h, why);
	if (!err)
		err = http__add_authorization(h, preset->token_scheme, "token", why);
	return err;
}

void http_headers__free(struct http *h)
{
	for (size_t i = 0; i < h->headers_cnt; i++) {
		explicit_bzero(h->headers[i], strlen(h->headers[i]));
		free(h->headers[i]);
	}
	free(h->headers);
}
