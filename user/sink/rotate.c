// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "rotate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>

#include "zstd_file.h"
#include "../confine/caps.h"
#include "../util/buf.h"
#include "../util/log.h"

#define STAMP     "20260131T090000.123456Z"
#define STAMP_LEN (sizeof(STAMP) - 1)

struct rotator {
	int dirfd;
	char *base;
	size_t keep;
	bool zstd;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool runs, work, stop; /* under lock */
};

/* "BASE.STAMP" or "BASE.STAMP.zst" */
static bool is_rotated(const struct rotator *r, const char *name, bool *compressed)
{
	size_t len = strlen(r->base);

	if (strncmp(name, r->base, len) || name[len] != '.')
		return false;
	name += len + 1;
	for (size_t i = 0; i < STAMP_LEN; i++) {
		bool digit = STAMP[i] >= '0' && STAMP[i] <= '9';

		if (digit ? name[i] < '0' || name[i] > '9' : name[i] != STAMP[i])
			return false;
	}
	name += STAMP_LEN;
	*compressed = !strcmp(name, ".zst");
	return !*name || *compressed;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of the rotated files, oldest first. NULL-terminated, all to be freed; NULL: none, or no
 * memory. */
static char **list(struct rotator *r, size_t *cnt)
{
	int fd = openat(r->dirfd, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char **names = NULL;
	struct dirent *e;
	bool compressed;

	*cnt = 0;
	if (!dir && fd >= 0)
		close(fd);
	while (dir && (e = readdir(dir))) {
		char **more;

		if (!is_rotated(r, e->d_name, &compressed))
			continue;
		more = reallocarray(names, *cnt + 1, sizeof(*names));
		if (!more)
			break;
		names = more;
		names[*cnt] = strdup(e->d_name);
		if (!names[*cnt])
			break;
		++*cnt;
	}
	if (dir)
		closedir(dir);
	if (*cnt)
		qsort(names, *cnt, sizeof(*names), by_name);
	return names;
}

static void see_to_all(struct rotator *r)
{
	size_t cnt, i;
	char **names = list(r, &cnt);
	bool compressed;

	for (i = 0; i < cnt; i++) {
		if (cnt - i > r->keep) {
			if (unlinkat(r->dirfd, names[i], 0))
				log__warn("cannot remove the old '%s': %s", names[i],
				          strerror(errno));
		} else if (r->zstd && is_rotated(r, names[i], &compressed) && !compressed) {
			int err = zstd_file__compress(r->dirfd, names[i]);

			if (err)
				log__warn("cannot compress '%s': %s; it is kept as it is", names[i],
				          strerror(-err));
		}
	}
	for (i = 0; i < cnt; i++)
		free(names[i]);
	free(names);
}

static void *run(void *ctx)
{
	struct rotator *r = ctx;

	caps__limit_to_files(0);
	/* Of this thread alone, on Linux. */
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 19);
	pthread_mutex_lock(&r->lock);
	for (;;) {
		while (!r->work && !r->stop)
			pthread_cond_wait(&r->cond, &r->lock);
		if (!r->work)
			break;
		r->work = false;
		pthread_mutex_unlock(&r->lock);
		see_to_all(r);
		pthread_mutex_lock(&r->lock);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static int start(struct rotator *r, struct buf *why)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&r->thread, NULL, run, r);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	r->runs = !err;
	if (err)
		buf__printf(why, "cannot start a thread: %s", strerror(err));
	return -err;
}

int rotator__new(int dirfd, const char *base, size_t keep, bool zstd, struct rotator **out,
                 struct buf *why)
{
	struct rotator *r = calloc(1, sizeof(*r));
	int err = zstd ? zstd_file__load(why) : 0;

	if (!r) {
		buf__lit(why, "out of memory");
		return -ENOMEM;
	}
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->cond, NULL);
	r->keep = keep;
	r->zstd = zstd;
	r->work = true;
	r->base = strdup(base);
	r->dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	if (!err && (!r->base || r->dirfd < 0)) {
		err = r->dirfd < 0 ? -errno : -ENOMEM;
		buf__printf(why, "cannot rotate: %s", strerror(-err));
	}
	if (!err)
		err = start(r, why);
	if (err)
		rotator__free(r);
	else
		*out = r;
	return err;
}

int rotator__rotate(struct rotator *r)
{
	struct timespec now;
	struct buf to = BUF_INIT;
	char stamp[32];
	struct tm tm;
	int err;

	clock_gettime(CLOCK_REALTIME, &now);
	do {
		gmtime_r(&now.tv_sec, &tm);
		strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm);
		buf__reset(&to);
		buf__printf(&to, "%s.%s.%06ldZ", r->base, stamp, now.tv_nsec / 1000);
		buf__char(&to, '\0');
		if (to.failed) {
			buf__free(&to);
			return -ENOMEM;
		}
		err = renameat2(r->dirfd, r->base, r->dirfd, to.data, RENAME_NOREPLACE) ? -errno : 0;
		/* Some file systems cannot refuse to replace: the name is new all the same. */
		if (err == -EINVAL && faccessat(r->dirfd, to.data, F_OK, AT_SYMLINK_NOFOLLOW))
			err = renameat(r->dirfd, r->base, r->dirfd, to.data) ? -errno : 0;
		now.tv_nsec = (now.tv_nsec + 1000) % 1000000000;
	} while (err == -EEXIST);
	buf__free(&to);
	pthread_mutex_lock(&r->lock);
	r->work = true;
	pthread_cond_signal(&r->cond);
	pthread_mutex_unlock(&r->lock);
	return err;
}

void rotator__free(struct rotator *r)
{
	if (!r)
		return;
	if (r->runs) {
		pthread_mutex_lock(&r->lock);
		r->stop = true;
		pthread_cond_signal(&r->cond);
		pthread_mutex_unlock(&r->lock);
		pthread_join(r->thread, NULL);
	}
	if (r->dirfd >= 0)
		close(r->dirfd);
	pthread_cond_destroy(&r->cond);
	pthread_mutex_destroy(&r->lock);
	free(r->base);
	free(r);
}
