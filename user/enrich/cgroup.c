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
 * "docker-<id>.scope"; containerd without it may put "<slice>:cri-containerd:<id>" in one
 * component; with the cgroupfs driver the component is the id itself. A monitor of Podman or CRI-O
 * has the id of the container it watches over ("libpod-conmon-<id>.scope") and is not in it.
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

/*
 * A pod's component: "pod<uid>" below "kubepods", or with systemd's driver
 * "kubepods[-<class>]-pod<uid>.slice", the dashes of the uid underscores. Pods that the kubelet
 * starts from a file have a hash of 32 digits for a uid.
 */
static bool component_pod(const char *s, size_t len, char out[CGROUP_POD_SIZE])
{
	const char *at = len > 3 ? memmem(s, len, "pod", 3) : NULL;
	size_t n = 0;

	/* "kubepods" has a "pod" of its own */
	if (at && len > 8 && !memcmp(s, "kubepods", 8))
		at = memmem(s + 8, len - 8, "-pod", 4);
	else if (at != s)
		at = NULL;
	if (!at)
		return false;
	at += *at == '-' ? 4 : 3;
	len -= (size_t)(at - s);
	while (n < len && n < CGROUP_POD_SIZE - 1 &&
	       (is_hex(at + n, 1) || at[n] == '-' || at[n] == '_')) {
		out[n] = at[n] == '_' ? '-' : at[n];
		n++;
	}
	out[n] = '\0';
	if ((n == 36 || (n == 32 && is_hex(out, 32))) && (n == len || at[n] == '.' || at[n] == ':'))
		return true;
	out[0] = '\0';
	return false;
}

/* Types of units that processes are in (systemd.unit(5)). */
static bool is_unit(const char *s, size_t len)
{
	static const char *const types[] = {".service", ".scope", ".socket", ".mount", ".swap"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		size_t n = strlen(types[i]);

		if (len > n && !memcmp(s + len - n, types[i], n))
			return true;
	}
	return false;
}

void cgroup__parse_path(const char *path, size_t len, struct cgroup_facts *out)
{
	size_t end = len;

	memset(out, 0, sizeof(*out));
	out->path = path;
	out->path_len = len;
	path_id(path, len, out->container_id);
	while (end > 0) {
		size_t start = end;

		while (start > 0 && path[start - 1] != '/')
			start--;
		if (!out->pod_uid[0])
			component_pod(path + start, end - start, out->pod_uid);
		if (!out->container_id[0] && !out->unit && is_unit(path + start, end - start)) {
			out->unit = path + start;
			out->unit_len = end - start;
		}
		end = start ? start - 1 : 0;
	}
}

/* How much a path tells, beyond its length. */
static int worth(const struct cgroup_facts *f)
{
	return f->container_id[0] ? 3 : f->pod_uid[0] ? 2 : f->unit ? 1 : 0;
}

void cgroup__parse(const char *text, size_t len, struct cgroup_facts *out)
{
	const char *end = text + len;
	struct cgroup_facts f;

	memset(out, 0, sizeof(*out));
	while (text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text)), *colon;

		if (!eol)
			eol = end;
		colon = memchr(text, ':', (size_t)(eol - text));
		if (colon)
			colon = memchr(colon + 1, ':', (size_t)(eol - colon - 1));
		if (colon && eol - colon > 2) {
			cgroup__parse_path(colon + 1, (size_t)(eol - colon - 1), &f);
			if (!out->path || worth(&f) > worth(out) ||
			    (worth(&f) == worth(out) && f.path_len > out->path_len))
				*out = f;
		}
		text = eol < end ? eol + 1 : end;
	}
}

int cgroup__of_pid(pid_t pid, char *text, size_t size, struct cgroup_facts *out)
{
	char path[64];
	size_t len = 0;
	int fd, err = 0;

	memset(out, 0, sizeof(*out));
	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (len < size) {
		ssize_t n = read(fd, text + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = -errno;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	close(fd);
	if (!err)
		cgroup__parse(text, len, out);
	return err;
}
