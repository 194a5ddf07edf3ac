// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "deadletter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../format/format.h"
#include "../util/buf.h"
#include "../util/log.h"

#define MAX_BYTES (64ull << 20)

struct dead_letters {
	char *path, *old;
	const char *output;
	uint64_t max_bytes, bytes;
	int fd;
	bool said;
	struct buf line;
};

struct dead_letters *dead_letters__new(const char *path, uint64_t max_bytes, const char *output)
{
	struct dead_letters *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->fd = -1;
	d->max_bytes = max_bytes ? max_bytes : MAX_BYTES;
	d->output = output;
	if (path && (!(d->path = strdup(path)) || asprintf(&d->old, "%s.1", path) < 0)) {
		d->old = NULL;
		dead_letters__free(d);
		return NULL;
	}
	return d;
}

void dead_letters__free(struct dead_letters *d)
{
	if (!d)
		return;
	if (d->fd >= 0)
		close(d->fd);
	buf__free(&d->line);
	free(d->path);
	free(d->old);
	free(d);
}

static void fail(struct dead_letters *d, int err)
{
	if (!d->said)
		log__error(
			"output '%s': cannot write dead letters to '%s': %s; they are counted only",
			d->output, d->path, strerror(err));
	d->said = true;
}

static bool open_file(struct dead_letters *d)
{
	struct stat st;

	if (d->fd >= 0)
		return true;
	d->fd = open(d->path,
	             O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
	             0640);
	if (d->fd < 0 || fstat(d->fd, &st)) {
		fail(d, errno);
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		fail(d, EINVAL);
		close(d->fd);
		d->fd = -1;
		return false;
	}
	d->bytes = (uint64_t)st.st_size;
	return true;
}

static void put_text(struct buf *b, const char *key, const char *s, size_t len)
{
	buf__printf(b, ",\"%s\":", key);
	json__string(b, s, len);
}

static void render(struct dead_letters *d, const struct item *it, enum delivery_status status,
                   int code, const char *reason)
{
	struct timespec now;
	struct tm tm;
	char when[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	buf__reset(&d->line);
	buf__printf(&d->line, "{\"time\":\"%s.%09ldZ\"", when, now.tv_nsec);
	put_text(&d->line, "output", d->output, strlen(d->output));
	buf__printf(&d->line, ",\"status\":\"%s\"",
	            status == DELIVERY_TOO_LARGE ? "too_large" : "rejected");
	if (code)
		buf__printf(&d->line, ",\"code\":%d", code);
	put_text(&d->line, "reason", reason, strlen(reason));
	put_text(&d->line, "id", it->id.s, it->id.len);
	if (it->event.len)
		put_text(&d->line, "event", it->event.s, it->event.len);
	put_text(&d->line, "body", it->body.s, it->body.len);
	buf__lit(&d->line, "}\n");
}

void dead_letters__add(struct dead_letters *d, const struct item *it, enum delivery_status status,
                       int code, const char *reason)
{
	ssize_t n;

	if (!d->path || !open_file(d))
		return;
	render(d, it, status, code, reason);
	if (d->line.failed) {
		fail(d, ENOMEM);
		return;
	}
	if (d->bytes && d->bytes + d->line.len > d->max_bytes) {
		close(d->fd);
		d->fd = -1;
		if (rename(d->path, d->old)) {
			fail(d, errno);
			return;
		}
		if (!open_file(d))
			return;
	}
	n = write(d->fd, d->line.data, d->line.len);
	if (n != (ssize_t)d->line.len) {
		fail(d, n < 0 ? errno : ENOSPC);
		if (n > 0 && ftruncate(d->fd, (off_t)d->bytes))
			d->bytes += (uint64_t)n;
		return;
	}
	d->bytes += (uint64_t)n;
}
