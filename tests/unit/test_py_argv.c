// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Command lines of interpreters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "user/enrich/py_argv.h"

/* In an allocation of its own size, so that reading beyond it is found. */
static struct py_argv parse(const char *argv, size_t len, char **copy)
{
	*copy = malloc(len ? len : 1);
	memcpy(*copy, argv, len);
	return py_argv__parse(*copy, len);
}

static void check(const char *argv, size_t len, enum py_run run, const char *text)
{
	char *copy;
	struct py_argv got = parse(argv, len, &copy);

	assert_int_equal(got.run, run);
	if (text) {
		assert_int_equal(got.len, strlen(text));
		assert_memory_equal(got.text, text, got.len);
	}
	free(copy);
}

#define CHECK(argv, run, text) check(argv, sizeof(argv) - 1, run, text)

static void test_parse(void **state)
{
	CHECK("python3\0app.py", PY_RUN_SCRIPT, "app.py");
	CHECK("python3\0app.py\0-m\0x", PY_RUN_SCRIPT, "app.py");
	CHECK("python3\0-m\0http.server\0008000", PY_RUN_MODULE, "http.server");
	CHECK("python3\0-mhttp.server", PY_RUN_MODULE, "http.server");
	CHECK("python3\0-Bum\0json.tool", PY_RUN_MODULE, "json.tool");
	CHECK("python3\0-c\0print(1)\0a", PY_RUN_COMMAND, "print(1)");
	CHECK("python3\0-cprint(1)", PY_RUN_COMMAND, "print(1)");
	CHECK("python3\0-Ic\0", PY_RUN_COMMAND, "");
	CHECK("python3\0-W\0error\0-X\0dev\0app.py", PY_RUN_SCRIPT, "app.py");
	CHECK("python3\0-Werror\0-Xdev\0-I\0/srv/app", PY_RUN_SCRIPT, "/srv/app");
	CHECK("python3\0-BW\0-m\0app.py", PY_RUN_SCRIPT, "app.py");
	CHECK("python3\0--check-hash-based-pycs\0never\0app.py", PY_RUN_SCRIPT, "app.py");
	CHECK("python3\0--\0-m", PY_RUN_SCRIPT, "-m");
	CHECK("python3\0--version", PY_RUN_NONE, NULL);
	CHECK("python3\0-\0app.py", PY_RUN_NONE, NULL);
	CHECK("python3\0-i", PY_RUN_NONE, NULL);
	CHECK("python3", PY_RUN_NONE, NULL);
	CHECK("", PY_RUN_NONE, NULL);
	CHECK("python3\0-m", PY_RUN_NONE, NULL);
	CHECK("python3\0-W", PY_RUN_NONE, NULL);
	CHECK("python3\0--", PY_RUN_NONE, NULL);
	CHECK("\0\0\0", PY_RUN_NONE, NULL);
	assert_int_equal(py_argv__parse(NULL, 0).run, PY_RUN_NONE);
}

static void test_is_interpreter(void **state)
{
	static const char *const yes[] = {"python", "/usr/bin/python3.11", "/x/python3.13t",
	                                  "pypy3.10", "/a/python-dbg"};
	static const char *const no[] = {"", "/usr/bin/gdb", "/usr/bin/pythonish", "/python3/x", "/"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(py_argv__is_interpreter(yes[i], strlen(yes[i])));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(py_argv__is_interpreter(no[i], strlen(no[i])));
	assert_false(py_argv__is_interpreter(NULL, 0));
}

/* Any bytes: nothing outside is read, and what is found lies inside. */
static void test_any(void **state)
{
	static const char bytes[] = "-\0cmWXBp";
	uint64_t x = 88172645463325252ull;

	for (int i = 0; i < 200000; i++) {
		char argv[24], *copy;
		struct py_argv got;
		size_t len;

		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		len = (x >> 40) % sizeof(argv);
		for (size_t k = 0; k < len; k++)
			argv[k] = bytes[(x >> k * 3 % 60 & 7) % (sizeof(bytes) - 1)];
		got = parse(argv, len, &copy);
		if (got.run != PY_RUN_NONE)
			assert_true(got.text >= copy && got.text + got.len <= copy + len);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_is_interpreter),
		cmocka_unit_test(test_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
