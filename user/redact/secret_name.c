// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "secret_name.h"

#include <fnmatch.h>
#include <string.h>

#include "ascii.h"

/* A longer name is judged by its end, where the noun is. */
#define NAME_MAX_LEN 64

/* Anywhere in the name, separators taken out. By the first letter: names are looked through at each
 * position, and there are many in what others wrote. */
#define INSIDE_MAX 8
static const char *const inside[26][INSIDE_MAX] = {
	['a' - 'a'] = {"apikey", "accesskey", "authorization", "accountkey", "authkey"},
	['b' - 'a'] = {"bearer"},
	['c' - 'a'] = {"credential", "cookie", "connectionstring", "csrf"},
	['e' - 'a'] = {"encryptionkey"},
	['f' - 'a'] = {"functionskey"},
	['j' - 'a'] = {"jwt"},
	['m' - 'a'] = {"masterkey"},
	['p' - 'a'] = {"password", "passwd", "passphrase", "passcode", "passwort", "privatekey"},
	['s' - 'a'] = {"secret", "signature", "sessionid", "sessid", "sharedkey", "signingkey",
                       "subscriptionkey"},
	['t' - 'a'] = {"token"},
};

/* The last word of the name. */
static const char *const last_word[] = {"pass", "pwd", "pw", "pin", "otp", "auth", "creds", "psk"};

/* The whole name of a parameter in a URL. */
static const char *const query_names[] = {"key", "code", "sig", "hmac", "sid"};

/* What ends so speaks of a secret, and is none. */
static const char *const harmless_ends[] = {"file",   "path", "stdin",   "prompt", "policy",
                                            "length", "url",  "uri",     "type",   "hint",
                                            "expiry", "ttl",  "expires", "count",  "limit",
                                            "env",    "fd",   "name",    "id",     "bytes",
                                            "enabled"};
static const char *const harmless_starts[] = {"no", "ask", "has", "is", "use"};

#define CNT(a) (sizeof(a) / sizeof((a)[0]))

struct name {
	char words[NAME_MAX_LEN + 1];    /* in lower case, a `_` between words */
	char squeezed[NAME_MAX_LEN + 1]; /* without it */
};

/* What is not ASCII is part of a word, too. */
static bool is_word_char(uint8_t c)
{
	return ascii__is_alnum(c) || c > 0x7f;
}

static void split(struct name *out, const uint8_t *s, size_t len)
{
	size_t w = 0, q = 0;

	for (size_t i = 0; i < len && w < NAME_MAX_LEN; i++) {
		bool hump = i && ascii__is_upper(s[i]) && ascii__is_lower(s[i - 1]);
		char c = (char)(ascii__is_upper(s[i]) ? s[i] + 32 : s[i]);

		if (!is_word_char(s[i]) || (hump && w + 1 < NAME_MAX_LEN)) {
			if (w && out->words[w - 1] != '_')
				out->words[w++] = '_';
			if (!hump)
				continue;
		}
		out->words[w++] = c;
		out->squeezed[q++] = c;
	}
	while (w && out->words[w - 1] == '_')
		w--;
	out->words[w] = out->squeezed[q] = '\0';
}

static bool is_one_of(const char *text, const char *const *list, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (*text == *list[i] && !strcmp(text, list[i]))
			return true;
	return false;
}

static bool has_inside(const char *s)
{
	for (; *s; s++) {
		if (*s < 'a' || *s > 'z')
			continue;
		const char *const *words = inside[*s - 'a'];

		for (size_t i = 0; i < INSIDE_MAX && words[i]; i++)
			if (s[1] == words[i][1] && !strncmp(s, words[i], strlen(words[i])))
				return true;
	}
	return false;
}

static bool is_harmless(const struct name *n, const char *last)
{
	size_t first = (size_t)(strchrnul(n->words, '_') - n->words);

	if (last != n->words && is_one_of(last, harmless_ends, CNT(harmless_ends)))
		return true;
	for (size_t i = 0; i < CNT(harmless_starts); i++)
		if (strlen(harmless_starts[i]) == first &&
		    !memcmp(harmless_starts[i], n->words, first))
			return true;
	return false;
}

static bool is_users(const struct secret_names *names, const struct name *n)
{
	for (size_t i = 0; names && i < names->cnt; i++)
		if (!fnmatch(names->globs[i], n->words, 0) ||
		    !fnmatch(names->globs[i], n->squeezed, 0))
			return true;
	return false;
}

bool secret_name__is(const uint8_t *name, size_t len, bool query, const struct secret_names *names)
{
	struct name n;
	const char *last;

	if (len > NAME_MAX_LEN) {
		name += len - NAME_MAX_LEN;
		len = NAME_MAX_LEN;
	}
	split(&n, name, len);
	if (!n.words[0])
		return false;
	if (is_users(names, &n))
		return true;
	last = strrchr(n.words, '_');
	last = last ? last + 1 : n.words;
	if (query && is_one_of(n.words, query_names, CNT(query_names)))
		return true;
	if (is_harmless(&n, last))
		return false;
	return is_one_of(last, last_word, CNT(last_word)) || has_inside(n.squeezed);
}
