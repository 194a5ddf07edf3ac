/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Who may have looked at what its processes run, at made-up times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "allowance.h"

#define MS    1000000ull
#define START (1000000 * MS)

static const struct allowance_options options = {
	.user_percent = 50,
	.all_percent = 75,
	.ahead_ns = 1000 * MS,
	.says = true,
};

/* Looks, each for 10 ms, for so many users in turn, as often as they may, until `end`. How much of
 * the time that was. */
static uint64_t look_all_the_time(struct allowance *a, uint32_t first, uint32_t users, uint64_t end)
{
	uint64_t spent = 0, now = START;

	for (uint32_t n = 0; now < end; n = (n + 1) % users) {
		if (allowance__may(a, first + n, now)) {
			allowance__took(a, first + n, now, 10 * MS);
			spent += 10 * MS;
			now += 10 * MS;
		} else {
			now += MS;
		}
	}
	return spent;
}

/* Half of the time in the long run, and half a second at once. */
static void test_one_user(void **state)
{
	struct allowance *a = allowance__new(&options);
	uint64_t spent = look_all_the_time(a, 1000, 1, START + 10000 * MS);

	assert_in_range(spent, 5000 * MS, 5600 * MS);
	/* another one can all the same */
	assert_true(allowance__may(a, 1001, START + 10000 * MS));
	/* and it, too, when it has waited */
	assert_true(allowance__may(a, 1000, START + 12000 * MS));
	allowance__free(a);
}

/* Three quarters of the time, whoever it is for; root can all the same. */
static void test_many_users(void **state)
{
	struct allowance *a = allowance__new(&options);
	uint64_t end = START + 10000 * MS, spent = look_all_the_time(a, 1, 1000, end);

	assert_in_range(spent, 7400 * MS, 8300 * MS);
	assert_true(allowance__may(a, 0, end));
	allowance__free(a);
}

/* What is quick is never put off, however often it comes. */
static void test_quick(void **state)
{
	struct allowance *a = allowance__new(&options);

	for (uint64_t now = START; now < START + 10000 * MS; now += MS) {
		assert_true(allowance__may(a, 1000, now));
		allowance__took(a, 1000, now, MS / 10);
	}
	allowance__free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_user),
		cmocka_unit_test(test_many_users),
		cmocka_unit_test(test_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
