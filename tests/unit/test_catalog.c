/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "catalog.h"

static const struct catalog_event *find(const char *name)
{
	return catalog__find(name, strlen(name));
}

static void every_event_is_found(void **state)
{
	char name[128];
	size_t i;

	assert_true(catalog__count() > 200);
	assert_null(catalog__at(catalog__count()));
	for (i = 0; i < catalog__count(); i++) {
		const struct catalog_event *event = catalog__at(i);
		/* Exactly name_len bytes on the heap: a read beyond them shows under ASan. */
		char *bare = malloc(event->name_len);

		assert_non_null(bare);
		memcpy(bare, event->name, event->name_len);
		assert_ptr_equal(catalog__find(bare, event->name_len), event);
		free(bare);
		assert_int_equal(event->id, i);
		assert_int_equal(event->name_len, strlen(event->name));

		/* Not by a prefix, nor with something behind, nor with a byte changed. */
		snprintf(name, sizeof(name), "%sx", event->name);
		assert_null(find(name));
		name[event->name_len] = '\0';
		name[event->name_len / 2] ^= 1;
		assert_true(find(name) != event);
	}
}

static void odd_names_are_not_found(void **state)
{
	static const char *const odd[] = {"",
	                                  "o",
	                                  "op",
	                                  "ope",
	                                  "OPEN",
	                                  "open ",
	                                  "\xff\xff\xff\xff",
	                                  "os.listdirs",
	                                  "os.",
	                                  ".listdir",
	                                  "socket.connec"};
	char *long_name = calloc(1, 100000);
	size_t i;

	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		assert_null(find(odd[i]));
	assert_null(catalog__find("open\0", 5));
	assert_non_null(long_name);
	memset(long_name, 'a', 99999);
	assert_null(find(long_name));
	free(long_name);
}

static void rows_are_complete(void **state)
{
	char expected[128];
	size_t i, j, k;

	for (i = 0; i < catalog__count(); i++) {
		const struct catalog_event *event = catalog__at(i);

		assert_true(event->severity >= 1 && event->severity <= 5);
		assert_true(event->since >= 0x0308 && event->since <= event->until);
		assert_true(*event->module && *event->category && *event->platform);
		assert_true(*event->sources || event->alias);
		assert_true(event->signatures_cnt >= 1);
		snprintf(expected, sizeof(expected), "\"event\":\"%s\",", event->name);
		assert_string_equal(event->json_prefix, expected);
		for (j = 0; j < event->signatures_cnt; j++) {
			const struct catalog_signature *s = &event->signatures[j];

			assert_true(s->nargs <= CATALOG_ARGS_MAX);
			assert_ptr_equal(catalog__signature(event, s->nargs), s);
			assert_true(s->since >= event->since && s->until <= event->until);
			for (k = 0; k < s->nargs; k++) {
				snprintf(expected, sizeof(expected), "\"%s\":", s->names[k]);
				assert_string_equal(s->json_names[k], expected);
			}
		}
	}
}

static void assert_names(const char *event, size_t nargs, const char *expected)
{
	const struct catalog_signature *s = catalog__signature(find(event), nargs);
	char names[256] = "";
	size_t i;

	assert_non_null(s);
	for (i = 0; i < s->nargs; i++) {
		if (i)
			strcat(names, " ");
		strcat(names, s->names[i]);
	}
	assert_string_equal(names, expected);
}

static void signatures(void **state)
{
	assert_names("os.listdir", 1, "path");
	assert_names("open", 3, "path mode flags");
	assert_names("import", 5, "module filename sys.path sys.meta_path sys.path_hooks");
	assert_names("shutil.rmtree", 1, "path");
	assert_names("shutil.rmtree", 2, "path dir_fd");
	assert_names("ctypes.dlsym", 2, "library name");
	assert_names("ctypes.memoryview_at", 3, "address size readonly");
	assert_names("cpython.PyConfig_Set", 2, "name value");
	assert_names("sys.remote_exec", 2, "pid script_path");
	assert_names("cpython.remote_debugger_script", 1, "script_path");
	/* not documented */
	assert_names("pathlib.Path.walk", 3, "arg0 arg1 arg2");
	assert_false(catalog__signature(find("pathlib.Path.walk"), 3)->documented);
	/* a number that no version raises */
	assert_null(catalog__signature(find("open"), 4));
	assert_null(catalog__signature(find("open"), SIZE_MAX));
	/* newest edition first */
	assert_int_equal(find("shutil.rmtree")->signatures[0].nargs, 2);
	assert_int_equal(find("shutil.rmtree")->signatures[0].since, 0x030b);
	assert_int_equal(find("shutil.rmtree")->signatures[0].until, CATALOG_OPEN);
}

static void both_names_of_the_pair(void **state)
{
	assert_string_equal(find("sys.set_asyncgen_hook_firstiter")->alias,
	                    "sys.set_asyncgen_hooks_firstiter");
	assert_string_equal(find("sys.set_asyncgen_hooks_firstiter")->alias,
	                    "sys.set_asyncgen_hook_firstiter");
	assert_string_equal(find("sys.set_asyncgen_hooks_finalizer")->sources, "");
	assert_null(find("open")->alias);
}

static void platforms(void **state)
{
	assert_true(find("open")->linux_);
	assert_true(find("os.fork")->linux_);
	assert_true(find("os.setxattr")->linux_);
	assert_false(find("winreg.OpenKey")->linux_);
	assert_false(find("os.chflags")->linux_);
}

static void nearest(void **state)
{
	const char *out[20];
	char long_name[300];

	assert_true(catalog__nearest("socket.conect", out, 3) >= 1);
	assert_string_equal(out[0], "socket.connect");
	assert_true(catalog__nearest("listdir", out, 3) >= 1);
	assert_string_equal(out[0], "os.listdir");
	assert_true(catalog__nearest("Subprocess.popen", out, 3) >= 1);
	assert_string_equal(out[0], "subprocess.Popen");
	assert_true(catalog__nearest("opne", out, 3) >= 1);
	assert_string_equal(out[0], "open");
	assert_int_equal(catalog__nearest("myapp.login", out, 3), 0);
	assert_int_equal(catalog__nearest("", out, 3), 0);
	assert_int_equal(catalog__nearest("open", out, 0), 0);
	assert_int_equal(catalog__nearest("winreg.X", out, 1) <= 1, 1);
	assert_true(catalog__nearest("os.chown", out, 20) <= 16);
	memset(long_name, 'o', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(catalog__nearest(long_name, out, 3), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_is_found),
		cmocka_unit_test(odd_names_are_not_found),
		cmocka_unit_test(rows_are_complete),
		cmocka_unit_test(signatures),
		cmocka_unit_test(both_names_of_the_pair),
		cmocka_unit_test(platforms),
		cmocka_unit_test(nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
