// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Links are closed, at once or by threads; any descriptor will do for one. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "link_set.h"

#define SETS 40 /* more than there are threads */

/* The reading end of a pipe whose other end is in the set: it tells when that is closed. */
static int link_set__fake(struct link_set *s)
{
	int ends[2];

	memset(s, 0, sizeof(*s));
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	s->multi = ends[1];
	return ends[0];
}

static void wait_closed(int fd)
{
	struct pollfd p = {.fd = fd};

	assert_int_equal(poll(&p, 1, 60000), 1);
	assert_int_equal(p.revents, POLLHUP);
	close(fd);
}

static void test_one(void **state)
{
	struct link_set s;
	int fd = link_set__fake(&s);

	link_set__close(&s);
	assert_int_equal(s.multi, -1);
	wait_closed(fd);
	link_set__close(&s); /* again: there is nothing left */
}

static void test_many(void **state)
{
	struct link_set s[SETS], *sets[SETS];
	int fds[SETS];

	for (int i = 0; i < SETS; i++) {
		fds[i] = link_set__fake(&s[i]);
		sets[i] = &s[i];
	}
	assert_true(link_sets__close(sets, SETS, 60000));
	for (int i = 0; i < SETS; i++) {
		assert_int_equal(s[i].multi, -1);
		wait_closed(fds[i]);
	}
	assert_true(link_sets__close(sets, SETS, 60000));
	assert_true(link_sets__close(sets, 0, 0));
}

static void test_nobody_waits(void **state)
{
	struct link_set s, *set = &s;
	int fd = link_set__fake(&s);

	link_sets__close(&set, 1, 0);
	assert_int_equal(s.multi, -1);
	wait_closed(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_nobody_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
