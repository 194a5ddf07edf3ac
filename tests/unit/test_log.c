/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is said is caught in a file that stands for standard error while a test runs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "util/log.h"

static int caught = -1, real_stderr = -1;

static int setup(void **state)
{
	FILE *file = tmpfile();

	if (!file)
		return -1;
	caught = dup(fileno(file));
	fclose(file);
	real_stderr = dup(STDERR_FILENO);
	dup2(caught, STDERR_FILENO);
	log__set_level(LOG_NORMAL);
	return 0;
}

static int teardown(void **state)
{
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(caught);
	return 0;
}

/* All that was said since the last call. */
static const char *said(void)
{
	static char text[20000];
	ssize_t n = pread(caught, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	if (ftruncate(caught, 0) || lseek(caught, 0, SEEK_SET))
		abort();
	return text;
}

static void one_line_with_prefix(void **state)
{
	log__error("cannot open '%s': %s", "x", "no");
	assert_string_equal(said(), "pytrail: cannot open 'x': no\n");
	log__warn("careful");
	assert_string_equal(said(), "pytrail: warning: careful\n");
	log__info("%d events", 3);
	assert_string_equal(said(), "pytrail: 3 events\n");
	log__error("%s", "");
	assert_string_equal(said(), "pytrail: \n");
}

static void levels(void **state)
{
	log__debug("d");
	assert_string_equal(said(), "");
	log__set_level(LOG_VERBOSE);
	assert_int_equal(log__level(), LOG_VERBOSE);
	log__debug("d");
	assert_string_equal(said(), "pytrail: d\n");
	log__set_level(LOG_QUIET);
	log__debug("d");
	log__info("i");
	log__warn("w");
	assert_string_equal(said(), "");
	log__error("e");
	assert_string_equal(said(), "pytrail: e\n");
}

static void escapes(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"a\nb\tc\rd", "a\\nb\\tc\\rd"},
		{"\x1b[31mred\x7f\x01", "\\x1b[31mred\\x7f\\x01"},
		{"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x8d",
	         "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x8d"},
		{"\xff\xfe", "\\xff\\xfe"},   /* never in UTF-8 */
		{"\xc3", "\\xc3"},            /* cut */
		{"\xe2\x82", "\\xe2\\x82"},   /* cut */
		{"\xe2\x82x", "\\xe2\\x82x"}, /* cut by another character */
		{"\xc0\xaf \xe0\x80\xaf", "\\xc0\\xaf \\xe0\\x80\\xaf"}, /* overlong */
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},                     /* a surrogate */
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},            /* beyond U+10FFFF */
		{"\xc2\x9b"
	         "31m",
	         "\\u009b31m"}, /* CSI, one character */
		{"\xe2\x80\xae"
	         "txt",
	         "\\u202etxt"},              /* right-to-left override */
		{"\xe2\x80\xa8", "\\u2028"}, /* line separator */
		{"back\\slash", "back\\slash"},
	};
	char expected[128];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		log__error("%s", cases[i].in);
		snprintf(expected, sizeof(expected), "pytrail: %s\n", cases[i].out);
		assert_string_equal(said(), expected);
	}
}

static void long_message_is_whole(void **state)
{
	char expected[6000] = "pytrail: ";

	memset(expected + 9, 'x', 5000);
	strcpy(expected + 9 + 5000, "\n");
	log__error("%.*s", 5000, expected + 9);
	assert_string_equal(said(), expected);
	/* At the edge of the buffer of the first try. */
	for (size_t len = 1020; len < 1028; len++) {
		log__error("%.*s", (int)len, expected + 9);
		assert_int_equal(strlen(said()), 9 + len + 1);
	}
}

static void errno_stays(void **state)
{
	errno = ENOSPC;
	log__error("%m");
	assert_int_equal(errno, ENOSPC);
	assert_string_equal(said(), "pytrail: No space left on device\n");
	/* Of a long message, too, and with nowhere to write to. */
	errno = EPERM;
	log__error("%2000s %m", "");
	assert_non_null(strstr(said(), "Operation not permitted"));
	close(STDERR_FILENO);
	errno = EPERM;
	log__error("unheard");
	assert_int_equal(errno, EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_line_with_prefix, setup, teardown),
		cmocka_unit_test_setup_teardown(levels, setup, teardown),
		cmocka_unit_test_setup_teardown(escapes, setup, teardown),
		cmocka_unit_test_setup_teardown(long_message_is_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(errno_stays, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
