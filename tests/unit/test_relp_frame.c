// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Frames of RELP: whole ones, pieces, and lies. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sink/relp_frame.h"
#include "util/buf.h"

static void whole_ones_and_every_piece(void **state)
{
	static const char text[] = "12 rsp 6 200 OK\n13 rsp 0\n";
	struct relp_frame f;

	for (size_t len = 0; len < 16; len++)
		assert_int_equal(relp_frame__parse(text, len, &f), 0);
	assert_int_equal(relp_frame__parse(text, sizeof(text) - 1, &f), 16);
	assert_int_equal(f.txnr, 12);
	assert_string_equal(f.command, "rsp");
	assert_int_equal(f.len, 6);
	assert_memory_equal(f.data, "200 OK", 6);
	assert_int_equal(relp_frame__parse(text + 16, 9, &f), 9);
	assert_int_equal(f.len, 0);
	assert_int_equal(relp_frame__parse("0 serverclose 0 \n", 17, &f), 17);
}

static void lies(void **state)
{
	static const char *const texts[] = {
		" rsp 0\n",           "x",
		"1234567890 rsp 0\n", "1  0\n",
		"1 r-p 0\n",          "1 rsp 0x",
		"1 rsp 1 ab",         "1 rsp -1 \n",
		"1 rsp 65537 ",       "1 rsp 999999999999",
		"1 rsp 1\nab",
	};
	struct relp_frame f;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(relp_frame__parse(texts[i], strlen(texts[i]), &f), -EBADMSG);
}

static void put_and_taken(void **state)
{
	struct buf b = BUF_INIT;
	struct relp_frame f;

	relp_frame__put(&b, RELP_TXNR_MAX, "syslog", "a\nb", 3);
	relp_frame__put(&b, 1, "close", NULL, 0);
	assert_int_equal(relp_frame__parse(b.data, b.len, &f), b.len - 10);
	assert_int_equal(f.txnr, RELP_TXNR_MAX);
	assert_memory_equal(f.data, "a\nb", 3);
	buf__free(&b);
}

static void answers(void **state)
{
	struct relp_frame f = {.data = "200 OK\ncommands=starttls,syslog\nx=y"};
	const char *text;
	size_t len;

	f.len = strlen(f.data);
	assert_int_equal(relp_frame__status(&f, &text, &len), 200);
	assert_int_equal(len, 2);
	assert_memory_equal(text, "OK", 2);
	assert_true(relp_frame__offers(&f, "commands", "syslog"));
	assert_true(relp_frame__offers(&f, "x", "y"));
	assert_false(relp_frame__offers(&f, "commands", "sys"));
	assert_false(relp_frame__offers(&f, "command", "syslog"));
	f.len = 3;
	assert_int_equal(relp_frame__status(&f, &text, &len), 200);
	assert_int_equal(len, 0);
	f.len = 2;
	assert_int_equal(relp_frame__status(&f, &text, &len), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_ones_and_every_piece),
		cmocka_unit_test(lies),
		cmocka_unit_test(put_and_taken),
		cmocka_unit_test(answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
