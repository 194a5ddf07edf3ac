// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Call sites of live processes, this one among them, of files made by hand, and from records. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "elf_image.h"
#include "records.h"
#include "user/enrich/call_site.h"
#include "user/enrich/modules.h"
#include "user/enrich/symbols.h"
#include "user/util/buf.h"

#define PAGE 4096
/* Readings that may be done at once are 20 (AHEAD_NS and READ_NS in call_site.c), then ten a
 * second: on the slowest machine still fewer than that. */
#define READS_MAX 300

static struct rb b;

static struct pt_task self(void)
{
	return (struct pt_task){.pid = (uint32_t)getpid(), .tid = (uint32_t)getpid()};
}

static struct call_sites *new_sites(void)
{
	struct call_sites *c = call_sites__new(16, 16u << 20);

	assert_non_null(c);
	return c;
}

static const struct call_site *get(struct call_sites *c, uint64_t address)
{
	struct pt_task t = self();

	return call_sites__get(c, &t, address, true, NULL);
}

static void expect_json(const struct call_site *s, const char *want)
{
	char json[4096];

	assert_non_null(s);
	snprintf(json, sizeof(json), "%.*s", (int)s->json_len, s->json);
	assert_string_equal(json, want);
}

/* Called by these, so that the compiler makes no copy of its own, and no call the last thing. */
static void *raises(void *unused);
static void *(*volatile raise_it)(void *) = raises;
static void *volatile nothing;

__attribute__((noinline)) static void *audited(void)
{
	return __builtin_return_address(0);
}

__attribute__((noinline)) static void *raises(void *unused)
{
	void *ret = audited();

	nothing = NULL;
	return ret;
}

static void test_own(void **state)
{
	struct call_sites *c = new_sites();
	uint64_t address = (uint64_t)raise_it(NULL);
	const struct call_site *s = get(c, address);
	struct pt_task t = self();
	char want[256];
	bool fresh;

	assert_non_null(s);
	assert_string_equal(s->symbol, "raises");
	assert_int_equal(s->offset, address - (uint64_t)raises);
	snprintf(want, sizeof(want),
	         ",\"call_site\":{\"module\":\"%s\",\"symbol\":\"raises\",\"offset\":%llu}",
	         program_invocation_short_name, (unsigned long long)s->offset);
	expect_json(s, want);
	/* Known now, and not read again. */
	assert_ptr_equal(call_sites__get(c, &t, address, false, &fresh), s);
	assert_false(fresh);
	assert_int_equal(call_sites__stats(c).reads, 1);
	assert_int_equal(call_sites__stats(c).files, 1);
	assert_int_equal(call_sites__stats(c).sites, 1);
	call_sites__free(c);
}

static void test_libc(void **state)
{
	struct call_sites *c = new_sites();
	void *libc = dlopen("libc.so.6", RTLD_NOW), *f;
	const struct call_site *s;

	assert_non_null(libc);
	f = dlsym(libc, "getsubopt");
	s = get(c, (uint64_t)f + 1);
	expect_json(
		s,
		",\"call_site\":{\"module\":\"libc.so.6\",\"symbol\":\"getsubopt\",\"offset\":1}");
	/* Returning to the first byte of a function: the call was the last of the one before. */
	s = get(c, (uint64_t)f);
	assert_true(!s || !s->symbol || strcmp(s->symbol, "getsubopt"));
	call_sites__free(c);
	dlclose(libc);
}

static void test_nowhere(void **state)
{
	static const uint64_t bogus[] = {1, 4096, 0x7fffffffffff, 1ull << 63, ~0ull};
	struct call_sites *c = new_sites();

	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < sizeof(bogus) / sizeof(bogus[0]); i++)
			assert_null(get(c, bogus[i]));
	/* Once for each at most. */
	assert_int_equal(call_sites__stats(c).reads, sizeof(bogus) / sizeof(bogus[0]));
	/* Always another: not each is looked for. */
	for (uint64_t address = 2; address < 3000; address++)
		assert_null(get(c, address));
	assert_in_range(call_sites__stats(c).reads, 1, READS_MAX);
	call_sites__free(c);
}

static void test_gone(void **state)
{
	struct call_sites *c = new_sites();
	struct pt_task t = {0};
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	t.pid = t.tid = (uint32_t)pid;
	for (uint64_t i = 0; i < 100; i++)
		assert_null(call_sites__get(c, &t, (uint64_t)raises + i, true, NULL));
	assert_int_equal(call_sites__stats(c).reads, 1);
	/* This pid, but another process. */
	t = self();
	t.start_ns = 1;
	assert_null(call_sites__get(c, &t, (uint64_t)raise_it(NULL), true, NULL));
	assert_int_equal(call_sites__stats(c).files, 0);
	call_sites__free(c);
}

/* What was read while the process lived holds for the events that are still on the way. */
static void test_gone_later(void **state)
{
	struct call_sites *c = new_sites();
	uint64_t address = (uint64_t)raise_it(NULL);
	const struct call_site *s;
	struct pt_task t = {0};
	pid_t pid = fork();

	if (!pid) {
		for (;;)
			pause();
	}
	t.pid = t.tid = (uint32_t)pid;
	assert_non_null(call_sites__get(c, &t, address, true, NULL));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_non_null(call_sites__get(c, &t, address, true, NULL));
	s = call_sites__get(c, &t, (uint64_t)raises + 2, true, NULL);
	assert_non_null(s);
	assert_string_equal(s->symbol, "raises");
	call_sites__exit(c, &t);
	assert_non_null(call_sites__get(c, &t, address, true, NULL));
	call_sites__exec(c, &t);
	assert_null(call_sites__get(c, &t, address, true, NULL));
	call_sites__free(c);
}

static uint64_t map_file(int fd, size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return (uint64_t)p;
}

static void put_function(struct image *im, const char *name, uint64_t address, uint64_t size,
                         uint8_t bind)
{
	size_t at = IMAGE_DYNSYM + im->symbols * sizeof(Elf64_Sym);
	Elf64_Sym sym;

	image__symbol(im, name, address, true);
	memcpy(&sym, im->data + at, sizeof(sym));
	sym.st_info = ELF64_ST_INFO(bind, STT_FUNC);
	sym.st_size = size;
	image__put(im, at, &sym, sizeof(sym));
}

/* Two functions with a gap behind the first, a nested one, names without a size. */
static void build_image(struct image *im)
{
	image__init(im);
	put_function(im, "third", IMAGE_IN_TEXT(0xe80), 0, STB_LOCAL);
	put_function(im, "fourth", IMAGE_IN_TEXT(0xea0), 0, STB_LOCAL);
	put_function(im, "local_first", IMAGE_IN_TEXT(0xd00), 0x40, STB_LOCAL);
	put_function(im, "weak_first", IMAGE_IN_TEXT(0xd00), 0, STB_WEAK);
	put_function(im, "first", IMAGE_IN_TEXT(0xd00), 0x10, STB_GLOBAL);
	put_function(im, "inner", IMAGE_IN_TEXT(0xd10), 0x8, STB_GLOBAL);
	put_function(im, "second\x1b\"\xff", IMAGE_IN_TEXT(0xe00), 0x10, STB_GLOBAL);
	put_function(im, "", IMAGE_IN_TEXT(0xe40), 0x10, STB_GLOBAL);
	image__symbol(im, "object", IMAGE_IN_TEXT(0xe60), true);
	image__finish(im, true, IMAGE_BASE_ADDRESS);
}

static void test_image(void **state)
{
	static const struct {
		uint64_t at; /* returns to */
		const char *symbol;
		uint64_t offset;
	} wants[] = {
		{0xd01, "first", 1},
		{0xd10, "first", 0x10},
		{0xd12, "inner", 2},
		{0xd20, "first", 0x20},
		{0xd40, "first", 0x40},
		{0xd41, NULL, IMAGE_IN_TEXT(0xd41)},
		{0xe08, "second\x1b\"\xff", 8},
		{0xe48, NULL, IMAGE_IN_TEXT(0xe48)},
		{0xe61, NULL, IMAGE_IN_TEXT(0xe61)},
		{0xe90, "third", 0x10},
		{0xea1, NULL, IMAGE_IN_TEXT(0xea1)}, /* nothing says where it ends */
		{0x1000, NULL, IMAGE_IN_TEXT(0x1000)},
		{0x1001, NULL, CALL_SITE_NO_OFFSET}, /* of no segment that can run */
	};
	struct call_sites *c = new_sites();
	struct image im;
	uint64_t base;
	int fd;

	build_image(&im);
	fd = image__fd(im.data, sizeof(im.data));
	base = map_file(fd, sizeof(im.data));
	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
		const struct call_site *s = get(c, base + wants[i].at);

		assert_non_null(s);
		assert_string_equal(s->module, "memfd:image");
		assert_int_equal(s->offset, wants[i].offset);
		assert_int_equal(!s->symbol, !wants[i].symbol);
		if (s->symbol)
			assert_string_equal(s->symbol, wants[i].symbol);
	}
	expect_json(get(c, base + 0xe08), ",\"call_site\":{\"module\":\"memfd:image\","
	                                  "\"symbol\":\"second\\u001b\\\"\\udcff\",\"offset\":8}");
	expect_json(get(c, base + 0xe61),
	            ",\"call_site\":{\"module\":\"memfd:image\",\"offset\":4197985}");
	expect_json(get(c, base + 0x1001), ",\"call_site\":{\"module\":\"memfd:image\"}");
	assert_int_equal(call_sites__stats(c).reads, 1);
	assert_int_equal(call_sites__stats(c).files, 1);
	munmap((void *)base, sizeof(im.data));
	close(fd);
	call_sites__free(c);
}

/* Mapped after the mappings were read; by the process's own account a file that is gone. */
static void test_new_mapping(void **state)
{
	char path[] = "/tmp/pytrail \"call\n\x1b site-XXXXXX", want[256];
	struct call_sites *c = new_sites();
	uint64_t base;
	void *anonymous;
	int fd;

	assert_non_null(get(c, (uint64_t)raise_it(NULL)));
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "no ELF file", 11), 11);
	base = map_file(fd, PAGE);
	unlink(path);
	snprintf(want, sizeof(want),
	         ",\"call_site\":{\"module\":\"pytrail \\\"call\\n\\u001b site-%s\"}",
	         strchr(path, '-') + 1);
	expect_json(get(c, base + 1), want);
	assert_int_equal(call_sites__stats(c).reads, 2);
	munmap((void *)base, PAGE);
	close(fd);

	anonymous = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(anonymous, MAP_FAILED);
	call_sites__exec(c, &(struct pt_task){.pid = (uint32_t)getpid()});
	snprintf(want, sizeof(want), ",\"call_site\":{\"address\":\"%p\"}", (char *)anonymous + 16);
	expect_json(get(c, (uint64_t)anonymous + 16), want);
	munmap(anonymous, PAGE);
	call_sites__free(c);
}

/* Every byte of a file in turn says something wild, and the file ends anywhere. */
static void test_hostile_files(void **state)
{
	static const uint8_t wild[] = {0, 1, 0x7f, 0xff};
	struct modules *m = modules__new(4, 1u << 20);
	const char *name;
	uint64_t address, offset;
	struct image im;

	build_image(&im);
	for (size_t at = 0; at < IMAGE_SIZE; at += at < IMAGE_CODE ? 1 : 7)
		for (size_t i = 0; i < sizeof(wild); i++) {
			uint8_t old = im.data[at];
			const struct module *f;
			int fd;

			im.data[at] = wild[i];
			fd = image__fd(im.data, i ? IMAGE_SIZE : at);
			im.data[at] = old;
			f = modules__load(m, fd);
			close(fd);
			if (f && module__address(f, 0xd08, &address))
				module__symbol(f, address, &name, &offset);
			assert_in_range(modules__count(m), 0, 4);
		}
	modules__free(m);
}

static void test_same_file(void **state)
{
	struct modules *m = modules__new(2, 1u << 20);
	struct file_id id;
	struct image im;
	struct stat st;
	int fd;

	build_image(&im);
	fd = image__fd(im.data, sizeof(im.data));
	assert_int_equal(fstat(fd, &st), 0);
	id = file_id__of(&st);
	assert_null(modules__find(m, &id));
	assert_non_null(modules__load(m, fd));
	assert_non_null(modules__find(m, &id));
	id.ctime.tv_nsec++;
	assert_null(modules__find(m, &id));
	close(fd);
	modules__free(m);
}

static void put(struct call_sites *c, uint32_t pid, uint64_t address, const char *module,
                const char *symbol)
{
	rb__header(&b, PT_REC_CALL_SITE, sizeof(struct pt_call_site));
	b.rec.task.pid = pid;
	b.call_site.address = address;
	b.call_site.offset = 7;
	b.call_site.module_len = (uint32_t)strlen(module);
	b.call_site.symbol_len = (uint32_t)strlen(symbol);
	memcpy(b.bytes + b.size, module, strlen(module));
	b.size += strlen(module);
	rb__raw(&b, symbol, strlen(symbol));
	assert_int_equal(call_sites__put_record(c, b.bytes, b.size), 0);
}

static void test_records(void **state)
{
	struct call_sites *c = new_sites(), *again = new_sites();
	struct pt_task t = self();
	const struct pt_rec like = {.task = t};
	uint64_t address = (uint64_t)raise_it(NULL);
	const struct call_site *s, *r;
	struct buf record = BUF_INIT;
	bool fresh;

	s = call_sites__get(c, &t, address, true, &fresh);
	assert_true(fresh);
	call_site__to_record(s, &like, &record);
	assert_int_equal(record.len % 8, 0);
	assert_null(call_sites__get(again, &t, address, false, &fresh));
	assert_int_equal(call_sites__put_record(again, record.data, record.len), 0);
	r = call_sites__get(again, &t, address, false, &fresh);
	assert_true(fresh);
	assert_int_equal(r->json_len, s->json_len);
	assert_memory_equal(r->json, s->json, s->json_len);

	/* The same once more, by other words; no symbol; no file. */
	put(again, t.pid, address, "m", "s");
	t = b.rec.task;
	expect_json(call_sites__get(again, &t, address, false, NULL),
	            ",\"call_site\":{\"module\":\"m\",\"symbol\":\"s\",\"offset\":7}");
	b.call_site.symbol_len = PT_UNKNOWN_LEN;
	assert_int_equal(call_sites__put_record(again, b.bytes, b.size), 0);
	expect_json(call_sites__get(again, &t, address, false, NULL),
	            ",\"call_site\":{\"module\":\"m\",\"offset\":7}");
	b.call_site.module_len = PT_UNKNOWN_LEN;
	b.call_site.address = 0xabc;
	assert_int_equal(call_sites__put_record(again, b.bytes, b.size), 0);
	expect_json(call_sites__get(again, &t, 0xabc, false, NULL),
	            ",\"call_site\":{\"address\":\"0xabc\"}");
	buf__free(&record);
	call_sites__free(c);
	call_sites__free(again);
}

static void refuse(struct call_sites *c)
{
	void *copy = malloc(b.size);

	memcpy(copy, b.bytes, b.size);
	assert_int_equal(call_sites__put_record(c, copy, b.size), -EBADMSG);
	free(copy);
}

static void test_bad_records(void **state)
{
	static const uint32_t wild[] = {0, 3, 9, 0x7fffffff, 0xfffffff0, 0xfffffffe};
	struct call_sites *c = new_sites();

	put(c, 1, 5, "module", "symbol");
	for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		put(c, 1, 5, "module", "symbol");
		b.call_site.symbol_len = wild[i] == 3 ? 12 : wild[i];
		refuse(c);
		put(c, 1, 5, "module", "symbol");
		b.call_site.module_len = wild[i] == 3 ? 14 : wild[i];
		refuse(c);
	}
	put(c, 1, 5, "module", "symbol");
	b.bytes[sizeof(b.call_site) + 2] = '\0';
	refuse(c);
	put(c, 1, 5, "module", "symbol");
	for (b.size -= 8; b.size >= sizeof(struct pt_rec); b.size -= 8) {
		b.rec.size = (uint32_t)b.size;
		refuse(c);
	}
	rb__header(&b, PT_REC_PROCESS, sizeof(b.call_site));
	refuse(c);
	call_sites__free(c);
}

static void test_bounded(void **state)
{
	struct call_sites *c = call_sites__new(8, 100000);
	struct call_sites_stats stats;
	struct pt_task t = {.start_ns = 4000000000};

	assert_non_null(c);
	for (uint32_t pid = 1; pid <= 100; pid++) {
		put(c, pid, 1, "m", "s");
		stats = call_sites__stats(c);
		assert_in_range(stats.processes, 1, 8);
	}
	t.pid = 92;
	assert_null(call_sites__get(c, &t, 1, false, NULL));
	t.pid = 93;
	assert_non_null(call_sites__get(c, &t, 1, false, NULL)); /* now the newest */
	put(c, 101, 1, "m", "s");
	assert_non_null(call_sites__get(c, &t, 1, false, NULL));
	t.pid = 94;
	assert_null(call_sites__get(c, &t, 1, false, NULL));
	/* Its last events may still come: what has exited goes first, but not at once. */
	t.pid = 101;
	call_sites__exit(c, &t);
	assert_non_null(call_sites__get(c, &t, 1, false, NULL));
	call_sites__exit(c, &t);
	put(c, 102, 1, "m", "s");
	assert_null(call_sites__get(c, &t, 1, false, NULL));

	for (uint64_t address = 1; address < 20000; address++) {
		put(c, 102, address, "module", "symbol");
		assert_in_range(call_sites__stats(c).bytes, 1, 100000);
	}
	call_sites__free(c);
	c = call_sites__new(8, 1u << 30);
	for (uint64_t address = 1; address < 20000; address++)
		put(c, 102, address, "module", "symbol");
	assert_in_range(call_sites__stats(c).sites, 1, 4096);
	call_sites__free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own),         cmocka_unit_test(test_libc),
		cmocka_unit_test(test_nowhere),     cmocka_unit_test(test_gone),
		cmocka_unit_test(test_gone_later),  cmocka_unit_test(test_image),
		cmocka_unit_test(test_new_mapping), cmocka_unit_test(test_hostile_files),
		cmocka_unit_test(test_same_file),   cmocka_unit_test(test_records),
		cmocka_unit_test(test_bad_records), cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
