// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Counts by key: right, bounded, and nothing uncounted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "user/tally.h"

static struct tally *t;

static struct tally_row *count(const char *key)
{
	return tally__count(t, key, strlen(key));
}

static uint64_t sum_shown(void)
{
	struct tally_row **rows;
	size_t cnt = tally__rows(t, &rows);
	uint64_t sum = 0;

	for (size_t i = 0; i < cnt; i++)
		sum += rows[i]->shown;
	return sum;
}

static void test_counts(void **state)
{
	struct tally_row *r = count("a");

	assert_true(r->fresh);
	tally_row__set_name(r, "name", 4);
	assert_false(count("a")->fresh);
	assert_true(count("b")->fresh);
	assert_ptr_equal(count("a"), r);
	assert_int_equal(r->total, 3);
	/* figures are those of the last tick */
	assert_int_equal(sum_shown(), 0);
	tally__tick(t, 2);
	assert_int_equal(sum_shown(), 4);
	assert_true(r->rate > 1.49 && r->rate < 1.51);
	count("a");
	assert_int_equal(sum_shown(), 4);
	tally__tick(t, 1);
	assert_int_equal(r->shown, 4);
	tally__tick(t, 0);
	assert_true(r->rate == 0);
	assert_string_equal(tally__find(t, "a", 1)->name, "name");
	assert_null(tally__find(t, "c", 1));
}

static void test_bounded(void **state)
{
	uint64_t dropped, events;
	char key[32];

	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		count(key);
		count("always"); /* never the least recently counted */
	}
	tally__tick(t, 1);
	dropped = tally__dropped(t, &events);
	assert_int_equal(dropped, 1000 - 7);
	assert_int_equal(events, 1000 - 7);
	assert_int_equal(sum_shown() + events, 2000);
	assert_int_equal(tally__find(t, "always", 6)->total, 1000);
	assert_null(tally__find(t, "0", 1));
}

static void test_keys(void **state)
{
	static char large[2 * TALLY_KEY_MAX];

	assert_true(tally__count(t, "", 0)->fresh);
	assert_false(tally__count(t, "", 0)->fresh);
	assert_true(tally__count(t, "a\0b", 3)->fresh);
	assert_true(tally__count(t, "a\0c", 3)->fresh);
	assert_true(tally__count(t, "a", 1)->fresh);
	memset(large, 'x', sizeof(large));
	assert_true(tally__count(t, large, sizeof(large))->fresh);
	assert_int_equal(strlen(tally__find(t, large, sizeof(large))->key), TALLY_KEY_MAX);
}

static void test_texts(void **state)
{
	static char large[2 * TALLY_NAME_MAX];
	struct tally_row *r = count("a");

	memset(large, 'x', sizeof(large) - 1);
	tally_row__set_name(r, large, sizeof(large) - 1);
	assert_int_equal(strlen(r->name), TALLY_NAME_MAX);
	tally_row__set_name(r, NULL, 0);
	assert_null(r->name);
	tally_row__set_container(r, "c", "name");
	assert_string_equal(r->container, "c");
	assert_string_equal(r->container_name, "name");
	tally_row__set_container(r, NULL, NULL);
	assert_null(r->container);
	assert_null(r->container_name);
}

static int setup(void **state)
{
	t = tally__new(8);
	return !t;
}

static int teardown(void **state)
{
	tally__free(t);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_counts), TEST(test_bounded), TEST(test_keys),
	                                   TEST(test_texts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
