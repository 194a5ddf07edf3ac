// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../util/buf.h"

#define ANSWER_MAX (1u << 20)

static int address(const char *path, struct sockaddr_un *out)
{
	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(out->sun_path))
		return -ENAMETOOLONG;
	strcpy(out->sun_path, path);
	return 0;
}

static int connect_to(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)addr, sizeof(*addr)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static void make_parent(const char *path)
{
	char dir[4096];
	char *slash;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash && slash != dir) {
		*slash = '\0';
		mkdir(dir, 0755);
	}
}

int control__listen(const char *path)
{
	struct sockaddr_un addr;
	int err = address(path, &addr), fd;
	struct stat st;
	mode_t mask;

	if (err)
		return err;
	make_parent(path);
	if (!lstat(path, &st) && S_ISSOCK(st.st_mode)) {
		fd = connect_to(&addr);
		if (fd >= 0) {
			close(fd);
			return -EADDRINUSE;
		}
		unlink(path);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	mask = umask(0177);
	err = bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 8) ? -errno : 0;
	umask(mask);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

void control__answer(int fd, const struct buf *text)
{
	int c;

	while ((c = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		struct ucred peer = {.uid = (uid_t)-1};
		socklen_t len = sizeof(peer);
		int room = ANSWER_MAX;

		if (!getsockopt(c, SOL_SOCKET, SO_PEERCRED, &peer, &len) &&
		    (!peer.uid || peer.uid == geteuid())) {
			/* never waited for: it finds room, or who asks gets less */
			setsockopt(c, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
			send(c, text->data, text->len, MSG_NOSIGNAL | MSG_DONTWAIT);
		}
		close(c);
	}
}

int control__ask(const char *path, struct buf *text)
{
	struct timeval patience = {.tv_sec = 10};
	struct sockaddr_un addr;
	int fd = address(path, &addr);
	ssize_t n = 1;

	if (!fd)
		fd = connect_to(&addr);
	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (n > 0 && text->len < ANSWER_MAX && buf__reserve(text, 65536)) {
		n = recv(fd, text->data + text->len, 65536, 0);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			text->len += (size_t)n;
	}
	close(fd);
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return text->failed ? -ENOMEM : text->len ? 0 : -EPROTO;
}
