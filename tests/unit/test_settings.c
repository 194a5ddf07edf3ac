// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Settings: what a user may give, what is said when it is wrong, and how secrets are read. */
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

#include "util/buf.h"
#include "util/settings.h"

static const struct setting own[] = {
	{"index", SETTING_STRING, "logs", NULL, 0, 0, "where"},
	{"compression", SETTING_CHOICE, "gzip", "none|gzip|zstd", 0, 0, "how"},
	{"token", SETTING_SECRET, NULL, NULL, 0, 0, "who"},
	{"header", SETTING_LIST, NULL, NULL, 0, 0, "beside"},
	{0},
};
static const struct setting common[] = {
	{"batch_bytes", SETTING_SIZE, "1M", NULL, 1024, 64 << 20, "bytes"},
	{"batch_items", SETTING_NUMBER, NULL, NULL, 1, 1000, "items"},
	{"timeout", SETTING_SECONDS, "30s", NULL, 0.1, 3600, "time"},
	{"verify", SETTING_BOOL, "yes", NULL, 0, 0, "check"},
	{"ca", SETTING_PATH, NULL, NULL, 0, 0, "file"},
	{0},
};
static const struct setting *const tables[] = {own, common, NULL};

static struct settings *fresh(void)
{
	struct settings *s = settings__new(tables);

	assert_non_null(s);
	return s;
}

static void said(int err, int want_err, struct buf *why, const char *want)
{
	buf__char(why, '\0');
	assert_int_equal(err, want_err);
	assert_string_equal(why->data, want);
	buf__reset(why);
}

static void fallbacks_hold(void **state)
{
	struct settings *s = fresh();

	assert_string_equal(settings__string(s, "index"), "logs");
	assert_string_equal(settings__string(s, "compression"), "gzip");
	assert_null(settings__string(s, "ca"));
	assert_int_equal(settings__number(s, "batch_bytes"), 1 << 20);
	assert_true(settings__seconds(s, "timeout") == 30.0);
	assert_true(settings__bool(s, "verify"));
	assert_false(settings__given(s, "index"));
	assert_null(settings__secret(s, "token", NULL));
	settings__free(s);
}

static void good_values_are_taken(void **state)
{
	struct settings *s = fresh();
	const char *const *list;
	struct buf why = BUF_INIT;

	assert_int_equal(settings__set(s, "index", "mine", &why), 0);
	assert_int_equal(settings__set(s, "compression", "zstd", &why), 0);
	assert_int_equal(settings__set(s, "batch_bytes", "512k", &why), 0);
	assert_int_equal(settings__set(s, "batch_items", "10", &why), 0);
	assert_int_equal(settings__set(s, "timeout", "200ms", &why), 0);
	assert_int_equal(settings__set(s, "verify", "off", &why), 0);
	assert_int_equal(settings__set(s, "ca", "/etc/ca.pem", &why), 0);
	assert_int_equal(settings__set(s, "header", "A: 1", &why), 0);
	assert_int_equal(settings__set(s, "header", "B: 2", &why), 0);
	assert_int_equal(why.len, 0);
	assert_string_equal(settings__string(s, "index"), "mine");
	assert_string_equal(settings__string(s, "compression"), "zstd");
	assert_int_equal(settings__number(s, "batch_bytes"), 512 << 10);
	assert_int_equal(settings__number(s, "batch_items"), 10);
	assert_true(settings__seconds(s, "timeout") == 0.2);
	assert_false(settings__bool(s, "verify"));
	assert_string_equal(settings__string(s, "ca"), "/etc/ca.pem");
	assert_int_equal(settings__list(s, "header", &list), 2);
	assert_string_equal(list[1], "B: 2");
	settings__free(s);
	buf__free(&why);
}

static void errors_say_what_is_wanted(void **state)
{
	struct settings *s = fresh();
	struct buf why = BUF_INIT;

	said(settings__set(s, "indx", "x", &why), -ENOENT, &why,
	     "there is no setting 'indx' here; did you mean 'index'?");
	said(settings__set(s, "elephants", "x", &why), -ENOENT, &why,
	     "there is no setting 'elephants' here");
	said(settings__set(s, "batch_bytes", "x", &why), -EINVAL, &why,
	     "'batch_bytes' takes a size such as 512K or 64M from 1K to 64M, not 'x'");
	said(settings__set(s, "batch_items", "1K", &why), -EINVAL, &why,
	     "'batch_items' takes a whole number from 1 to 1000, not '1K'");
	said(settings__set(s, "batch_items", "1001", &why), -EINVAL, &why,
	     "'batch_items' takes a whole number from 1 to 1000, not '1001'");
	said(settings__set(s, "timeout", "5 s", &why), -EINVAL, &why,
	     "'timeout' takes a time such as 200ms, 5s or 1h from 0.1s to 3600s, not '5 s'");
	said(settings__set(s, "compression", "gz", &why), -EINVAL, &why,
	     "'compression' takes one of none|gzip|zstd, not 'gz'");
	said(settings__set(s, "verify", "1", &why), -EINVAL, &why,
	     "'verify' takes yes or no, not '1'");
	said(settings__set(s, "ca", "ca.pem", &why), -EINVAL, &why,
	     "'ca' takes an absolute path, not 'ca.pem'");
	said(settings__set(s, "index", "", &why), -EINVAL, &why,
	     "'index' takes a text that is not empty, not ''");
	assert_int_equal(settings__set(s, "index", "a", &why), 0);
	said(settings__set(s, "index", "b", &why), -EEXIST, &why, "'index' is given twice");
	settings__free(s);
	buf__free(&why);
}

static void a_secret_is_never_in_the_clear(void **state)
{
	struct settings *s = fresh();
	struct buf why = BUF_INIT;

	said(settings__set(s, "token", "hunter2", &why), -EINVAL, &why,
	     "'token' takes the absolute path of a file that has it, or credential:NAME, never the "
	     "secret itself");
	said(settings__set(s, "token", "credential:../shadow", &why), -EINVAL, &why,
	     "'token' takes the absolute path of a file that has it, or credential:NAME, never the "
	     "secret itself");
	settings__free(s);
	buf__free(&why);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

struct handed {
	struct settings *to;
	int cnt;
};

static void hand_on(void *ctx, const char *name, const char *value, size_t len)
{
	struct handed *h = ctx;
	struct buf why = BUF_INIT;

	assert_int_equal(settings__put(h->to, name, value, len, &why), 0);
	h->cnt++;
	buf__free(&why);
}

static void secrets_are_read_and_handed_on(void **state)
{
	char dir[] = "/tmp/test_settings.XXXXXX", path[64];
	struct settings *s = fresh();
	struct handed h = {.to = fresh()};
	struct buf why = BUF_INIT;
	size_t len;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/token", dir);
	write_file(path, "s3cret\n");
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	assert_int_equal(settings__set(s, "token", "credential:token", &why), 0);
	assert_int_equal(settings__set(s, "timeout", "1s", &why), 0);
	assert_int_equal(settings__load_secrets(s, &why), 0);
	assert_string_equal(settings__secret(s, "token", &len), "s3cret");
	assert_int_equal(len, 6);
	settings__each(s, hand_on, &h);
	assert_int_equal(h.cnt, 2);
	assert_string_equal(settings__secret(h.to, "token", NULL), "s3cret");
	assert_true(settings__seconds(h.to, "timeout") == 1.0);
	settings__free(s);
	settings__free(h.to);
	unlink(path);
	s = fresh();
	assert_int_equal(settings__set(s, "token", "credential:token", &why), 0);
	assert_int_equal(settings__load_secrets(s, &why), -ENOENT);
	assert_non_null(memmem(why.data, why.len, "No such file", 12));
	unsetenv("CREDENTIALS_DIRECTORY");
	buf__reset(&why);
	assert_int_equal(settings__load_secrets(s, &why), -ENOENT);
	assert_non_null(memmem(why.data, why.len, "LoadCredential=", 15));
	settings__free(s);
	rmdir(dir);
	buf__free(&why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fallbacks_hold),
		cmocka_unit_test(good_values_are_taken),
		cmocka_unit_test(errors_say_what_is_wanted),
		cmocka_unit_test(a_secret_is_never_in_the_clear),
		cmocka_unit_test(secrets_are_read_and_handed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
