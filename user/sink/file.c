// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Standard output, a file, a FIFO, a terminal: what write(2) can write to. Nothing is kept back:
 * who writes hands over many records at once. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "file_dest.h"
#include "rotate.h"
#include "sink_impl.h"
#include "../confine/caps.h"
#include "../util/buf.h"
#include "../util/log.h"
#include "../util/safe_file.h"

struct file {
	struct sink sink;
	int fd;
	int err; /* the failure that ended it, said */
	bool terminal;
	bool owned;
	char *name; /* the path */
	/* Of one that is owned: */
	int dirfd;
	const char *base; /* in name */
	struct settings *settings;
	/* Of one that is rotated: */
	struct rotator *rotator;
	uint64_t size, max_size; /* max_size 0: by time only */
	time_t every, until;     /* every 0: by size only; until: when the next one begins */
	bool said;               /* that it could not be rotated */
};

static int fail(struct file *f, int err)
{
	f->err = -err;
	/* Who read has seen enough: nothing to complain of. */
	if (err != EPIPE)
		log__error("cannot write to %s: %s", f->name, strerror(err));
	return f->err;
}

/* A descriptor or -errno. */
static int open_file(const struct file *f)
{
	const char *mode = settings__string(f->settings, "mode");

	return safe_file__openat(f->dirfd, f->base, O_WRONLY | O_APPEND,
	                         (mode_t)strtoul(mode, NULL, 8));
}

static void start_period(struct file *f, time_t since)
{
	struct stat st;

	f->size = fstat(f->fd, &st) ? 0 : (uint64_t)st.st_size;
	f->until = f->every ? (since / f->every + 1) * f->every : 0;
}

/* Opens it anew under its name. What is open stays if that fails. */
static int reopen(struct file *f)
{
	int fd = open_file(f);

	if (fd < 0) {
		log__error("cannot open '%s' again: %s; what is open is written on", f->name,
		           safe_file__why(fd));
		return fd;
	}
	close(f->fd);
	f->fd = fd;
	start_period(f, time(NULL));
	return 0;
}

static int file_reopen(struct sink *s)
{
	struct file *f = (struct file *)s;

	return f->owned && !f->terminal && !f->err ? reopen(f) : -ENOTSUP;
}

static void rotate(struct file *f)
{
	int err = rotator__rotate(f->rotator);

	if (!err)
		err = reopen(f);
	else if (!f->said)
		log__error("cannot rotate '%s': %s; it grows on", f->name, strerror(-err));
	/* Not again with every write. */
	if (err)
		start_period(f, time(NULL));
	if (err && f->max_size)
		f->size = 0;
	f->said = err != 0;
}

static int write_all(struct file *f, const char *data, size_t len)
{
	f->size += len;
	while (len && !f->err) {
		ssize_t n = write(f->fd, data, len);

		if (n >= 0) {
			data += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			/* Somebody made it non-blocking, a terminal's other user say. */
			struct pollfd p = {.fd = f->fd, .events = POLLOUT};

			poll(&p, 1, -1);
		} else if (errno != EINTR) {
			return fail(f, errno);
		}
	}
	return f->err;
}

/* How many of these bytes, whole records all, still go into this file. At least one record if it is
 * empty. */
static size_t what_fits(const struct file *f, const char *data, size_t len)
{
	uint64_t room = f->size < f->max_size ? f->max_size - f->size : 0;
	const char *end;

	if (!f->max_size || len <= room)
		return len;
	end = room ? memrchr(data, '\n', (size_t)room) : NULL;
	if (!end && !f->size)
		end = memchr(data, '\n', len);
	if (end)
		return (size_t)(end - data) + 1;
	return f->size ? 0 : len;
}

static int file_write(struct sink *s, const char *data, size_t len)
{
	struct file *f = (struct file *)s;

	if (!f->rotator)
		return write_all(f, data, len);
	while (len && !f->err) {
		size_t n;

		if (f->every && time(NULL) >= f->until) {
			if (f->size)
				rotate(f);
			else
				start_period(f, time(NULL));
		}
		n = what_fits(f, data, len);
		if (n)
			write_all(f, data, n);
		else
			rotate(f);
		data += n;
		len -= n;
	}
	return f->err;
}

static int file_flush(struct sink *s)
{
	return ((struct file *)s)->err;
}

static void destroy(struct file *f)
{
	rotator__free(f->rotator);
	settings__free(f->settings);
	if (f->dirfd >= 0)
		close(f->dirfd);
	free(f->name);
	free(f);
}

static int file_close(struct sink *s)
{
	struct file *f = (struct file *)s;
	int err;

	/* Some file systems tell of a full disk only here. */
	if (f->owned && close(f->fd) && !f->err && errno != EINTR)
		fail(f, errno);
	err = f->err;
	destroy(f);
	return err;
}

static unsigned file_columns(const struct sink *s)
{
	const struct file *f = (const struct file *)s;
	struct winsize size;

	if (!f->terminal)
		return 0;
	return ioctl(f->fd, TIOCGWINSZ, &size) || !size.ws_col ? 80 : size.ws_col;
}

static const struct sink_ops ops = {file_write, file_flush, file_close, file_columns, file_reopen};

static int start_rotation(struct file *f, struct buf *why)
{
	bool by_size = settings__given(f->settings, "rotate_size");
	bool by_time = settings__given(f->settings, "rotate_every");
	struct stat st;

	if (!by_size && !by_time)
		return 0;
	if (fstat(f->fd, &st) || !S_ISREG(st.st_mode)) {
		buf__lit(why, "only a regular file can be rotated");
		return -EINVAL;
	}
	f->max_size = by_size ? settings__number(f->settings, "rotate_size") : 0;
	f->every = by_time ? (time_t)settings__seconds(f->settings, "rotate_every") : 0;
	/* What is there belongs to the time in which it was last written to. */
	start_period(f, st.st_size ? st.st_mtime : time(NULL));
	return rotator__new(f->dirfd, f->base, (size_t)settings__number(f->settings, "keep"),
	                    !strcmp(settings__string(f->settings, "compress"), "zstd"), &f->rotator,
	                    why);
}

static int open_owned(struct file *f, const char *dest, struct buf *why)
{
	int err = file_dest__parse(dest, &f->name, &f->settings, why);

	if (err)
		return err;
	f->owned = true;
	/* the directory is kept: files are opened and renamed in it whatever becomes of its name */
	f->dirfd = safe_file__parent(f->name, &f->base);
	err = f->dirfd < 0 ? f->dirfd : 0;
	if (!err) {
		f->fd = open_file(f);
		err = f->fd < 0 ? f->fd : 0;
	}
	if (!err) {
		caps__need_file(f->dirfd);
		caps__need_file(f->fd);
	}
	if (err)
		buf__str(why, safe_file__why(err));
	if (!err)
		err = start_rotation(f, why);
	if (err && f->fd >= 0)
		close(f->fd);
	return err;
}

int sink_file__open(const char *dest, struct sink **out)
{
	bool standard = !dest || !strcmp(dest, "-");
	struct file *f = calloc(1, sizeof(*f));
	struct buf why = BUF_INIT;
	int err = 0;

	if (!f) {
		log__error("out of memory");
		return -ENOMEM;
	}
	f->sink.ops = &ops;
	f->fd = f->dirfd = -1;
	if (standard) {
		f->fd = STDOUT_FILENO;
		f->name = strdup("standard output");
		err = f->name ? 0 : -ENOMEM;
	} else {
		err = open_owned(f, dest, &why);
	}
	if (err) {
		log__error("cannot open %s: %.*s", dest ? dest : "standard output", (int)why.len,
		           why.data ? why.data : "");
		destroy(f);
	} else {
		f->terminal = isatty(f->fd);
		*out = &f->sink;
	}
	buf__free(&why);
	return err;
}
