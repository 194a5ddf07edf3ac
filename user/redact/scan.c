// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The list of places, and the scans that are short. */
#include "scan.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ascii.h"

void scan__add(struct scan *sc, size_t start, size_t end)
{
	if (start >= end)
		return;
	if (sc->cnt == SPANS_MAX) {
		struct span *last = &sc->spans[SPANS_MAX - 1];

		/* scans do not come in order: from the first on that there is no room for */
		if (start < last->start)
			last->start = start;
		last->end = sc->len;
		return;
	}
	sc->spans[sc->cnt++] = (struct span){start, end};
}

static int by_start(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

void scan__finish(struct scan *sc)
{
	unsigned out = 0;

	if (sc->cnt < 2)
		return;
	qsort(sc->spans, sc->cnt, sizeof(sc->spans[0]), by_start);
	for (unsigned i = 1; i < sc->cnt; i++) {
		struct span *last = &sc->spans[out];

		if (sc->spans[i].start <= last->end) {
			if (sc->spans[i].end > last->end)
				last->end = sc->spans[i].end;
		} else {
			sc->spans[++out] = sc->spans[i];
		}
	}
	sc->cnt = out + 1;
}

void scan__variable(struct scan *sc)
{
	const uint8_t *equals = memchr(sc->s, '=', sc->len);

	scan__add(sc, equals ? (size_t)(equals - sc->s) + 1 : 0, sc->len);
}

static size_t word_end(const struct scan *sc, size_t i, size_t to)
{
	while (i < to && sc->s[i] > ' ')
		i++;
	return i;
}

static size_t skip_blanks(const struct scan *sc, size_t i, size_t to)
{
	while (i < to && sc->s[i] <= ' ')
		i++;
	return i;
}

/* RFC 959 and 2228 (FTP), 1939 and 5034 (POP3), 4643 (NNTP), 9051 (IMAP), 4954 (SMTP). */
static bool logs_in(const uint8_t *word, size_t len)
{
	static const char *const verbs[] = {"PASS", "ACCT",  "APOP",         "AUTH",   "AUTHINFO",
	                                    "ADAT", "LOGIN", "AUTHENTICATE", "XOAUTH2"};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strlen(verbs[i]) == len && !strncasecmp((const char *)word, verbs[i], len))
			return true;
	return false;
}

static bool is_verb(const uint8_t *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!ascii__is_letter(word[i]))
			return false;
	return len >= 3 && len <= 12;
}

void scan__login(struct scan *sc)
{
	size_t start = 0;

	/* Each line of it. The first word of one that is no command at all is a challenge's
	 * answer. */
	while (start < sc->len) {
		const uint8_t *nl = memchr(sc->s + start, '\n', sc->len - start);
		size_t line = nl ? (size_t)(nl - sc->s) : sc->len;
		size_t word = skip_blanks(sc, start, line), end = word_end(sc, word, line);

		if (word < line && logs_in(sc->s + word, end - word))
			scan__add(sc, skip_blanks(sc, end, line), line);
		else if (word < line && !is_verb(sc->s + word, end - word))
			scan__add(sc, word, line);
		start = line + 1;
	}
	if (sc->cnt && sc->s[sc->len - 1] == '\r' && sc->spans[sc->cnt - 1].end == sc->len)
		sc->spans[sc->cnt - 1].end--;
}
