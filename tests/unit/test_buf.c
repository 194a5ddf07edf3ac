/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "util/buf.h"

static void assert_content(const struct buf *b, const char *expected)
{
	assert_false(b->failed);
	assert_int_equal(b->len, strlen(expected));
	assert_memory_equal(b->data, expected, b->len);
}

static void empty_needs_no_memory(void **state)
{
	struct buf b = BUF_INIT;

	buf__append(&b, "", 0);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	buf__free(&b);
	buf__free(&b);
}

static void appends_grow(void **state)
{
	struct buf b = BUF_INIT;
	size_t i;

	for (i = 0; i < 100000; i++)
		buf__char(&b, (char)('a' + i % 26));
	assert_int_equal(b.len, 100000);
	for (i = 0; i < b.len; i++)
		assert_int_equal(b.data[i], 'a' + i % 26);
	buf__free(&b);
	assert_null(b.data);
}

static void reset_keeps_memory(void **state)
{
	struct buf b = BUF_INIT;
	char *data;

	buf__str(&b, "one");
	buf__lit(&b, "two");
	assert_content(&b, "onetwo");
	data = b.data;
	buf__reset(&b);
	buf__lit(&b, "three");
	assert_ptr_equal(b.data, data);
	assert_content(&b, "three");
	buf__free(&b);
}

static void printf_at_every_fill(void **state)
{
	char filler[600];
	size_t used;

	memset(filler, 'x', sizeof(filler));
	for (used = 0; used < sizeof(filler); used++) {
		struct buf b = BUF_INIT;

		buf__append(&b, filler, used);
		buf__printf(&b, "%s=%d", "key", 42);
		assert_false(b.failed);
		assert_int_equal(b.len, used + 6);
		assert_memory_equal(b.data + used, "key=42", 6);
		buf__printf(&b, "%s", "");
		assert_int_equal(b.len, used + 6);
		buf__free(&b);
	}
}

static void printf_long(void **state)
{
	struct buf b = BUF_INIT;

	buf__printf(&b, "%05000d", 7);
	assert_false(b.failed);
	assert_int_equal(b.len, 5000);
	assert_int_equal(b.data[0], '0');
	assert_int_equal(b.data[4999], '7');
	buf__free(&b);
}

static void no_memory_is_marked(void **state)
{
	struct buf b = BUF_INIT;

	buf__lit(&b, "kept");
	assert_false(buf__reserve(&b, SIZE_MAX));
	assert_true(b.failed);
	assert_false(buf__reserve(&b, SIZE_MAX / 2 + 10));
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.data, "kept", 4);
	buf__reset(&b);
	assert_false(b.failed);
	buf__free(&b);
}

static void integers(void **state)
{
	static const int64_t edges[] = {0,   1,    9,         10,        99,       100, 101,
	                                999, 1000, 12345,     INT64_MAX, -1,       -9,  -10,
	                                -99, -100, INT64_MIN, INT32_MIN, INT32_MAX};
	struct buf b = BUF_INIT;
	char expected[32];
	uint64_t v;
	size_t i;
	int k;

	for (i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		buf__reset(&b);
		buf__i64(&b, edges[i]);
		snprintf(expected, sizeof(expected), "%" PRId64, edges[i]);
		assert_content(&b, expected);
	}
	/* Around every power of ten, and the largest. */
	for (v = 1, i = 0; i < 20; i++, v *= 10) {
		for (k = -1; k <= 1; k++) {
			buf__reset(&b);
			buf__u64(&b, v + (uint64_t)k);
			snprintf(expected, sizeof(expected), "%" PRIu64, v + (uint64_t)k);
			assert_content(&b, expected);
		}
	}
	buf__reset(&b);
	buf__u64(&b, UINT64_MAX);
	assert_content(&b, "18446744073709551615");
	buf__free(&b);
}

/* What there was no memory for is the end: nothing shorter follows, as if it had been there. */
static void test_no_hole(void **state)
{
	struct buf b = BUF_INIT;

	buf__lit(&b, "{\"pid\":");
	assert_false(buf__reserve(&b, SIZE_MAX));
	assert_true(b.failed);
	buf__char(&b, '}');
	buf__u64(&b, 7);
	buf__printf(&b, "%d", 7);
	assert_int_equal(b.len, 7);
	/* and from the beginning there is room again */
	buf__reset(&b);
	buf__lit(&b, "again");
	assert_false(b.failed);
	assert_memory_equal(b.data, "again", 5);
	buf__free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_hole),         cmocka_unit_test(empty_needs_no_memory),
		cmocka_unit_test(appends_grow),         cmocka_unit_test(reset_keeps_memory),
		cmocka_unit_test(printf_at_every_fill), cmocka_unit_test(printf_long),
		cmocka_unit_test(no_memory_is_marked),  cmocka_unit_test(integers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
