// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The `text` format: what fits, what is escaped, how wide it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "records.h"
#include "user/format/format.h"
#include "user/format/when.h"
#include "user/util/buf.h"
#include "user/util/columns.h"

static struct rb b;
static struct buf out;
static struct format_context ctx = {.realtime_offset_ns = 1769850000000000000 - 5000000000};

static const char *render(void)
{
	struct event ev;

	assert_int_equal(reader__audit(&b, b.size, &ev), 0);
	buf__reset(&out);
	format_text.event(&out, &ev, &ctx);
	assert_int_equal(out.data[out.len - 1], '\n');
	out.data[out.len - 1] = '\0';
	return out.data;
}

static void begin(uint64_t nargs)
{
	rb__audit(&b, "test.event");
	rb__u64(&b, PT_K_TUPLE, 0, nargs);
}

static void one(const char *value)
{
	char want[256];

	rb__end(&b);
	snprintf(want, sizeof(want), "%-*s%-24sarg0=%s", 38, "09:00:00.000    4242 python3",
	         "test.event", value);
	assert_string_equal(render(), want);
	begin(1);
}

static void test_values(void **state)
{
	begin(1);
	rb__str(&b, "it's \\ \x1b[31m\n");
	one("'it\\'s \\\\ \\x1b[31m\\n'");
	rb__node(&b, PT_K_BYTES, 0, "\0\xff'", 3);
	one("b'\\x00\\xff\\''");
	rb__u64(&b, PT_K_SET, 0, 0);
	rb__end(&b);
	one("set()");
	rb__u64(&b, PT_K_FROZENSET, 0, 0);
	rb__end(&b);
	one("frozenset()");
	rb__u64(&b, PT_K_TUPLE, 0, 1);
	rb__node(&b, PT_K_NONE, 0, NULL, 0);
	rb__end(&b);
	one("(None,)");
	rb__u64(&b, PT_K_DICT, PT_F_CUT, 5);
	rb__str(&b, "k");
	rb__float(&b, 1.0);
	rb__end(&b);
	one("{'k': 1.0, \u2026}");
	rb__u64(&b, PT_K_CODE, 0, 1);
	rb__str(&b, "main");
	rb__str(&b, "app.py");
	rb__end(&b);
	one("<code main app.py:1>");
	rb__object(&b, 0x7f00, "socket.socket");
	one("<socket.socket 0x7f00>");
	rb__cut(&b, PT_K_STR, 100, "abc", 3);
	one("'abc'\u2026");
	rb__node(&b, PT_K_BIGINT, PT_F_NEG, (uint32_t[]){0, 0, 16}, 12);
	one("-0x10000000000000000");
}

static void test_hidden(void **state)
{
	begin(1);
	rb__wide(&b, PT_K_STR4, (uint32_t[]){0x202e, 0x200b, 0xfeff, 0xe0041, 0xa0, 0x9b, 0x85}, 7);
	one("'\\u202e\\u200b\\ufeff\\U000e0041\\xa0\\x9b\\x85'");
	/* Only so many combining marks on a letter. */
	rb__wide(&b, PT_K_STR4, (uint32_t[]){'a', 0x301, 0x301, 0x301, 0x301, 0x301, 'b'}, 7);
	one("'a\u0301\u0301\u0301\u0301\\u0301b'");
	rb__text(&b, PT_K_UTF8, "\xff\u20ac");
	one("'\\udcff\u20ac'");
}

static unsigned shown(const char *s)
{
	unsigned cols = 0;

	while (*s) {
		if ((*s & 0xc0) != 0x80)
			cols += (*s & 0xf0) == 0xe0 && strncmp(s, "\u2026", 3) != 0 ? 2 : 1;
		s++;
	}
	return cols;
}

static void test_width(void **state)
{
	unsigned full;

	begin(2);
	rb__wide(&b, PT_K_STR2, (uint32_t[]){0x65e5, 0x672c, 'x', 0x8a9e}, 4);
	rb__str(&b, "abc");
	rb__end(&b);
	ctx.width = 0;
	full = shown(render());
	for (ctx.width = 1; ctx.width < full + 10; ctx.width++) {
		const char *line = render();
		bool cut = strstr(line, "\u2026") != NULL;

		assert_int_equal(cut, ctx.width < full);
		assert_true(shown(line) <= ctx.width);
		/* A wide character may leave one column free before the ellipsis. */
		if (cut)
			assert_true(shown(line) + 1 >= ctx.width);
	}
	ctx.width = 0;
}

static void test_columns_are_stable(void **state)
{
	begin(0);
	memcpy(b.rec.task.comm, "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xff\xff\xff\xff",
	       16);
	rb__end(&b);
	assert_string_equal(render(), "09:00:00.000    4242 \u65e5\u672c\u8a9e\u65e5\\udcff\u2026  "
	                              "test.event");
	begin(1);
	memcpy(b.rec.task.comm, "exactly15chars!", 16);
	rb__end(&b);
	assert_string_equal(render(), "09:00:00.000    4242 exactly15chars!  test.event");
}

static void test_color(void **state)
{
	begin(1);
	rb__str(&b, "\x1b[0m and more than fits into the line of this width");
	rb__end(&b);
	ctx.color = true;
	ctx.width = 85;
	render();
	assert_string_equal(out.data + out.len - 5, "\033[0m");
	assert_null(strstr(out.data, "\033[0m and"));
	assert_non_null(strstr(out.data, "\\x1b[0m"));
	ctx.color = false;
	ctx.width = 0;
	render();
	assert_null(strchr(out.data, '\033'));
}

static void test_columns(void **state)
{
	char utf8[4];

	assert_int_equal(columns__of('a'), 1);
	assert_int_equal(columns__of(0x1f600), 2);
	assert_int_equal(columns__of(0x4e2d), 2);
	assert_int_equal(columns__of(0x301), 0);
	assert_int_equal(columns__of(0xe9), 1);
	assert_int_equal(columns__of(0x2500), 1);
	assert_int_equal(columns__of(0), -1);
	assert_int_equal(columns__of(0x7f), -1);
	assert_int_equal(columns__of(0xdc80), -1);
	assert_int_equal(columns__of(0x10ffff), -1);
	assert_int_equal(columns__of(0xffffffff), -1);
	assert_int_equal(columns__utf8(utf8, 0x1f600), 4);
	assert_memory_equal(utf8, "\U0001f600", 4);
}

static void utc_is(int64_t ns, const char *want)
{
	char text[WHEN_UTC_LEN + 1] = "";

	when__utc(text, ns);
	assert_string_equal(text, want);
}

static void test_when(void **state)
{
	utc_is(0, "1970-01-01T00:00:00.000000000Z");
	utc_is(1, "1970-01-01T00:00:00.000000001Z");
	utc_is(951782399999999999, "2000-02-28T23:59:59.999999999Z");
	utc_is(951782400000000000, "2000-02-29T00:00:00.000000000Z");
	utc_is(1769850000123456789, "2026-01-31T09:00:00.123456789Z");
	utc_is(-5, "1970-01-01T00:00:00.000000000Z");
	utc_is(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
}

static int reset(void **state)
{
	ctx.width = 0;
	ctx.color = false;
	return 0;
}

static int teardown(void **state)
{
	buf__free(&out);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_values), TEST(test_hidden),
		TEST(test_width),  TEST(test_columns_are_stable),
		TEST(test_color),  TEST(test_columns),
		TEST(test_when),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, teardown);
}
