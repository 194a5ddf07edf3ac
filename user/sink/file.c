// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Standard output, a file, a FIFO, a terminal: what write(2) can write to. Nothing is kept back: who
 * writes hands over many records at once. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sink_impl.h"
#include "../util/log.h"

struct file {
	struct sink sink;
	int fd;
	int err; /* the failure that ended it, said */
	bool terminal;
	bool owned;
	char *name;
};

static int fail(struct file *f, int err)
{
	f->err = -err;
	/* Who read has seen enough: nothing to complain of. */
	if (err != EPIPE)
		log__error("cannot write to %s: %s", f->name, strerror(err));
	return f->err;
}

static int file_write(struct sink *s, const char *data, size_t len)
{
	struct file *f = (struct file *)s;

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

static int file_flush(struct sink *s)
{
	return ((struct file *)s)->err;
}

static int file_close(struct sink *s)
{
	struct file *f = (struct file *)s;
	int err;

	/* Some file systems tell of a full disk only here. */
	if (f->owned && close(f->fd) && !f->err && errno != EINTR)
		fail(f, errno);
	err = f->err;
	free(f->name);
	free(f);
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

static const struct sink_ops ops = {file_write, file_flush, file_close, file_columns};

int sink_file__open(const char *dest, struct sink **out)
{
	bool standard = !dest || !strcmp(dest, "-");
	struct file *f = calloc(1, sizeof(*f));
	int err = ENOMEM;

	if (!f || !(f->name = strdup(standard ? "standard output" : dest)))
		goto fail;
	f->sink.ops = &ops;
	f->owned = !standard;
	f->fd = standard ? STDOUT_FILENO
	                 : open(dest, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
	if (f->fd < 0) {
		err = errno;
		goto fail;
	}
	f->terminal = isatty(f->fd);
	*out = &f->sink;
	return 0;
fail:
	log__error("cannot open %s: %s", standard ? "standard output" : dest, strerror(err));
	if (f)
		free(f->name);
	free(f);
	return -err;
}
