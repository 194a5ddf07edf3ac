// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/unit/records.h"
#include "user/enrich/host_facts.h"
#include "user/format/fields.h"
#include "user/format/format.h"
#include "user/util/buf.h"

static struct node text(const char *s)
{
	return (struct node){.kind = PT_K_STR, .data = (const uint8_t *)s, .len = strlen(s)};
}

static void same(const struct node *n, const char *s)
{
	if (!s) {
		assert_int_equal(n->kind, PT_K_END);
		return;
	}
	assert_int_equal(n->len, strlen(s));
	assert_memory_equal(n->data, s, n->len);
}

static void test_url(void **state)
{
	static const struct {
		const char *url, *scheme, *host, *path, *query, *fragment;
		int port;
	} cases[] = {
		{"http://a.b/c?d#e", "http", "a.b", "/c", "d", "e", -1},
		{"https://u:p@a.b:8443", "https", "a.b", NULL, NULL, NULL, 8443},
		{"ftp://[::1]:21/x", "ftp", "::1", "/x", NULL, NULL, 21},
		{"http://[::1", "http", "::1", NULL, NULL, NULL, -1},
		{"file:///etc/passwd", "file", NULL, "/etc/passwd", NULL, NULL, -1},
		{"data:text/plain,x", "data", NULL, "text/plain,x", NULL, NULL, -1},
		{"http://a:99999/", "http", "a", "/", NULL, NULL, -1},
		{"http://a:/", "http", "a", "/", NULL, NULL, -1},
		{"//a/b", NULL, "a", "/b", NULL, NULL, -1},
		{"?q", NULL, NULL, NULL, "q", NULL, -1},
		{"://", NULL, NULL, "://", NULL, NULL, -1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct node n = text(cases[i].url);
		struct fields_url u;

		assert_true(fields__url(&n, &u));
		same(&u.scheme, cases[i].scheme);
		same(&u.host, cases[i].host);
		same(&u.path, cases[i].path);
		same(&u.query, cases[i].query);
		same(&u.fragment, cases[i].fragment);
		assert_int_equal(u.has_port ? u.port : -1, cases[i].port);
	}
}

static void test_name(void **state)
{
	static const struct {
		const char *path, *name, *ext;
	} cases[] = {
		{"/etc/passwd", "passwd", NULL},
		{"a.tar.gz", "a.tar.gz", "gz"},
		{"/x/.bashrc", ".bashrc", NULL},
		{"x.", "x.", NULL},
		{"/", NULL, NULL},
		{"", NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct node path = text(cases[i].path), name = {0}, ext = {0};

		assert_int_equal(fields__name(&path, &name), cases[i].name != NULL);
		same(&name, cases[i].name);
		if (cases[i].name)
			assert_int_equal(fields__extension(&name, &ext), cases[i].ext != NULL);
		same(&ext, cases[i].ext);
	}
}

static struct rb b;

static void take(struct event *ev, struct fields *f)
{
	rb__end(&b);
	assert_int_equal(reader__audit(b.bytes, b.size, ev), 0);
	fields__of(f, ev);
}

static void test_conditions(void **state)
{
	static const struct {
		int64_t flags;
		const char *action;
	} opens[] = {{0, "file-open"}, {1, "file-write"}, {2, "file-write"}, {0x241, "file-create"}};
	struct event ev;
	struct fields f;

	for (size_t i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
		rb__audit(&b, "open");
		rb__u64(&b, PT_K_TUPLE, 0, 3);
		rb__str(&b, "/x");
		rb__str(&b, "r");
		rb__u64(&b, PT_K_INT, 0, (uint64_t)opens[i].flags);
		take(&ev, &f);
		assert_string_equal(f.map->action, opens[i].action);
	}
	rb__audit(&b, "os.kill");
	rb__u64(&b, PT_K_TUPLE, 0, 2);
	rb__u64(&b, PT_K_INT, 0, 1);
	rb__u64(&b, PT_K_INT, 0, 0);
	take(&ev, &f);
	assert_int_equal(f.map->ocsf_activity, 99);
}

static void test_address(void **state)
{
	struct event ev;
	struct fields f;

	rb__audit(&b, "socket.connect");
	rb__u64(&b, PT_K_TUPLE, 0, 2);
	rb__object(&b, 1, "socket");
	rb__str(&b, "/run/x.sock");
	take(&ev, &f);
	assert_true(f.remote.known && f.remote.is_local && !f.remote.has_ip && !f.remote.has_port);
	rb__audit(&b, "socket.connect");
	rb__u64(&b, PT_K_TUPLE, 0, 2);
	rb__object(&b, 1, "socket");
	rb__u64(&b, PT_K_TUPLE, 0, 2);
	rb__str(&b, "::ffff:192.0.2.1");
	rb__u64(&b, PT_K_INT, 0, 70000);
	rb__end(&b);
	take(&ev, &f);
	assert_true(f.remote.has_ip && f.remote.ip_version == 6 && !f.remote.has_port);
	/* AF_VSOCK: numbers */
	rb__audit(&b, "socket.connect");
	rb__u64(&b, PT_K_TUPLE, 0, 2);
	rb__object(&b, 1, "socket");
	rb__u64(&b, PT_K_TUPLE, 0, 2);
	rb__u64(&b, PT_K_INT, 0, 2);
	rb__u64(&b, PT_K_INT, 0, 70);
	rb__end(&b);
	take(&ev, &f);
	assert_false(f.remote.known);
}

/* Of an event that has no address, whatever the memory held before. */
static void test_no_address(void **state)
{
	struct event ev;
	struct fields f;

	memset(&f, 0xa5, sizeof(f));
	rb__audit(&b, "os.listdir");
	rb__u64(&b, PT_K_TUPLE, 0, 1);
	rb__str(&b, "/");
	take(&ev, &f);
	assert_int_equal(*(uint8_t *)&f.remote.has_ip, false);
	assert_int_equal(*(uint8_t *)&f.local.has_ip, false);
	assert_false(f.remote.known || f.local.known);
}

static void test_os_release(void **state)
{
	struct host_facts h = {0};

	host_facts__os_release(
		&h, "# x\nNAME=\"A \\\"b\\\"\"\nID=debian\nVERSION_ID='12'\nPRETTY_NAME=\"De");
	assert_string_equal(h.os_name, "A \"b\"");
	assert_string_equal(h.os_id, "debian");
	assert_string_equal(h.os_version, "12");
	assert_string_equal(h.os_pretty, "De");
}

static const struct alert alert = {
	.time_ns = 1769850000000000000,
	.alert = "output_held",
	.output = "a=b|c",
	.message = "it said\n\"\xff\"",
	.since_ns = 1769840000000000000,
};

static void test_alert(void **state)
{
	static const char *const names[] = {"json", "ecs", "ocsf", "cef", "leef"};
	struct format_context ctx = {.instance = "0"};
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct format *f = format__find(names[i], strlen(names[i]));

		buf__reset(&out);
		f->alert(&out, &alert, 7, &ctx);
		assert_false(out.failed);
		assert_true(memchr(out.data, '\n', out.len) == out.data + out.len - 1);
		assert_non_null(memmem(out.data, out.len, "output_held", 11));
	}
	buf__free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_url),        cmocka_unit_test(test_name),
		cmocka_unit_test(test_conditions), cmocka_unit_test(test_address),
		cmocka_unit_test(test_no_address), cmocka_unit_test(test_os_release),
		cmocka_unit_test(test_alert),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
