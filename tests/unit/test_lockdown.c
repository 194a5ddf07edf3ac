// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What the kernel says of its lockdown, and what that means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lockdown.h"
#include "spool_kit.h"

static enum lockdown of(const char *text)
{
	char path[400];
	FILE *f;

	snprintf(path, sizeof(path), "%s/lockdown", kit_dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return lockdown__read(kit_dir);
}

static void test_words(void **state)
{
	assert_int_equal(lockdown__read(kit_dir), LOCKDOWN_UNKNOWN);
	assert_int_equal(of("[none] integrity confidentiality\n"), LOCKDOWN_NONE);
	assert_int_equal(of("none [integrity] confidentiality\n"), LOCKDOWN_INTEGRITY);
	assert_int_equal(of("none integrity [confidentiality]\n"), LOCKDOWN_CONFIDENTIALITY);
	assert_int_equal(of("none [integrity"), LOCKDOWN_UNKNOWN);
	assert_int_equal(of("[integrit] [none]"), LOCKDOWN_UNKNOWN);
	assert_int_equal(of(""), LOCKDOWN_UNKNOWN);
	assert_string_equal(lockdown__name(LOCKDOWN_INTEGRITY), "integrity");
	assert_null(lockdown__name(LOCKDOWN_ABSENT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_words, kit__setup, kit__teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
