// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Secrets in URLs (RFC 3986 §3). Programs are laxer than the RFC, so what could be a password is
 * one: it may hold what should have been escaped, and reaches to the last `@`.
 */
#include <string.h>

#include "ascii.h"
#include "scan.h"
#include "secret_name.h"
#include "token.h"

/* A lone user of that many characters is taken for a token: names of people and services are
 * shorter. */
#define TOKEN_USER_MIN 20

static bool is_scheme_char(uint8_t c)
{
	return ascii__is_alnum(c) || c == '+' || c == '-' || c == '.';
}

/* What a URL in a text ends at. */
static bool ends_url(uint8_t c)
{
	return c <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '`' || c == 0x7f;
}

struct url {
	size_t start; /* of the authority */
	size_t authority_end;
	size_t end;
};

static size_t find_last(const struct scan *sc, size_t from, size_t to, uint8_t c)
{
	const uint8_t *at = memrchr(sc->s + from, c, to - from);

	return at ? (size_t)(at - sc->s) : to;
}

static size_t find_first(const struct scan *sc, size_t from, size_t to, uint8_t c)
{
	const uint8_t *at = memchr(sc->s + from, c, to - from);

	return at ? (size_t)(at - sc->s) : to;
}

static bool is_port(const struct scan *sc, size_t from, size_t to)
{
	for (; from < to; from++)
		if (!ascii__is_digit(sc->s[from]))
			return false;
	return true;
}

/* Where the user information ends, its `@`; the URL's start: there is none. */
static size_t find_at(const struct scan *sc, const struct url *u)
{
	size_t at = find_last(sc, u->start, u->authority_end, '@'), colon;

	if (at < u->authority_end)
		return at;
	if (sc->s[u->start] == '[')
		return u->start; /* an IPv6 address */
	colon = find_first(sc, u->start, u->authority_end, ':');
	if (colon == u->authority_end)
		return u->start;
	/* no port: a password with a `/`, `?` or `#` in it */
	if (!is_port(sc, colon + 1, u->authority_end)) {
		at = find_last(sc, u->authority_end, u->end, '@');
		if (at < u->end)
			return at;
	}
	return u->start;
}

static void add_user(struct scan *sc, const struct url *u)
{
	size_t at, colon;
	bool open = sc->cut && u->end == sc->len;

	if (u->start == u->authority_end)
		return;
	at = find_at(sc, u);
	/* cut before its `@`, perhaps */
	if (at == u->start && open && sc->s[u->start] != '[') {
		colon = find_first(sc, u->start, u->authority_end, ':');
		if (colon < u->authority_end) {
			if (u->authority_end == u->end || !is_port(sc, colon + 1, u->authority_end))
				scan__add(sc, colon + 1, u->end);
		} else if (u->authority_end == u->end && u->end - u->start >= TOKEN_USER_MIN &&
		           !memchr(sc->s + u->start, '.', u->end - u->start)) {
			scan__add(sc, u->start, u->end);
		}
		return;
	}
	colon = find_first(sc, u->start, at, ':');
	if (colon < at)
		scan__add(sc, colon + 1, at);
	else if (at - u->start >= TOKEN_USER_MIN || token__starts(sc->s + u->start, at - u->start))
		scan__add(sc, u->start, at);
	/* as user, with a password that says nothing (x-oauth-basic) */
	if (colon < at && token__starts(sc->s + u->start, colon - u->start))
		scan__add(sc, u->start, colon);
}

/* `name=value`, between `?`, `&`, `;` and `#`. */
static void add_parameters(struct scan *sc, const struct url *u)
{
	size_t i = u->authority_end;

	while (i < u->end && sc->s[i] != '?' && sc->s[i] != '#')
		i++;
	while (i < u->end) {
		size_t name = i + 1, equals, end = name;

		while (end < u->end && !memchr("&;#", sc->s[end], 3))
			end++;
		equals = find_first(sc, name, end, '=');
		if (equals < end && secret_name__is(sc->s + name, equals - name, true, sc->names))
			scan__add(sc, equals + 1, end);
		i = end;
	}
}

void scan__urls(struct scan *sc)
{
	size_t i = 0;

	while (i + 3 < sc->len) {
		const uint8_t *colon = memchr(sc->s + i, ':', sc->len - i - 3);
		size_t at;
		struct url u;
		bool whole;

		if (!colon)
			return;
		at = (size_t)(colon - sc->s);
		i = at + 1;
		if (!at || colon[1] != '/' || colon[2] != '/' || !is_scheme_char(colon[-1]))
			continue;
		whole = true; /* nothing but a URL: it has no end before the text's */
		for (size_t k = 0; k < at && whole; k++)
			whole = is_scheme_char(sc->s[k]);
		u.start = u.end = at + 3;
		while (u.end < sc->len && (whole ? sc->s[u.end] >= ' ' : !ends_url(sc->s[u.end])))
			u.end++;
		u.authority_end = u.start;
		while (u.authority_end < u.end && !memchr("/?#\\", sc->s[u.authority_end], 4))
			u.authority_end++;
		add_user(sc, &u);
		add_parameters(sc, &u);
		i = u.start;
	}
}
