// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Files that are written by name: what others have put in the way is neither followed nor written
 * to. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "record.h"
#include "sink/sink.h"
#include "spool_kit.h"
#include "util/log.h"
#include "util/safe_file.h"

#define OTHER 65534

static const char *at(const char *name)
{
	static char paths[4][600];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, 600, "%s/%s", kit_dir, name);
	return path;
}

static void put(const char *name, uid_t uid)
{
	int fd = open(at(name), O_WRONLY | O_CREAT, 0666);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "theirs\n", 7), 7);
	close(fd);
	assert_int_equal(chown(at(name), uid, uid), 0);
}

static void make_dir(const char *name, mode_t mode, uid_t uid)
{
	assert_int_equal(mkdir(at(name), 0700), 0);
	assert_int_equal(chmod(at(name), mode), 0);
	assert_int_equal(chown(at(name), uid, uid), 0);
}

static void link_to(const char *target, const char *name, uid_t uid)
{
	assert_int_equal(symlink(target, at(name)), 0);
	assert_int_equal(lchown(at(name), uid, uid), 0);
}

static int opened(const char *name)
{
	int fd = safe_file__open(at(name), O_WRONLY | O_TRUNC, 0600);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static off_t size_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(at(name), &st), 0);
	return st.st_size;
}

static int setup(void **state)
{
	if (geteuid()) {
		*state = NULL;
		return 0;
	}
	if (kit__setup(state))
		return -1;
	/* what the kernel does by itself must not be what is tested */
	make_dir("all", 01777, 0);
	make_dir("ours", 0755, 0);
	make_dir("theirs", 0755, OTHER);
	put("ours/secret", 0);
	return 0;
}

static int teardown(void **state)
{
	return geteuid() ? 0 : kit__teardown(state);
}

#define NEEDS_ROOT()            \
	do {                    \
		if (geteuid())  \
			skip(); \
	} while (0)

static void links_of_others_are_not_followed(void **state)
{
	NEEDS_ROOT();
	link_to(at("ours/secret"), "all/x", OTHER);
	assert_int_equal(opened("all/x"), -ELOOP);
	link_to(at("ours/secret"), "theirs/x", OTHER);
	assert_int_equal(opened("theirs/x"), -ELOOP);
	/* to where there is nothing yet: nothing is made there */
	link_to(at("ours/new"), "all/new", OTHER);
	assert_int_equal(opened("all/new"), -ELOOP);
	assert_int_equal(access(at("ours/new"), F_OK), -1);
	assert_int_equal(size_of("ours/secret"), 7);
	/* on the way, too */
	link_to(at("ours"), "all/dir", OTHER);
	assert_int_equal(opened("all/dir/secret"), -ELOOP);
	assert_int_equal(opened("all/dir/new"), -ELOOP);
	assert_int_equal(size_of("ours/secret"), 7);
}

static void links_of_ours_are(void **state)
{
	NEEDS_ROOT();
	put("ours/file", 0);
	link_to("file", "ours/link", 0);
	assert_int_equal(opened("ours/link"), 0);
	assert_int_equal(size_of("ours/file"), 0);
	link_to("../ours", "all/dir", 0);
	assert_int_equal(opened("all/dir/made"), 0);
	assert_int_equal(size_of("ours/made"), 0);
	/* of the directory's owner, on the way */
	link_to(at("ours"), "theirs/dir", OTHER);
	assert_int_equal(opened("theirs/dir/made2"), 0);
	/* for ever */
	link_to("loop", "ours/loop", 0);
	assert_int_equal(opened("ours/loop/x"), -ELOOP);
}

static void files_of_others_are_not_written(void **state)
{
	NEEDS_ROOT();
	put("all/theirs", OTHER);
	assert_int_equal(opened("all/theirs"), -EPERM);
	assert_int_equal(size_of("all/theirs"), 7);
	assert_int_equal(mkfifo(at("all/fifo"), 0666), 0);
	assert_int_equal(chown(at("all/fifo"), OTHER, OTHER), 0);
	assert_int_equal(safe_file__open(at("all/fifo"), O_RDWR, 0600), -EPERM);
	/* in his own directory it is what was asked for */
	put("theirs/file", OTHER);
	assert_int_equal(opened("theirs/file"), 0);
	/* a second name of a file of ours */
	assert_int_equal(link(at("ours/secret"), at("all/hard")), 0);
	assert_int_equal(opened("all/hard"), -EMLINK);
	assert_int_equal(size_of("ours/secret"), 7);
}

static void new_ones_are_ours_alone(void **state)
{
	struct stat st;

	NEEDS_ROOT();
	umask(0);
	assert_int_equal(opened("all/new"), 0);
	assert_int_equal(stat(at("all/new"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_uid, 0);
	umask(022);
}

static void odd_paths(void **state)
{
	const char *base;
	int fd;

	NEEDS_ROOT();
	assert_int_equal(opened("none/x"), -ENOENT);
	assert_int_equal(opened("ours/secret/x"), -ENOTDIR);
	assert_int_equal(opened("ours/"), -EISDIR);
	assert_int_equal(safe_file__open("", O_WRONLY, 0600), -ENOENT);
	assert_int_equal(opened("ours/../ours//./odd"), 0);
	assert_int_equal(size_of("ours/odd"), 0);
	/* proc's own links */
	fd = safe_file__parent("/proc/self/cwd/x", &base);
	assert_true(fd >= 0);
	assert_string_equal(base, "x");
	close(fd);
	fd = safe_file__open("/dev/null", O_WRONLY | O_TRUNC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

/* Those that open files by it. */
static void records_and_outputs(void **state)
{
	const struct record_header h = {.version = 1};
	struct record_writer *w;
	struct sink *s;
	char dest[700];

	NEEDS_ROOT();
	log__set_level(LOG_QUIET);
	link_to(at("ours/secret"), "all/x", OTHER);
	assert_int_equal(record_writer__open(at("all/x"), &h, &w), -ELOOP);
	assert_int_equal(sink__open(at("all/x"), &s), -ELOOP);
	snprintf(dest, sizeof(dest), "%s?rotate_size=4K", at("all/x"));
	assert_int_equal(sink__open(dest, &s), -ELOOP);
	put("all/y", OTHER);
	assert_int_equal(record_writer__open(at("all/y"), &h, &w), -EPERM);
	assert_int_equal(sink__open(at("all/y"), &s), -EPERM);
	assert_int_equal(size_of("ours/secret"), 7);
	/* one that is swapped for a link later: written on, not followed */
	assert_int_equal(sink__open(at("all/z"), &s), 0);
	assert_int_equal(unlink(at("all/z")), 0);
	link_to(at("ours/secret"), "all/z", OTHER);
	assert_int_equal(sink__reopen(s), -ELOOP);
	assert_int_equal(sink__write(s, "1\n", 2), 0);
	assert_int_equal(sink__close(s), 0);
	assert_int_equal(size_of("ours/secret"), 7);
	log__set_level(LOG_NORMAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(links_of_others_are_not_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(links_of_ours_are, setup, teardown),
		cmocka_unit_test_setup_teardown(files_of_others_are_not_written, setup, teardown),
		cmocka_unit_test_setup_teardown(new_ones_are_ours_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(odd_paths, setup, teardown),
		cmocka_unit_test_setup_teardown(records_and_outputs, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
