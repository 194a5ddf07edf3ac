// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The HTTP core without a network: many outputs opened at once, and what texts become in a
 * request. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sink/drivers.h"
#include "sink/http_json.h"
#include "util/buf.h"
#include "util/protobuf.h"

#define THREADS 16

static pthread_barrier_t barrier;

/* The first of them loads and initialises libcurl, and none sees it half done. */
static void *open_and_close(void *result)
{
	const struct setting *tables[] = {driver_settings, webhook_driver.settings, NULL};
	struct settings *s = settings__new(tables);
	struct driver_config cfg = {.output = "o",
	                            .url = "webhook+http://127.0.0.1/",
	                            .settings = s,
	                            .format = "json",
	                            .host = "h",
	                            .boot_id = "b",
	                            .version = "1"};
	struct buf why = BUF_INIT;
	struct driver *d;

	pthread_barrier_wait(&barrier);
	*(int *)result = webhook_driver.open(&cfg, &d, &why);
	if (!*(int *)result)
		d->ops->close(d);
	settings__free(s);
	buf__free(&why);
	return NULL;
}

static void outputs_open_at_once(void **state)
{
	pthread_t threads[THREADS];
	int results[THREADS];

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_and_close, &results[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(results[i], 0);
	}
	pthread_barrier_destroy(&barrier);
}

static void string_is(const char *in, size_t len, const char *want)
{
	struct buf out = BUF_INIT;

	http_json__append_string(&out, in, len);
	buf__char(&out, '\0');
	assert_string_equal(out.data, want);
	buf__free(&out);
}

static void strings_are_json_in_utf8(void **state)
{
	string_is(NULL, 0, "\"\"");
	string_is("a\"\\\b\f\n\r\t\v\0\x7f", 11, "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u000b\\u0000\\u007f\"");
	string_is("\xc3\xa9\xf0\x9f\x90\x8d", 6, "\"\xc3\xa9\xf0\x9f\x90\x8d\"");
	string_is("\xff\xed\xa0\x80", 4, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void answers_are_not_deep(void **state)
{
	static const char quoted[] = "[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[\"]";
	char deep[64];
	json_t *root = http_json__parse(quoted, strlen(quoted));

	assert_non_null(root);
	json_decref(root);
	memset(deep, '[', 32);
	memset(deep + 32, ']', 32);
	root = http_json__parse(deep, 64);
	assert_non_null(root);
	json_decref(root);
	memset(deep, '[', 33);
	assert_null(http_json__parse(deep, 64));
	assert_null(http_json__parse("", 0));
}

static void messages_nest(void **state)
{
	static const char want[] = "\x0a\x05\x12\x03\x08\xac\x02";
	struct buf out = BUF_INIT;
	struct protobuf_field f;
	const uint8_t *p;
	bool bad;

	protobuf__put_varint(&out, 1, 300);
	protobuf__nest(&out, 2, 0);
	protobuf__nest(&out, 1, 0);
	assert_int_equal(out.len, sizeof(want) - 1);
	assert_memory_equal(out.data, want, out.len);
	p = (const uint8_t *)out.data;
	assert_true(protobuf__next(&p, p + out.len, &f, &bad));
	assert_int_equal(f.number, 1);
	assert_int_equal(f.len, 5);
	/* A length beyond the end. */
	p = (const uint8_t *)out.data;
	assert_false(protobuf__next(&p, p + out.len - 1, &f, &bad));
	assert_true(bad);
	buf__free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outputs_open_at_once),
		cmocka_unit_test(strings_are_json_in_utf8),
		cmocka_unit_test(answers_are_not_deep),
		cmocka_unit_test(messages_nest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
