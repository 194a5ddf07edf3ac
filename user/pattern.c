/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A pattern is a name, or a glob: `*` any characters, `?` one character, `[a-z_]` one of a set of
 * ASCII characters, `[!a-z]` one that is not of it; a `]` that comes first in a set belongs to it.
 * There is no escape character: `[*]` is a literal asterisk. Unlike fnmatch() nothing depends on
 * the locale, names need not be terminated, and the time is bounded by the product of the two
 * lengths.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "nearest.h"
#include "pattern.h"
#include "util/buf.h"
#include "util/log.h"

struct pattern {
	char *text; /* owned */
	size_t len;
	bool exclude;
	bool glob;
};

struct pattern_list {
	struct pattern *items; /* owned */
	size_t cnt;
	bool has_include;
};

struct pattern_list *pattern_list__new(void)
{
	return calloc(1, sizeof(struct pattern_list));
}

void pattern_list__free(struct pattern_list *l)
{
	size_t i;

	if (!l)
		return;
	for (i = 0; i < l->cnt; i++)
		free(l->items[i].text);
	free(l->items);
	free(l);
}

bool pattern_list__empty(const struct pattern_list *l)
{
	return !l->cnt;
}

bool pattern_list__only_names(const struct pattern_list *l)
{
	size_t i;

	for (i = 0; i < l->cnt; i++) {
		if (!l->items[i].exclude && l->items[i].glob)
			return false;
	}
	return l->has_include;
}

const char *pattern_list__name(const struct pattern_list *l, size_t i)
{
	const struct pattern *p = &l->items[i];

	return p->exclude || p->glob ? NULL : p->text;
}

size_t pattern_list__count(const struct pattern_list *l)
{
	return l->cnt;
}

/* The length of the character at the front of s: a UTF-8 sequence, or one byte where it is none. */
static size_t char_len(const char *s, size_t len)
{
	size_t n = 1;

	if ((unsigned char)s[0] >= 0xc2) {
		while (n < 4 && n < len && ((unsigned char)s[n] & 0xc0) == 0x80)
			n++;
	}
	return n;
}

/* The end of the set whose `[` is at p: one past its `]`. NULL: it has none. */
static const char *set_end(const char *p, const char *end)
{
	p++;
	if (p < end && (*p == '!' || *p == '^'))
		p++;
	if (p < end && *p == ']')
		p++;
	p = p < end ? memchr(p, ']', (size_t)(end - p)) : NULL;
	return p ? p + 1 : NULL;
}

/* Whether c, a byte, is in the set [p, end), brackets included; a non-ASCII c never is. */
static bool set_has(const char *p, const char *end, unsigned char c)
{
	bool negated, found = false;
	unsigned char low, high;

	p++;
	end--;
	negated = *p == '!' || *p == '^';
	if (negated)
		p++;
	while (p < end) {
		low = high = (unsigned char)*p++;
		if (end - p >= 2 && p[0] == '-') {
			high = (unsigned char)p[1];
			p += 2;
		}
		found |= c >= low && c <= high;
	}
	return found != negated;
}

/*
 * Matches one element of the pattern at *p, which is not `*`, with the character at *s, and steps
 * over both. False: they do not match, nothing was stepped over.
 */
static bool match_one(const char **p, const char *p_end, const char **s, const char *s_end)
{
	const char *next = *p + 1;
	size_t len = char_len(*s, (size_t)(s_end - *s));

	if (**p == '[') {
		next = set_end(*p, p_end);
		if (!set_has(*p, next, (unsigned char)**s))
			return false;
	} else if (**p != '?') {
		if (**p != **s)
			return false;
		len = 1;
	}
	*p = next;
	*s += len;
	return true;
}

/* Only the last `*` is ever taken up again, so nothing is exponential. */
static bool glob_match(const char *p, size_t p_len, const char *s, size_t s_len)
{
	const char *p_end = p + p_len, *s_end = s + s_len;
	const char *star = NULL, *star_s = NULL;

	while (s < s_end) {
		if (p < p_end && *p == '*') {
			star = ++p;
			star_s = s;
		} else if (p < p_end && match_one(&p, p_end, &s, s_end)) {
			continue;
		} else if (star) {
			p = star;
			star_s += char_len(star_s, (size_t)(s_end - star_s));
			s = star_s;
		} else {
			return false;
		}
	}
	while (p < p_end && *p == '*')
		p++;
	return p == p_end;
}

static bool pattern__match(const struct pattern *p, const char *name, size_t len)
{
	if (p->glob)
		return glob_match(p->text, p->len, name, len);
	return p->len == len && !memcmp(p->text, name, len);
}

bool pattern_list__match(const struct pattern_list *l, const char *name, size_t len)
{
	bool wanted = !l->has_include;
	size_t i;

	for (i = 0; i < l->cnt; i++) {
		if (l->items[i].exclude) {
			if (pattern__match(&l->items[i], name, len))
				return false;
		} else if (!wanted) {
			wanted = pattern__match(&l->items[i], name, len);
		}
	}
	return wanted;
}

/* What is wrong with the set at p, which ends at stop, or NULL. */
static const char *set_problem(const char *p, const char *stop)
{
	const char *s;

	for (s = p + 1; s < stop - 1; s++) {
		if ((unsigned char)*s >= 0x80)
			return "a set in '[' and ']' takes ASCII characters only";
	}
	p += p[1] == '!' || p[1] == '^' ? 2 : 1;
	while (stop - p > 3) { /* as set_has() reads it */
		if (p[1] != '-') {
			p++;
			continue;
		}
		if (p[0] > p[2])
			return "a range in '[' and ']' does not ascend";
		p += 3;
	}
	return NULL;
}

/* What is wrong with an item without its `!`, or NULL. */
static const char *item_problem(const char *p, size_t len, bool exclude)
{
	const char *end = p + len, *stop, *problem;

	if (!len)
		return exclude ? "there is nothing to exclude after '!'"
		               : "there is an empty item between commas";
	if (*p == '!')
		return "'!' comes twice";
	for (; p < end; p++) {
		if (*p != '[')
			continue;
		stop = set_end(p, end);
		if (!stop)
			return "'[' has no ']'";
		problem = set_problem(p, stop);
		if (problem)
			return problem;
		p = stop - 1;
	}
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct item {
	const char *text;
	size_t len;
	bool exclude;
};

/* Takes the next item off *rest, trimmed; *rest is NULL after the last one. */
static struct item next_item(const char **rest)
{
	struct item item = {.text = *rest, .len = strcspn(*rest, ",")};

	*rest = item.text[item.len] ? item.text + item.len + 1 : NULL;
	while (item.len && is_blank(item.text[0])) {
		item.text++;
		item.len--;
	}
	if (item.len && item.text[0] == '!') {
		item.exclude = true;
		item.text++;
		item.len--;
		while (item.len && is_blank(item.text[0])) {
			item.text++;
			item.len--;
		}
	}
	while (item.len && is_blank(item.text[item.len - 1]))
		item.len--;
	return item;
}

static void warn_unknown(const char *name)
{
	struct buf said = BUF_INIT;

	nearest__append(&said, name);
	log__warn("no version of CPython raises an event '%s'%s", name, said.data ? said.data : "");
	buf__free(&said);
}

static int no_memory(void)
{
	log__error("out of memory");
	return -ENOMEM;
}

/* Appends an item to the list. 0 or -ENOMEM (said). */
static int append(struct pattern_list *l, const char *text, size_t len, bool exclude, bool glob)
{
	struct pattern *items = realloc(l->items, (l->cnt + 1) * sizeof(*items));

	if (!items)
		return no_memory();
	l->items = items;
	items[l->cnt] = (struct pattern){strndup(text, len), len, exclude, glob};
	if (!items[l->cnt].text)
		return no_memory();
	l->cnt++;
	l->has_include |= !exclude;
	return 0;
}

/*
 * An event that the documentation calls by another name than the code is wanted, or not, by either:
 * an item that fits one name takes in the other.
 */
static int append_aliases(struct pattern_list *l, size_t index)
{
	const struct catalog_event *event;
	size_t i;
	int err;

	for (i = 0; i < catalog__count(); i++) {
		event = catalog__at(i);
		if (!event->alias || !pattern__match(&l->items[index], event->name, event->name_len))
			continue;
		err = append(l, event->alias, strlen(event->alias), l->items[index].exclude, false);
		if (err)
			return err;
	}
	return 0;
}

int pattern_list__add(struct pattern_list *l, const char *patterns)
{
	const char *rest, *problem;
	struct item item;
	size_t index;
	bool glob;
	int err;

	/* All or nothing: look at every item before the first is taken. */
	for (rest = patterns; rest;) {
		item = next_item(&rest);
		problem = item_problem(item.text, item.len, item.exclude);
		if (problem) {
			log__error("malformed pattern '%s': %s", patterns, problem);
			return -EINVAL;
		}
	}
	for (rest = patterns; rest;) {
		item = next_item(&rest);
		glob = memchr(item.text, '*', item.len) || memchr(item.text, '?', item.len) ||
		       memchr(item.text, '[', item.len);
		index = l->cnt;
		err = append(l, item.text, item.len, item.exclude, glob);
		if (!err && !glob && !catalog__find(item.text, item.len))
			warn_unknown(l->items[index].text);
		if (!err)
			err = append_aliases(l, index);
		if (err)
			return err;
	}
	return 0;
}
