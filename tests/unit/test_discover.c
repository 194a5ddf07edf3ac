/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Programs to be started, files told apart by inode, and processes: this one and a child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "discover.h"
#include "exec_path.h"
#include "file_table.h"
#include "util/clock.h"

#include "elf_image.h"

static char dir[PATH_MAX];

static const char *in_dir(const char *name)
{
	static char paths[4][PATH_MAX + 64];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void make_file(const char *name, const void *data, size_t len)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(fchmod(fd, 0755), 0);
	close(fd);
}

static void make_script(const char *name, const char *fmt, const char *arg)
{
	char text[PATH_MAX + 128];

	snprintf(text, sizeof(text), fmt, arg);
	make_file(name, text, strlen(text));
}

/*
 * Programs made to be dear: a search path of so many directories before the one that has the
 * library, and so many libraries before it. As many as a program may have are looked at.
 */
static void make_dear(const char *name, size_t dirs, size_t libraries)
{
	char path[512] = "", soname[] = "libpythonA";
	struct image im;

	image__init(&im);
	for (size_t i = 0; i < libraries; i++) {
		soname[sizeof(soname) - 2] = (char)('A' + i);
		image__dynamic(&im, DT_NEEDED, image__string(&im, soname));
	}
	image__dynamic(&im, DT_NEEDED, image__string(&im, "libpython3.11.so.1.0"));
	memset(path, ':', dirs);
	strcpy(path + dirs, "${ORIGIN}/lib");
	image__dynamic(&im, DT_RUNPATH, image__string(&im, path));
	image__finish(&im, true, 0);
	make_file(name, im.data, IMAGE_SIZE);
}

/* An interpreter, and a program that needs one as a library, found by $ORIGIN. */
static void make_image(const char *name, bool interpreter)
{
	struct image im;

	image__init(&im);
	if (interpreter) {
		uint64_t version = 0x030b02f0;

		image__symbol(&im, "PySys_Audit", IMAGE_IN_TEXT(IMAGE_CODE), true);
		image__symbol(&im, "Py_Version", IMAGE_IN_DATA(IMAGE_VERSION), true);
		image__put(&im, IMAGE_VERSION, &version, sizeof(version));
	} else {
		image__dynamic(&im, DT_NEEDED, image__string(&im, "libother.so"));
		image__dynamic(&im, DT_NEEDED, image__string(&im, "libpython3.11.so.1.0"));
		image__dynamic(&im, DT_RUNPATH, image__string(&im, "/nowhere:${ORIGIN}/lib"));
	}
	image__finish(&im, true, 0);
	make_file(name, im.data, IMAGE_SIZE);
}

static int set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%s/pytrail-discover-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir) || mkdir(in_dir("lib"), 0755))
		return -1;
	make_image("interp", true);
	make_image("lib/libpython3.11.so.1.0", true);
	make_image("prog", false);
	make_script("s1", "#!%s\n", in_dir("interp"));
	make_script("s2", "#! \t%s -x y \n", in_dir("s1"));
	make_script("s3", "#!%s", in_dir("s2"));
	make_script("s4", "#!%s", in_dir("s3"));
	make_script("s5", "#!%s", in_dir("s4"));
	make_script("env", "#!/usr/bin/env interp%s\n", "");
	make_script("envS", "#!/usr/bin/env -S A=b -u C interp -x%s\n", "");
	make_script("loop", "#!%s\n", in_dir("loop"));
	make_script("gone", "#!%s\n", in_dir("nothing"));
	make_script("empty", "#!%s\n", "");
	make_script("text", "echo %s\n", "");
	return setenv("PATH", dir, 1);
}

static int tear_down(void **state)
{
	char command[PATH_MAX + 16];

	setenv("PATH", "/usr/bin:/bin", 1);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static void test_env(void **state)
{
	static const struct {
		const char *arg;
		const char *want; /* NULL: none */
	} cases[] = {
		{"python3", "python3"},
		{"  python3", "python3"},
		{"python3 -u", "python3 -u"}, /* one word for the kernel, and for env */
		{"-S python3 -u", "python3"},
		{"-Spython3", "python3"},
		{"-vS python3", "python3"},
		{"--split-string=python3 -u", "python3"},
		{"-S -i A=1 B=2 python3", "python3"},
		{"-S -u HOME -C /tmp -- python3 -c", "python3"},
		{"-S A=1", NULL},
		{"-S", NULL},
		{"-S -u", NULL},
		{"-i", NULL},
		{"A=1", NULL},
		{"", NULL},
	};
	char out[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool found = exec_path__env_command(cases[i].arg, out, sizeof(out));

		assert_int_equal(found, cases[i].want != NULL);
		if (found)
			assert_string_equal(out, cases[i].want);
	}
	assert_false(exec_path__env_command("python3", out, 7));
	assert_true(exec_path__env_command("python3", out, 8));
	assert_false(exec_path__env_command("-S python3", out, 7));
}

static void test_path(void **state)
{
	static const struct {
		const char *name;
		int want;
		const char *file;
	} cases[] = {
		{"interp", 1, "interp"},
		{"s1", 1, "interp"},
		{"s2", 1, "interp"},
		{"s4", 1, "interp"},
		{"s5", -ELOOP, NULL},
		{"loop", -ELOOP, NULL},
		{"env", 1, "interp"},
		{"envS", 1, "interp"},
		{"prog", 1, "lib/libpython3.11.so.1.0"},
		{"gone", -ENOENT, NULL},
		{"nothing", -ENOENT, NULL},
		{"", -ENOENT, NULL},
		{"empty", -ENOEXEC, NULL},
		{"text", 0, NULL},
		{"lib", -ENOENT, NULL},
		{"./", -EACCES, NULL},
	};
	struct discover *d = discover__new();
	struct binary *const *all;

	assert_non_null(d);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct discovered found;
		int ret = discover__path(d, cases[i].name, &found);

		if (ret != cases[i].want)
			fail_msg("%s: %d", cases[i].name, ret);
		if (ret != 1)
			continue;
		assert_string_equal(found.binary->path, in_dir(cases[i].file));
		assert_string_equal(found.binary->py_version_text, "3.11.2");
		/* each file is new once */
		assert_int_equal(found.new_binary, i == 0 || !strcmp(cases[i].name, "prog"));
	}
	assert_int_equal(discover__binaries(d, &all), 2);
	discover__free(d);
}

static void test_dear(void **state)
{
	struct discover *d = discover__new();
	struct discovered found;

	make_dear("dear", 200, 3);
	assert_int_equal(discover__path(d, "dear", &found), 1);
	assert_string_equal(found.binary->path, in_dir("lib/libpython3.11.so.1.0"));
	make_dear("dear", 300, 0);
	assert_int_equal(discover__path(d, "dear", &found), 0);
	make_dear("dear", 0, 6);
	assert_int_equal(discover__path(d, "dear", &found), 0);
	discover__free(d);
}

static void test_file_table(void **state)
{
	struct file_table *t = file_table__new();
	struct stat st = {.st_dev = 1, .st_ino = 2, .st_size = 3, .st_mtim = {4, 5}};
	struct stat real, other;
	struct binary *b = NULL, *found = NULL;
	int fd = open(in_dir("interp"), O_RDONLY | O_CLOEXEC);

	assert_non_null(t);
	assert_int_equal(file_table__find(t, &st, false, &found), FILE_UNKNOWN);
	assert_int_equal(file_table__add(t, &st, false, NULL), 0);
	assert_int_equal(file_table__find(t, &st, false, &found), FILE_NO_INTERPRETER);
	st.st_mtim.tv_nsec++; /* written to, or another file */
	assert_int_equal(file_table__find(t, &st, false, &found), FILE_UNKNOWN);

	assert_int_equal(fstat(fd, &real), 0);
	assert_int_equal(binary__open(fd, "interp", &b), 0);
	assert_int_equal(file_table__add(t, &real, false, b), 0);
	assert_true(file_table__is_first(t, b));
	assert_false(file_table__is_first(t, b));
	assert_int_equal(file_table__find(t, &real, false, &found), FILE_INTERPRETER);
	assert_ptr_equal(found, b);
	/* the same file through an overlay: another device, all else equal */
	other = real;
	other.st_dev++;
	assert_int_equal(file_table__find(t, &other, false, &found), FILE_UNKNOWN);
	assert_int_equal(file_table__find(t, &other, true, &found), FILE_INTERPRETER);
	other.st_ctim.tv_nsec ^= 1;
	assert_int_equal(file_table__find(t, &other, true, &found), FILE_UNKNOWN);

	/* Many that are none: some are forgotten, none of the others. */
	for (ino_t i = 0; i < 150000; i++) {
		st.st_ino = 1000 + i;
		assert_int_equal(file_table__add(t, &st, false, NULL), 0);
	}
	assert_int_equal(file_table__find(t, &st, false, &found), FILE_NO_INTERPRETER);
	st.st_ino = 1000;
	assert_int_equal(file_table__find(t, &st, false, &found), FILE_UNKNOWN);
	assert_int_equal(file_table__find(t, &real, false, &found), FILE_INTERPRETER);
	file_table__free(t);
}

/* One file changed again and again, and one number on very many file systems: the table stays
 * small. */
static void test_file_table_same_number(void **state)
{
	struct file_table *t = file_table__new();
	struct stat st = {.st_dev = 1, .st_ino = 77, .st_size = 10}, other;
	struct binary *found;
	size_t known = 0;

	for (long i = 1; i <= 1000; i++) {
		st.st_mtim.tv_nsec = i;
		assert_int_equal(file_table__add(t, &st, false, NULL), 0);
		assert_int_equal(file_table__find(t, &st, false, &found), FILE_NO_INTERPRETER);
	}
	other = st;
	st.st_mtim.tv_nsec = 999; /* what it was before is known no more */
	assert_int_equal(file_table__find(t, &st, false, &found), FILE_UNKNOWN);
	for (dev_t dev = 2; dev <= 10000; dev++) {
		other.st_dev = dev;
		assert_int_equal(file_table__add(t, &other, false, NULL), 0);
		assert_int_equal(file_table__find(t, &other, false, &found), FILE_NO_INTERPRETER);
	}
	for (dev_t dev = 1; dev <= 10000; dev++) {
		other.st_dev = dev;
		known += file_table__find(t, &other, false, &found) == FILE_NO_INTERPRETER;
	}
	assert_in_range(known, 1, 64);
	file_table__free(t);
}

/* Pages below all others, which the kernel cannot make one mapping of. */
static void map_many(size_t cnt)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *all = mmap(NULL, cnt * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; i < cnt; i += 2)
		if (mprotect(all + i * page, page, PROT_READ))
			_exit(1);
}

/* A process that has the code of a file mapped as the system would, behind so many other
 * mappings. */
static pid_t start_mapping(const char *path, size_t others, void **where)
{
	void **shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		int fd = open(path, O_RDONLY);

		*shared = mmap(NULL, IMAGE_DATA, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
		close(fd);
		map_many(others);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	*where = *shared;
	munmap(shared, 4096);
	return pid;
}

static int count(void *ctx, const struct discovered *found)
{
	*(int *)ctx += found->binary->py_version == 0x030b02f0;
	return 0;
}

static void test_process(void **state)
{
	struct discover *d = discover__new();
	struct discovered found;
	void *where = NULL;
	pid_t pid = start_mapping(in_dir("interp"), 0, &where);
	int cnt = 0, status;

	assert_int_equal(discover__pid(d, getpid(), &found), 0);
	/* Deleted and replaced, as by an update, it is still the one that is mapped. */
	if (!geteuid()) {
		assert_int_equal(unlink(in_dir("interp")), 0);
		make_file("interp", "other", 5);
	}
	assert_int_equal(discover__pid(d, pid, &found), 1);
	assert_int_equal(found.pid, pid);
	assert_true(found.new_binary);
	assert_int_equal(found.bias, (uintptr_t)where - IMAGE_TEXT_ADDRESS);
	assert_string_equal(found.binary->path, in_dir("interp"));
	assert_int_equal(discover__pid(d, pid, &found), 1);
	assert_false(found.new_binary);
	assert_int_equal(discover__all(d, count, &cnt), 0);
	assert_true(cnt >= 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
	assert_int_equal(discover__pid(d, pid, &found), -ESRCH); /* a zombie */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(discover__pid(d, pid, &found), -ESRCH);
	discover__free(d);
	make_image("interp", true);
}

/* Who looks at a process with very many mappings decides for how long, and can go on later. */
static void test_patience(void **state)
{
	const struct time_budget none = {0};
	struct discover *d = discover__new();
	struct discover_look *look;
	struct discovered found;
	void *where = NULL;
	pid_t pid = start_mapping(in_dir("interp"), 20000, &where);
	int ret, slices = 0;

	discover__set_patience(d, 0);
	assert_int_equal(discover__pid(d, pid, &found), -ETIME);
	assert_int_equal(discover__look(d, pid, &look), 0);
	while ((ret = discover__look_on(look, &none, &found)) == -EAGAIN)
		slices++;
	discover__look_end(look);
	assert_int_equal(ret, 1);
	assert_int_equal(found.pid, pid);
	assert_int_equal(found.bias, (uintptr_t)where - IMAGE_TEXT_ADDRESS);
	assert_true(slices > 10);
	/* one that has none is looked through to its end */
	assert_int_equal(discover__look(d, getpid(), &look), 0);
	while ((ret = discover__look_on(look, &none, &found)) == -EAGAIN)
		continue;
	discover__look_end(look);
	assert_int_equal(ret, 0);
	discover__set_patience(d, DISCOVER_PATIENCE_NS);
	assert_int_equal(discover__pid(d, pid, &found), 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(discover__look(d, pid, &look), -ESRCH);
	assert_null(look);
	discover__look_end(look);
	discover__free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_env),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_dear),
		cmocka_unit_test(test_file_table),
		cmocka_unit_test(test_file_table_same_number),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_patience),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
