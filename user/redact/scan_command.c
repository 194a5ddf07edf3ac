// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Secrets in command lines. Three ways to find one: by the name that stands before it (an option,
 * an assignment, a header, a member of JSON or of Python's arguments), by the program that takes
 * one after a certain option, by how a token begins. Shells and languages are not parsed: words and
 * quotes do.
 */
#include <string.h>

#include "ascii.h"
#include "scan.h"
#include "secret_name.h"
#include "token.h"

enum option_form {
	GLUED = 1 << 0, /* -pSECRET */
	NEXT = 1 << 1,  /* -p SECRET */
	BOTH = GLUED | NEXT,
	LOGIN = 1 << 2, /* behind the word `login` only */
};

/* Options that no secret name tells: of which programs (their names begin so; NULL: as the row
 * before), form, and the character behind which the secret begins, 0: all of it. */
struct program {
	const char *name;
	const char *option;
	uint8_t form;
	char after;
};

static const struct program programs[] = {
	{"7z", "-p", GLUED, 0},
	{"curl", "-u", BOTH, ':'},
	{NULL, "--user", NEXT, ':'},
	{NULL, "-U", BOTH, ':'},
	{NULL, "--proxy-user", NEXT, ':'},
	{NULL, "-b", BOTH, 0},
	{"buildah", "-p", NEXT | LOGIN, 0},
	{"cifs", "-U", BOTH, '%'},
	{"docker", "-p", NEXT | LOGIN, 0},
	{"helm", "-p", NEXT | LOGIN, 0},
	{"ipmitool", "-P", BOTH, 0},
	{"ldap", "-w", BOTH, 0},
	{"lftp", "-u", BOTH, ','},
	{"mariadb", "-p", GLUED, 0},
	{"mongo", "-p", BOTH, 0},
	{"mysql", "-p", GLUED, 0},
	{"net", "-U", BOTH, '%'},
	{"oc", "-p", NEXT | LOGIN, 0},
	{"openssl", "-k", NEXT, 0},
	{NULL, "-K", NEXT, 0},
	{"plink", "-pw", NEXT, 0},
	{"podman", "-p", NEXT | LOGIN, 0},
	{"pscp", "-pw", NEXT, 0},
	{"redis-cli", "-a", NEXT, 0},
	{"rpcclient", "-U", BOTH, '%'},
	{"skopeo", "-p", NEXT | LOGIN, 0},
	{"smbclient", "-U", BOTH, '%'},
	{"snmp", "-c", BOTH, 0},
	{NULL, "-A", BOTH, 0},
	{NULL, "-X", BOTH, 0},
	{"sqlcmd", "-P", BOTH, 0},
	{"sshpass", "-p", BOTH, 0},
	/* what sshpass runs, with a -p and a -P of its own */
	{"ssh", "-p", 0, 0},
	{"scp", "-P", 0, 0},
	{"sftp", "-P", 0, 0},
	{"unzip", "-P", BOTH, 0},
	{"xfreerdp", "/p:", GLUED, 0},
	{"zip", "-P", BOTH, 0},
};

#define PROGRAMS_CNT (sizeof(programs) / sizeof(programs[0]))

/* A word's characters, its quotes taken off. */
struct word {
	size_t start, end;
};

static bool is_blank(uint8_t c)
{
	return c <= ' ';
}

static bool is_quote(uint8_t c)
{
	return c == '"' || c == '\'' || c == '`';
}

static bool is_name_char(uint8_t c)
{
	return ascii__is_alnum(c) || c == '_' || c == '-' || c == '.' || c > 0x7f;
}

static bool starts(const struct scan *sc, struct word w, const char *prefix)
{
	size_t n;

	if (w.start == w.end || sc->s[w.start] != (uint8_t)*prefix)
		return false; /* most: of a table of them, for each word */
	n = strlen(prefix);
	return w.end - w.start >= n && !memcmp(sc->s + w.start, prefix, n);
}

static bool equals(const struct scan *sc, struct word w, const char *text)
{
	return starts(sc, w, text) && w.end - w.start == strlen(text);
}

static const struct program *find_program(const struct scan *sc, struct word w)
{
	const uint8_t *slash = memrchr(sc->s + w.start, '/', w.end - w.start);

	if (slash)
		w.start = (size_t)(slash - sc->s) + 1;
	for (size_t i = 0; i < PROGRAMS_CNT; i++)
		if (programs[i].name && starts(sc, w, programs[i].name))
			return &programs[i];
	return NULL;
}

/* Behind `after`, all of it when that does not come. */
static void add_part(struct scan *sc, struct word w, char after)
{
	const uint8_t *at = after ? memchr(sc->s + w.start, after, w.end - w.start) : NULL;

	/* without it the word is only who, and the secret is asked for */
	if (after && !at)
		return;
	scan__add(sc, at ? (size_t)(at - sc->s) + 1 : w.start, w.end);
}

static void take_option(struct scan *sc, struct command *c, struct word w)
{
	const struct program *p = c->program;

	for (; p; p = p + 1 < programs + PROGRAMS_CNT && !p[1].name ? p + 1 : NULL) {
		size_t n = strlen(p->option);

		if (!starts(sc, w, p->option) || (p->form & LOGIN && !c->login))
			continue;
		if (w.end - w.start > n && p->form & GLUED) {
			add_part(sc, (struct word){w.start + n, w.end}, p->after);
		} else if (w.end - w.start == n && p->form & NEXT) {
			c->secret = 1;
			c->after = p->after;
		}
	}
}

/* One word, by what came before it. */
static void take_word(struct scan *sc, struct command *c, struct word w)
{
	const struct program *p;

	if (c->secret) {
		c->secret--;
		add_part(sc, w, c->after);
		return;
	}
	if (w.start == w.end)
		return;
	p = find_program(sc, w);
	if (p) {
		c->program = p;
		c->login = false;
	}
	if (equals(sc, w, "login"))
		c->login = true;
	take_option(sc, c, w);
	/* --password SECRET; -p alone says nothing without the program */
	if (sc->s[w.start] == '-' && w.end - w.start > 3 &&
	    !memchr(sc->s + w.start, '=', w.end - w.start) &&
	    !memchr(sc->s + w.start, ':', w.end - w.start) &&
	    secret_name__is(sc->s + w.start, w.end - w.start, false, sc->names)) {
		c->secret = 1;
		c->after = 0;
	}
}

static void add_tokens(struct scan *sc)
{
	for (size_t i = 0; i < sc->len; i++) {
		size_t n;

		if (!token__can_start(sc->s[i]) || (i && is_name_char(sc->s[i - 1])))
			continue;
		n = token__length(sc->s + i, sc->len - i);
		scan__add(sc, i, i + n);
		i += n ? n - 1 : 0;
	}
}

/* Where a value that begins at i ends; `open`: the quote that it was begun with, before its name,
 * or 0. */
static size_t value_end(const struct scan *sc, size_t i, uint8_t open)
{
	bool escaped = false;

	for (; i < sc->len; i++) {
		uint8_t c = sc->s[i];

		if (open) {
			if (c == open && !escaped)
				break;
			escaped = c == '\\' && !escaped;
		} else if (is_blank(c) || is_quote(c) || strchr(",;&|)}]", c)) {
			break;
		}
	}
	return i;
}

/*
 * Where values end, remembered: many can have the same end, `pw=pw=pw=`, and each would be looked
 * through up to it. A value begins behind all that began before it, and never behind a backslash;
 * so an end that lies ahead of it is its own, too. 0: not looked for, there is no value that early.
 */
struct ends {
	size_t bare, quoted, apostrophe, backquote;
};

static size_t value_end_of(const struct scan *sc, struct ends *ends, size_t i, uint8_t open)
{
	size_t *end = !open         ? &ends->bare
	              : open == '"' ? &ends->quoted
	              : open == '`' ? &ends->backquote
	                            : &ends->apostrophe;

	if (*end < i)
		*end = value_end(sc, i, open);
	return *end;
}

/* `Bearer xyz`, of a header that no quote ends: the word behind it, too. */
static size_t scheme_end(const struct scan *sc, size_t start, size_t end)
{
	static const char *const schemes[] = {"Bearer",    "Basic",  "Token", "Digest",
	                                      "Negotiate", "bearer", "basic", "token"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (equals(sc, (struct word){start, end}, schemes[i]) && end < sc->len &&
		    sc->s[end] == ' ')
			return value_end(sc, end + 1, 0);
	return end;
}

/* The value behind the `=` or `:` at `at`; `open`: a quote stands before the name, and none behind
 * it. */
static void add_value(struct scan *sc, struct ends *ends, size_t at, bool blanks, uint8_t open,
                      bool whole)
{
	size_t i = at + 1, end;

	while (blanks && i < sc->len && (sc->s[i] == ' ' || sc->s[i] == '\t'))
		i++;
	if (whole) {
		scan__add(sc, i, sc->len);
		return;
	}
	if (!open) {
		size_t q = i;

		/* b'…', f"…" */
		while (q < sc->len && q < i + 2 && strchr("bBrRuUfF", sc->s[q]) && sc->s[q])
			q++;
		if (q < sc->len && is_quote(sc->s[q])) {
			open = sc->s[q];
			i = q + 1;
		}
	}
	end = value_end_of(sc, ends, i, open);
	scan__add(sc, i, open ? end : scheme_end(sc, i, end));
}

/* The name before a `=` or `:`, and the quote around it. */
static void add_assignment(struct scan *sc, struct ends *ends, size_t at, bool word)
{
	size_t end = at, start;
	bool blanks = sc->s[at] == ':', closed = false;
	uint8_t open = 0;

	while (end && (sc->s[end - 1] == ' ' || sc->s[end - 1] == '\t')) {
		end--;
		blanks = true;
	}
	if (end && is_quote(sc->s[end - 1])) {
		closed = true;
		end--;
	}
	if (end && sc->s[end - 1] == ']') { /* os.environ["NAME"] = … */
		closed = end > 1 && is_quote(sc->s[end - 2]);
		end -= closed ? 2 : 1;
	}
	start = end;
	while (start && is_name_char(sc->s[start - 1]))
		start--;
	if (start == end || !secret_name__is(sc->s + start, end - start, false, sc->names))
		return;
	if (!closed && start && is_quote(sc->s[start - 1]))
		open = sc->s[start - 1];
	add_value(sc, ends, at, blanks, open, word && !start);
}

static void add_assignments(struct scan *sc, bool word)
{
	struct ends ends = {0};

	for (size_t i = 1; i < sc->len; i++) {
		uint8_t c = sc->s[i], next = i + 1 < sc->len ? sc->s[i + 1] : 0;

		if (c == '=' && next == '=') {
			i++; /* a comparison */
			continue;
		}
		if ((c == '=' && !strchr("!<>+", sc->s[i - 1])) ||
		    (c == ':' && next != ':' && next != '=' &&
		     !(next == '/' && i + 2 < sc->len && sc->s[i + 2] == '/')))
			add_assignment(sc, &ends, i, word);
	}
}

/* What separates one command of a shell from the next. */
static bool is_separator(uint8_t c)
{
	return c == ';' || c == '|' || c == '&' || c == '\n' || c == '(' || c == ')';
}

static void take_words(struct scan *sc)
{
	struct command c = {0};
	size_t i = 0;

	while (i < sc->len) {
		struct word w;
		uint8_t quote;

		if (is_separator(sc->s[i])) {
			c = (struct command){0};
			i++;
			continue;
		}
		if (is_blank(sc->s[i]) || sc->s[i] == ',' || sc->s[i] == '[' || sc->s[i] == ']') {
			i++; /* a list of words in Python, too */
			continue;
		}
		quote = is_quote(sc->s[i]) ? sc->s[i] : 0;
		w.start = quote ? i + 1 : i;
		w.end = w.start;
		while (w.end < sc->len &&
		       (quote ? sc->s[w.end] != quote
		              : !is_blank(sc->s[w.end]) && !is_separator(sc->s[w.end]) &&
		                        !(is_quote(sc->s[w.end]) && sc->s[w.end - 1] != '=')))
			w.end++;
		if (quote && memchr(sc->s + w.start, ' ', w.end - w.start) && !c.secret) {
			/* a line in a word (sh -c '…'): its words are looked at as if they stood
			 * here */
			i = w.start;
			continue;
		}
		take_word(sc, &c, w);
		i = w.end + (quote && w.end < sc->len);
		if (!quote && i < sc->len && is_quote(sc->s[i]))
			continue;
	}
}

void scan__command_line(struct scan *sc)
{
	add_assignments(sc, false);
	add_tokens(sc);
	take_words(sc);
}

void scan__command_word(struct scan *sc, struct command *c)
{
	bool was_secret = c->secret, is_line = c->line;
	struct word w = {0, sc->len};

	take_word(sc, c, w);
	c->line = equals(sc, w, "-c");
	if (was_secret)
		return;
	add_assignments(sc, !is_line);
	add_tokens(sc);
	if (memchr(sc->s, ' ', sc->len) || memchr(sc->s, '\n', sc->len))
		take_words(sc);
}
