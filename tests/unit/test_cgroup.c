/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* /proc/PID/cgroup: the paths that container runtimes make, and those that are none of theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enrich/cgroup.h"

#define ID  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define POD "pod01234567_89ab_cdef_0123_456789abcdef"
#define UID "01234567-89ab-cdef-0123-456789abcdef"
#define ECS "0123456789abcdef0123456789abcdef-1234567890"

static const struct {
	const char *text;
	const char *id;
} cases[] = {
	/* Docker: both drivers, both versions of cgroups */
	{"0::/system.slice/docker-" ID ".scope\n", ID},
	{"12:cpu,cpuacct:/docker/" ID "\n11:pids:/docker/" ID "\n", ID},
	{"0::/\n12:memory:/docker/" ID "\n", ID},
	/* a process's own cgroup below that of its container */
	{"0::/system.slice/docker-" ID ".scope/init.scope\n", ID},
	{"1:name=systemd:/docker/" ID "/system.slice/ssh.service\n", ID},
	/* one container in another */
	{"0::/docker/" ID "/docker/" ID2 "\n", ID2},
	/* seen from another cgroup namespace */
	{"0::/../docker-" ID ".scope\n", ID},
	/* Kubernetes: containerd, CRI-O, either driver */
	{"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" POD
         ".slice/cri-containerd-" ID ".scope\n",
         ID},
	{"0::/kubepods.slice/kubepods-" POD ".slice/crio-" ID ".scope/container\n", ID},
	{"5:devices:/kubepods/besteffort/" POD "/" ID "\n", ID},
	{"0::/system.slice/containerd.service/kubepods-besteffort-" POD ".slice:cri-containerd:" ID
         "\n",
         ID},
	/* Podman, with and without root; its monitor is not in the container */
	{"0::/machine.slice/libpod-" ID ".scope/container\n", ID},
	{"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope\n", ID},
	{"0::/machine.slice/libpod-conmon-" ID ".scope\n", ""},
	{"0::/machine.slice/libpod-conmon-" ID ".scope/" ID "\n", ID},
	{"0::/kubepods.slice/crio-conmon-" ID ".scope\n", ""},
	{"0::/default/nerdctl-" ID "\n", ID},
	/* ECS on Fargate */
	{"9:perf_event:/ecs/0123456789abcdef0123456789abcdef/" ECS "\n", ECS},
	/* no containers */
	{"0::/\n", ""},
	{"0::/user.slice/user-0.slice/session-1.scope\n", ""},
	{"0::/system.slice/ssh.service\n", ""},
	{"0::/init.scope", ""},
	/* no ids */
	{"0::/docker/0123456789abcdef\n", ""},
	{"0::/docker/" ID "0\n", ""},
	{"0::/docker/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\n", ""},
	{"0::/evil-" ID ".scope\n", ""},
	{"0::/0123456789abcdef0123456789abcdef-12x\n", ""},
	{"0::/0123456789abcdef0123456789abcdef-\n", ""},
	{"0::/0123456789abcdef0123456789abcdef-0123456789012345678901234567890123456789\n", ""},
	/* no lines */
	{"", ""},
	{"\n\n", ""},
	{"docker/" ID "\n", ""},
	{"0:/docker/" ID "\n", ""},
	{ID, ""},
	{":::::\n", ""},
	{"::" ID, ID},
};

static void test_paths(void **state)
{
	char id[CGROUP_ID_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].text);
		bool found = cgroup__container_id(cases[i].text, len, id);

		if (strcmp(id, cases[i].id))
			fail_msg("%s: %s", cases[i].text, id);
		assert_int_equal(found, cases[i].id[0] != '\0');
	}
}

/* Cut anywhere, with memory that ends there. */
static void test_cut(void **state)
{
	char id[CGROUP_ID_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t len = 0; len <= strlen(cases[i].text); len++) {
			char *copy = malloc(len ? len : 1);

			assert_non_null(copy);
			memcpy(copy, cases[i].text, len);
			cgroup__container_id(copy, len, id);
			assert_true(strlen(id) < sizeof(id));
			assert_int_equal(strspn(id, "0123456789abcdef-"), strlen(id));
			free(copy);
		}
	}
}

static const struct {
	const char *text, *path, *id, *pod, *unit;
} facts[] = {
	{"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" POD
         ".slice/cri-containerd-" ID ".scope\n",
         "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" POD
         ".slice/cri-containerd-" ID ".scope",
         ID, UID, NULL},
	{"5:devices:/kubepods/besteffort/pod" UID "/" ID "\n",
         "/kubepods/besteffort/pod" UID "/" ID, ID, UID, NULL},
	{"0::/kubepods/podaaaabbbbccccddddeeeeffff00001111\n",
         "/kubepods/podaaaabbbbccccddddeeeeffff00001111", "", "aaaabbbbccccddddeeeeffff00001111",
         NULL},
	{"0::/system.slice/containerd.service/kubepods-besteffort-" POD ".slice:cri-containerd:" ID
         "\n",
         "/system.slice/containerd.service/kubepods-besteffort-" POD ".slice:cri-containerd:" ID,
         ID, UID, NULL},
	{"9:name=systemd:/\n8:pids:/docker/" ID "\n0::/\n", "/docker/" ID, ID, "", NULL},
	{"0::/system.slice/ssh.service\n", "/system.slice/ssh.service", "", "", "ssh.service"},
	{"0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.scope\n",
         "/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.scope", "", "", "app-x.scope"},
	{"4:memory:/a/long/path\n1:name=systemd:/system.slice/cron.service\n",
         "/system.slice/cron.service", "", "", "cron.service"},
	{"4:memory:/a/long/path\n3:cpu:/\n0::/x\n", "/a/long/path", "", "", NULL},
	{"0::/kubepods/pod0123\n", "/kubepods/pod0123", "", "", NULL},
	{"0::/\n", NULL, "", "", NULL},
	{"", NULL, "", "", NULL},
};

static bool same(const char *s, size_t len, const char *want)
{
	return want ? s && len == strlen(want) && !memcmp(s, want, len) : !s;
}

static void test_facts(void **state)
{
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		struct cgroup_facts f;

		cgroup__parse(facts[i].text, strlen(facts[i].text), &f);
		if (!same(f.path, f.path_len, facts[i].path) || strcmp(f.container_id, facts[i].id) ||
		    strcmp(f.pod_uid, facts[i].pod) || !same(f.unit, f.unit_len, facts[i].unit))
			fail_msg("%s: %.*s, %s, %s, %.*s", facts[i].text, (int)f.path_len,
			         f.path ? f.path : "-", f.container_id, f.pod_uid, (int)f.unit_len,
			         f.unit ? f.unit : "-");
		for (size_t len = 0; len < strlen(facts[i].text); len++) {
			char *copy = malloc(len ? len : 1);

			memcpy(copy, facts[i].text, len);
			cgroup__parse(copy, len, &f);
			assert_true(!f.path || (f.path > copy && f.path + f.path_len <= copy + len));
			free(copy);
		}
	}
}

static void test_process(void **state)
{
	struct cgroup_facts found;
	char text[8192];

	assert_int_equal(cgroup__of_pid(getpid(), text, sizeof(text), &found), 0);
	assert_int_equal(cgroup__of_pid(0x7ffffffe, text, sizeof(text), &found), -ENOENT);
	assert_string_equal(found.container_id, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
