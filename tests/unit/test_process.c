// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The table of processes, on live ones and on records. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "records.h"
#include "user/enrich/proc_facts.h"
#include "user/enrich/process.h"
#include "user/util/buf.h"

static struct process_table *t;
static struct rb b;

static uint64_t start_of(pid_t pid)
{
	char name[64], text[4096];
	uint64_t ticks = 0;
	FILE *f;
	size_t len;

	snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	f = fopen(name, "r");
	assert_non_null(f);
	len = fread(text, 1, sizeof(text), f);
	fclose(f);
	assert_true(proc_stat__start(text, len, &ticks));
	return ticks * (1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK));
}

static void test_stat(void **state)
{
	static const char good[] =
		"7 (a) S (b) R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 12345 20";
	uint64_t ticks;

	assert_true(proc_stat__start(good, sizeof(good) - 1, &ticks));
	assert_int_equal(ticks, 12345);
	for (size_t len = 0; len < sizeof(good) - 8; len++)
		assert_false(proc_stat__start(good, len, &ticks));
	assert_false(proc_stat__start("", 0, &ticks));
	assert_false(proc_stat__start(")", 1, &ticks));
}

static void test_self(void **state)
{
	struct pt_task task = {.pid = (uint32_t)getpid(), .start_ns = start_of(getpid())};
	char exe[PATH_MAX], cwd[PATH_MAX];
	const struct process *p;
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	bool fresh;

	assert_true(len > 0);
	exe[len] = '\0';
	p = process_table__get(t, &task, true, &fresh);
	assert_non_null(p);
	assert_true(fresh);
	assert_false(p->partial);
	assert_string_equal(p->exe, exe);
	assert_string_equal(p->cwd, getcwd(cwd, sizeof(cwd)));
	assert_int_equal(strlen(p->entity_id), 32);
	assert_ptr_equal(process_table__get(t, &task, true, &fresh), p);
	assert_false(fresh);
	assert_int_equal(process_table__count(t), 1);
}

/* The pid is right, the start is not: another process had that pid. */
static void test_pid_used_again(void **state)
{
	struct pt_task task = {.pid = (uint32_t)getpid(),
	                       .start_ns = start_of(getpid()) + 3000000000ull};
	const struct process *p;
	bool fresh;
	char want[128];

	p = process_table__get(t, &task, true, &fresh);
	assert_true(p->partial);
	assert_false(fresh);
	assert_null(p->exe);
	snprintf(want, sizeof(want), "\"start_ns\":%llu,\"entity_id\":\"%s\"",
	         (unsigned long long)task.start_ns, p->entity_id);
	assert_string_equal(p->json, want);
}

static void test_gone(void **state)
{
	struct pt_task task = {0};
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	task.pid = (uint32_t)pid;
	assert_true(process_table__get(t, &task, true, NULL)->partial);
}

/* After PT_REC_EXEC the facts are read anew. */
static void test_exec(void **state)
{
	struct pt_task task = {.pid = (uint32_t)getpid(), .start_ns = start_of(getpid())};
	char old[PATH_MAX];
	bool fresh;

	assert_non_null(getcwd(old, sizeof(old)));
	process_table__get(t, &task, true, NULL);
	assert_int_equal(chdir("/"), 0);
	assert_string_equal(process_table__get(t, &task, true, &fresh)->cwd, old);
	process_table__exec(t, &task, false);
	assert_string_equal(process_table__get(t, &task, true, &fresh)->cwd, "/");
	assert_true(fresh);
	assert_int_equal(chdir(old), 0);
}

/* A child that is gone has its parent's facts, but where it executed something. */
static void test_inherited(void **state)
{
	struct pt_task parent = {
		.pid = (uint32_t)getpid(), .start_ns = start_of(getpid()), .exec_id = 7};
	struct pt_task child = {.pid = 0x7ffffffd, .ppid = parent.pid, .exec_id = 7};
	const struct process *p;
	char *exe;

	memcpy(parent.comm, "parent", 6);
	child.start_ns = parent.start_ns + 5000000;
	exe = strdup(process_table__get(t, &parent, true, NULL)->exe);
	p = process_table__get(t, &child, true, NULL);
	assert_false(p->partial);
	assert_string_equal(p->exe, exe);
	assert_int_equal(strtoul(p->ancestry, NULL, 10), parent.pid);
	assert_string_equal(p->ancestry + strlen(p->ancestry) + 1, "parent");
	child.pid--;
	child.exec_id = 8;
	assert_true(process_table__get(t, &child, true, NULL)->partial);
	child.pid--;
	child.exec_id = 7;
	child.start_ns = parent.start_ns - 5000000;
	assert_true(process_table__get(t, &child, true, NULL)->partial);
	child.pid--;
	child.start_ns = parent.start_ns + 5000000;
	process_table__exec(t, &parent, false);
	assert_true(process_table__get(t, &child, true, NULL)->partial);
	free(exe);
}

/* Another exec or control group than at the last reading: it is read again. */
static void test_changed(void **state)
{
	struct pt_task task = {.pid = (uint32_t)getpid(), .start_ns = start_of(getpid())};
	bool fresh;

	process_table__get(t, &task, true, &fresh);
	assert_true(fresh);
	process_table__get(t, &task, true, &fresh);
	assert_false(fresh);
	task.exec_id++;
	process_table__get(t, &task, true, &fresh);
	assert_true(fresh);
	task.cgroup_id++;
	process_table__get(t, &task, true, &fresh);
	assert_true(fresh);
	process_table__get(t, &task, true, &fresh);
	assert_false(fresh);
	assert_int_equal(process_table__count(t), 1);
}

static void put(uint32_t pid, const char *exe)
{
	rb__header(&b, PT_REC_PROCESS, sizeof(struct pt_process));
	b.rec.task.pid = pid;
	rb__raw(&b, exe, strlen(exe));
	b.process.exe_len = (uint32_t)strlen(exe);
	b.process.argv_len = b.process.cwd_len = b.process.container_len = PT_UNKNOWN_LEN;
	b.process.cgroup_len = b.process.ancestry_len = b.process.venv_len = PT_UNKNOWN_LEN;
	assert_int_equal(process_table__put_record(t, b.bytes, b.size), 0);
}

static void test_bounded(void **state)
{
	struct pt_task task = {.start_ns = 4000000000, .pid = 1};

	for (uint32_t pid = 1; pid <= 8; pid++)
		put(pid, "/x");
	/* 1 is used and 4 has exited: 4 goes first, then 2. */
	assert_string_equal(process_table__get(t, &task, false, NULL)->exe, "/x");
	task.pid = 4;
	process_table__exit(t, &task);
	put(9, "/y");
	put(10, "/y");
	assert_int_equal(process_table__count(t), 1); /* the others were not asked for */
	task.pid = 1;
	assert_false(process_table__get(t, &task, false, NULL)->partial);
	task.pid = 3;
	assert_false(process_table__get(t, &task, false, NULL)->partial);
	task.pid = 4;
	assert_true(process_table__get(t, &task, false, NULL)->partial);
}

static void test_record(void **state)
{
	static const char argv[] = "python3\0-c\0\0";
	struct pt_task task = {.start_ns = 4000000000, .pid = 5};
	struct process_table *other = process_table__new("boot", 8);
	const struct process *p;
	struct buf rec = BUF_INIT;
	char *json;

	rb__header(&b, PT_REC_PROCESS, sizeof(struct pt_process));
	b.rec.task.pid = 5;
	rb__raw(&b, "/a\"bpython3\0-c\0\0cafe", 20);
	b.process.exe_len = 4;
	b.process.argv_len = sizeof(argv) - 1;
	b.process.cwd_len = PT_UNKNOWN_LEN;
	b.process.container_len = 4;
	b.process.cgroup_len = b.process.ancestry_len = b.process.venv_len = PT_UNKNOWN_LEN;
	assert_int_equal(process_table__put_record(t, b.bytes, b.size), 0);
	p = process_table__get(t, &task, false, NULL);
	assert_non_null(strstr(p->json,
	                       "\"exe\":\"/a\\\"b\",\"argv\":[\"python3\",\"-c\",\"\",\"\"],"
	                       "\"start_ns\":4000000000,\"entity_id\":\""));
	assert_non_null(strstr(p->json, "\",\"container_id\":\"cafe\""));
	process__to_record(p, &b.rec, &rec);
	assert_int_equal(rec.len, b.size);
	assert_memory_equal(rec.data, b.bytes, b.size);
	json = strdup(p->json);
	assert_int_equal(process_table__put_record(other, rec.data, rec.len), 0);
	assert_string_equal(process_table__get(other, &task, false, NULL)->json, json);
	/* Lies are refused, and leave what was there. */
	b.process.exe_len = 5000;
	assert_int_equal(process_table__put_record(other, b.bytes, b.size), -EBADMSG);
	assert_string_equal(process_table__get(other, &task, false, NULL)->json, json);
	free(json);
	buf__free(&rec);
	process_table__free(other);
}

/* Many large command lines: what is kept of them is bounded in bytes, too, and what went is
 * counted. */
static void test_bounded_bytes(void **state)
{
	struct process_table *large = process_table__new("boot", 1 << 20);
	struct pt_task task = {.start_ns = 4000000000};
	static char argv[32000];
	unsigned int n = 4000;

	memset(argv, '\x01', sizeof(argv)); /* six bytes of JSON each */
	for (task.pid = 1; task.pid <= n; task.pid++) {
		rb__header(&b, PT_REC_PROCESS, sizeof(struct pt_process));
		b.rec.task.pid = task.pid;
		rb__raw(&b, argv, sizeof(argv));
		b.process.argv_len = sizeof(argv);
		b.process.exe_len = b.process.cwd_len = b.process.container_len = PT_UNKNOWN_LEN;
		b.process.cgroup_len = b.process.ancestry_len = b.process.venv_len = PT_UNKNOWN_LEN;
		assert_int_equal(process_table__put_record(large, b.bytes, b.size), 0);
	}
	assert_true(process_table__evicted(large) > n / 2);
	assert_true(process_table__evicted(large) < n);
	task.pid = n;
	assert_int_equal(process_table__get(large, &task, false, NULL)->argv_len, sizeof(argv));
	task.pid = 1;
	assert_true(process_table__get(large, &task, false, NULL)->partial);
	process_table__free(large);
}

static int setup(void **state)
{
	t = process_table__new("boot", 8);
	return !t;
}

static int teardown(void **state)
{
	process_table__free(t);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stat),          TEST(test_self),    TEST(test_pid_used_again),
		TEST(test_gone),          TEST(test_exec),    TEST(test_inherited),
		TEST(test_changed),       TEST(test_bounded), TEST(test_record),
		TEST(test_bounded_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
