/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "enrich/cgroup.h"

#define ID_LEN 64

static bool is_hex(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
			return false;
	return true;
}

static bool is_digits(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return len > 0;
}

static bool has_prefix(const char *s, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && !memcmp(s, prefix, n);
}

/*
 * What comes before the id in a component. With systemd's cgroup driver it is a scope unit,
 * "docker-<id>.scope"; containerd without it may put "<slice>:cri-containerd:<id>" in one component;
 * with the cgroupfs driver the component is the id itself. A monitor of Podman or CRI-O has the id
 * of the container it watches over ("libpod-conmon-<id>.scope") and is not in it.
 */
static bool is_runtime_prefix(const char *s, size_t len)
{
	static const char *const known[] = {"docker-",  "cri-containerd-", "crio-",  "libpod-",
	                                    "nerdctl-", "containerd-",     "podman-"};

	if (!len)
		return true;
	if (s[len - 1] == ':')
		return true;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i]) == len && !memcmp(s, known[i], len))
			return true;
	return false;
}

/* ECS on Fargate names a container by its task's 32 digits and a number. */
static size_t ecs_id(const char *s, size_t len)
{
	if (len < 34 || len >= CGROUP_ID_SIZE || s[32] != '-')
		return 0;
	return is_hex(s, 32) && is_digits(s + 33, len - 33) ? len : 0;
}

static bool component_id(const char *s, size_t len, char out[CGROUP_ID_SIZE])
{
	static const char scope[] = ".scope";
	size_t n;

	if (len > sizeof(scope) - 1 &&
	    !memcmp(s + len - (sizeof(scope) - 1), scope, sizeof(scope) - 1))
		len -= sizeof(scope) - 1;
	n = ecs_id(s, len);
	if (n) {
		memcpy(out, s, n);
		out[n] = '\0';
		return true;
	}
	if (len < ID_LEN || !is_hex(s + len - ID_LEN, ID_LEN) || !is_runtime_prefix(s, len - ID_LEN))
		return false;
	memcpy(out, s + len - ID_LEN, ID_LEN);
	out[ID_LEN] = '\0';
	return true;
}

/* The innermost container counts: one started inside another has both ids in its path. */
static bool path_id(const char *path, size_t len, char out[CGROUP_ID_SIZE])
{
	size_t end = len;

	while (end > 0) {
		size_t start = end;

		while (start > 0 && path[start - 1] != '/')
			start--;
		/* Below this lies the monitor's own cgroup, not that of a container. */
		if (has_prefix(path + start, end - start, "libpod-conmon-") ||
		    has_prefix(path + start, end - start, "crio-conmon-"))
			return false;
		if (component_id(path + start, end - start, out))
			return true;
		end = start ? start - 1 : 0;
	}
	return false;
}

bool cgroup__container_id(const char *text, size_t len, char out[CGROUP_ID_SIZE])
{
	const char *end = text + len;

	out[0] = '\0';
	while (text < end) {
		const char *eol = memchr(text, '\n', end - text);
		const char *colon;

		if (!eol)
			eol = end;
		/* hierarchy:controllers:path */
		colon = memchr(text, ':', eol - text);
		if (colon)
			colon = memchr(colon + 1, ':', eol - colon - 1);
		if (colon && path_id(colon + 1, eol - colon - 1, out))
			return true;
		text = eol < end ? eol + 1 : end;
	}
	return false;
}

int cgroup__of_pid(pid_t pid, char out[CGROUP_ID_SIZE])
{
	char path[64], text[8192];
	size_t len = 0;
	int fd, err = 0;

	out[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (len < sizeof(text)) {
		ssize_t n = read(fd, text + len, sizeof(text) - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = -errno;
		if (n <= 0)
			break;
		len += n;
	}
	close(fd);
	return err ? err : cgroup__container_id(text, len, out);
}
