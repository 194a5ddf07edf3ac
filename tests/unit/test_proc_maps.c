/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* /proc/PID/maps: real lines, odd names, and texts that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "proc_maps.h"
#include "util/buf.h"

static bool one(const char *line, struct proc_map *out)
{
	size_t pos = 0;

	return proc_maps__next(line, strlen(line), &pos, out);
}

static void test_lines(void **state)
{
	struct proc_map m;

	assert_true(one("55d0c0a00000-55d0c0c9f000 r-xp 0001f000 fe:01 1234567"
	                "                    /usr/bin/python3.11\n",
	                &m));
	assert_int_equal(m.start, 0x55d0c0a00000);
	assert_int_equal(m.end, 0x55d0c0c9f000);
	assert_int_equal(m.offset, 0x1f000);
	assert_int_equal(m.ino, 1234567);
	assert_int_equal(m.dev, makedev(0xfe, 1));
	assert_true(m.exec);
	assert_int_equal(m.path_len, strlen("/usr/bin/python3.11"));
	assert_memory_equal(m.path, "/usr/bin/python3.11", m.path_len);

	assert_true(one("00400000-00401000 rw-p 00000000 00:00 0 \n", &m));
	assert_false(m.exec);
	assert_int_equal(m.path_len, 0);
	assert_true(one("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0"
	                "                  [vsyscall]",
	                &m));
	assert_true(m.exec);
	assert_int_equal(m.start, 0xffffffffff600000);
}

static void test_no_lines(void **state)
{
	static const char *const bad[] = {
		"",
		"\n\n",
		"garbage",
		"-55d0c0c9f000 r-xp 0 00:00 0 ",
		"1000-2000",
		"1000-2000 r-xp",
		"1000-2000 r-xp 0 00:00",
		"1000-2000 r-x 0 00:00 1 /x",
		"2000-1000 r-xp 0 00:00 1 /x",
		"1000-1000 r-xp 0 00:00 1 /x",
		"10000000000000000-20000000000000000 r-xp 0 00:00 1 /x",
		"1000-2000 r-xp 0 00:00 99999999999999999999 /x",
		"1000-2000 r-xp 0 00:00 a /x",
		"1000-2000 r-xp -1 00:00 1 /x",
	};
	struct proc_map m;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(one(bad[i], &m));
}

static void test_many(void **state)
{
	static const char text[] = "1000-2000 r-xp 0 00:01 1 /a\n"
				   "nonsense\n"
				   "3000-4000 rw-p 0 00:01 2 /b c\n"
				   "5000-6000 r-xp 0 00:01 3 /d";
	size_t pos = 0, whole;
	struct proc_map m;

	assert_true(proc_maps__next(text, sizeof(text) - 1, &pos, &m));
	assert_int_equal(m.ino, 1);
	assert_true(proc_maps__next(text, sizeof(text) - 1, &pos, &m));
	assert_int_equal(m.ino, 2);
	assert_int_equal(m.path_len, 4);
	assert_true(proc_maps__next(text, sizeof(text) - 1, &pos, &m));
	assert_int_equal(m.ino, 3);
	assert_false(proc_maps__next(text, sizeof(text) - 1, &pos, &m));

	/* cut anywhere, in memory that ends there */
	for (size_t len = 0; len < sizeof(text); len++) {
		char *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, text, len);
		for (pos = 0, whole = 0; proc_maps__next(copy, len, &pos, &m); whole++)
			assert_true(m.path >= copy && m.path + m.path_len <= copy + len);
		assert_true(whole <= 3);
		free(copy);
	}
}

static void check_path(const char *raw, const char *want, bool want_deleted)
{
	struct proc_map m = {.path = raw, .path_len = strlen(raw)};
	bool deleted;
	char path[64];

	assert_true(proc_map__path(&m, path, sizeof(path), &deleted));
	assert_string_equal(path, want);
	assert_int_equal(deleted, want_deleted);
}

static void test_path(void **state)
{
	struct proc_map m = {.path = "/abc", .path_len = 4};
	bool deleted;
	char path[8];

	check_path("/usr/bin/python3", "/usr/bin/python3", false);
	check_path("/usr/bin/python3 (deleted)", "/usr/bin/python3", true);
	check_path("/a (deleted) (deleted)", "/a (deleted)", true);
	check_path(" (deleted)", " (deleted)", false);
	check_path("/new\\012line\\012", "/new\nline\n", false);
	check_path("/back\\slash\\01", "/back\\slash\\01", false);
	check_path("", "", false);
	assert_true(proc_map__path(&m, path, 5, &deleted));
	assert_false(proc_map__path(&m, path, 4, &deleted));
	assert_false(proc_map__path(&m, path, 0, &deleted));
}

struct seen {
	const void *mine;
	uint64_t end; /* of the one before */
	size_t cnt, pieces;
	bool found, code;
};

static bool see(void *ctx, const struct proc_map *m)
{
	struct seen *s = ctx;

	s->cnt++;
	assert_true(m->start >= s->end); /* in order, and none twice */
	s->end = m->end;
	s->found |= m->start <= (uintptr_t)s->mine && (uintptr_t)s->mine < m->end && !m->exec;
	s->code |= m->start <= (uintptr_t)see && (uintptr_t)see < m->end && m->exec && m->ino &&
	           m->path[0] == '/';
	return s->cnt % 7; /* stopped now and then: it goes on there */
}

static struct seen read_self(const void *mine)
{
	struct seen s = {.mine = mine};
	struct proc_maps *maps;
	int ret;

	assert_int_equal(proc_maps__open(getpid(), &maps), 0);
	while ((ret = proc_maps__read(maps, see, &s)) == 1)
		s.pieces++;
	assert_int_equal(ret, 0);
	assert_int_equal(proc_maps__read(maps, see, &s), 0);
	proc_maps__close(maps);
	return s;
}

#define MANY 3000

/* Pages that the kernel cannot make one mapping of. */
static void test_self(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *mine = mmap(NULL, MANY * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct proc_maps *maps;
	struct seen few, many;

	few = read_self(mine + (MANY - 1) * page);
	assert_true(few.found && few.code);
	for (size_t i = 0; i < MANY; i += 2)
		assert_int_equal(mprotect(mine + i * page, page, PROT_READ), 0);
	many = read_self(mine + (MANY - 1) * page);
	assert_true(many.found && many.code);
	assert_true(many.cnt >= few.cnt + MANY - 4);
	assert_true(many.pieces > 10);
	munmap(mine, MANY * page);
	assert_int_equal(proc_maps__open(0x7ffffffe, &maps), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines), cmocka_unit_test(test_no_lines),
		cmocka_unit_test(test_many),  cmocka_unit_test(test_path),
		cmocka_unit_test(test_self),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
