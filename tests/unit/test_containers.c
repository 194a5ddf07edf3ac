// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Names of containers: from the files of each runtime, and from nobody who may not give them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "user/enrich/containers.h"

#define ID  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
/* who runs the test may write the files: else, but for root, they are nobody's */
#define USER 4242

static char root[] = "/tmp/pytrail-test-containers-XXXXXX";

static const char docker[] = "{\"ID\":\"" ID "\",\"Name\":\"/web\",\"Image\":\"sha256:1\","
			     "\"Config\":{\"Image\":\"nginx:1.25\",\"Labels\":{\"a\":\"b\"}}}";
static const char cri_docker[] =
	"{\"ID\":\"" ID "\",\"Name\":\"/k8s_app_pod-1_shop_uid_0\","
	"\"Config\":{\"Labels\":{\"io.kubernetes.container.name\":\"app\","
	"\"io.kubernetes.pod.name\":\"pod-1\",\"io.kubernetes.pod.namespace\":\"shop\"}}}";
static const char storage[] = "[{\"id\":\"" ID2 "\",\"names\":[\"other\"]},"
			      "{\"id\":\"" ID "\",\"names\":[\"web\"],\"image\":\"ab\","
			      "\"metadata\":\"{\\\"image-name\\\":\\\"docker.io/library/"
			      "nginx:1\\\",\\\"name\\\":\\\"web\\\"}\"}]";
static const char containerd[] =
	"{\"ociVersion\":\"1.0\",\"annotations\":{\"io.kubernetes.cri.container-name\":\"app\","
	"\"io.kubernetes.cri.image-name\":\"reg/"
	"app:2\",\"io.kubernetes.cri.sandbox-name\":\"pod-1\","
	"\"io.kubernetes.cri.sandbox-namespace\":\"shop\"}}";
static const char crio[] =
	"{\"annotations\":{\"io.kubernetes.container.name\":\"app\","
	"\"io.kubernetes.cri-o.ImageName\":\"reg/app:2\",\"io.kubernetes.pod.name\":\"pod-1\","
	"\"io.kubernetes.pod.namespace\":\"shop\"}}";

static void test_texts(void **state)
{
	struct container_facts f;

	assert_true(container_json__docker(docker, sizeof(docker) - 1, ID, &f));
	assert_string_equal(f.name, "web");
	assert_string_equal(f.image, "nginx:1.25");
	assert_string_equal(f.pod, "");
	assert_false(container_json__docker(docker, sizeof(docker) - 1, ID2, &f));
	assert_true(container_json__docker(cri_docker, sizeof(cri_docker) - 1, ID, &f));
	assert_string_equal(f.name, "app");
	assert_string_equal(f.pod, "pod-1");
	assert_string_equal(f.pod_namespace, "shop");
	assert_true(container_json__storage(storage, sizeof(storage) - 1, ID, &f));
	assert_string_equal(f.name, "web");
	assert_string_equal(f.image, "docker.io/library/nginx:1");
	assert_true(container_json__storage(storage, sizeof(storage) - 1, ID2, &f));
	assert_string_equal(f.name, "other");
	assert_string_equal(f.image, "");
	assert_true(container_json__bundle(containerd, sizeof(containerd) - 1, &f));
	assert_string_equal(f.name, "app");
	assert_string_equal(f.image, "reg/app:2");
	assert_string_equal(f.pod, "pod-1");
	assert_true(container_json__bundle(crio, sizeof(crio) - 1, &f));
	assert_string_equal(f.name, "app");
	assert_string_equal(f.pod_namespace, "shop");
}

/* Other shapes, cut off anywhere: nothing is taken. */
static void test_lies(void **state)
{
	static const char *const texts[] = {
		"",
		"{}",
		"[]",
		"[1]",
		"null",
		"{\"ID\":5}",
		"{\"ID\":\"" ID "\"}",
		"{\"ID\":\"" ID "\",\"Name\":\"/\"}",
		"{\"ID\":\"" ID "\",\"Name\":[]}",
		"[{\"id\":\"" ID "\"}]",
		"[{\"id\":\"" ID "\",\"names\":[]}]",
		"[{\"id\":\"" ID "\",\"names\":[7]}]",
		"[{\"id\":\"" ID "\",\"names\":{}}]",
		"{\"annotations\":[]}",
		"{\"annotations\":{\"nerdctl/name\":\"\"}}",
	};
	struct container_facts f;
	char *copy, text[800];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_false(container_json__docker(texts[i], strlen(texts[i]), ID, &f));
		assert_false(container_json__storage(texts[i], strlen(texts[i]), ID, &f));
		assert_false(container_json__bundle(texts[i], strlen(texts[i]), &f));
	}
	for (size_t len = 0; len < sizeof(storage) - 1; len++) {
		copy = memcpy(malloc(len + 1), storage, len);
		assert_false(container_json__storage(copy, len, ID, &f));
		free(copy);
	}
	/* too long a name is none, and an image that is no JSON leaves the name */
	snprintf(text, sizeof(text), "{\"ID\":\"" ID "\",\"Name\":\"/%0300d\"}", 1);
	assert_false(container_json__docker(text, strlen(text), ID, &f));
	snprintf(text, sizeof(text), "[{\"id\":\"" ID "\",\"names\":[\"n\"],\"metadata\":\"{\"}]");
	assert_true(container_json__storage(text, strlen(text), ID, &f));
	assert_string_equal(f.name, "n");
	/* a depth that a recursion would not come back from */
	copy = malloc(1 << 20);
	memset(copy, '[', 1 << 20);
	assert_false(container_json__storage(copy, 1 << 20, ID, &f));
	free(copy);
}

static void put(const char *name, const char *text, uid_t owner, mode_t mode)
{
	char path[512], command[600];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	snprintf(command, sizeof(command), "mkdir -p $(dirname %s)", path);
	assert_int_equal(system(command), 0);
	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
	assert_int_equal(chown(path, owner, (gid_t)-1), 0);
}

static void forget(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	unlink(path);
}

static const char *name_by(struct containers *c, const char *id, const char *cgroup)
{
	const struct container_facts *f = containers__get(c, id, cgroup, strlen(cgroup));

	return f ? f->name : "";
}

static const char *name_in(const char *cgroup)
{
	struct containers *c = containers__new(root);
	static char name[CONTAINER_TEXT_MAX];

	assert_non_null(c);
	snprintf(name, sizeof(name), "%s", name_by(c, ID, cgroup));
	containers__free(c);
	return name;
}

static const struct {
	const char *path, *text, *name;
} places[] = {
	{"var/lib/docker/containers/" ID "/config.v2.json", docker, "web"},
	{"run/containerd/io.containerd.runtime.v2.task/k8s.io/" ID "/config.json", containerd, "app"},
	{"run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/" ID "/config.json", containerd,
         "app"},
	{"run/containers/storage/overlay-containers/" ID "/userdata/config.json", crio, "app"},
	{"var/lib/containers/storage/overlay-containers/" ID "/userdata/config.json", crio, "app"},
	{"var/lib/containers/storage/overlay-containers/containers.json", storage, "web"},
	{"var/lib/containers/storage/btrfs-containers/volatile-containers.json", storage, "web"},
	{"run/containers/storage/overlay-containers/volatile-containers.json", storage, "web"},
};

static void needs_root(void)
{
	if (geteuid())
		skip();
}

static void test_places(void **state)
{
	needs_root();
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		put(places[i].path, places[i].text, 0, 0600);
		assert_string_equal(name_in("/x"), places[i].name);
		/* one that somebody else has written, or could */
		put(places[i].path, places[i].text, USER, 0600);
		assert_string_equal(name_in("/x"), "");
		put(places[i].path, places[i].text, 0, 0622);
		assert_string_equal(name_in("/x"), "");
		forget(places[i].path);
	}
	put("etc/docker/daemon.json", "{\"data-root\":\"/data/docker\"}", 0, 0644);
	put("data/docker/containers/" ID "/config.v2.json", docker, 0, 0600);
	assert_string_equal(name_in(""), "web");
	forget("etc/docker/daemon.json");
	assert_string_equal(name_in(""), "");
}

#define SLICE "/user.slice/user-4242.slice/user@4242.service/user.slice/libpod-" ID ".scope"

/* A user names what is in the user's own slice, and there only. */
static void test_users(void **state)
{
	static const char own[] = "home/u/.local/share/containers/storage/overlay-containers/"
				  "volatile-containers.json";
	static const char rootless_docker[] = "home/u/.local/share/docker/containers/" ID
					      "/config.v2.json";

	needs_root();
	put("etc/passwd", "root:x:0:0::/root:/bin/sh\nu:x:4242:1::/home/u:/bin/sh\n", 0, 0644);
	put(own, storage, USER, 0600);
	assert_string_equal(name_in(SLICE), "web");
	assert_string_equal(name_in("/machine.slice/libpod-" ID ".scope"), "");
	assert_string_equal(name_in("/user.slice/user-4243.slice/x"), "");
	assert_string_equal(name_in("/user.slice/user-.slice/x"), "");
	assert_string_equal(name_in("/user.slice/user-99999999999999999999.slice/x"), "");
	put(own, storage, 0, 0600);
	assert_string_equal(name_in(SLICE), "");
	forget(own);
	put(rootless_docker, docker, USER, 0600);
	assert_string_equal(name_in(SLICE), "web");
	forget(rootless_docker);
	/* the system's files say nothing of what is in a user's slice */
	put(places[0].path, places[0].text, 0, 0600);
	assert_string_equal(name_in(SLICE), "");
	forget(places[0].path);
}

static void test_not_a_file(void **state)
{
	char path[512], target[512];

	needs_root();
	put(places[0].path, docker, 0, 0600);
	snprintf(path, sizeof(path), "%s/%s", root, places[0].path);
	snprintf(target, sizeof(target), "%s/elsewhere", root);
	assert_int_equal(rename(path, target), 0);
	assert_int_equal(symlink(target, path), 0);
	assert_string_equal(name_in(""), "");
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_string_equal(name_in(""), "");
	unlink(path);
}

/* It is renamed, made anew, and gone. */
static void test_changes(void **state)
{
	struct containers *c;

	needs_root();
	c = containers__new(root);
	put(places[0].path, docker, 0, 0600);
	assert_string_equal(name_by(c, ID, ""), "web");
	assert_string_equal(name_by(c, ID2, ""), "");
	put(places[0].path, cri_docker, 0, 0600);
	assert_string_equal(name_by(c, ID, ""), "app");
	forget(places[0].path);
	assert_string_equal(name_by(c, ID, ""), "");
	/* no id at all */
	assert_string_equal(name_by(c, "../../etc", ""), "");
	assert_string_equal(name_by(c, "*", ""), "");
	for (unsigned i = 0; i < 5000; i++) {
		char id[65];

		snprintf(id, sizeof(id), "%064x", i);
		assert_string_equal(name_by(c, id, SLICE), "");
	}
	containers__free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),      cmocka_unit_test(test_lies),
		cmocka_unit_test(test_places),     cmocka_unit_test(test_users),
		cmocka_unit_test(test_not_a_file), cmocka_unit_test(test_changes),
	};
	char command[128];
	int failed;

	if (!mkdtemp(root))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command) || failed;
}
