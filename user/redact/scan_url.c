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

/*
 * What was found ahead of one URL, for those that begin behind it: a `://` in a URL begins another
 * one, `a://a://a://`, and each would be looked through up to the same end. What lies ahead of the
 * next one is still right for it. Only the first can be the whole text; it does not end before the
 * others that begin in it. 0: not looked for, there is no URL that early.
 */
struct ahead {
	/* of a URL that is not the whole text */
	size_t end;
	/* the last `@` before at_end, or at_end */
	size_t at, at_end;
	/* the first `?` or `#`, or a URL's end */
	size_t query;
	/* the last such that parameters were taken to begin with */
	size_t taken;
	/* what begins with a `&`, `;` or `#` before it was looked at, from the first `query` on */
	size_t parsed;
	/* behind a `query` before `parsed` */
	size_t separator, equals;
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

/* The last `@` behind the authority, or the URL's end. */
static size_t find_late_at(const struct scan *sc, const struct url *u, struct ahead *a)
{
	if (a->at_end != u->end) {
		a->at = find_last(sc, u->authority_end, u->end, '@');
		a->at_end = u->end;
	}
	return a->at >= u->authority_end ? a->at : u->end;
}

/* Where the user information ends, its `@`; the URL's start: there is none. */
static size_t find_at(const struct scan *sc, const struct url *u, struct ahead *a)
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
		at = find_late_at(sc, u, a);
		if (at < u->end)
			return at;
	}
	return u->start;
}

static void add_user(struct scan *sc, const struct url *u, struct ahead *a)
{
	size_t at, colon;
	bool open = sc->cut && u->end == sc->len;

	if (u->start == u->authority_end)
		return;
	at = find_at(sc, u, a);
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

static size_t find_any(const struct scan *sc, size_t from, size_t to, const char *set)
{
	size_t n = strlen(set);

	while (from < to && !memchr(set, sc->s[from], n))
		from++;
	return from;
}

static void add_parameter(struct scan *sc, size_t name, size_t equals, size_t end)
{
	if (equals < end && secret_name__is(sc->s + name, equals - name, true, sc->names))
		scan__add(sc, equals + 1, end);
}

/* `name=value`, between `?`, `&`, `;` and `#`. */
static void add_parameters(struct scan *sc, const struct url *u, struct ahead *a)
{
	size_t i, name, end;

	if (a->query < u->authority_end)
		a->query = find_any(sc, u->authority_end, u->end, "?#");
	i = a->query;
	if (i >= u->end || i == a->taken)
		return;
	a->taken = i;
	if (i >= a->parsed) {
		for (; i < u->end; i = end) {
			name = i + 1;
			end = find_any(sc, name, u->end, "&;#");
			add_parameter(sc, name, find_first(sc, name, end, '='), end);
		}
		a->parsed = u->end;
		return;
	}
	/* in the parameters of a URL that began before this one: what is new is that one may begin
	 * with this `?` */
	if (sc->s[i] == '#')
		return;
	name = i + 1;
	if (a->separator < name)
		a->separator = find_any(sc, name, u->end, "&;#");
	end = a->separator;
	if (a->equals < name)
		a->equals = find_first(sc, name, end, '=');
	add_parameter(sc, name, a->equals, end);
}

void scan__urls(struct scan *sc)
{
	struct ahead a = {0};
	size_t i = 0;

	while (i + 3 < sc->len) {
		const uint8_t *colon = memchr(sc->s + i, ':', sc->len - i - 3);
		size_t at;
		struct url u;
		bool whole;

		if (!colon)
			return;
		at = (size_t)(colon - sc->s);
		whole = !i; /* nothing but a URL: it has no end before the text's */
		i = at + 1;
		if (!at || colon[1] != '/' || colon[2] != '/' || !is_scheme_char(colon[-1]))
			continue;
		for (size_t k = 0; k < at && whole; k++)
			whole = is_scheme_char(sc->s[k]);
		u.start = at + 3;
		if (!whole && a.end < u.start)
			for (a.end = u.start; a.end < sc->len && !ends_url(sc->s[a.end]);)
				a.end++;
		u.end = whole ? u.start : a.end;
		while (whole && u.end < sc->len && sc->s[u.end] >= ' ')
			u.end++;
		u.authority_end = find_any(sc, u.start, u.end, "/?#\\");
		add_user(sc, &u, &a);
		add_parameters(sc, &u, &a);
		i = u.start;
	}
}
