// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The reader against records that lie. Run under ASan and UBSan, it must never read outside. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "records.h"
#include "user/format/format.h"
#include "user/util/buf.h"

static struct rb b;
static struct buf out, notes;

/* A record with a node of every kind. */
static void build_all(void)
{
	rb__audit(&b, "test.all");
	rb__u64(&b, PT_K_TUPLE, 0, 9);
	rb__node(&b, PT_K_NONE, 0, NULL, 0);
	rb__u64(&b, PT_K_INT, 0, 5);
	rb__node(&b, PT_K_BIGINT, PT_F_NEG, "\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0", 16);
	rb__float(&b, 1.5);
	rb__u64(&b, PT_K_DICT, 0, 2);
	rb__str(&b, "key");
	rb__u64(&b, PT_K_LIST, PT_F_CUT, 77);
	rb__wide(&b, PT_K_STR2, (uint32_t[]){0x20ac, 0xd800}, 2);
	rb__wide(&b, PT_K_STR4, (uint32_t[]){0x1f600, 0x110000}, 2);
	rb__end(&b);
	rb__text(&b, PT_K_UTF8, "\xff\xe2\x82");
	rb__cut(&b, PT_K_BYTES, 100, "abc", 3);
	rb__end(&b);
	rb__u64(&b, PT_K_CODE, 0, 3);
	rb__str(&b, "f");
	rb__str(&b, "app.py");
	rb__end(&b);
	rb__node(&b, PT_K_METHOD, 0, NULL, 0);
	rb__node(&b, PT_K_FUNCTION, 0, NULL, 0);
	rb__str(&b, "f");
	rb__u64(&b, PT_K_UNREADABLE, 0, 1);
	rb__end(&b);
	rb__end(&b);
	rb__text(&b, PT_K_EXCEPTION, "OSError");
	rb__u64(&b, PT_K_TUPLE, 0, 1);
	rb__object(&b, 0x1234, "object");
	rb__end(&b);
	rb__end(&b);
	rb__node(&b, PT_K_UNDECODED, 0, NULL, 0);
	rb__end(&b);
}

/* Checks a copy in a block of exactly its size, so that ASan sees each byte too far, and renders
 * what was accepted. */
static int try_record(const void *record, size_t size)
{
	struct format_context ctx = {.instance = "i"};
	struct process_facts facts;
	struct event ev;
	void *copy = malloc(size ? size : 1);
	int err;

	memcpy(copy, record, size);
	err = reader__audit(copy, size, &ev);
	if (!err) {
		buf__reset(&out);
		buf__reset(&notes);
		json__args(&out, &notes, &ev);
		format_json.event(&out, &ev, &ctx);
		format_text.event(&out, &ev, &ctx);
		assert_false(out.failed);
	}
	reader__lost(copy, size);
	reader__process(copy, size, &facts);
	free(copy);
	return err;
}

static void test_accepts(void **state)
{
	struct event ev;
	struct node_iter it;
	struct node n;
	size_t cnt = 0;

	build_all();
	assert_int_equal(try_record(b.bytes, b.size), 0);
	assert_int_equal(reader__audit(&b, b.size, &ev), 0);
	assert_int_equal(ev.name_len, 8);
	assert_null(ev.known);
	for (it = node_iter__of(&ev); node_iter__next(&it, &n);)
		cnt++;
	assert_int_equal(cnt, 31);
}

/* Cut at every byte, with the size told truly and not. */
static void test_cut(void **state)
{
	build_all();
	for (size_t size = 0; size < b.size; size++) {
		struct rb cut = b;

		assert_int_equal(try_record(b.bytes, size), -EBADMSG);
		cut.rec.size = (uint32_t)size;
		assert_int_equal(try_record(cut.bytes, size), -EBADMSG);
	}
}

/* A record that says it was cut may end after any whole node, and only there. */
static void test_cut_marked(void **state)
{
	size_t ok = 0, start = sizeof(struct pt_audit) + 8;

	build_all();
	for (size_t size = start; size <= b.size; size += 8) {
		struct rb cut = b;

		cut.rec.size = (uint32_t)size;
		cut.audit.flags = PT_AUDIT_CUT;
		ok += !try_record(cut.bytes, size);
	}
	assert_int_equal(ok, 31 + 1);
}

/* Each field in turn says something wild. */
static void test_lies(void **state)
{
	static const uint32_t wild[] = {0, 1, 7, 8, 9, 0x7fffffff, 0x80000000, 0xfffffff8, ~0u};

	build_all();
	for (size_t at = 0; at + 4 <= b.size; at += 2)
		for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
			struct rb lie = b;

			memcpy(lie.bytes + at, &wild[i], at % 4 ? 2 : 4);
			try_record(lie.bytes, b.size);
		}
}

static void test_mutations(void **state)
{
	uint64_t x = 88172645463325252ull; /* xorshift64 */
	struct rb m;

	build_all();
	for (int round = 0; round < 30000; round++) {
		memcpy(m.bytes, b.bytes, b.size);
		for (int i = 0; i < 1 + round % 4; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			m.bytes[sizeof(struct pt_rec) + x % (b.size - sizeof(struct pt_rec))] =
				(uint8_t)(x >> 32);
		}
		try_record(m.bytes, b.size);
	}
}

static void refuse(void)
{
	assert_int_equal(try_record(b.bytes, b.size), -EBADMSG);
}

static void begin(void)
{
	rb__audit(&b, "e");
	rb__u64(&b, PT_K_TUPLE, 0, 1);
}

static void test_refuses(void **state)
{
	/* the root */
	rb__audit(&b, "e");
	refuse();
	rb__u64(&b, PT_K_LIST, 0, 0);
	rb__end(&b);
	refuse();
	rb__audit(&b, "e");
	rb__end(&b);
	refuse();
	begin();
	rb__end(&b);
	rb__node(&b, PT_K_NONE, 0, NULL, 0); /* a second root */
	refuse();
	begin(); /* not closed */
	refuse();

	/* leaves of a wrong size */
	static const struct {
		uint8_t kind;
		uint8_t len;
	} sizes[] = {
		{PT_K_NONE, 1},   {PT_K_TRUE, 8},
		{PT_K_INT, 4},    {PT_K_INT, 16},
		{PT_K_BIGINT, 6}, {PT_K_FLOAT, 4},
		{PT_K_STR2, 3},   {PT_K_STR4, 6},
		{PT_K_OBJECT, 7}, {PT_K_UNREADABLE, 0},
		{17, 0},          {31, 0},
		{43, 0},          {255, 8},
		{PT_K_END, 8},
	};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		begin();
		rb__node(&b, sizes[i].kind, 0, "0123456789abcdef", sizes[i].len);
		rb__end(&b);
		refuse();
	}

	/* containers of a wrong size, or with too many children */
	begin();
	rb__node(&b, PT_K_LIST, 0, "1234", 4);
	rb__end(&b);
	rb__end(&b);
	refuse();
	begin();
	rb__node(&b, PT_K_MODULE, 0, NULL, 0);
	rb__str(&b, "a");
	rb__str(&b, "b");
	rb__end(&b);
	rb__end(&b);
	refuse();

	/* flags: of an unknown meaning, cut where nothing can be, more stored than there is */
	begin();
	rb__node(&b, PT_K_NONE, 0x80, NULL, 0);
	rb__end(&b);
	refuse();
	begin();
	rb__node(&b, PT_K_INT, PT_F_CUT, "0123456789abcdef", 16);
	rb__end(&b);
	refuse();
	begin();
	rb__cut(&b, PT_K_STR, 2, "abc", 3);
	rb__end(&b);
	refuse();
	begin();
	rb__node(&b, PT_K_STR, PT_F_CUT, "abc", 3);
	rb__end(&b);
	refuse();

	begin();
	rb__node(&b, PT_K_NONE, 0, NULL, 0);
	rb__node(&b, PT_K_END, PT_F_CUT, NULL, 0);
	refuse();

	/* undecoded with nodes */
	begin();
	rb__end(&b);
	b.audit.flags = PT_AUDIT_UNDECODED;
	refuse();
	/* the header */
	begin();
	rb__end(&b);
	b.rec.version = PT_WIRE_VERSION + 1;
	refuse();
	begin();
	rb__end(&b);
	b.rec.kind = PT_REC_EXIT;
	assert_int_equal(try_record(b.bytes, b.size), -EPROTO);
	begin();
	rb__end(&b);
	b.audit.name_len = PT_NAME_MAX + 1;
	refuse();
}

/* A record named by `len` bytes of characters of that width. */
static int try_name(struct event *ev, uint8_t kind, const void *name, size_t len, uint8_t flags)
{
	rb__header(&b, PT_REC_AUDIT, sizeof(struct pt_audit));
	b.audit.name_kind = kind;
	b.audit.name_len = (uint16_t)len;
	b.audit.flags = flags;
	rb__raw(&b, name, len);
	rb__u64(&b, PT_K_TUPLE, 0, 0);
	rb__end(&b);
	try_record(b.bytes, b.size);
	return reader__audit(&b, b.size, ev);
}

static void expect_name(const struct event *ev, const char *want)
{
	assert_int_equal(ev->name_len, strlen(want));
	assert_memory_equal(ev->name, want, strlen(want));
}

static void test_names(void **state)
{
	static const uint16_t two[] = {'a', 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0xd800, 0xdcff};
	static const uint32_t four[] = {'a', 0xffff, 0x10000, 0x10ffff, 0x110000, ~0u};
	struct event ev;

	assert_int_equal(try_name(&ev, 1, "open\xe9\xff", 6, 0), 0);
	expect_name(&ev, "open\xc3\xa9\xc3\xbf");
	assert_null(ev.known);
	assert_int_equal(try_name(&ev, 2, two, sizeof(two), 0), 0);
	expect_name(&ev, "a\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xed\xa0\x80\xed\xb3\xbf");
	assert_int_equal(try_name(&ev, 4, four, sizeof(four), 0), 0);
	expect_name(&ev, "a\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\xef\xbf\xbd\xef\xbf\xbd");
	assert_int_equal(try_name(&ev, 2, NULL, 0, PT_AUDIT_NAME_UNREADABLE), 0);
	expect_name(&ev, "");
	assert_null(ev.known);
}

/* What stands behind a NUL must not hide an event: to CPython it is not there. */
static void test_names_end_at_nul(void **state)
{
	static const uint16_t two[] = {'o', 'p', 'e', 'n', 0, 0x20ac};
	static const uint32_t four[] = {'o', 'p', 'e', 'n', 0, 0x1f600};
	char longest[PT_NAME_MAX];
	struct event ev;

	assert_int_equal(try_name(&ev, 1, "open\0\xe9", 6, 0), 0);
	expect_name(&ev, "open");
	assert_non_null(ev.known);
	assert_int_equal(try_name(&ev, 2, two, sizeof(two), 0), 0);
	expect_name(&ev, "open");
	assert_non_null(ev.known);
	assert_int_equal(try_name(&ev, 4, four, sizeof(four), 0), 0);
	assert_non_null(ev.known);

	memset(longest, 0xff, sizeof(longest));
	assert_int_equal(try_name(&ev, 1, longest, sizeof(longest), PT_AUDIT_NAME_CUT), 0);
	assert_int_equal(ev.name_len, 2 * PT_NAME_MAX);
	assert_int_equal(ev.flags, PT_AUDIT_NAME_CUT);
	memcpy(longest, "open", 5);
	assert_int_equal(try_name(&ev, 1, longest, sizeof(longest), PT_AUDIT_NAME_CUT), 0);
	expect_name(&ev, "open");
	assert_non_null(ev.known);
	assert_int_equal(ev.flags, 0);
}

static void test_names_refused(void **state)
{
	struct event ev;

	for (unsigned kind = 1; kind < 256; kind++)
		for (size_t len = 0; len <= 12; len++) {
			bool ok = (kind == 1 || kind == 2 || kind == 4) && len % kind == 0;

			assert_int_equal(try_name(&ev, (uint8_t)kind, "abcdefghijkl", len, 0),
			                 ok ? 0 : -EBADMSG);
		}
}

static void test_depth(void **state)
{
	for (int depth = 1; depth < 40; depth++) {
		rb__audit(&b, "e");
		for (int i = 0; i < depth; i++)
			rb__u64(&b, PT_K_TUPLE, 0, 1);
		for (int i = 0; i < depth; i++)
			rb__end(&b);
		assert_int_equal(try_record(b.bytes, b.size), depth <= PT_FRAMES_MAX ? 0 : -EBADMSG);
	}
}

static void test_process_record(void **state)
{
	struct process_facts f;

	rb__header(&b, PT_REC_PROCESS, sizeof(struct pt_process));
	rb__raw(&b, "/bin/xa\0b\0", 10);
	b.process.exe_len = 6;
	b.process.argv_len = 4;
	b.process.cwd_len = PT_UNKNOWN_LEN;
	b.process.container_len = 0;
	b.process.cgroup_len = b.process.venv_len = 0;
	b.process.ancestry_len = PT_UNKNOWN_LEN;
	assert_int_equal(reader__process(&b, b.size, &f), 0);
	assert_null(f.ancestry);
	b.process.ancestry_len = 7;
	assert_int_equal(reader__process(&b, b.size, &f), -EBADMSG);
	b.process.ancestry_len = 6;
	assert_int_equal(reader__process(&b, b.size, &f), 0);
	b.process.ancestry_len = 0;
	assert_int_equal(reader__process(&b, b.size, &f), 0);
	assert_int_equal(f.exe_len, 6);
	assert_memory_equal(f.argv, "a\0b", 4);
	assert_null(f.cwd);
	assert_non_null(f.container);
	b.process.cwd_len = 7;
	assert_int_equal(reader__process(&b, b.size, &f), -EBADMSG);
	b.process.cwd_len = 0xfffffff0;
	assert_int_equal(reader__process(&b, b.size, &f), -EBADMSG);
	for (size_t size = 0; size < b.size; size++)
		try_record(b.bytes, size);
}

static void test_attach_record(void **state)
{
	const char *file;

	rb__header(&b, PT_REC_ATTACH, sizeof(struct pt_attach));
	b.attach.file_len = 3;
	rb__raw(&b, "abc", 3);
	assert_non_null(reader__attach(b.bytes, b.size, &file));
	assert_memory_equal(file, "abc", 3);
	b.rec.kind = PT_REC_DETACH;
	assert_non_null(reader__attach(b.bytes, b.size, &file));
	b.attach.file_len = 9; /* the padding is 5 */
	assert_null(reader__attach(b.bytes, b.size, &file));
	b.attach.file_len = UINT32_MAX;
	assert_null(reader__attach(b.bytes, b.size, &file));
	b.attach.file_len = 0;
	b.rec.kind = PT_REC_EXIT;
	assert_null(reader__attach(b.bytes, b.size, &file));
	rb__header(&b, PT_REC_ATTACH, sizeof(struct pt_rec));
	assert_null(reader__attach(b.bytes, b.size, &file));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts),       cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cut_marked),    cmocka_unit_test(test_lies),
		cmocka_unit_test(test_mutations),     cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_depth),         cmocka_unit_test(test_process_record),
		cmocka_unit_test(test_names),         cmocka_unit_test(test_names_end_at_nul),
		cmocka_unit_test(test_names_refused), cmocka_unit_test(test_attach_record),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	buf__free(&out);
	buf__free(&notes);
	return rc;
}
