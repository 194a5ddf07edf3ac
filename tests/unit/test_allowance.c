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

/* Looks for a user as often as it may, each for 10 ms, until `end`. How much of the time that
 * was. */
static uint64_t look_all_the_time(struct allowance *a, uint32_t uid, uint64_t end)
{
	uint64_t spent = 0, now = START;

	while (now < end) {
		if (allowance__may(a, uid, now)) {
			allowance__took(a, uid, now, 10 * MS);
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
	struct allowance *a = allowance__new(true);
	uint64_t spent = look_all_the_time(a, 1000, START + 10000 * MS);

	assert_in_range(spent, 5000 * MS, 5600 * MS);
	/* another one can all the same */
	assert_true(allowance__may(a, 1001, START + 10000 * MS));
	/* and it, too, when it has waited */
	assert_true(allowance__may(a, 1000, START + 12000 * MS));
	allowance__free(a);
}

/* Three quarters of the time, whoever it is for. */
static void test_many_users(void **state)
{
	struct allowance *a = allowance__new(true);
	uint64_t spent = 0, now = START;
	uint32_t uid = 0;

	while (now < START + 10000 * MS) {
		if (allowance__may(a, uid, now)) {
			allowance__took(a, uid, now, 10 * MS);
			spent += 10 * MS;
			now += 10 * MS;
		} else {
			now += MS;
		}
		uid = (uid + 1) % 64;
	}
	assert_in_range(spent, 7400 * MS, 8300 * MS);
	allowance__free(a);
}

/* What is quick is never put off, however often it comes. */
static void test_quick(void **state)
{
	struct allowance *a = allowance__new(true);

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
