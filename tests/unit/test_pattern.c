/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "catalog.h"
#include "pattern.h"
#include "util/log.h"

/* Whether `name` is wanted by these patterns; fails the test when they are not accepted. */
static bool wants(const char *patterns, const char *name)
{
	struct pattern_list *l = pattern_list__new();
	size_t len = strlen(name);
	/* Exactly as long as the name: a read beyond it shows under ASan. */
	char *bare = malloc(len ? len : 1);
	bool result;

	assert_non_null(l);
	assert_non_null(bare);
	memcpy(bare, name, len);
	assert_int_equal(pattern_list__add(l, patterns), 0);
	assert_false(pattern_list__empty(l));
	result = pattern_list__match(l, bare, len);
	pattern_list__free(l);
	free(bare);
	return result;
}

/* What adding these patterns returns; what it says goes to said[]. */
static char said[1000];

static int add(const char *patterns)
{
	struct pattern_list *l = pattern_list__new();
	int real_stderr = dup(STDERR_FILENO), err;
	FILE *file = tmpfile();
	ssize_t n;

	assert_non_null(file);
	dup2(fileno(file), STDERR_FILENO);
	err = pattern_list__add(l, patterns);
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	n = pread(fileno(file), said, sizeof(said) - 1, 0);
	said[n > 0 ? n : 0] = '\0';
	fclose(file);
	assert_true(err == 0 || pattern_list__empty(l)); /* all or nothing */
	pattern_list__free(l);
	return err;
}

static void no_patterns_want_all(void **state)
{
	struct pattern_list *l = pattern_list__new();

	assert_true(pattern_list__empty(l));
	assert_true(pattern_list__match(l, "anything", 8));
	pattern_list__free(l);
	pattern_list__free(NULL);
}

static void names(void **state)
{
	assert_true(wants("open", "open"));
	assert_false(wants("open", "ope"));
	assert_false(wants("open", "opens"));
	assert_true(wants("open,os.system", "os.system"));
	assert_true(wants("  open ,\tos.system\n", "os.system"));
	assert_true(wants("myapp.login", "myapp.login"));
	assert_true(wants("caf\xc3\xa9", "caf\xc3\xa9"));
}

static void excludes(void **state)
{
	assert_false(wants("!open", "open"));
	assert_true(wants("!open", "os.system"));
	assert_true(wants("open,socket.*,!socket.gethostname", "socket.connect"));
	assert_false(wants("open,socket.*,!socket.gethostname", "socket.gethostname"));
	assert_false(wants("open,socket.*,!socket.gethostname", "os.system"));
	assert_false(wants("!socket.*,socket.connect", "socket.connect"));
	assert_true(wants("! open", "import"));
	assert_false(wants("! open", "open"));
}

static void lists_add_up(void **state)
{
	struct pattern_list *l = pattern_list__new();

	assert_int_equal(pattern_list__add(l, "open"), 0);
	assert_int_equal(pattern_list__add(l, "!os.*"), 0);
	assert_int_equal(pattern_list__add(l, "os.system"), 0);
	assert_true(pattern_list__match(l, "open", 4));
	assert_false(pattern_list__match(l, "os.system", 9));
	assert_false(pattern_list__match(l, "exec", 4));
	pattern_list__free(l);
}

static void globs(void **state)
{
	assert_true(wants("*", ""));
	assert_true(wants("*", "x"));
	assert_true(wants("**", "x"));
	assert_true(wants("os.*dir", "os.listdir"));
	assert_false(wants("os.*dir", "os.listdirs"));
	assert_true(wants("*a*b*c*", "xxaxxbxxcxx"));
	assert_false(wants("*a*b*c*", "xxaxxcxxbxx"));
	assert_true(wants("*.*/2", "glob.glob/2"));
	assert_true(wants("?pen", "open"));
	assert_false(wants("?pen", "pen"));
	assert_false(wants("????", "opens"));
	assert_true(wants("*ab", "aab"));
	assert_true(wants("*aab", "aaab"));
	/* `?` is a character, not a byte; of invalid UTF-8 a byte. */
	assert_true(wants("caf?", "caf\xc3\xa9"));
	assert_false(wants("caf??", "caf\xc3\xa9"));
	assert_true(wants("?", "\xff"));
	assert_true(wants("*\xc3\xa9", "xx\xc3\xa9"));
}

static void sets(void **state)
{
	assert_true(wants("[a-o]pen", "open"));
	assert_false(wants("[a-n]pen", "open"));
	assert_true(wants("[xyo]pen", "open"));
	assert_true(wants("[!a]pen", "open"));
	assert_true(wants("[^a]pen", "open"));
	assert_false(wants("[!a-z]pen", "open"));
	assert_true(wants("[]]x", "]x"));
	assert_true(wants("[!]]x", "ax"));
	assert_false(wants("[!]]x", "]x"));
	assert_true(wants("a[*]b", "a*b"));
	assert_false(wants("a[*]b", "axb"));
	assert_true(wants("[a-]x", "-x"));
	assert_true(wants("[-a]x", "-x"));
	assert_true(wants("[a-z-A]x", "-x"));
	assert_true(wants("[!-A]x", "zx"));
	assert_true(wants("x]", "x]"));
	/* A set is of ASCII characters: what is not one of them is not in it. */
	assert_false(wants("[a-z]", "\xc3\xa9"));
	assert_true(wants("[!a-z]", "\xc3\xa9"));
}

static void malformed(void **state)
{
	static const char *const bad[] = {
		"",       " ",      ",",     "open,", ",open",      "open,,exec", "!",   "open,!",
		"! ",     "!!open", "[",     "[]",    "[!",         "[!]",        "[^]", "a[b",
		"open,[", "[z-a]",  "[a,b]", "x[a-b", "[\xc3\xa9]", "![z-a]",     "a[]",
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(add(bad[i]), -EINVAL);
		assert_ptr_equal(strstr(said, "pytrail: malformed pattern '"), said);
		assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1); /* one sentence */
	}
	add("open,a[b");
	assert_string_equal(said, "pytrail: malformed pattern 'open,a[b': '[' has no ']'\n");
}

static void unknown_names_are_warned_of(void **state)
{
	log__set_level(LOG_NORMAL);
	assert_int_equal(add("open,socket.conect"), 0);
	assert_string_equal(said, "pytrail: warning: no version of CPython raises an event "
	                          "'socket.conect'; did you mean 'socket.connect'?\n");
	assert_int_equal(add("!myapp.login"), 0);
	assert_string_equal(said, "pytrail: warning: no version of CPython raises an event "
	                          "'myapp.login'\n");
	assert_int_equal(add("open,myapp.*,!os.listdir"), 0);
	assert_string_equal(said, "");
	log__set_level(LOG_QUIET);
}

static void both_names_of_an_event(void **state)
{
	assert_true(wants("sys.set_asyncgen_hooks_firstiter", "sys.set_asyncgen_hook_firstiter"));
	assert_true(wants("sys.set_asyncgen_hook_firstiter", "sys.set_asyncgen_hooks_firstiter"));
	assert_true(wants("sys.*_hooks_*", "sys.set_asyncgen_hook_finalizer"));
	assert_false(wants("!sys.*_hooks_*", "sys.set_asyncgen_hook_finalizer"));
	assert_false(wants("sys.set_asyncgen_hooks_firstiter", "sys.set_asyncgen_hook_finalizer"));
}

/* A pattern that makes a naive matcher take ages. */
static void bounded_time(void **state)
{
	char pattern[201], name[20001];
	size_t i;

	for (i = 0; i < 200; i += 2)
		memcpy(pattern + i, "*a", 2);
	pattern[200] = '\0';
	memset(name, 'a', 20000);
	name[20000] = '\0';
	assert_true(wants(pattern, name));
	name[19999] = 'b';
	assert_false(wants(pattern, name));
}

/* Every pattern of up to four of these characters is either refused or matched without harm. */
static void all_short_patterns(void **state)
{
	static const char letters[] = "a[]!-*?,^";
	const size_t base = sizeof(letters) - 1;
	size_t total = 1, n, i, k;
	int real_stderr = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
	char pattern[6];

	dup2(null, STDERR_FILENO);
	close(null);
	for (n = 1; n <= 4; n++) {
		total *= base;
		for (i = 0; i < total; i++) {
			struct pattern_list *l = pattern_list__new();
			size_t rest = i;

			for (k = 0; k < n; k++, rest /= base)
				pattern[k] = letters[rest % base];
			pattern[n] = '\0';
			if (!pattern_list__add(l, pattern)) {
				pattern_list__match(l, "a]-\xc3\xa9", 5);
				pattern_list__match(l, "", 0);
				pattern_list__match(l, "\xf0", 1);
			}
			pattern_list__free(l);
		}
	}
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_patterns_want_all),
		cmocka_unit_test(names),
		cmocka_unit_test(excludes),
		cmocka_unit_test(lists_add_up),
		cmocka_unit_test(globs),
		cmocka_unit_test(sets),
		cmocka_unit_test(malformed),
		cmocka_unit_test(unknown_names_are_warned_of),
		cmocka_unit_test(both_names_of_an_event),
		cmocka_unit_test(bounded_time),
		cmocka_unit_test(all_short_patterns),
	};

	log__set_level(LOG_QUIET); /* names made up here are not to be warned of */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
