/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The audit functions and probe sites found in files: in audit_interpreter.c built in many ways,
 * and in the interpreters of this machine; whole, stripped, and without section headers. The
 * symbols of a whole one are the truth.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "audit_symbols.h"
#include "binary.h"
#include "debugdata.h"
#include "elf_file.h"
#include "elf_image.h"

#define SOURCE "tests/unit/audit_interpreter.c"

#ifdef __aarch64__
#define NATIVE EM_AARCH64
#else
#define NATIVE EM_X86_64
#endif

static char dir[] = "/tmp/pytrail-audit-XXXXXX";
static uint16_t machine = NATIVE; /* of the files that are looked at */
static const char *strip_program = "strip";

/* The functions by name, from .symtab (has: there is one). */
struct truth {
	bool has;
	Elf64_Sym pysys_audit;
	Elf64_Sym tstate;
	Elf64_Sym builtin;
	Elf64_Sym copies[BINARY_ENTRIES_MAX];
	size_t copies_cnt;
};

__attribute__((format(printf, 1, 2))) static int run(const char *format, ...)
{
	char command[4096];
	va_list ap;

	va_start(ap, format);
	assert_true(vsnprintf(command, sizeof(command), format, ap) < (int)sizeof(command));
	va_end(ap);
	return system(command);
}

static bool has(const char *program)
{
	return !run("command -v %s >/dev/null", program);
}

static bool on_symbol(void *ctx, const char *name, const Elf64_Sym *sym)
{
	struct truth *t = ctx;

	t->has = true;
	if (ELF64_ST_TYPE(sym->st_info) != STT_FUNC || strstr(name, ".cold"))
		return true;
	if (!strcmp(name, "PySys_Audit"))
		t->pysys_audit = *sym;
	else if (!strncmp(name, "sys_audit_tstate", 16))
		t->tstate = *sym;
	else if (!strcmp(name, "sys_audit"))
		t->builtin = *sym;
	else if (!strncmp(name, "_PySys_Audit", 12) && t->copies_cnt < BINARY_ENTRIES_MAX)
		t->copies[t->copies_cnt++] = *sym;
	return true;
}

static void read_truth(const char *path, struct truth *t)
{
	struct elf_file *e;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	memset(t, 0, sizeof(*t));
	assert_true(fd >= 0);
	assert_int_equal(elf_file__open_for(machine, fd, &e), 0);
	elf_file__each_symbol(e, false, on_symbol, t);
	elf_file__close(e);
	close(fd);
}

/* NULL: not an interpreter (a program that loads libpython). */
static struct binary *open_binary(const char *path)
{
	struct binary *b;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return binary__open_for(machine, fd, path, &b) ? NULL : b;
}

static const struct binary_entry *entry_of(const struct binary *b, enum pt_entry kind, size_t index)
{
	for (size_t i = 0; i < b->entries_cnt; i++)
		if (b->entries[i].kind == kind && !index--)
			return &b->entries[i];
	return NULL;
}

static void assert_in(const struct binary_entry *entry, const Elf64_Sym *function)
{
	assert_non_null(entry);
	assert_true(entry->address >= function->st_value);
	assert_true(entry->address < function->st_value + function->st_size);
	assert_true(entry->single_stepped == (entry->why[0] != '\0'));
	if (entry->single_stepped)
		assert_int_equal(entry->address, function->st_value);
}

static bool has_entry_in(const struct binary *b, const Elf64_Sym *function)
{
	for (size_t i = 0; i < b->entries_cnt; i++)
		if (b->entries[i].address >= function->st_value &&
		    b->entries[i].address < function->st_value + function->st_size)
			return true;
	return false;
}

/* Everything is seen, once, and by the functions that the symbols name. */
static void check_truth(const struct binary *b, const struct truth *t)
{
	const struct binary_entry *tstate = entry_of(b, PT_ENTRY_VA_LIST, 0);

	assert_string_equal(b->missing, "");
	assert_in(entry_of(b, PT_ENTRY_BUILTIN, 0), &t->builtin);
	assert_null(entry_of(b, PT_ENTRY_BUILTIN, 1));
	assert_null(entry_of(b, PT_ENTRY_VA_LIST, 1));
	if (tstate)
		assert_in(tstate, &t->tstate);
	assert_true(tstate || has_entry_in(b, &t->pysys_audit));
	for (size_t i = 0; i < t->copies_cnt; i++)
		assert_true(tstate || has_entry_in(b, &t->copies[i]));
	for (size_t i = 0; entry_of(b, PT_ENTRY_VARIADIC, i); i++) {
		const struct binary_entry *entry = entry_of(b, PT_ENTRY_VARIADIC, i);
		bool own = strcmp(entry->function, "PySys_Audit") != 0;

		assert_int_equal(entry->first_vararg, own ? 3 : 2);
		if (!own)
			assert_in(entry, &t->pysys_audit);
	}
}

static void check_same(const struct binary *a, const struct binary *b)
{
	assert_int_equal(a->entries_cnt, b->entries_cnt);
	for (size_t i = 0; i < a->entries_cnt; i++) {
		assert_int_equal(a->entries[i].address, b->entries[i].address);
		assert_int_equal(a->entries[i].offset, b->entries[i].offset);
		assert_int_equal(a->entries[i].stack_moved, b->entries[i].stack_moved);
		assert_int_equal(a->entries[i].kind, b->entries[i].kind);
		assert_int_equal(a->entries[i].first_vararg, b->entries[i].first_vararg);
		assert_string_equal(a->entries[i].function, b->entries[i].function);
	}
}

/* The return addresses of the builtin's calls must lie in its range, and few others. */
static void check_same_range(const struct binary *a, const struct binary *b)
{
	assert_true(a->builtin_start < b->builtin_end && b->builtin_start < a->builtin_end);
}

/* A copy of it as `out`, without symbols, or without any section header. */
static void strip(const char *path, const char *out)
{
	assert_int_equal(run("cp -L '%s' '%s' && chmod u+w '%s' && %s -s '%s'", path, out, out,
	                     strip_program, out),
	                 0);
}

static void cut_sections(const char *path)
{
	static const uint8_t none[6]; /* e_shentsize, e_shnum, e_shstrndx */
	uint64_t offset = 0;
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &offset, sizeof(offset), offsetof(Elf64_Ehdr, e_shoff)),
	                 sizeof(offset));
	assert_int_equal(pwrite(fd, none, sizeof(none), offsetof(Elf64_Ehdr, e_shentsize)),
	                 sizeof(none));
	close(fd);
}

/* What is missing in a stripped file must be said, but it is nothing that is there in truth. */
static bool is_guess(const char *missing)
{
	return !missing[0] || !strncmp(missing, "events of further copies", 24);
}

static void check_stripped(const struct binary *b, const char *path, bool sections)
{
	struct binary *other;
	char copy[512];

	snprintf(copy, sizeof(copy), "%s/stripped", dir);
	strip(path, copy);
	if (!sections)
		cut_sections(copy);
	other = open_binary(copy);
	assert_non_null(other);
	if (!is_guess(other->missing))
		fail_msg("%s, stripped: %s", path, other->missing);
	check_same(b, other);
	check_same_range(b, other);
	binary__free(other);
	unlink(copy);
}

static void check_file(const char *path)
{
	struct binary *b = open_binary(path);
	struct truth truth;

	if (!b)
		return;
	print_message("  %s: %zu sites%s%s\n", path, b->entries_cnt,
	              b->missing[0] ? ", missing: " : "", b->missing);
	read_truth(path, &truth);
	if (truth.has && truth.pysys_audit.st_value)
		check_truth(b, &truth);
	assert_string_equal(b->missing, "");
	assert_true(b->entries_cnt >= 2);
	for (size_t i = 0; i < b->entries_cnt; i++) {
		/* Few instructions of arm64 are simulated: not every prologue has one early
		 * enough. */
		if (b->entries[i].single_stepped)
			print_message("    %s: %s\n", b->entries[i].function, b->entries[i].why);
		assert_true(!b->entries[i].single_stepped || machine == EM_AARCH64);
	}
	if (b->sites_cnt && !truth.has && entry_of(b, PT_ENTRY_VA_LIST, 0) && !b->shared)
		/* As many bodies of sys_audit_tstate as there are sites of USDT. */
		assert_int_equal(b->entries_cnt - 1, b->sites_cnt);
	check_stripped(b, path, true);
	check_stripped(b, path, false);
	binary__free(b);
}

static void check_files(const char *root, const char *pattern)
{
	char path[512];
	glob_t found;

	if (!root)
		return;
	snprintf(path, sizeof(path), "%s/%s", root, pattern);
	if (glob(path, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *name = strrchr(found.gl_pathv[i], '/') + 1;

		/* "python3.12" and "libpython3.12.so.1.0", but not "python3.12-config" */
		if (strspn(name, "libpythonsu.0123456789-cagm") != strlen(name) ||
		    strstr(name, "config"))
			continue;
		check_file(found.gl_pathv[i]);
	}
	globfree(&found);
}

static void test_interpreters(void **state)
{
	const char *home = getenv("HOME"), *pyenv = getenv("PYENV_ROOT");
	const char *cache = getenv("PYTRAIL_PYTHONS");
	char path[512], cached[512];

	if (!has("strip"))
		skip();
	snprintf(path, sizeof(path), "%s/.pyenv", home ? home : "/root");
	snprintf(cached, sizeof(cached), "%s/.cache/pytrail/pythons", home ? home : "/root");
	check_files("/usr/bin", "python3.*");
	check_files("/usr/lib", "*-linux-gnu/libpython3*.so.1.0");
	check_files(pyenv ? pyenv : path, "versions/3.*/bin/python3.[0-9]*");
	check_files(pyenv ? pyenv : path, "versions/3.*/lib/libpython3.*.so.1.0");
	check_files(cache ? cache : cached, "3.*/root/bin/python3.[0-9]*[0-9t]");
	check_files(cache ? cache : cached, "3.*/root/usr/bin/python3.[0-9]*");
}

/* Debian's of arm64, where `make test-arm64` has fetched them. */
static void test_interpreters_arm64(void **state)
{
	const char *home = getenv("HOME"), *cache = getenv("PYTRAIL_VM");
	char root[512];

	if (cache)
		snprintf(root, sizeof(root), "%s/root-arm64/usr", cache);
	else
		snprintf(root, sizeof(root), "%s/.cache/pytrail/vm/root-arm64/usr",
		         home ? home : "/root");
	if (access(root, R_OK) || !has("aarch64-linux-gnu-strip"))
		skip();
	machine = EM_AARCH64;
	strip_program = "aarch64-linux-gnu-strip";
	check_files(root, "bin/python3.*");
	check_files(root, "lib/aarch64-linux-gnu/libpython3*.so.1.0");
	machine = NATIVE;
	strip_program = "strip";
}

/* Builds the sample; false: there is no such compiler, or it does not know an option. */
static bool build(const char *compiler, const char *options, char path[512])
{
	snprintf(path, 512, "%s/sample", dir);
	return !run("%s -g0 %s -o '%s' " SOURCE " 2>/dev/null", compiler, options, path);
}

static void check_sample(const char *compiler, const char *options)
{
	struct truth truth;
	struct binary *b;
	char path[512];

	if (!build(compiler, options, path))
		return;
	b = open_binary(path);
	assert_non_null(b);
	read_truth(path, &truth);
	print_message("  %s %s: %s, %s\n", compiler, options, b->entries[0].function,
	              b->entries[0].single_stepped ? b->entries[0].why : "cheap");
	check_truth(b, &truth);
	if (has(strip_program)) {
		check_stripped(b, path, true);
		check_stripped(b, path, false);
	}
	binary__free(b);
}

/* Those that a compiler does not know are left out. */
static const char *const ways_to_build[] = {
	"-O2 -pie -fPIE -rdynamic",
	"-O2 -no-pie -fno-pie -rdynamic",
	"-O2 -shared -fPIC",
	"-O2 -shared -fPIC -Wl,-z,pack-relative-relocs",
	"-O2 -pie -fPIE -rdynamic -fuse-ld=lld -Wl,--pack-dyn-relocs=relr",
	"-O2 -shared -fPIC -Wl,-z,lazy",
	"-O2 -shared -fPIC -fno-semantic-interposition -fcf-protection=full",
	"-O0 -rdynamic",
	"-O1 -fno-omit-frame-pointer -rdynamic",
	"-Os -rdynamic",
	"-O3 -rdynamic",
	"-O3 -flto -rdynamic",
	"-O2 -fstack-protector-all -rdynamic",
	"-O2 -fstack-clash-protection -rdynamic",
	"-O2 -fpatchable-function-entry=8,4 -rdynamic",
	"-O2 -DINLINED -rdynamic",
	"-O2 -DGUARDED -rdynamic",
	"-O2 -DTHREAD_LOCAL -rdynamic",
	"-O2 -DTHREAD_LOCAL -shared -fPIC",
	"-O2 -DCOLD -rdynamic",
	"-O2 -DCOLD -no-pie -fno-pie -rdynamic",
	"-O2 -DIN_CALLEE -rdynamic",
	"-O2 -fno-asynchronous-unwind-tables -fno-unwind-tables -rdynamic",
};

static void check_builds(const char *compiler)
{
	for (size_t i = 0; i < sizeof(ways_to_build) / sizeof(ways_to_build[0]); i++)
		check_sample(compiler, ways_to_build[i]);
}

static void test_builds(void **state)
{
	static const char *const compilers[] = {"gcc", "clang"};

	if (access(SOURCE, R_OK))
		skip();
	for (size_t c = 0; c < 2; c++)
		if (has(compilers[c]))
			check_builds(compilers[c]);
}

/* Where there is a compiler for it: `make test-arm64` installs one. */
static void test_builds_arm64(void **state)
{
	if (access(SOURCE, R_OK) || !has("aarch64-linux-gnu-gcc"))
		skip();
	machine = EM_AARCH64;
	strip_program = "aarch64-linux-gnu-strip";
	check_builds("aarch64-linux-gnu-gcc");
	check_builds("aarch64-linux-gnu-gcc -mbranch-protection=standard");
	if (has("clang"))
		check_builds("clang --target=aarch64-linux-gnu");
	machine = NATIVE;
	strip_program = "strip";
}

static void check_missing(const char *options, bool stripped, const char *missing)
{
	char path[512], copy[512];
	struct binary *b;

	assert_true(build("gcc", options, path));
	snprintf(copy, sizeof(copy), "%s/stripped", dir);
	if (stripped)
		strip(path, copy);
	b = open_binary(stripped ? copy : path);
	assert_non_null(b);
	if (!strstr(b->missing, missing))
		fail_msg("\"%s\" is not \"%s\"", b->missing, missing);
	binary__free(b);
}

static void test_missing(void **state)
{
	if (access(SOURCE, R_OK) || !has("gcc") || !has("strip"))
		skip();
	check_missing(
		"-O2 -DNO_METHOD -rdynamic",
		true, "events raised by sys.audit() from Python code: the sys.audit builtin was not found");
	check_missing("-O2 -DNO_METHOD -rdynamic", false, "");
	check_missing("-O2 -DINLINED -rdynamic", true, "events of further copies of _PySys_Audit");
	/* No direct calls at all. */
	check_missing("-O2 -mcmodel=large -fno-pic -no-pie -rdynamic", true,
	              "events that the interpreter raises itself (import, exec, sys.*)");
	check_missing("-O2 -mcmodel=large -fno-pic -no-pie -rdynamic", true,
	              "events of sys.audit() may be seen twice");
}

/* A body of sys_audit_tstate whose head tests whether there are hooks is not where all events
 * pass. */
static void test_guarded(void **state)
{
	struct binary *b;
	char path[512];

	if (access(SOURCE, R_OK) || !has("gcc"))
		skip();
	assert_true(build("gcc", "-O2 -DGUARDED -rdynamic", path));
	b = open_binary(path);
	assert_non_null(b);
	assert_null(entry_of(b, PT_ENTRY_VA_LIST, 0));
	assert_int_equal(entry_of(b, PT_ENTRY_VARIADIC, 0)->first_vararg, 2);
	assert_int_equal(entry_of(b, PT_ENTRY_VARIADIC, 1)->first_vararg, 3);
	binary__free(b);
}

/* The builtin's range is that of the part that calls on. */
static void test_builtin_range(void **state)
{
	struct truth truth;
	struct binary *b;
	char path[512];

	if (access(SOURCE, R_OK) || !has("gcc"))
		skip();
	assert_true(build("gcc", "-O2 -rdynamic", path));
	b = open_binary(path);
	read_truth(path, &truth);
	assert_int_equal(b->builtin_start, truth.builtin.st_value);
	assert_int_equal(b->builtin_end, truth.builtin.st_value + truth.builtin.st_size);
	binary__free(b);
	assert_true(build("gcc", "-O2 -DCOLD -rdynamic", path));
	b = open_binary(path);
	read_truth(path, &truth);
	assert_true(b->builtin_end <= truth.builtin.st_value ||
	            b->builtin_start >= truth.builtin.st_value + truth.builtin.st_size);
	binary__free(b);
}

static void test_fill_entry(void **state)
{
	struct pt_site site = {0};
	struct binary *b;
	char path[512];

	if (access(SOURCE, R_OK) || !has("gcc"))
		skip();
	assert_true(build("gcc", "-O0 -rdynamic", path));
	b = open_binary(path);
	assert_non_null(b);
	assert_int_equal(b->entries_cnt, 2);
	binary__fill_entry(b, 0, &site);
	assert_int_equal(site.probe, PT_PROBE_UPROBE);
	assert_int_equal(site.entry, PT_ENTRY_VA_LIST);
	assert_int_equal(site.address, b->entries[0].address);
	assert_int_equal(site.args[0].reg, 4); /* rsi, rdx, rcx */
	assert_int_equal(site.args[1].reg, 1);
	assert_int_equal(site.args[2].reg, 2);
	assert_int_equal(site.builtin_start, b->builtin_start);
	assert_int_equal(site.builtin_end, b->builtin_end);
	binary__fill_entry(b, 1, &site);
	assert_int_equal(site.entry, PT_ENTRY_BUILTIN);
	assert_int_equal(site.args[2].kind, PT_ARG_NONE);
	binary__free(b);
}

static int each_debug_symbol(const char *path, struct truth *t)
{
	struct elf_file *e;
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	memset(t, 0, sizeof(*t));
	assert_true(fd >= 0);
	assert_int_equal(elf_file__open_for(machine, fd, &e), 0);
	err = debugdata__each_symbol(e, on_symbol, t);
	elf_file__close(e);
	close(fd);
	return err;
}

/* Made as rpm's find-debuginfo makes it. */
static void test_debugdata(void **state)
{
	struct truth truth, symbols;
	struct binary *a, *b;
	char path[512], mini[512];

	if (access(SOURCE, R_OK) || !has("gcc") || !has("strip") || !has("objcopy") || !has("xz"))
		skip();
	assert_true(build("gcc", "-O2 -DINLINED -rdynamic", path));
	read_truth(path, &truth);
	a = open_binary(path);
	assert_int_equal(each_debug_symbol(path, &symbols), -ENOENT);
	snprintf(mini, sizeof(mini), "%s/mini", dir);
	assert_int_equal(
		run("objcopy --only-keep-debug '%s' '%s' && xz -f '%s' && strip -s '%s' && "
	            "objcopy --add-section .gnu_debugdata='%s.xz' '%s'",
	            path, mini, mini, path, mini, path),
		0);
	assert_int_equal(each_debug_symbol(path, &symbols), 0);
	assert_int_equal(symbols.copies_cnt, 1);
	assert_int_equal(symbols.copies[0].st_value, truth.copies[0].st_value);
	b = open_binary(path);
	assert_string_equal(b->missing, "");
	check_same(a, b);
	binary__free(b);
	/* Not compressed at all, and cut. */
	assert_int_equal(
		run("echo nonsense >'%s'; objcopy --update-section .gnu_debugdata='%s' '%s'", mini,
	            mini, path),
		0);
	assert_int_equal(each_debug_symbol(path, &symbols), -ENOEXEC);
	assert_int_equal(
		run("head -c 100 '%s.xz' >'%s'; objcopy --update-section .gnu_debugdata='%s' '%s'",
	            mini, mini, mini, path),
		0);
	assert_int_equal(each_debug_symbol(path, &symbols), -ENOEXEC);
	b = open_binary(path);
	assert_string_not_equal(b->missing, "");
	check_same(a, b);
	binary__free(a);
	binary__free(b);
}

/* Every byte of a file in turn is another one: whatever is found then, it is bounded and in the
 * file. */
static void test_corrupted(void **state)
{
	static uint8_t data[1 << 20];
	char path[512], copy[512];
	ssize_t len;
	int fd;

	if (access(SOURCE, R_OK) || !has("gcc") || !has("strip"))
		skip();
	assert_true(build("gcc", "-O2 -shared -fPIC", path));
	snprintf(copy, sizeof(copy), "%s/corrupted", dir);
	strip(path, copy);
	fd = open(copy, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	len = read(fd, data, sizeof(data));
	assert_true(len > 4096 && len < (ssize_t)sizeof(data));
	for (ssize_t at = 0; at < len; at++) {
		uint8_t other = (uint8_t)~data[at];
		struct binary *b;

		if (!data[at] && at % 8) /* padding, most of it */
			continue;
		assert_int_equal(pwrite(fd, &other, 1, at), 1);
		b = open_binary(copy);
		for (size_t i = 0; b && i < b->entries_cnt; i++)
			assert_true(b->entries[i].offset < (uint64_t)len);
		binary__free(b);
		assert_int_equal(pwrite(fd, &data[at], 1, at), 1);
	}
	for (ssize_t cut = len - 1; cut > 0; cut -= 97) {
		assert_int_equal(ftruncate(fd, cut), 0);
		binary__free(open_binary(copy));
	}
	close(fd);
}

struct exported {
	struct audit_symbols symbols;
	size_t functions;
};

static bool is_known_as_exported(void *ctx, const char *name, const Elf64_Sym *sym)
{
	struct exported *x = ctx;

	if (ELF64_ST_TYPE(sym->st_info) != STT_FUNC)
		return true;
	x->functions++;
	if (!audit_symbols__is_exported(&x->symbols, sym->st_value))
		fail_msg("%s is exported", name);
	return true;
}

/* In the order that the linker gave them, and with call frames, which say where functions end. */
static void test_exported(void **state)
{
	struct exported x = {.functions = 0};
	struct elf_image *image;
	struct elf_file *e;
	char path[512];
	int fd;

	if (access(SOURCE, R_OK) || !has("gcc"))
		skip();
	assert_true(build("gcc", "-O2 -rdynamic", path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(elf_file__open(fd, &e), 0);
	assert_int_equal(elf_image__load(e, &image), 0);
	assert_int_equal(audit_symbols__load(e, image, &x.symbols), 0);
	assert_true(x.symbols.has_frames);
	assert_int_equal(elf_file__each_symbol(e, true, is_known_as_exported, &x), 0);
	assert_in_range(x.functions, 3, 1000);
	audit_symbols__free(&x.symbols);
	elf_image__free(image);
	elf_file__close(e);
	close(fd);
}

/* The last one: there is no way back. */
static void test_prefer_usdt(void **state)
{
	struct binary *b;
	char path[512];

	if (access(SOURCE, R_OK) || !has("gcc"))
		skip();
	binary__prefer_usdt();
	assert_true(build("gcc", "-O2 -rdynamic", path));
	b = open_binary(path);
	assert_non_null(b);
	assert_true(b->entries_cnt > 0);
	binary__free(b);
	b = access("/usr/bin/python3.11", R_OK) ? NULL : open_binary("/usr/bin/python3.11");
	if (b && b->sites_cnt)
		assert_int_equal(b->entries_cnt, 0);
	binary__free(b);
}

static int make_dir(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	return run("rm -rf '%s'", dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_builds),
		cmocka_unit_test(test_builds_arm64),
		cmocka_unit_test(test_interpreters_arm64),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_guarded),
		cmocka_unit_test(test_builtin_range),
		cmocka_unit_test(test_fill_entry),
		cmocka_unit_test(test_debugdata),
		cmocka_unit_test(test_exported),
		cmocka_unit_test(test_corrupted),
		cmocka_unit_test(test_interpreters),
		cmocka_unit_test(test_prefer_usdt),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
