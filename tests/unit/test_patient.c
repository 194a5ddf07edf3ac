// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Looks that do not come back: reads of a pipe in which there is nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/clock.h"
#include "util/patient.h"
#include "util/proc_user.h"

/* Processes, for their numbers and users. */
#define PROCESSES (PATIENT_OUT_MAX + 1)

static pid_t pids[PROCESSES];
static int pipe_fds[2];
static atomic_int ran, dropped;

struct read_one {
	int fd;
	ssize_t got;
	char byte;
};

static void read_one(void *arg)
{
	struct read_one *r = arg;

	r->got = read(r->fd, &r->byte, 1);
	ran++;
}

static void drop(void *arg)
{
	dropped++;
	free(arg);
}

static struct read_one *new_read(void)
{
	struct read_one *r = calloc(1, sizeof(*r));

	*r = (struct read_one){.fd = pipe_fds[0], .byte = '-'};
	return r;
}

/* -ETIME: its arg is gone. */
static int look(pid_t pid, unsigned ms)
{
	struct read_one *r = new_read();
	int err = patient__run(pid, ms, read_one, drop, r);

	if (!err)
		assert_true(r->got == 1 && r->byte == 'x');
	else if (err != -ETIME)
		assert_true(!r->got && r->byte == '-');
	if (err != -ETIME)
		free(r);
	return err;
}

static void pause_ms(unsigned ms)
{
	struct timespec t = {.tv_nsec = ms * 1000000l};

	nanosleep(&t, NULL);
}

/* All that are out come back. */
static void let_come(int cnt)
{
	char bytes[PROCESSES];

	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(write(pipe_fds[1], bytes, (size_t)cnt), cnt);
	while (patient__out() || dropped < cnt)
		pause_ms(1);
	assert_int_equal(dropped, cnt);
	assert_int_equal(ran, cnt);
}

/* Time that is waited for in vain comes back. */
static void look_again(pid_t pid)
{
	int err;

	assert_int_equal(write(pipe_fds[1], "x", 1), 1);
	while ((err = look(pid, 100)) == -EBUSY)
		pause_ms(10);
	assert_int_equal(err, 0);
}

static int begin(void **state)
{
	assert_int_equal(pipe(pipe_fds), 0);
	ran = dropped = 0;
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		/* of users of their own, where that can be */
		if (!geteuid() && setuid(10000 + (uid_t)i))
			_exit(1);
		for (;;)
			pause();
	}
	return 0;
}

static int end(void **state)
{
	for (int i = 0; i < PROCESSES; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return 0;
}

static void what_comes(void **state)
{
	for (int i = 0; i < 1000; i++)
		look_again(pids[0]);
	assert_int_equal(ran, 1000);
	assert_int_equal(dropped, 0);
}

static void what_does_not_come(void **state)
{
	uint64_t before = clock__monotonic(), took;

	assert_int_equal(look(pids[0], 50), -ETIME);
	took = clock__monotonic() - before;
	assert_in_range(took / 1000000, 50, 10000);
	assert_int_equal(patient__out(), 1);
	/* of that process nothing is tried */
	assert_int_equal(look(pids[0], 50), -EINPROGRESS);
	assert_int_equal(dropped, 0);
	let_come(1);
	look_again(pids[0]);
}

static void one_process_after_another(void **state)
{
	if (geteuid())
		skip();
	for (int i = 0; i < PATIENT_OUT_MAX; i++)
		assert_int_equal(look(pids[i], 20), -ETIME);
	assert_int_equal(patient__out(), PATIENT_OUT_MAX);
	assert_int_equal(look(pids[PATIENT_OUT_MAX], 20), -EBUSY);
	assert_int_equal(look(pids[0], 20), -EINPROGRESS);
	let_come(PATIENT_OUT_MAX);
	look_again(pids[PATIENT_OUT_MAX]);
}

/* Without root all are of one user; what it has used up is not another's. */
static void processes_of_one_user(void **state)
{
	pid_t own[PATIENT_OUT_USER_MAX + 1];

	for (int i = 0; i <= PATIENT_OUT_USER_MAX; i++) {
		own[i] = fork();
		if (own[i])
			continue;
		if (!geteuid() && setuid(20000))
			_exit(1);
		for (;;)
			pause();
	}
	pause_ms(100);  /* until they are that user's, and time has come back */
	if (!geteuid()) /* whose files in /proc are root's since */
		assert_int_equal(proc_user__of(own[0]), 20000);
	assert_int_equal(proc_user__of(0x7ffffffe), 0);
	for (int i = 0; i < PATIENT_OUT_USER_MAX; i++)
		assert_int_equal(look(own[i], 2), -ETIME);
	assert_int_equal(look(own[PATIENT_OUT_USER_MAX], 2), -EBUSY);
	if (!geteuid()) {
		assert_int_equal(look(pids[0], 2), -ETIME);
		let_come(PATIENT_OUT_USER_MAX + 1);
	} else {
		let_come(PATIENT_OUT_USER_MAX);
	}
	look_again(own[PATIENT_OUT_USER_MAX]);
	for (int i = 0; i <= PATIENT_OUT_USER_MAX; i++) {
		kill(own[i], SIGKILL);
		waitpid(own[i], NULL, 0);
	}
}

/* Who lets others wait for a time that is just borne may do so for a part of the time. */
static void a_user_s_share(void **state)
{
	uint64_t begun = clock__monotonic(), waited = 0, now;
	int refused = 0;

	do {
		uint64_t before = clock__monotonic();
		int err = look(pids[1], 20);

		if (err == -ETIME) {
			waited += clock__monotonic() - before;
			assert_int_equal(write(pipe_fds[1], "x", 1), 1);
			while (patient__out())
				pause_ms(1);
		} else {
			assert_int_equal(err, -EBUSY);
			refused++;
			pause_ms(1);
		}
		now = clock__monotonic();
	} while (now - begun < 1000000000);
	assert_true(refused > 0);
	/* what is spare at first, a fourth of the time, and a look more */
	assert_true(waited < 200000000 + (now - begun) / 4 + 100000000);
	look_again(pids[1]);
}

/* A process may end while looks are out. */
static void nobody_waits_at_the_end(void **state)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		int err = look(pids[2], 20);

		exit(err == -ETIME ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_waits_at_the_end), TEST(what_comes),
		TEST(what_does_not_come),      TEST(processes_of_one_user),
		TEST(a_user_s_share),          TEST(one_process_after_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
