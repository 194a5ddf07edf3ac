// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "venv.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../allowance.h"
#include "../util/clock.h"
#include "../util/proc_user.h"
#include "proc_facts.h"

/* Whether a path is there, below that root: links cannot lead out of it. regular: it must be a
 * file. */
static bool exists(int root, const char *path, bool regular)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	struct stat st;
	bool ok;

	if (fd < 0)
		return false;
	ok = !regular || (!fstat(fd, &st) && S_ISREG(st.st_mode));
	close(fd);
	return ok;
}

static bool has_config(int root, const char *dir)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/pyvenv.cfg", dir);
	return exists(root, path, true);
}

/* Takes the last component off. False at the top. */
static bool go_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return false;
	*slash = '\0';
	return true;
}

/* "VIRTUAL_ENV" of an environment's text; false when it is not there or too long. */
static bool from_environ(const char *text, size_t len, char *out)
{
	static const char name[] = "VIRTUAL_ENV=";
	const char *end = text + len;

	while (text < end) {
		const char *nul = memchr(text, '\0', (size_t)(end - text));
		size_t n = (size_t)((nul ? nul : end) - text);

		if (n > sizeof(name) - 1 && !memcmp(text, name, sizeof(name) - 1)) {
			n -= sizeof(name) - 1;
			if (n >= PATH_MAX || !nul)
				return false;
			memcpy(out, text + sizeof(name) - 1, n);
			out[n] = '\0';
			return out[0] == '/';
		}
		text = nul ? nul + 1 : end;
	}
	return false;
}

/* By the path it was called with, in out. */
static bool by_path(int root, char *out)
{
	/* bin/python, then bin, then the directory above */
	if (!go_up(out))
		return false;
	if (has_config(root, out))
		return true;
	return go_up(out) && has_config(root, out);
}

static bool by_environ(int dir, int root, const char *name, char *room, size_t size, char *out)
{
	ssize_t len = proc_facts__text(dir, "environ", room, size);
	char path[2 * PATH_MAX];

	if (len <= 0 || !from_environ(room, (size_t)len, out) || !has_config(root, out))
		return false;
	snprintf(path, sizeof(path), "%s/bin/%s", out, name);
	return exists(root, path, false);
}

static bool find(int dir, const struct process_facts *facts, char *room, size_t size, char *out)
{
	size_t len = strnlen(facts->argv, facts->argv_len);
	char name[NAME_MAX + 1];
	int root, n;
	bool found;

	if (!len)
		return false;
	root = openat(dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return false;
	if (memchr(facts->argv, '/', len)) {
		bool absolute = facts->argv[0] == '/';

		n = snprintf(out, PATH_MAX, "%.*s%s%.*s", absolute ? 0 : (int)facts->cwd_len,
		             facts->cwd ? facts->cwd : "", absolute ? "" : "/", (int)len,
		             facts->argv);
		found = n < PATH_MAX && out[0] == '/' && by_path(root, out);
	} else {
		snprintf(name, sizeof(name), "%.*s", (int)(len < NAME_MAX ? len : NAME_MAX),
		         facts->argv);
		found = by_environ(dir, root, name, room, size, out);
	}
	close(root);
	return found;
}

/*
 * The paths are the process's: one can lead through 40 symbolic links of 4096 bytes, a walk of many
 * milliseconds, at each exec of anything that is called python.
 */
static const struct allowance_options part = {
	.user_percent = 5,
	.all_percent = 10,
	.ahead_ns = 1000000000,
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct allowance *allowance;

static bool may(uint32_t uid, uint64_t now)
{
	bool yes;

	pthread_mutex_lock(&lock);
	if (!allowance)
		allowance = allowance__new(&part);
	yes = allowance && allowance__may(allowance, uid, now);
	pthread_mutex_unlock(&lock);
	return yes;
}

static void took(uint32_t uid, const struct time_budget *cost)
{
	pthread_mutex_lock(&lock);
	allowance__took(allowance, uid, cost->monotonic, time_budget__spent(cost));
	pthread_mutex_unlock(&lock);
}

/* By several threads, when one does not come back soon (util/patient.h). */
bool venv__read(int dir, const struct process_facts *facts, char *room, size_t size, char *out)
{
	struct time_budget cost = time_budget__new(0);
	uint32_t uid = proc_user__of_dir(dir);
	bool found;

	if (!may(uid, cost.monotonic))
		return false;
	found = find(dir, facts, room, size, out);
	took(uid, &cost);
	return found;
}
