// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The `json` format, value by value. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "records.h"
#include "user/enrich/process.h"
#include "user/format/format.h"
#include "user/format/json.h"
#include "user/util/base64.h"

static struct rb b;
static struct buf out, notes;

static const char *text(struct buf *t)
{
	buf__char(t, '\0');
	assert_false(t->failed);
	return t->data;
}

static void begin(uint64_t nargs)
{
	rb__audit(&b, "test.event");
	rb__u64(&b, PT_K_TUPLE, 0, nargs);
}

static void check(const char *args, const char *said)
{
	struct event ev;

	assert_int_equal(reader__audit(&b, b.size, &ev), 0);
	buf__reset(&out);
	buf__reset(&notes);
	json__args(&out, &notes, &ev);
	assert_string_equal(text(&out), args);
	assert_string_equal(text(&notes), said);
}

/* The record holds one argument, begun with begin(1). */
static void one(const char *value)
{
	char want[4096];

	rb__end(&b);
	snprintf(want, sizeof(want), "{\"arg0\":%s}", value);
	check(want, "");
	begin(1);
}

static void test_simple(void **state)
{
	begin(0);
	rb__end(&b);
	check("{}", "");
	begin(1);
	rb__node(&b, PT_K_NONE, 0, NULL, 0);
	one("null");
	rb__node(&b, PT_K_TRUE, 0, NULL, 0);
	one("true");
	rb__node(&b, PT_K_FALSE, 0, NULL, 0);
	one("false");
	rb__u64(&b, PT_K_INT, 0, (uint64_t)INT64_MIN);
	one("-9223372036854775808");
	rb__u64(&b, PT_K_INT, 0, 17);
	one("17");
	rb__node(&b, PT_K_BYTES, 0, "\0\1\2\3", 4);
	one("{\"$bytes\":\"AAECAw==\"}");
	rb__node(&b, PT_K_BYTEARRAY, 0, NULL, 0);
	one("{\"$bytes\":\"\"}");
	rb__text(&b, PT_K_CLASS, "collections.OrderedDict");
	one("{\"$class\":\"collections.OrderedDict\"}");
	rb__object(&b, 0x7f0012345678, "_io.TextIOWrapper");
	one("{\"$object\":\"_io.TextIOWrapper\",\"address\":\"0x7f0012345678\"}");
	rb__object(&b, 0, "");
	one("{\"$object\":\"\",\"address\":\"0x0\"}");
}

static void float_is(double v, const char *want)
{
	rb__float(&b, v);
	one(want);
}

static void test_float(void **state)
{
	begin(1);
	float_is(1.0, "1.0");
	float_is(-0.0, "-0.0");
	float_is(0.0, "0.0");
	float_is(0.1, "0.1");
	float_is(-1.5, "-1.5");
	float_is(1e16, "1e+16");
	float_is(9999999999999998.0, "9999999999999998.0");
	float_is(123456789012345680.0, "1.2345678901234568e+17");
	float_is(0.0001, "0.0001");
	float_is(0.00001, "1e-05");
	float_is(0.00012345, "0.00012345");
	float_is(5e-324, "5e-324");
	float_is(2.2250738585072014e-308, "2.2250738585072014e-308");
	float_is(1.7976931348623157e308, "1.7976931348623157e+308");
	float_is(0.30000000000000004, "0.30000000000000004");
	float_is(1e15 + 0.5, "1000000000000000.5");
	float_is(1e22, "1e+22");
	float_is(0x1p-1017, "7.120236347223045e-307");
	float_is(100.0, "100.0");
	float_is(NAN, "{\"$float\":\"nan\"}");
	float_is(-INFINITY, "{\"$float\":\"-inf\"}");
	float_is(INFINITY, "{\"$float\":\"inf\"}");
}

static void big(uint8_t flags, const uint32_t *digits, size_t cnt, const char *want)
{
	rb__node(&b, PT_K_BIGINT, flags, digits, cnt * 4);
	one(want);
}

static void test_bigint(void **state)
{
	const uint32_t max = (1u << 30) - 1;

	begin(1);
	big(0, (uint32_t[]){max, max, 15}, 3, "18446744073709551615");
	big(0, (uint32_t[]){0, 0, 16}, 3, "{\"$int\":\"0x10000000000000000\"}");
	big(PT_F_NEG, (uint32_t[]){0, 0, 8}, 3, "-9223372036854775808");
	big(PT_F_NEG, (uint32_t[]){1, 0, 8}, 3, "{\"$int\":\"-0x8000000000000001\"}");
	big(0, (uint32_t[]){5, 0, 0, 0}, 4, "5");
	big(PT_F_NEG, (uint32_t[]){0}, 1, "0");
	big(0, NULL, 0, "0");
	big(0, (uint32_t[]){0, 0, 0, 1}, 4,
	    "{\"$int\":\"0x4000000000000000000000"
	    "0\"}");
	big(0, (uint32_t[]){max, max, max, max}, 4,
	    "{\"$int\":\"0xffffffffffffffffffffffffffffff\"}");
	/* Digits that are too large are not believed. */
	big(0, (uint32_t[]){~0u}, 1, "1073741823");
	/* 6 digits, the upper two stored: 15 + 30 hexadecimal digits, less the zeros at the top. */
	rb__cut(&b, PT_K_BIGINT, 6, (uint32_t[]){0x12345, 1}, 8);
	rb__end(&b);
	check("{\"arg0\":{\"$int\":\"0x40012345\"}}",
	      ",\"truncated\":{\"args.arg0\":{\"length\":38}}");
	begin(1);
	rb__cut(&b, PT_K_BIGINT, UINT64_MAX, (uint32_t[]){1, 1}, 8);
	rb__end(&b);
	check("{\"arg0\":{\"$int\":\"0x40000001\"}}", ",\"truncated\":{\"args.arg0\":{}}");
}

static void wide(uint8_t kind, const uint32_t *cps, size_t cnt, const char *want)
{
	rb__wide(&b, kind, cps, cnt);
	one(want);
}

static void test_str(void **state)
{
	begin(1);
	rb__str(&b, "");
	one("\"\"");
	rb__str(&b, "/etc/passwd and more than eight bytes");
	one("\"/etc/passwd and more than eight bytes\"");
	rb__node(&b, PT_K_STR, 0, "a\0\b\t\n\v\f\r\"\\/\x1f\x7f", 13);
	one("\"a\\u0000\\b\\t\\n\\u000b\\f\\r\\\"\\\\/\\u001f\\u007f\"");
	rb__str(&b, "12345678\"12345678\\\xe9\xff\xa0\x85");
	one("\"12345678\\\"12345678\\\\\u00e9\u00ff\u00a0\\u0085\"");
	wide(PT_K_STR2, (uint32_t[]){'a', 0x20ac, 0xd800, 0xdfff, 0x2028, 0x2029, 0x7ff}, 7,
	     "\"a\u20ac\\ud800\\udfff\\u2028\\u2029\u07ff\"");
	wide(PT_K_STR4, (uint32_t[]){0x1f600, 0x110000, 0xdc80, 0x10ffff, ~0u, 'z'}, 6,
	     "\"\U0001f600\ufffd\\udc80\U0010ffff\ufffdz\"");
	/* Not UTF-8: overlong, surrogate, above the last, cut off. */
	rb__text(&b, PT_K_UTF8, "\xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82 \u20ac\xff");
	one("\"\\udcc0\\udc80 \\udced\\udca0\\udc80 \\udcf4\\udc90\\udc80\\udc80 "
	    "\\udce2\\udc82 \u20ac\\udcff\"");
}

/* Each byte value at each place of a word: the fast path must agree with the slow one. */
/* One character among plain ones. */
static void check_amid(char c, size_t at, size_t len)
{
	char s[20], expect[64], *p = expect;

	memset(s, 'x', len);
	s[at] = c;
	*p++ = '"';
	memset(p, 'x', at);
	p += at;
	buf__reset(&out);
	json__string(&out, s + at, 1);
	p = mempcpy(p, out.data + 1, out.len - 2);
	memset(p, 'x', len - 1 - at);
	p += len - 1 - at;
	*p++ = '"';
	buf__reset(&out);
	json__string(&out, s, len);
	assert_int_equal(out.len, p - expect);
	assert_memory_equal(out.data, expect, out.len);
}

static void test_fast_path(void **state)
{
	for (unsigned c = 0; c < 256; c++)
		for (size_t len = 1; len <= 20; len++)
			for (size_t at = 0; at < len; at++)
				check_amid((char)c, at, len);
}

static void test_containers(void **state)
{
	begin(1);
	rb__u64(&b, PT_K_LIST, 0, 2);
	rb__u64(&b, PT_K_TUPLE, 0, 0);
	rb__end(&b);
	rb__u64(&b, PT_K_INT, 0, 1);
	rb__end(&b);
	one("[[],1]");
	rb__u64(&b, PT_K_SET, 0, 1);
	rb__str(&b, "a");
	rb__end(&b);
	one("{\"$set\":[\"a\"]}");
	rb__u64(&b, PT_K_FROZENSET, 0, 0);
	rb__end(&b);
	one("{\"$set\":[]}");
	rb__u64(&b, PT_K_CODE, 0, 7);
	rb__str(&b, "f.<locals>.g");
	rb__str(&b, "app.py");
	rb__end(&b);
	one("{\"$code\":\"f.<locals>.g\",\"file\":\"app.py\",\"line\":7}");
	rb__u64(&b, PT_K_CODE, 0, 0xffffffff);
	rb__end(&b);
	rb__end(&b);
	check("{\"arg0\":{\"$code\":null,\"file\":null,\"line\":-1}}",
	      ",\"truncated\":{\"args.arg0\":{}}");
	begin(1);
	rb__node(&b, PT_K_EXCEPTION, PT_F_CUT, "Long", 4);
	rb__end(&b);
	rb__end(&b);
	check("{\"arg0\":{\"$exception\":\"Long\",\"args\":null}}",
	      ",\"truncated\":{\"args.arg0\":{}}");
	begin(1);
	rb__node(&b, PT_K_FUNCTION, 0, NULL, 0);
	rb__str(&b, "C.m");
	rb__str(&b, "app");
	rb__end(&b);
	one("{\"$function\":\"C.m\",\"module\":\"app\"}");
	rb__node(&b, PT_K_METHOD, 0, NULL, 0);
	rb__text(&b, PT_K_CFUNCTION, "open");
	rb__node(&b, PT_K_NONE, 0, NULL, 0);
	rb__end(&b);
	rb__end(&b);
	one("{\"$function\":\"open\",\"module\":null}");
	rb__node(&b, PT_K_MODULE, 0, NULL, 0);
	rb__str(&b, "os.path");
	rb__end(&b);
	one("{\"$module\":\"os.path\"}");
	rb__text(&b, PT_K_EXCEPTION, "ValueError");
	rb__u64(&b, PT_K_TUPLE, 0, 1);
	rb__str(&b, "bad");
	rb__end(&b);
	rb__end(&b);
	one("{\"$exception\":\"ValueError\",\"args\":[\"bad\"]}");
}

static void dict_of(const char *const *keys, size_t cnt)
{
	rb__u64(&b, PT_K_DICT, 0, cnt);
	for (size_t i = 0; i < cnt; i++) {
		rb__str(&b, keys[i]);
		rb__u64(&b, PT_K_INT, 0, i);
	}
	rb__end(&b);
}

static void test_dict(void **state)
{
	begin(1);
	dict_of(NULL, 0);
	one("{}");
	dict_of((const char *[]){"a", "b"}, 2);
	one("{\"a\":0,\"b\":1}");
	dict_of((const char *[]){"a", "a"}, 2);
	one("{\"$dict\":[[\"a\",0],[\"a\",1]]}");
	dict_of((const char *[]){"$bytes"}, 1);
	one("{\"$dict\":[[\"$bytes\",0]]}");
	rb__u64(&b, PT_K_DICT, 0, 1);
	rb__u64(&b, PT_K_TUPLE, 0, 1);
	rb__str(&b, "k");
	rb__end(&b);
	rb__u64(&b, PT_K_DICT, 0, 1);
	rb__str(&b, "k");
	rb__u64(&b, PT_K_LIST, 0, 0);
	rb__end(&b);
	rb__end(&b);
	rb__end(&b);
	one("{\"$dict\":[[[\"k\"],{\"k\":[]}]]}");
	/* The same key in two widths, which CPython never has. */
	rb__u64(&b, PT_K_DICT, 0, 2);
	rb__str(&b, "k");
	rb__node(&b, PT_K_NONE, 0, NULL, 0);
	rb__wide(&b, PT_K_STR4, (uint32_t[]){'k'}, 1);
	rb__node(&b, PT_K_NONE, 0, NULL, 0);
	rb__end(&b);
	one("{\"$dict\":[[\"k\",null],[\"k\",null]]}");
	/* A key that was cut: of two such one can not tell. */
	rb__u64(&b, PT_K_DICT, 0, 1);
	rb__cut(&b, PT_K_STR, 9, "key", 3);
	rb__node(&b, PT_K_NONE, 0, NULL, 0);
	rb__end(&b);
	rb__end(&b);
	check("{\"arg0\":{\"$dict\":[[\"key\",null]]}}",
	      ",\"truncated\":{\"args.arg0[0][0]\":{\"length\":9}}");
}

static void test_dict_many(void **state)
{
	struct event ev;
	char key[16];

	for (int dup = 0; dup < 2; dup++) {
		begin(1);
		rb__u64(&b, PT_K_DICT, 0, 1000);
		for (int i = 0; i < 1000; i++) {
			snprintf(key, sizeof(key), "k%d", dup && i == 999 ? 123 : i);
			rb__str(&b, key);
			rb__node(&b, PT_K_NONE, 0, NULL, 0);
		}
		rb__end(&b);
		rb__end(&b);
		assert_int_equal(reader__audit(&b, b.size, &ev), 0);
		buf__reset(&out);
		json__args(&out, NULL, &ev);
		text(&out);
		assert_int_equal(!strncmp(out.data, "{\"arg0\":{\"$dict\":[[\"k0\"", 23), dup);
	}
}

static void test_notes(void **state)
{
	begin(3);
	rb__cut(&b, PT_K_STR, 10240, "import os", 9);
	rb__u64(&b, PT_K_DICT, PT_F_CUT, 40);
	rb__str(&b, "Host");
	rb__u64(&b, PT_K_UNREADABLE, 0, 0xdead);
	rb__str(&b, "x-a \"b\"");
	rb__u64(&b, PT_K_LIST, 0, 2);
	rb__node(&b, PT_K_NONE, 0, NULL, 0);
	rb__cut(&b, PT_K_BYTES, UINT64_MAX, "\xff", 1);
	rb__end(&b);
	rb__end(&b);
	rb__node(&b, PT_K_UNDECODED, 0, NULL, 0);
	rb__end(&b);
	check("{\"arg0\":\"import os\",\"arg1\":{\"Host\":null,\"x-a \\\"b\\\"\":[null,"
	      "{\"$bytes\":\"/w==\"}]},\"arg2\":null}",
	      ",\"truncated\":{\"args.arg0\":{\"length\":10240},\"args.arg1\":{\"length\":40},"
	      "\"args.arg1[\\\"x-a \\\\\\\"b\\\\\\\"\\\"][1]\":{}},"
	      "\"unreadable\":[\"args.arg1.Host\"],\"undecoded\":[\"args.arg2\"]");

	rb__audit(&b, "x");
	rb__u64(&b, PT_K_UNREADABLE, 0, 0);
	check("null", ",\"unreadable\":[\"args\"]");

	/* The record ended in the middle of a dict's pair. */
	begin(2);
	b.audit.flags = PT_AUDIT_CUT;
	rb__u64(&b, PT_K_LIST, 0, 3);
	rb__u64(&b, PT_K_DICT, 0, 9);
	rb__str(&b, "k");
	check("{\"arg0\":[{\"k\":null}]}",
	      ",\"truncated\":{\"args\":{\"length\":2},\"args.arg0\":{\"length\":3},"
	      "\"args.arg0[0]\":{\"length\":9}}");
	rb__audit(&b, "x");
	b.audit.flags = PT_AUDIT_CUT | PT_AUDIT_NAME_CUT;
	check("null", ",\"truncated\":{\"event\":{},\"args\":{}}");
	begin(1);
	rb__u64(&b, PT_K_CODE, 0, 1);
	rb__cut(&b, PT_K_STR, 99, "q", 1);
	rb__u64(&b, PT_K_UNREADABLE, 0, 1);
	rb__end(&b);
	rb__end(&b);
	check("{\"arg0\":{\"$code\":\"q\",\"file\":null,\"line\":1}}",
	      ",\"truncated\":{\"args.arg0.qualname\":{\"length\":99}},"
	      "\"unreadable\":[\"args.arg0.file\"]");
}

/* A method and its function have one path: it is said once. */
static void test_notes_of_methods(void **state)
{
	for (int cut = 0; cut < 2; cut++) {
		begin(1);
		b.audit.flags = PT_AUDIT_CUT;
		rb__node(&b, PT_K_METHOD, PT_F_CUT, NULL, 0);
		rb__node(&b, PT_K_FUNCTION, PT_F_CUT, NULL, 0);
		for (int i = 0; i < 3 && !cut; i++)
			rb__end(&b);
		check("{\"arg0\":{\"$function\":null,\"module\":null}}",
		      cut ? ",\"truncated\":{\"args.arg0\":{},\"args\":{\"length\":1}}"
		          : ",\"truncated\":{\"args.arg0\":{}}");
	}
	begin(1);
	rb__node(&b, PT_K_METHOD, PT_F_UNREADABLE, NULL, 0);
	rb__end(&b);
	rb__end(&b);
	check("{\"arg0\":null}", ",\"unreadable\":[\"args.arg0\"]");
	begin(1);
	rb__node(&b, PT_K_METHOD, 0, NULL, 0);
	rb__end(&b);
	rb__end(&b);
	check("{\"arg0\":null}", ",\"truncated\":{\"args.arg0\":{}}");
}

static void test_notes_bounded(void **state)
{
	struct event ev;

	begin(1000);
	for (int i = 0; i < 1000; i++)
		rb__u64(&b, PT_K_UNREADABLE, 0, 0);
	rb__end(&b);
	assert_int_equal(reader__audit(&b, b.size, &ev), 0);
	buf__reset(&notes);
	json__args(&out, &notes, &ev);
	text(&notes);
	assert_non_null(strstr(notes.data, "\"args.arg255\",\"args\"]"));
	assert_null(strstr(notes.data, "arg256"));
}

static const struct format_context ctx = {.realtime_offset_ns = 1769850000000000000 - 5000000000,
                                          .instance = "0123abcd"};

static void check_event(uint64_t seq, const struct process *facts, const char *want)
{
	struct event ev;

	assert_int_equal(reader__audit(&b, b.size, &ev), 0);
	ev.seq = seq;
	ev.process = facts;
	buf__reset(&out);
	format_json.event(&out, &ev, &ctx);
	assert_string_equal(text(&out), want);
}

static void test_event(void **state)
{
	static const char json[] = "\"exe\":\"/usr/bin/python3.11\",\"start_ns\":4000000000";
	struct process facts = {.json = json, .json_len = sizeof(json) - 1};

	rb__audit(&b, "my.app\n");
	rb__u64(&b, PT_K_TUPLE, 0, 0);
	rb__end(&b);
	check_event(17, &facts,
	            "{\"type\":\"audit\",\"id\":\"0123abcd-17\",\"seq\":17,"
	            "\"time\":\"2026-01-31T09:00:00.000000123Z\",\"monotonic_ns\":5000000123,"
	            "\"event\":\"my.app\\n\",\"args\":{},\"known\":false,"
	            "\"process\":{\"pid\":4242,\"tid\":4243,\"ppid\":4000,\"uid\":1000,\"gid\":100,"
	            "\"comm\":\"python3\",\"exe\":\"/usr/bin/python3.11\",\"start_ns\":4000000000},"
	            "\"python\":{\"version\":\"3.11.2\",\"probe\":\"usdt\"}}\n");
	rb__audit(&b, "my.app");
	b.audit.flags = PT_AUDIT_UNDECODED | PT_AUDIT_FREE_THREADED;
	b.audit.py_version = 0x03100000;
	b.audit.probe = PT_PROBE_UPROBE;
	memset(b.rec.task.comm, '"', PT_COMM_LEN);
	check_event(
		0, NULL,
		"{\"type\":\"audit\",\"id\":\"0123abcd-0\",\"seq\":0,"
		"\"time\":\"2026-01-31T09:00:00.000000123Z\",\"monotonic_ns\":5000000123,"
		"\"event\":\"my.app\",\"undecoded\":true,\"known\":false,"
		"\"process\":{\"pid\":4242,\"tid\":4243,\"ppid\":4000,\"uid\":1000,\"gid\":100,"
		"\"comm\":\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\","
		"\"start_ns\":4000000000},\"python\":{\"version\":\"3.16\",\"probe\":\"uprobe\","
		"\"free_threaded\":true},\"enrichment\":\"partial\"}\n");
}

/* What is kept of a process is of one thread; the others are told apart. */
static void test_threads(void **state)
{
	static const char json[] = "\"start_ns\":4000000000";
	struct process facts = {.json = json, .json_len = sizeof(json) - 1, .generation = 77};
	static const struct {
		uint32_t tid;
		const char *comm;
	} threads[] = {{10, "main"},     {10, "main"}, {11, "main"}, {10, "main"},
	               {10, "wo\"rker"}, {11, "w"},    {10, "main"}};
	struct event ev;

	for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
		char want[128];

		rb__audit(&b, "my.app");
		rb__u64(&b, PT_K_TUPLE, 0, 0);
		rb__end(&b);
		b.rec.task.tid = threads[i].tid;
		memset(b.rec.task.comm, 0, PT_COMM_LEN);
		strcpy(b.rec.task.comm, threads[i].comm);
		assert_int_equal(reader__audit(&b, b.size, &ev), 0);
		ev.process = &facts;
		buf__reset(&out);
		format_json.event(&out, &ev, &ctx);
		snprintf(want,
		         sizeof(want), "\"pid\":4242,\"tid\":%u,\"ppid\":4000,\"uid\":1000,\"gid\":100,\"comm\":\"%s\",\"start_ns\":4000000000}",
		         threads[i].tid,
		         strchr(threads[i].comm, '"') ? "wo\\\"rker" : threads[i].comm);
		assert_non_null(strstr(text(&out), want));
	}
}

/* A name taken from a str object of each width. */
static void test_name_kinds(void **state)
{
	static const struct {
		uint8_t kind;
		uint8_t len;
		const char *name, *want;
	} names[] = {
		{1, 3, "a\xe9\xff", "\"event\":\"a\u00e9\u00ff\","},
		{1, 4, "open", "\"event\":\"open\","},
		{2, 4, "\xac\x20\x00\xd8", "\"event\":\"\u20ac\\udced\\udca0\\udc80\","},
		{4, 4, "\x00\xf6\x01\x00", "\"event\":\"\U0001f600\","},
	};
	struct event ev;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		rb__header(&b, PT_REC_AUDIT, sizeof(struct pt_audit));
		b.audit.name_kind = names[i].kind;
		b.audit.name_len = names[i].len;
		rb__raw(&b, names[i].name, names[i].len);
		rb__u64(&b, PT_K_TUPLE, 0, 0);
		rb__end(&b);
		assert_int_equal(reader__audit(&b, b.size, &ev), 0);
		assert_int_equal(ev.known != NULL, i == 1);
		buf__reset(&out);
		format_json.event(&out, &ev, &ctx);
		assert_non_null(strstr(text(&out), names[i].want));
	}
	b.audit.name_len = 3;
	assert_int_equal(reader__audit(&b, b.size, &ev), -EBADMSG);
	b.audit.name_kind = 3;
	assert_int_equal(reader__audit(&b, b.size, &ev), -EBADMSG);
}

static void test_known(void **state)
{
	struct event ev;

	rb__audit(&b, "open");
	rb__u64(&b, PT_K_TUPLE, 0, 3);
	rb__str(&b, "/etc/passwd");
	rb__str(&b, "r");
	rb__u64(&b, PT_K_INT, 0, 524288);
	rb__end(&b);
	check("{\"path\":\"/etc/passwd\",\"mode\":\"r\",\"flags\":524288}", "");
	assert_int_equal(reader__audit(&b, b.size, &ev), 0);
	assert_non_null(ev.known);
}

static void test_lost(void **state)
{
	rb__header(&b, PT_REC_LOST, sizeof(struct pt_lost));
	b.lost.count = 12;
	b.lost.first_ns = 5;
	b.lost.last_ns = 5000000001;
	b.lost.cause = PT_LOST_SCRATCH;
	assert_non_null(reader__lost(&b, b.size));
	buf__reset(&out);
	format_json.lost(&out, &b.lost, 3, &ctx);
	assert_string_equal(
		text(&out),
		"{\"type\":\"lost\",\"id\":\"0123abcd-3\",\"seq\":3,"
		"\"time\":\"2026-01-31T09:00:00.000000001Z\",\"monotonic_ns\":5000000001,"
		"\"count\":12,\"cause\":\"scratch\",\"first_monotonic_ns\":5,"
		"\"last_monotonic_ns\":5000000001,"
		"\"process\":{\"pid\":4242,\"comm\":\"python3\"}}\n");
}

/* Of a process, by whose word it is not escaped. */
static void test_alert(void **state)
{
	const struct pt_task task = {.pid = 4242, .comm = "a\x1b\"\n"};
	const struct alert a = {.time_ns = ctx.realtime_offset_ns + 5000000001,
	                        .alert = "probe_disarmed",
	                        .message = "of \x1b",
	                        .task = &task};

	buf__reset(&out);
	format_json.alert(&out, &a, 3, &ctx);
	assert_string_equal(
		text(&out),
		"{\"type\":\"alert\",\"id\":\"0123abcd-3\",\"seq\":3,"
		"\"time\":\"2026-01-31T09:00:00.000000001Z\",\"monotonic_ns\":5000000001,"
		"\"alert\":\"probe_disarmed\",\"message\":\"of \\u001b\","
		"\"process\":{\"pid\":4242,\"comm\":\"a\\u001b\\\"\\n\"}}\n");
}

static void test_base64(void **state)
{
	static const char *const pairs[][2] = {{"", ""},
	                                       {"f", "Zg=="},
	                                       {"fo", "Zm8="},
	                                       {"foo", "Zm9v"},
	                                       {"foob", "Zm9vYg=="},
	                                       {"fooba", "Zm9vYmE="},
	                                       {"foobar", "Zm9vYmFy"}}; /* RFC 4648 §10 */

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		buf__reset(&out);
		base64__append(&out, pairs[i][0], strlen(pairs[i][0]));
		assert_string_equal(text(&out), pairs[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_simple),        cmocka_unit_test(test_float),
		cmocka_unit_test(test_bigint),        cmocka_unit_test(test_str),
		cmocka_unit_test(test_fast_path),     cmocka_unit_test(test_containers),
		cmocka_unit_test(test_dict),          cmocka_unit_test(test_dict_many),
		cmocka_unit_test(test_notes),         cmocka_unit_test(test_notes_of_methods),
		cmocka_unit_test(test_notes_bounded), cmocka_unit_test(test_event),
		cmocka_unit_test(test_threads),       cmocka_unit_test(test_name_kinds),
		cmocka_unit_test(test_known),         cmocka_unit_test(test_alert),
		cmocka_unit_test(test_lost),          cmocka_unit_test(test_base64),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	buf__free(&out);
	buf__free(&notes);
	return rc;
}
