// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Files as outputs: settings in their name, rotation, links, being opened anew. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sink/file_dest.h"
#include "sink/sink.h"
#include "spool_kit.h"
#include "util/log.h"

static char path[512];

static int setup(void **state)
{
	int err = kit__setup(state);

	snprintf(path, sizeof(path), "%s/x.json", kit_dir);
	return err;
}

static struct sink *open_sink(const char *query)
{
	struct sink *s = NULL;
	char dest[800];

	snprintf(dest, sizeof(dest), "%s%s", path, query);
	assert_int_equal(sink__open(dest, &s), 0);
	return s;
}

static void write_lines(struct sink *s, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		char line[101];

		memset(line, '.', sizeof(line));
		line[snprintf(line, sizeof(line), "%u", i)] = '.';
		line[99] = '\n';
		assert_int_equal(sink__write(s, line, 100), 0);
	}
}

struct names {
	char name[64][64];
	size_t cnt;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void list(struct names *n)
{
	DIR *d = opendir(kit_dir);
	struct dirent *e;

	n->cnt = 0;
	while ((e = readdir(d)))
		if (!strncmp(e->d_name, "x.json.", 7))
			snprintf(n->name[n->cnt++], 64, "%.63s", e->d_name);
	closedir(d);
	qsort(n->name, n->cnt, sizeof(n->name[0]), by_text);
}

static off_t size_of(const char *name)
{
	struct stat st;
	char full[600];

	snprintf(full, sizeof(full), "%s/%s", kit_dir, name);
	assert_int_equal(stat(full, &st), 0);
	return st.st_size;
}

static void a_file_is_rotated_by_size_between_records(void **state)
{
	struct sink *s = open_sink("?rotate_size=4K&keep=100");
	char many[100 * 100];
	struct names n;
	off_t sum;

	write_lines(s, 0, 200);
	/* Many records at once go into as many files as they need. */
	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = i % 100 == 99 ? '\n' : '.';
	assert_int_equal(sink__write(s, many, sizeof(many)), 0);
	assert_int_equal(sink__close(s), 0);
	list(&n);
	sum = size_of("x.json");
	for (size_t i = 0; i < n.cnt; i++) {
		assert_int_equal(size_of(n.name[i]), 4000);
		sum += size_of(n.name[i]);
	}
	assert_int_equal(sum, 30000);
	assert_int_equal(n.cnt, 7);
}

static void a_record_that_is_larger_gets_a_file_of_its_own(void **state)
{
	struct sink *s = open_sink("?rotate_size=4K");
	static char large[10000];
	struct names n;

	memset(large, '.', sizeof(large));
	large[sizeof(large) - 1] = '\n';
	write_lines(s, 0, 1);
	assert_int_equal(sink__write(s, large, sizeof(large)), 0);
	write_lines(s, 0, 1);
	assert_int_equal(sink__close(s), 0);
	list(&n);
	assert_int_equal(n.cnt, 2);
	assert_int_equal(size_of(n.name[0]), 100);
	assert_int_equal(size_of(n.name[1]), 10000);
}

static void only_so_many_are_kept(void **state)
{
	struct sink *s = open_sink("?rotate_size=4K&keep=3");
	char other[600];
	struct names n;
	int fd;

	/* Not one of ours, whatever it looks like. */
	snprintf(other, sizeof(other), "%s/x.json.20260131T090000.12345Z", kit_dir);
	fd = open(other, O_CREAT | O_WRONLY, 0600);
	close(fd);
	write_lines(s, 0, 500);
	assert_int_equal(sink__close(s), 0);
	list(&n);
	assert_int_equal(n.cnt, 4);
	assert_int_equal(access(other, F_OK), 0);
}

static void rotated_files_are_compressed(void **state)
{
	struct sink *s = open_sink("?rotate_size=4K&compress=zstd");
	struct names n;
	char command[800];

	write_lines(s, 0, 100);
	assert_int_equal(sink__close(s), 0);
	list(&n);
	assert_int_equal(n.cnt, 2);
	for (size_t i = 0; i < n.cnt; i++) {
		static const unsigned char magic[] = {0x28, 0xb5, 0x2f, 0xfd}; /* RFC 8878 */
		unsigned char head[4];
		int fd;

		assert_string_equal(n.name[i] + strlen(n.name[i]) - 4, ".zst");
		snprintf(command, sizeof(command), "%s/%s", kit_dir, n.name[i]);
		fd = open(command, O_RDONLY);
		assert_int_equal(read(fd, head, 4), 4);
		close(fd);
		assert_memory_equal(head, magic, 4);
		assert_true(size_of(n.name[i]) < 2000);
	}
}

static void what_is_there_is_of_the_time_it_was_written(void **state)
{
	static const struct timespec old[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
	struct sink *s = open_sink("");
	struct names n;

	write_lines(s, 0, 1);
	assert_int_equal(sink__close(s), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	s = open_sink("?rotate_every=1d");
	write_lines(s, 1, 3);
	assert_int_equal(sink__close(s), 0);
	list(&n);
	assert_int_equal(n.cnt, 1);
	assert_int_equal(size_of(n.name[0]), 100);
	assert_int_equal(size_of("x.json"), 200);
}

static void one_that_was_renamed_is_made_anew(void **state)
{
	struct sink *s = open_sink("");
	char moved[600];
	struct stat st;

	write_lines(s, 0, 1);
	snprintf(moved, sizeof(moved), "%s/moved", kit_dir);
	assert_int_equal(rename(path, moved), 0);
	write_lines(s, 1, 2);
	assert_int_equal(sink__reopen(s), 0);
	write_lines(s, 2, 5);
	assert_int_equal(sink__close(s), 0);
	assert_int_equal(size_of("moved"), 200);
	assert_int_equal(size_of("x.json"), 300);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void a_link_where_others_can_write_is_refused(void **state)
{
	struct sink *s;
	char target[600];

	snprintf(target, sizeof(target), "%s/target", kit_dir);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(chmod(kit_dir, 01777), 0);
	assert_int_equal(sink__open(path, &s), -ELOOP);
	assert_int_equal(access(target, F_OK), -1);
	assert_int_equal(chmod(kit_dir, 0700), 0);
	assert_int_equal(sink__open(path, &s), 0);
	assert_int_equal(sink__close(s), 0);
	assert_int_equal(access(target, F_OK), 0);
}

static void names_and_settings_are_told_apart(void **state)
{
	static const struct {
		const char *dest, *path;
	} good[] = {
		{"/var/log/x%3F%25.json", "/var/log/x%3F%25.json"},
		{"/var/log/x%3f%25.json?", "/var/log/x?%.json"},
		{"/var/log/x?rotate_size=1M", "/var/log/x"},
		{"/var/log/x?rotate_size=1M&rotate_every=1h&keep=2&compress=zstd&mode=0640",
	         "/var/log/x"},
	};
	static const char *const bad[] = {
		"x?rotate_sise=1M", "x?rotate_size",
		"x?rotate_size=1",  "x?keep=3",
		"x?compress=gzip",  "x?mode=0777",
		"?mode=0600",       "x?rotate_size=1M&rotate_size=2M",
	};
	struct settings *s;
	char *got;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct buf why = BUF_INIT;

		assert_int_equal(file_dest__parse(good[i].dest, &got, &s, &why), 0);
		assert_string_equal(got, good[i].path);
		free(got);
		settings__free(s);
		buf__free(&why);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf why = BUF_INIT;

		assert_int_equal(file_dest__parse(bad[i], &got, &s, &why), -EINVAL);
		assert_true(why.len > 0);
		buf__free(&why);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, kit__teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_rotated_by_size_between_records),
		TEST(a_record_that_is_larger_gets_a_file_of_its_own),
		TEST(only_so_many_are_kept),
		TEST(rotated_files_are_compressed),
		TEST(what_is_there_is_of_the_time_it_was_written),
		TEST(one_that_was_renamed_is_made_anew),
		TEST(a_link_where_others_can_write_is_refused),
		cmocka_unit_test(names_and_settings_are_told_apart),
	};

	log__set_level(LOG_QUIET - 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
