// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The process that is looked at is this one: its "probes" are bytes here, its file a temporary
 * one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tamper.h"
#include "format/format.h"

#define NOP 0x90
#ifdef __aarch64__
static const uint8_t breakpoint[8] = {0xa0, 0x00, 0x20, 0xd4};
#else
static const uint8_t breakpoint[8] = {0xcc};
#endif

struct fixture {
	struct tamper *t;
	struct binary b;
	char path[64];
	uint8_t code[8] __attribute__((aligned(8)));
	uint16_t semaphore;
	bool runs;
	int said;
	char last[32];
};

static void on_alert(void *ctx, const struct alert *a)
{
	struct fixture *f = ctx;

	f->said++;
	snprintf(f->last, sizeof(f->last), "%s", a->alert);
	assert_int_equal(a->task->pid, getpid());
	assert_true(a->task->comm[0] && a->message[0] && a->time_ns > 0);
}

static bool runs(void *ctx, pid_t pid, const struct binary *b, uint64_t bias)
{
	return ((struct fixture *)ctx)->runs;
}

static int begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct tamper_options o = {.alert = on_alert, .alert_ctx = f, .runs = runs, .runs_ctx = f};
	uint8_t file[64];

	snprintf(f->path, sizeof(f->path), "/tmp/test_tamper.XXXXXX");
	f->b.fd = mkstemp(f->path);
	memset(file, NOP, sizeof(file));
	assert_int_equal(write(f->b.fd, file, sizeof(file)), sizeof(file));
	f->b.path = f->path;
	f->b.sites_cnt = 1;
	f->b.sites[0] = (struct binary_site){.address = (uintptr_t)f->code,
	                                     .offset = 8,
	                                     .semaphore = 16,
	                                     .semaphore_address = (uintptr_t)&f->semaphore};
	memcpy(f->code, breakpoint, sizeof(breakpoint));
	f->semaphore = 1;
	f->runs = true;
	f->t = tamper__new(&o);
	tamper__found(f->t, getpid(), &f->b, 0);
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	tamper__free(f->t);
	close(f->b.fd);
	unlink(f->path);
	free(f);
	return 0;
}

static void look(struct fixture *f, int times)
{
	while (times--)
		tamper__check(f->t);
}

static void nothing_is_said_of_what_is_in_order(void **state)
{
	struct fixture *f = *state;

	look(f, 10);
	assert_int_equal(f->said, 0);
}

static void a_semaphore_at_0(void **state)
{
	struct fixture *f = *state;

	f->semaphore = 0;
	look(f, 1);
	assert_int_equal(f->said, 0); /* it may just be attached */
	look(f, 10);
	assert_int_equal(f->said, 1);
	assert_string_equal(f->last, "probe_disarmed");
}

static void a_breakpoint_that_is_gone(void **state)
{
	struct fixture *f = *state;

	memset(f->code, NOP, sizeof(f->code));
	look(f, 10);
	assert_int_equal(f->said, 1);
	assert_string_equal(f->last, "probe_overwritten");
}

static void for_a_moment_only(void **state)
{
	struct fixture *f = *state;
	int i;

	for (i = 0; i < 5; i++) {
		f->semaphore = 0;
		look(f, 1);
		f->semaphore = 1;
		look(f, 1);
	}
	assert_int_equal(f->said, 0);
}

static void a_process_that_runs_something_else(void **state)
{
	struct fixture *f = *state;

	f->runs = false;
	f->semaphore = 0;
	look(f, 10);
	assert_int_equal(f->said, 0);
}

static void a_process_that_is_gone(void **state)
{
	struct fixture *f = *state;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	tamper__found(f->t, pid, &f->b, 0);
	look(f, 10);
	assert_int_equal(f->said, 0);
}

static void another_file_at_the_same_pid(void **state)
{
	struct fixture *f = *state;

	f->semaphore = 0;
	look(f, 1);
	tamper__found(f->t, getpid(), &f->b, 0); /* told again: no news */
	look(f, 1);
	assert_int_equal(f->said, 1);
	tamper__dropped(f->t, &f->b);
	look(f, 10);
	assert_int_equal(f->said, 1);
}

static void content(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(write(f->b.fd, "x", 1), 1);
	look(f, 10);
	assert_int_equal(f->said, 1);
	assert_string_equal(f->last, "interpreter_changed");
}

static void content_with_its_time_set_back(void **state)
{
	struct fixture *f = *state;
	struct timespec times[2];
	struct stat st;

	fstat(f->b.fd, &st);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	usleep(20000); /* the clock of file systems ticks that slowly */
	assert_int_equal(pwrite(f->b.fd, "x", 1, 0), 1);
	futimens(f->b.fd, times);
	look(f, 10);
	assert_int_equal(f->said, 1);
	assert_string_equal(f->last, "interpreter_changed");
}

static void a_file_that_is_deleted(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	look(f, 10);
	assert_int_equal(f->said, 1);
	assert_string_equal(f->last, "interpreter_deleted");
}

static void another_mode_is_no_sign(void **state)
{
	struct fixture *f = *state;

	fchmod(f->b.fd, 0755);
	look(f, 10);
	assert_int_equal(f->said, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_said_of_what_is_in_order),
		TEST(a_semaphore_at_0),
		TEST(a_breakpoint_that_is_gone),
		TEST(for_a_moment_only),
		TEST(a_process_that_runs_something_else),
		TEST(a_process_that_is_gone),
		TEST(another_file_at_the_same_pid),
		TEST(content),
		TEST(content_with_its_time_set_back),
		TEST(a_file_that_is_deleted),
		TEST(another_mode_is_no_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
