// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* From when to when processes are said to be seen. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "user/presence.h"
#include "user/reader.h"
#include "user/util/buf.h"
#include "user/util/clock.h"
#include "user/util/log.h"

static char path_a[] = "/usr/bin/python3", path_b[] = "/opt/libpython3.13t.so";
static struct binary a = {.path = path_a, .py_version = 0x030b02f0, .sites_cnt = 1};
static struct binary b = {
	.path = path_b, .py_version = 0x030d00f0, .free_threaded = true, .entries_cnt = 1};

/* What was told: one letter each (A, D), pid, and how. */
static char said[4096];
static struct pt_task tasks[8];
static size_t tasks_cnt;
static int tasks_err;

static int record(void *ctx, const void *rec, size_t size)
{
	const char *file;
	const struct pt_attach *at = reader__attach(rec, size, &file);
	const struct binary *of;
	size_t len = strlen(said);

	assert_non_null(at);
	assert_int_equal(at->rec.task.tid, at->rec.task.pid);
	of = at->flags & PT_ATTACH_FREE_THREADED ? &b : &a;
	assert_int_equal(at->file_len, strlen(of->path));
	assert_memory_equal(file, of->path, at->file_len);
	assert_int_equal(at->py_version, of->py_version);
	assert_int_equal(at->probe, of == &b ? PT_PROBE_UPROBE : PT_PROBE_USDT);
	if (at->rec.kind == PT_REC_DETACH)
		snprintf(said + len, sizeof(said) - len, "D%u:%u ", at->rec.task.pid, at->reason);
	else if (at->flags & PT_ATTACH_LATE)
		snprintf(said + len, sizeof(said) - len, "A%u+%llu ", at->rec.task.pid,
		         (unsigned long long)at->late_ns);
	else
		snprintf(said + len, sizeof(said) - len, "A%u ", at->rec.task.pid);
	return 0;
}

static int read_tasks(void *ctx, struct buf *out)
{
	buf__append(out, tasks, tasks_cnt * sizeof(tasks[0]));
	return tasks_err;
}

static struct presence *new_presence(void)
{
	static const struct presence_options opts = {.max = 4, .record = record, .tasks = read_tasks};

	said[0] = '\0';
	a.attached_ns = b.attached_ns = clock__monotonic();
	tasks_err = 0;
	return presence__new(&opts);
}

static void assert_said(const char *text)
{
	assert_string_equal(said, text);
	said[0] = '\0';
}

/* A record of a process that started with this boot, so many ns before or after the files were
 * attached. */
static struct pt_rec rec_of(uint32_t pid, int64_t since)
{
	return (struct pt_rec){
		.size = sizeof(struct pt_rec),
		.version = PT_WIRE_VERSION,
		.time_ns = a.attached_ns + (uint64_t)since,
		.task = {.pid = pid, .tid = pid + 1, .start_ns = pid},
	};
}

static void test_heard(void **state)
{
	struct presence *p = new_presence();
	struct pt_rec in_time = rec_of(1, 5), late = rec_of(2, -5), again = rec_of(1, INT32_MAX);

	presence__heard(p, &in_time, &a, PROBE_AUTO, PRESENCE_BY_START);
	presence__heard(p, &late, &b, PROBE_AUTO, PRESENCE_BY_START);
	assert_false(presence__knows(p, &in_time.task));
	assert_said("");
	presence__flush(p);
	assert_said("A1 A2+5 ");
	assert_true(presence__knows(p, &in_time.task));
	/* told once */
	presence__heard(p, &in_time, &a, PROBE_AUTO, PRESENCE_LATE);
	presence__flush(p);
	assert_said("");
	/* an exec: the end of one image and the begin of another; then it ends */
	again.time_ns += 60000000000;
	presence__gone(p, &again, PT_DETACH_EXEC);
	presence__heard(p, &again, &b, PROBE_AUTO, PRESENCE_BY_START);
	presence__flush(p);
	presence__gone(p, &again, PT_DETACH_EXIT);
	presence__gone(p, &again, PT_DETACH_EXIT);
	assert_said("D1:2 A1 D1:1 ");
	presence__dropped(p, &a);
	assert_said("");
	presence__dropped(p, &b);
	assert_said("D2:3 ");
	presence__free(p);
}

/* What is found in /proc is told with the kernel's exact start of it; once, whoever finds it
 * again. */
static void test_found(void **state)
{
	struct presence *p = new_presence();
	struct pt_rec early = rec_of(7, -1000), other;

	tasks_cnt = 3;
	tasks[0] = (struct pt_task){.pid = 9, .start_ns = clock__boottime() + 1000000000};
	tasks[1] = (struct pt_task){.pid = 7, .start_ns = 7};
	tasks[2] = (struct pt_task){.pid = 8, .start_ns = 8};
	presence__found(p, 7, &a, PROBE_AUTO, PRESENCE_LATE);
	presence__found(p, 6, &a, PROBE_AUTO, PRESENCE_LATE); /* gone meanwhile */
	presence__found(p, 9, &b, PROBE_AUTO, PRESENCE_BY_START);
	presence__flush(p);
	assert_non_null(strstr(said, "A7+"));
	assert_non_null(strstr(said, "A9 "));
	assert_null(strstr(said, "A6"));
	said[0] = '\0';
	presence__found(p, 7, &a, PROBE_AUTO, PRESENCE_BY_START);
	presence__flush(p);
	/* its exec came before it was found: that is what was found */
	presence__gone(p, &early, PT_DETACH_EXEC);
	presence__heard(p, &early, &a, PROBE_AUTO, PRESENCE_BY_START);
	presence__flush(p);
	assert_said("");
	/* unless it was another file */
	presence__heard(p, &early, &b, PROBE_AUTO, PRESENCE_LATE);
	presence__flush(p);
	assert_said("D7:2 A7+1000 ");
	/* the same pid, another process */
	other = rec_of(7, 10);
	other.task.start_ns = 70;
	presence__heard(p, &other, &a, PROBE_AUTO, PRESENCE_IN_TIME);
	presence__flush(p);
	assert_said("A7 ");
	presence__free(p);
}

/* Without the kernel's list a process is told at its first event. */
static void test_event(void **state)
{
	struct presence *p = new_presence();
	struct pt_audit audit = {.rec = rec_of(3, 1), .probe = PT_PROBE_USDT};

	tasks_err = -EOPNOTSUPP;
	presence__found(p, 3, &a, PROBE_AUTO, PRESENCE_LATE);
	presence__flush(p);
	assert_said("");
	audit.rec.task.start_ns = clock__boottime() + 1000000000; /* a child, forked later */
	assert_false(presence__knows(p, &audit.rec.task));
	presence__event(p, &audit, NULL); /* of a file that is gone */
	presence__event(p, &audit, &a);
	assert_said("A3 ");
	audit.rec.task.pid = 4;
	audit.rec.task.start_ns = 0;
	presence__event(p, &audit, &a);
	assert_memory_equal(said, "A4+", 3);
	presence__free(p);
}

static void test_end(void **state)
{
	struct presence *p = new_presence();
	struct pt_rec dead = rec_of(UINT32_MAX, 1), alive = rec_of((uint32_t)getpid(), 1);
	char text[64];

	alive.task.start_ns = 0; /* any */
	presence__heard(p, &dead, &a, PROBE_AUTO, PRESENCE_IN_TIME);
	presence__heard(p, &alive, &a, PROBE_AUTO, PRESENCE_IN_TIME);
	presence__flush(p);
	said[0] = '\0';
	presence__sweep(p);
	snprintf(text, sizeof(text), "D%u:1 ", UINT32_MAX);
	assert_said(text);
	presence__end(p);
	snprintf(text, sizeof(text), "D%u:4 ", (uint32_t)getpid());
	assert_said(text);
	presence__end(p);
	assert_said("");
	presence__free(p);
}

/* No more than so many are kept. */
static void test_full(void **state)
{
	struct presence *p = new_presence();
	struct pt_rec rec;

	log__set_level(LOG_QUIET);
	for (uint32_t pid = 1; pid < 10; pid++) {
		rec = rec_of(pid, 1);
		presence__heard(p, &rec, &a, PROBE_AUTO, PRESENCE_IN_TIME);
	}
	presence__flush(p);
	assert_said("A1 A2 A3 A4 ");
	rec = rec_of(2, INT32_MAX);
	presence__gone(p, &rec, PT_DETACH_EXIT);
	rec = rec_of(9, 1);
	presence__heard(p, &rec, &a, PROBE_AUTO, PRESENCE_IN_TIME);
	presence__flush(p);
	assert_said("D2:1 A9 ");
	presence__free(p);
}

/* Nothing at all without --processes. */
static void test_none(void **state)
{
	struct pt_rec rec = rec_of(1, 1);

	presence__heard(NULL, &rec, &a, PROBE_AUTO, PRESENCE_LATE);
	presence__found(NULL, 1, &a, PROBE_AUTO, PRESENCE_LATE);
	presence__flush(NULL);
	presence__gone(NULL, &rec, PT_DETACH_EXIT);
	presence__dropped(NULL, &a);
	presence__sweep(NULL);
	presence__end(NULL);
	presence__free(NULL);
	assert_false(presence__knows(NULL, &rec.task));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heard), cmocka_unit_test(test_found),
		cmocka_unit_test(test_event), cmocka_unit_test(test_end),
		cmocka_unit_test(test_full),  cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
