// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Syslog messages byte by byte, and the URLs of receivers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/endpoint.h"
#include "sink/syslog_message.h"
#include "util/buf.h"

#define TEXT(s) ((struct item_text){"" s, sizeof(s) - 1})

static const struct setting table[] = {SYSLOG_MESSAGE_SETTINGS, {0}};

static struct settings *settings(void)
{
	static const struct setting *const tables[] = {table, NULL};

	return settings__new(tables);
}

static void assert_message(struct settings *s, struct item it, bool one_line, const char *want)
{
	struct driver_config cfg = {.settings = s, .host = "h\xc3\xb6st x"};
	struct syslog_style style;
	struct buf b = BUF_INIT;

	syslog_style__init(&style, &cfg, true);
	strcpy(style.procid, "7");
	syslog_message__build(&style, &it, one_line, &b);
	buf__char(&b, '\0');
	assert_string_equal(b.data, want);
	buf__free(&b);
	settings__free(s);
}

static void rfc5424(void **state)
{
	struct item it = {.kind = ITEM_AUDIT,
	                  .severity = 1,
	                  .time_ns = 1790000000000001999,
	                  .seq = 9,
	                  .id = TEXT("a\"b"),
	                  .entity = TEXT("]\\"),
	                  .event = TEXT("my event\x7f which has a very long name indeed"),
	                  .body = TEXT("{\"a\":\"\\n\"}\n")};

	assert_message(settings(), it, false,
	               "<134>1 2026-09-21T14:13:20.000001Z h__st_x pytrail 7 "
	               "my_event__which_has_a_very_long_ "
	               "[pytrail@32473 id=\"a\\\"b\" "
	               "event=\"my event_ which has a very long name indeed\" entity=\"\\]\\\\\" "
	               "seq=\"9\" severity=\"1\"] {\"a\":\"\\n\"}\n");
}

static void other_kinds_and_no_structured_data(void **state)
{
	struct item it = {.kind = ITEM_LOST, .severity = 9, .body = TEXT("a\nb")};
	struct settings *s = settings();
	struct buf why = BUF_INIT;

	settings__set(s, "sd_id", "-", &why);
	settings__set(s, "facility", "kern", &why);
	settings__set(s, "hostname", "h", &why);
	assert_message(s, it, true, "<2>1 1970-01-01T00:00:00.000000Z h pytrail 7 lost - a b");
	buf__free(&why);
}

static void every_facility_has_its_number(void **state)
{
	static const char *const names[] = {"kern", "cron", "authpriv", "local0", "local7"};
	static const unsigned numbers[] = {0, 9, 10, 16, 23};
	struct buf why = BUF_INIT;

	for (int i = 0; i < 5; i++) {
		struct settings *s = settings();
		struct driver_config cfg = {.settings = s, .host = "h"};
		struct syslog_style style;

		assert_int_equal(settings__set(s, "facility", names[i], &why), 0);
		syslog_style__init(&style, &cfg, true);
		assert_int_equal(style.facility, numbers[i]);
		settings__free(s);
	}
	buf__free(&why);
}

static void endpoints(void **state)
{
	struct buf why = BUF_INIT;
	struct endpoint e;

	assert_int_equal(endpoint__parse("x://[::1]:5/p/q", NULL, &e, &why), 0);
	assert_string_equal(e.scheme, "x");
	assert_string_equal(e.host, "::1");
	assert_string_equal(e.port, "5");
	assert_string_equal(e.path, "/p/q");
	assert_int_equal(endpoint__parse("x://h", "99", &e, &why), 0);
	assert_string_equal(e.port, "99");
	assert_string_equal(e.path, "");
	assert_int_equal(endpoint__parse("x://[fe80::1%eth0]", "99", &e, &why), 0);
	assert_string_equal(e.host, "fe80::1%eth0");
	assert_int_equal(why.len, 0);
	assert_int_equal(endpoint__parse("x://h", NULL, &e, &why), -22);
	assert_int_equal(endpoint__parse("x://h:000000000080", NULL, &e, &why), -22);
	assert_int_equal(endpoint__parse("x://h:-1", NULL, &e, &why), -22);
	assert_int_equal(endpoint__parse("x://h h:1", NULL, &e, &why), -22);
	assert_int_equal(endpoint__parse("x://[::1]5:1", NULL, &e, &why), -22);
	assert_int_equal(endpoint__parse("://h:1", NULL, &e, &why), -22);
	assert_int_equal(endpoint__parse_path("x:///a/b", NULL, &e, &why), 0);
	assert_string_equal(e.path, "/a/b");
	assert_int_equal(endpoint__parse_path("x:/a", NULL, &e, &why), 0);
	assert_int_equal(endpoint__parse_path("x:", "/d", &e, &why), 0);
	assert_string_equal(e.path, "/d");
	assert_int_equal(endpoint__parse_path("x:", NULL, &e, &why), -22);
	buf__free(&why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc5424),
		cmocka_unit_test(other_kinds_and_no_structured_data),
		cmocka_unit_test(every_facility_has_its_number),
		cmocka_unit_test(endpoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
