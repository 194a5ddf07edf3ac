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

static void test_process(void **state)
{
	char id[CGROUP_ID_SIZE] = "x";

	assert_in_range(cgroup__of_pid(getpid(), id), 0, 1);
	assert_int_equal(cgroup__of_pid(0x7ffffffe, id), -ENOENT);
	assert_string_equal(id, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
