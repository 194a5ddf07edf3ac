// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "py_argv.h"

#include <string.h>

/* Short options that take a value: the rest of the word, or the next word (CPython:
 * Python/getopt.c, SHORT_OPTS "+bBc:dEhiIJm:OPqRsStuvVW:xX:?"). */
static const char with_value[] = "cmWX";
/* The only long one that does (longopts in the same file). */
static const char long_with_value[] = "--check-hash-based-pycs";

struct words {
	const char *pos, *end; /* pos is NULL behind the last word */
};

static bool words__next(struct words *w, const char **word, size_t *len)
{
	const char *nul;

	if (!w->pos)
		return false;
	nul = memchr(w->pos, '\0', (size_t)(w->end - w->pos));
	*word = w->pos;
	*len = (size_t)((nul ? nul : w->end) - w->pos);
	w->pos = nul ? nul + 1 : NULL;
	return true;
}

bool py_argv__is_interpreter(const char *path, size_t len)
{
	static const char *const names[] = {"python", "pypy"};
	const char *base;

	if (!path)
		return false;
	base = memrchr(path, '/', len);
	base = base ? base + 1 : path;
	len -= (size_t)(base - path);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(names[i]);

		if (len >= n && !memcmp(base, names[i], n) &&
		    (len == n || (base[n] >= '0' && base[n] <= '9') || base[n] == '-'))
			return true;
	}
	return false;
}

static struct py_argv found(enum py_run run, const char *text, size_t len)
{
	return (struct py_argv){.run = run, .text = text, .len = len};
}

/*
 * A word of short options, without its dash. True when there is no more to look at, *out then being
 * the result.
 */
static bool take_short(struct words *w, const char *word, size_t len, struct py_argv *out)
{
	for (size_t i = 0; i < len; i++) {
		char c = word[i];

		if (!strchr(with_value, c))
			continue;
		word += i + 1;
		len -= i + 1;
		if (!len && !words__next(w, &word, &len))
			return true;
		if (c == 'c' || c == 'm') {
			*out = found(c == 'c' ? PY_RUN_COMMAND : PY_RUN_MODULE, word, len);
			return true;
		}
		return false;
	}
	return false;
}

struct py_argv py_argv__parse(const char *argv, size_t len)
{
	struct words w = {argv, argv};
	struct py_argv out = {0};
	const char *word;
	size_t n;

	if (!argv)
		return out;
	w.end += len;
	if (!words__next(&w, &word, &n))
		return out;
	while (words__next(&w, &word, &n)) {
		if (n == 1 && word[0] == '-')
			return out; /* standard input */
		if (n < 2 || word[0] != '-')
			return n ? found(PY_RUN_SCRIPT, word, n) : out;
		if (n == 2 && word[1] == '-')
			return words__next(&w, &word, &n) && n ? found(PY_RUN_SCRIPT, word, n) : out;
		if (word[1] == '-') {
			if (n == sizeof(long_with_value) - 1 && !memcmp(word, long_with_value, n))
				words__next(&w, &word, &n);
			continue;
		}
		if (take_short(&w, word + 1, n - 1, &out))
			return out;
	}
	return out;
}
