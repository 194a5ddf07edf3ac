// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Which processes are wanted. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "user/enrich/process.h"
#include "user/selection.h"
#include "user/util/log.h"

static const char argv[] = "python\0-B\0/srv/app.py\0x";
static const struct process app = {
	.exe = "/usr/bin/python3.11",
	.argv = argv,
	.argv_len = sizeof(argv) - 1,
	.comm = "worker",
	.container_id = "cafe0123",
	.cgroup = "/docker/cafe0123",
	.venv = "/srv/venv",
};
static const struct process unknown = {.comm = "worker", .partial = true};
static const struct process plain = {.exe = "/opt/python3.12 (deleted)", .comm = "x"};

struct words {
	enum selection_kind kind;
	const char *text;
};

static bool wants(const struct words *w, size_t cnt, const struct process *p)
{
	struct selection *s = selection__new();
	bool wanted;

	for (size_t i = 0; i < cnt; i++)
		assert_int_equal(selection__add(s, w[i].kind, w[i].text), 0);
	assert_true(selection__needs_facts(s) || !cnt);
	wanted = selection__wants(s, p);
	selection__free(s);
	return wanted;
}

#define WANTS(p, ...)                              \
	wants((const struct words[]){__VA_ARGS__}, \
	      sizeof((const struct words[]){__VA_ARGS__}) / sizeof(struct words), p)

static void test_matches(void **state)
{
	static const struct {
		enum selection_kind kind;
		const char *yes, *no;
	} cases[] = {
		{SELECT_EXE, "python3*", "python"},
		{SELECT_EXE, "/usr/*", "/opt/*"},
		{SELECT_COMM, "w?rker", "work"},
		{SELECT_CONTAINER, "cafe", "afe"},
		{SELECT_CGROUP, "/docker", "/dock"},
		{SELECT_CGROUP, "/docker/", "/docker/cafe"},
		{SELECT_CGROUP, "/", "/docker/cafe0123/x"},
		{SELECT_SCRIPT, "app.py", "/app.py"},
		{SELECT_SCRIPT, "/srv/*", "x"},
		{SELECT_VENV, "venv", "srv"},
		{SELECT_VENV, "/srv/venv", "/srv"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char excluded[64] = "!";

		strcat(excluded, cases[i].yes);
		assert_true(WANTS(&app, {cases[i].kind, cases[i].yes}));
		assert_false(WANTS(&app, {cases[i].kind, cases[i].no}));
		assert_false(WANTS(&app, {cases[i].kind, excluded}));
		/* what is not known matches nothing */
		if (cases[i].kind != SELECT_COMM) {
			assert_false(WANTS(&unknown, {cases[i].kind, cases[i].yes}) &&
			             strcmp(cases[i].yes, "/"));
			assert_true(WANTS(&unknown, {cases[i].kind, excluded}) ||
			            !strcmp(cases[i].yes, "/"));
		}
	}
	assert_true(WANTS(&plain, {SELECT_EXE, "python3.12"}));
	assert_true(WANTS(&plain, {SELECT_EXE, "/opt/*2"}));
	assert_true(WANTS(&plain, {SELECT_CGROUP, "/"}));
	assert_false(WANTS(&plain, {SELECT_CGROUP, "/x"}));
	assert_false(WANTS(&plain, {SELECT_SCRIPT, "*"}));
}

static void test_several(void **state)
{
	assert_true(WANTS(&app, {SELECT_COMM, "a"}, {SELECT_COMM, "worker"}));
	assert_false(WANTS(&app, {SELECT_COMM, "worker"}, {SELECT_EXE, "perl"}));
	assert_true(WANTS(&app, {SELECT_COMM, "worker"}, {SELECT_EXE, "!perl"}));
	assert_false(WANTS(&app, {SELECT_COMM, "worker"}, {SELECT_COMM, "!w*"}));
	assert_true(WANTS(&app, {SELECT_COMM, "!a"}, {SELECT_COMM, "!b"}));
}

static void test_users(void **state)
{
	struct selection *s = selection__new();
	uint32_t uid;
	bool exclude;

	assert_false(selection__needs_facts(NULL));
	assert_false(selection__uid(NULL, 0, &uid, &exclude));
	assert_int_equal(selection__add(s, SELECT_UID, "1000"), 0);
	assert_int_equal(selection__add(s, SELECT_UID, "!root"), 0);
	assert_false(selection__needs_facts(s));
	assert_true(selection__wants(s, &app));
	assert_int_equal(selection__add(s, SELECT_EXE, "x"), 0);
	assert_true(selection__needs_facts(s));
	assert_true(selection__uid(s, 0, &uid, &exclude));
	assert_int_equal(uid, 1000);
	assert_false(exclude);
	assert_true(selection__uid(s, 1, &uid, &exclude));
	assert_int_equal(uid, 0);
	assert_true(exclude);
	assert_false(selection__uid(s, 2, &uid, &exclude));
	log__set_level(LOG_QUIET - 1);
	assert_int_equal(selection__add(s, SELECT_UID, "4294967295"), -EINVAL);
	assert_int_equal(selection__add(s, SELECT_UID, "-1"), -EINVAL);
	assert_int_equal(selection__add(s, SELECT_UID, "no such user"), -EINVAL);
	assert_int_equal(selection__add(s, SELECT_UID, "!"), -EINVAL);
	assert_int_equal(selection__add(s, SELECT_VENV, ""), -EINVAL);
	selection__free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
