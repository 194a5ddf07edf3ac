// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What pytrail tells of itself: every cause of loss is in each of its texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "user/export/figures.h"
#include "user/format/json.h"
#include "user/util/buf.h"

static const struct exporter_figures nothing;

static void assert_says(struct buf *text, const char *what)
{
	buf__char(text, '\0');
	assert_false(text->failed);
	if (!strstr(text->data, what))
		fail_msg("no '%s' in: %s", what, text->data);
	buf__reset(text);
}

static void test_causes_of_the_kernel(void **state)
{
	struct tracer_figures t = {.time_ns = 1, .started_ns = 1};
	struct buf text = BUF_INIT;
	char line[128];
	unsigned cnt = 0;

	for (uint32_t i = 0; i < PT_LOST_CAUSES; i++) {
		if (!lost_cause__in_kernel(i))
			continue;
		cnt++;
		t.kernel.lost[i] = 4200 + i;
		figures__prometheus(&text, &t, &nothing);
		snprintf(line, sizeof(line),
		         "pytrail_events_lost_total{stage=\"kernel\",reason=\"%s\"} %u\n",
		         lost_cause__name(i), 4200 + i);
		assert_says(&text, line);
		figures__json(&text, &t, &nothing);
		snprintf(line, sizeof(line), "\"%s\":%u", lost_cause__name(i), 4200 + i);
		assert_says(&text, line);
		figures__text(&text, &t, &nothing);
		snprintf(line, sizeof(line), "lost %u: %s\n", 4200 + i, lost_cause__name(i));
		assert_says(&text, line);
	}
	assert_int_equal(cnt, 3);
	assert_true(lost_cause__in_kernel(PT_LOST_THROTTLED));
	buf__free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_causes_of_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
