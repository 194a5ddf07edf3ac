// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Record files: what was written is read; what is torn or lies is refused. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "records.h"
#include "user/record.h"

#define COUNT 3000

static char path[64];
static struct rb b;

static void build(int i)
{
	char text[256];

	memset(text, 'a' + i % 26, sizeof(text));
	rb__audit(&b, "test.event");
	b.rec.time_ns = (uint64_t)i;
	rb__u64(&b, PT_K_TUPLE, 0, 1);
	rb__node(&b, PT_K_STR, 0, text, (size_t)(i * 7 % 256));
	rb__end(&b);
}

static void write_file(void)
{
	struct record_header h = {.realtime_offset_ns = -5, .instance_ns = 6, .boot_id = "boot"};
	struct record_writer *w;

	assert_int_equal(record_writer__open(path, &h, &w), 0);
	for (int i = 0; i < COUNT; i++) {
		build(i);
		assert_int_equal(record_writer__write(w, b.bytes, b.size), 0);
	}
	assert_int_equal(record_writer__close(w), 0);
}

static void test_round_trip(void **state)
{
	struct record_reader *r;
	const void *record;
	size_t size;

	write_file();
	assert_int_equal(record_reader__open(path, &r), 0);
	assert_int_equal(record_reader__header(r)->realtime_offset_ns, -5);
	assert_string_equal(record_reader__header(r)->boot_id, "boot");
	for (int i = 0; i < COUNT; i++) {
		build(i);
		assert_int_equal(record_reader__next(r, &record, &size), 1);
		assert_int_equal((uintptr_t)record % 8, 0);
		assert_int_equal(size, b.size);
		assert_memory_equal(record, b.bytes, size);
	}
	assert_int_equal(record_reader__next(r, &record, &size), 0);
	assert_int_equal(record_reader__next(r, &record, &size), 0);
	record_reader__close(r);
}

static int count_records(size_t *cnt)
{
	struct record_reader *r;
	const void *record;
	size_t size;
	int more;

	*cnt = 0;
	more = record_reader__open(path, &r);
	if (more)
		return more;
	while ((more = record_reader__next(r, &record, &size)) > 0)
		++*cnt;
	record_reader__close(r);
	return more;
}

static void test_torn(void **state)
{
	size_t cnt;
	off_t whole;

	write_file();
	build(COUNT - 1);
	whole = (off_t)sizeof(struct record_header);
	for (int i = 0; i < 3; i++) {
		build(i);
		whole += (off_t)b.size;
	}
	for (off_t size = whole; size > (off_t)sizeof(struct record_header); size -= 4) {
		off_t end = sizeof(struct record_header);
		size_t want = 0;

		for (int i = 0; i < 3; i++) {
			build(i);
			if (end + (off_t)b.size > size)
				break;
			end += (off_t)b.size;
			want++;
		}
		assert_int_equal(truncate(path, size), 0);
		assert_int_equal(count_records(&cnt), end == size ? 0 : -EBADMSG);
		assert_int_equal(cnt, want);
	}
	for (off_t size = sizeof(struct record_header) - 1; size >= 0; size -= 9) {
		assert_int_equal(truncate(path, size), 0);
		assert_int_equal(count_records(&cnt), -EBADMSG);
	}
}

static void patch(off_t at, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, at), len);
	close(fd);
}

static void test_lies(void **state)
{
	static const uint32_t sizes[] = {0, 8, 71, 73, 95, 97, PT_RECORD_MAX + 8, 0xffffffff};
	uint32_t version = PT_WIRE_VERSION - 1;
	size_t cnt;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		write_file();
		build(0);
		patch((off_t)(sizeof(struct record_header) + b.size), &sizes[i], 4);
		assert_int_equal(count_records(&cnt), -EBADMSG);
		assert_int_equal(cnt, 1);
		write_file();
		patch(offsetof(struct record_header, header_size), &sizes[i], 4);
		assert_int_equal(count_records(&cnt), -EBADMSG);
	}
	write_file();
	patch(offsetof(struct record_header, version), &version, 4);
	assert_int_equal(count_records(&cnt), -EPROTONOSUPPORT);
}

static void test_cannot_write(void **state)
{
	struct record_header h = {0};
	struct record_writer *w;

	assert_int_equal(record_writer__open("/nonexistent/x", &h, &w), -ENOENT);
	assert_int_equal(record_writer__open("/dev/full", &h, &w), 0);
	assert_int_equal(record_writer__close(w), -ENOSPC);
}

static int setup(void **state)
{
	int fd;

	snprintf(path, sizeof(path), "/tmp/pytrail-test-record-XXXXXX");
	fd = mkstemp(path);
	if (fd >= 0)
		close(fd);
	return fd < 0;
}

static int teardown(void **state)
{
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_cannot_write),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
