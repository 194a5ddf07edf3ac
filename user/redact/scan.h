/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where the secrets are in a text: passwords and tokens in URLs, in command lines, in what a
 * protocol's client says to log in. What is not certain counts as a secret where a text was cut:
 * its end may be the beginning of one. Plain functions from characters to places, nothing is
 * allocated. They take time in proportion to the text, whatever it is: those who are watched choose
 * it. A place ahead that was looked for once is not looked for again before it was reached.
 */
#ifndef PYTRAIL_SCAN_H
#define PYTRAIL_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Places of one text; when there are more, the last one takes all the rest. */
#define SPANS_MAX 64

struct span {
	size_t start, end; /* characters, end not included */
};

struct secret_names;

struct scan {
	const uint8_t *s; /* one byte a character; what is above 0x7f is none that matters here */
	size_t len;
	bool cut;                         /* something followed that is not here */
	const struct secret_names *names; /* the user's own, or NULL */
	unsigned cnt;
	struct span spans[SPANS_MAX];
};

static inline struct scan scan__of(const uint8_t *s, size_t len, bool cut)
{
	return (struct scan){.s = s, .len = len, .cut = cut};
}

/* An empty place is none. */
void scan__add(struct scan *sc, size_t start, size_t end);
/* Sorts and joins the places. */
void scan__finish(struct scan *sc);

/*
 * URLs anywhere in the text: the password in scheme://user:password@host, a lone user that looks
 * like a token, the values of parameters with secret names in query and fragment.
 */
void scan__urls(struct scan *sc);

/* NAME=VALUE of an environment: the value; without a `=`, everything. */
void scan__variable(struct scan *sc);

/* A line that a client sends: what follows a command that logs in (FTP, POP3, NNTP, IMAP with its
 * tag). */
void scan__login(struct scan *sc);

/*
 * Command lines: values of options, assignments, headers and JSON members with secret names; the
 * value of -p and the like of programs that take a password so; tokens known by how they begin.
 */
struct command {
	const struct program *program; /* the last one named that is in the table */
	bool login;                    /* its word `login` was seen */
	bool line;      /* the last word was -c: the next one is a line, or source code */
	uint8_t secret; /* how many of the next words are secrets */
	char after;     /* and from which character on, 0: all of it */
};

/* The whole text is one word of a command line; c, zeroed before the first, goes from word to
 * word. */
void scan__command_word(struct scan *sc, struct command *c);
/* The text is a line for a shell, or source code. */
void scan__command_line(struct scan *sc);

#endif
