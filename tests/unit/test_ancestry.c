// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Lists of ancestors: of any bytes, and of this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "user/enrich/ancestry.h"
#include "user/util/buf.h"

static char list[ANCESTRY_BYTES];

static void check(const char *bytes, size_t len, const char *want)
{
	char *copy = malloc(len ? len : 1);
	struct buf b = BUF_INIT;

	memcpy(copy, bytes, len);
	ancestry__json(&b, copy, len);
	assert_int_equal(b.len, strlen(want));
	assert_memory_equal(b.data, want, b.len);
	buf__free(&b);
	free(copy);
}

#define CHECK(bytes, want) check(bytes, sizeof(bytes) - 1, want)

static void test_json(void **state)
{
	CHECK("7\0a\"b\0/bin/x\0001\0init\0\0",
	      "[{\"pid\":7,\"comm\":\"a\\\"b\",\"exe\":\"/bin/x\"},{\"pid\":1,\"comm\":\"init\"}]");
	CHECK("7\0a\0/bin/x\0001\0init\0", "[{\"pid\":7,\"comm\":\"a\",\"exe\":\"/bin/x\"}]");
	CHECK("7\0a\0/bin/x", "[]");
	CHECK("7x\0a\0b\0", "[]");
	CHECK("-7\0a\0b\0", "[]");
	CHECK("4294967296\0a\0b\0", "[]");
	CHECK("\0\0\0", "[]");
	CHECK("", "[]");
}

static void test_bounded(void **state)
{
	struct ancestor a = {.pid = 5, .comm = "sh", .exe = "/bin/sh"};
	struct buf b = BUF_INIT;
	size_t len = 0, cnt = 0, other_len = 0;
	static char other[64];

	while (ancestry__put(list, sizeof(list), &len, &a))
		cnt++;
	assert_int_equal(len, cnt * 13);
	assert_true(sizeof(list) - len < 13);
	ancestry__json(&b, list, len);
	assert_int_equal(b.len,
	                 2 + 16 * strlen("{\"pid\":5,\"comm\":\"sh\",\"exe\":\"/bin/sh\"},") - 1);
	ancestry__append(other, sizeof(other), &other_len, list, len, 3);
	assert_int_equal(other_len, 39);
	ancestry__append(other, sizeof(other), &other_len, list, len, 3);
	assert_int_equal(other_len, 52);
	buf__free(&b);
}

static void test_read(void **state)
{
	const char *pos = list;
	size_t len = 0;
	struct ancestor a;

	ancestry__read((uint32_t)getpid(), UINT64_MAX, list, sizeof(list), &len);
	assert_true(ancestry__next(&pos, list + len, &a));
	assert_int_equal(a.pid, getpid());
	assert_string_equal(a.comm, "test_ancestry");
	assert_non_null(strstr(a.exe, "/test_ancestry"));
	assert_true(ancestry__next(&pos, list + len, &a));
	assert_int_equal(a.pid, getppid());
	while (ancestry__next(&pos, list + len, &a))
		continue;
	assert_ptr_equal(pos, list + len);
	/* nothing started before the host did */
	len = 0;
	ancestry__read((uint32_t)getpid(), 1, list, sizeof(list), &len);
	assert_int_equal(len, 0);
	ancestry__read(0x7ffffffe, UINT64_MAX, list, sizeof(list), &len);
	assert_int_equal(len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
