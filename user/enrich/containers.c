// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "containers.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "../util/clock.h"
#include "../util/fnv.h"

/* Files of one container are some KiB; containers.json has all that there are. A user's own are not
 * to take the collector's time: they are smaller, and so many are looked at in a second. */
#define FILE_MAX       (16u << 20)
#define USERS_FILE_MAX (1u << 20)
#define USERS_LOOKS    20
/* Containers that are kept: one for each hash. */
#define KEPT          512
#define LOOK_AGAIN_NS 1000000000u
/* Files that a pattern may give: there is a directory for each storage driver, or for each
 * namespace. */
#define MATCHES_MAX 32

struct kept {
	char id[CGROUP_ID_SIZE]; /* "": none */
	uid_t uid;
	uint64_t looked_ns;
	char *path; /* NULL: not found */
	struct stat st;
	struct container_facts facts;
};

struct containers {
	char *root;
	char data_root[2 * PATH_MAX]; /* of Docker */
	struct kept *kept[KEPT];
	uint64_t second; /* in which users' files were looked at, so often: */
	unsigned looks;
};

/* How a file is understood. */
typedef bool (*parse_fn)(const char *text, size_t len, const char *id, struct container_facts *out);

static bool parse_bundle(const char *text, size_t len, const char *id, struct container_facts *out)
{
	return container_json__bundle(text, len, out);
}

/* Where to look: %s is, in this order, the base and the id. Bases: root, or what is said. */
struct place {
	const char *pattern; /* with glob(7) */
	parse_fn parse;
};

static const struct place of_root[] = {
	/* bundles first: they have Kubernetes' names, the storage only long ones made of them */
	{"%s/run/containerd/io.containerd.runtime.v2.task/*/%s/config.json", parse_bundle},
	{"%s/run/k3s/containerd/io.containerd.runtime.v2.task/*/%s/config.json", parse_bundle},
	{"%s/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task/*/%s/"
         "config.json",
         parse_bundle},
	{"%s/run/containers/storage/*-containers/%s/userdata/config.json", parse_bundle},
	{"%s/var/lib/containers/storage/*-containers/%s/userdata/config.json", parse_bundle},
	{"%s/var/lib/containers/storage/*-containers/*containers.json", container_json__storage},
	{"%s/run/containers/storage/*-containers/*containers.json", container_json__storage},
	{NULL, NULL},
};

/* The base is the home directory of a user, who may have filled a directory: no patterns. */
#define OF_HOME(driver)                                                              \
	{"%s/.local/share/containers/storage/" driver "-containers/containers.json", \
	 container_json__storage},                                                   \
	{                                                                            \
		"%s/.local/share/containers/storage/" driver                         \
		"-containers/volatile-containers.json",                              \
			container_json__storage                                      \
	}
static const struct place of_home[] = {
	{"%s/.local/share/docker/containers/%s/config.v2.json", container_json__docker},
	OF_HOME("overlay"),
	OF_HOME("vfs"),
	OF_HOME("btrfs"),
	{NULL, NULL},
};

static const struct place of_docker[] = {
	{"%s/containers/%s/config.v2.json", container_json__docker},
	{NULL, NULL},
};

/* The whole text of a file that its owner alone can write, to be freed. NULL: there is none. */
static char *read_file(const char *path, uid_t owner, struct stat *st, size_t *len)
{
	/* not to hang on a fifo, nor to be led elsewhere */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	char *text = NULL;
	ssize_t n = 1;

	*len = 0;
	if (fd < 0)
		return NULL;
	if (!fstat(fd, st) && S_ISREG(st->st_mode) && st->st_uid == owner &&
	    !(st->st_mode & (S_IWGRP | S_IWOTH)) && st->st_size > 0 &&
	    st->st_size <= (owner ? USERS_FILE_MAX : FILE_MAX))
		text = malloc((size_t)st->st_size);
	while (text && n > 0 && *len < (size_t)st->st_size) {
		n = read(fd, text + *len, (size_t)st->st_size - *len);
		if (n > 0)
			*len += (size_t)n;
	}
	close(fd);
	if (text && n < 0) {
		free(text);
		text = NULL;
	}
	return text;
}

/* Docker's files may lie elsewhere: /etc/docker/daemon.json. */
static void find_data_root(struct containers *c)
{
	char path[PATH_MAX], said[PATH_MAX];
	struct stat st;
	size_t len;
	char *text;

	snprintf(path, sizeof(path), "%s/etc/docker/daemon.json", c->root);
	text = read_file(path, 0, &st, &len);
	if (!text || !container_json__data_root(text, len, said, sizeof(said)))
		strcpy(said, "/var/lib/docker");
	snprintf(c->data_root, sizeof(c->data_root), "%s%s", c->root, said);
	free(text);
}

struct containers *containers__new(const char *root)
{
	struct containers *c = calloc(1, sizeof(*c));

	if (!root)
		root = getenv("PYTRAIL_HOST_ROOT") ?: "";
	if (c && strlen(root) < PATH_MAX)
		c->root = strdup(root);
	if (!c || !c->root) {
		free(c);
		return NULL;
	}
	find_data_root(c);
	return c;
}

void containers__free(struct containers *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < KEPT; i++) {
		if (c->kept[i])
			free(c->kept[i]->path);
		free(c->kept[i]);
	}
	free(c->root);
	free(c);
}

/* The user in whose slice a control group is (systemd: user-UID.slice), who may have made it; else
 * root. */
static uid_t owner_of(const char *cgroup, size_t len)
{
	static const char slice[] = "/user.slice/user-";
	const char *p = cgroup, *end = cgroup + len;
	uint64_t uid = 0;

	if (len < sizeof(slice) || memcmp(cgroup, slice, sizeof(slice) - 1))
		return 0;
	for (p += sizeof(slice) - 1; p < end && *p >= '0' && *p <= '9'; p++)
		if (uid <= UINT32_MAX)
			uid = uid * 10 + (uint64_t)(*p - '0');
	/* not a user: nobody's files are looked at */
	return uid && uid < UINT32_MAX && end - p >= 6 && !memcmp(p, ".slice", 6) ? (uid_t)uid
	                                                                          : (uid_t)-1;
}

/* The home directory of a user of the host's own list. */
static bool home_of(const struct containers *c, uid_t uid, char *out, size_t size)
{
	char path[PATH_MAX];
	struct passwd *pw;
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/etc/passwd", c->root);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!found && (pw = fgetpwent(f)))
		if (pw->pw_uid == uid && pw->pw_dir[0] == '/')
			found = snprintf(out, size, "%s%s", c->root, pw->pw_dir) < (int)size;
	fclose(f);
	return found;
}

static bool look_in_file(struct kept *k, const char *path, parse_fn parse)
{
	struct stat st;
	size_t len;
	char *text = read_file(path, k->uid, &st, &len);
	bool found = text && parse(text, len, k->id, &k->facts);

	free(text);
	if (!found)
		return false;
	k->path = strdup(path);
	k->st = st;
	return true;
}

/* Whether one of the places has the container. base must have nothing that glob(7) takes for its
 * own. */
static bool look_in(struct kept *k, const char *base, const struct place *places)
{
	char pattern[PATH_MAX];
	bool found = false;
	glob_t g;

	if (strpbrk(base, "*?[\\"))
		return false;
	for (; places->pattern && !found; places++) {
		if (snprintf(pattern, sizeof(pattern), places->pattern, base, k->id) >=
		    (int)sizeof(pattern))
			continue;
		if (glob(pattern, GLOB_NOSORT, NULL, &g))
			continue;
		for (size_t i = 0; i < g.gl_pathc && i < MATCHES_MAX && !found; i++)
			found = look_in_file(k, g.gl_pathv[i], places->parse);
		globfree(&g);
	}
	return found;
}

/* Whether a user's files may be looked at once more. */
static bool has_budget(struct containers *c, uint64_t now)
{
	if (now / 1000000000 != c->second) {
		c->second = now / 1000000000;
		c->looks = 0;
	}
	return c->looks++ < USERS_LOOKS;
}

static void look(struct containers *c, struct kept *k)
{
	char home[PATH_MAX];

	free(k->path);
	k->path = NULL;
	k->looked_ns = clock__monotonic();
	if (k->uid == (uid_t)-1)
		return;
	if (!k->uid) {
		if (!look_in(k, c->data_root, of_docker))
			look_in(k, c->root, of_root);
	} else if (has_budget(c, k->looked_ns) && home_of(c, k->uid, home, sizeof(home))) {
		look_in(k, home, of_home);
	}
}

static bool is_unchanged(const struct kept *k)
{
	struct stat st;

	return !lstat(k->path, &st) && st.st_dev == k->st.st_dev && st.st_ino == k->st.st_ino &&
	       st.st_size == k->st.st_size && st.st_mtim.tv_sec == k->st.st_mtim.tv_sec &&
	       st.st_mtim.tv_nsec == k->st.st_mtim.tv_nsec &&
	       st.st_ctim.tv_sec == k->st.st_ctim.tv_sec &&
	       st.st_ctim.tv_nsec == k->st.st_ctim.tv_nsec;
}

static struct kept *slot_of(struct containers *c, const char *id, uid_t uid)
{
	uint64_t h = fnv64__add(FNV64_INIT, id, strlen(id));
	struct kept **k = &c->kept[(h ^ h >> 32) % KEPT];

	if (!*k)
		*k = calloc(1, sizeof(**k));
	if (*k && (strcmp((*k)->id, id) || (*k)->uid != uid)) {
		free((*k)->path);
		memset(*k, 0, sizeof(**k));
		snprintf((*k)->id, sizeof((*k)->id), "%s", id);
		(*k)->uid = uid;
	}
	return *k;
}

const struct container_facts *containers__get(struct containers *c, const char *id,
                                              const char *cgroup, size_t cgroup_len)
{
	struct kept *k;

	if (!c || strspn(id, "0123456789abcdef-") != strlen(id))
		return NULL;
	k = slot_of(c, id, owner_of(cgroup, cgroup_len));
	if (!k)
		return NULL;
	if (k->path ? !is_unchanged(k)
	            : !k->looked_ns || clock__monotonic() - k->looked_ns >= LOOK_AGAIN_NS)
		look(c, k);
	return k->path ? &k->facts : NULL;
}
