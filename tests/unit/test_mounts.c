// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Lines of mountinfo taken apart, and the globs of installed interpreters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "installed.h"
#include "mounts.h"

static void check(const char *text, const char *path, const char *kind)
{
	struct mount_entry m;
	char line[256];

	snprintf(line, sizeof(line), "%s", text);
	if (!path) {
		assert_false(mount_entry__parse(line, &m));
		return;
	}
	assert_true(mount_entry__parse(line, &m));
	assert_string_equal(m.path, path);
	assert_string_equal(m.kind, kind);
}

/* The examples are proc(5)'s, and what mangle() of the kernel makes of odd names. */
static void test_parse(void **state)
{
	check("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw", "/mnt2", "ext3");
	check("36 35 98:0 / / rw - tmpfs none rw", "/", "tmpfs");
	check("36 35 98:0 / /a\\040b\\134c\\012 rw - overlay o rw", "/a b\\c\n", "overlay");
	check("36 35 98:0 / /a\\04 rw shared:1 master:2 - xfs o rw", "/a\\04", "xfs");
	check("36 35 98:0 / /a\\ rw - xfs", "/a\\", "xfs");
	check("", NULL, NULL);
	check("36 35 98:0 / /mnt rw", NULL, NULL);
	check("36 35 98:0 - ext4 x rw", NULL, NULL);
	check("36 35 98:0 / /mnt rw -", NULL, NULL);
}

static void test_local(void **state)
{
	const char *const yes[] = {"ext4", "overlay", "tmpfs", "btrfs"};
	const char *const no[] = {"nfs4", "fuse.sshfs", "proc", "cgroup2", "autofs", "ext", ""};
	size_t i;

	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(mount_entry__is_local(&(struct mount_entry){.kind = yes[i]}));
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(mount_entry__is_local(&(struct mount_entry){.kind = no[i]}));
}

static void find_root(void *ctx, const struct mount_entry *m)
{
	if (!strcmp(m->path, "/"))
		*(bool *)ctx = true;
}

static void test_own_mounts(void **state)
{
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC), again;
	bool found;

	assert_true(fd >= 0);
	for (again = 0; again < 2; again++) {
		found = false;
		assert_int_equal(mounts__each(fd, find_root, &found), 0);
		assert_true(found);
	}
	close(fd);
}

static void test_is_spec(void **state)
{
	assert_true(installed__is_spec("none"));
	assert_true(installed__is_spec("/usr/bin/python3*"));
	assert_true(installed__is_spec("+/a/*:/b/{c,d}*"));
	assert_false(installed__is_spec(""));
	assert_false(installed__is_spec("+"));
	assert_false(installed__is_spec("python3"));
	assert_false(installed__is_spec("/a:b"));
	assert_false(installed__is_spec("/a::/b"));
}

static void count(void *ctx, const char *path)
{
	const char *name = strrchr(path, '/');

	/* links are followed */
	assert_true(!strncmp(name, "/file", 5));
	(*(size_t *)ctx)++;
}

static void put(const char *dir, const char *name, const char *content)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(content, f);
	fclose(f);
}

static void test_each(void **state)
{
	char dir[] = "/tmp/pytrail-installed-XXXXXX", spec[256], command[256];
	size_t n = 0, i;
	char name[64];

	assert_non_null(mkdtemp(dir));
	put(dir, "file", "\177ELF");
	put(dir, "script", "#!/bin/sh");
	put(dir, "empty", "");
	snprintf(spec, sizeof(spec), "%s/link", dir);
	assert_int_equal(symlink("file", spec), 0);
	snprintf(spec, sizeof(spec), "%s/none", dir);
	assert_int_equal(symlink("nowhere", spec), 0);
	snprintf(spec, sizeof(spec), "%s/fifo", dir);
	assert_int_equal(mkfifo(spec, 0600), 0);
	/* one file under two names, in two globs; no other is one */
	snprintf(spec, sizeof(spec), "%s/{link,nope}*:%s/*", dir, dir);
	assert_int_equal(installed__each(spec, true, count, &n), 1);
	assert_int_equal(n, 1);
	assert_int_equal(installed__each("none", true, count, &n), 0);
	assert_int_equal(n, 1);
	for (i = 0; i < INSTALLED_MAX + 10; i++) {
		snprintf(name, sizeof(name), "file-%zu", i);
		put(dir, name, "\177ELF");
	}
	n = 0;
	assert_int_equal(installed__each(spec, true, count, &n), INSTALLED_MAX);
	assert_int_equal(n, INSTALLED_MAX);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),      cmocka_unit_test(test_local),
		cmocka_unit_test(test_own_mounts), cmocka_unit_test(test_is_spec),
		cmocka_unit_test(test_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
