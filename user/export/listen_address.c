// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "listen_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../util/buf.h"

static int parse_unix(const char *path, struct listen_address *out)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&out->addr;

	if (path[0] != '/' || strlen(path) >= sizeof(un->sun_path))
		return -EINVAL;
	un->sun_family = AF_UNIX;
	strcpy(un->sun_path, path);
	out->len = sizeof(*un);
	return 0;
}

static int parse_inet(const char *text, struct listen_address *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&out->addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->addr;
	const char *colon = strrchr(text, ':');
	char host[64], *end;
	unsigned long port;
	size_t len;

	if (!colon || (size_t)(colon - text) >= sizeof(host))
		return -EINVAL;
	len = (size_t)(colon - text);
	memcpy(host, text, len);
	host[len] = '\0';
	port = strtoul(colon + 1, &end, 10);
	if (colon[1] < '0' || colon[1] > '9' || *end || !port || port > 65535)
		return -EINVAL;
	if (!strcmp(host, "localhost"))
		strcpy(host, "127.0.0.1");
	if (!strcmp(host, "[::1]")) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		in6->sin6_addr = in6addr_loopback;
		out->len = sizeof(*in6);
		return 0;
	}
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)port);
	out->len = sizeof(*in);
	if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
		return -EINVAL;
	return ntohl(in->sin_addr.s_addr) >> 24 == 127 ? 0 : -EADDRNOTAVAIL;
}

int listen_address__parse(const char *text, struct listen_address *out, struct buf *why)
{
	int err;

	memset(out, 0, sizeof(*out));
	err = !strncmp(text, "unix:", 5) ? parse_unix(text + 5, out) : parse_inet(text, out);
	if (err == -EADDRNOTAVAIL)
		buf__printf(
			why,
			"'%s' can be reached from other hosts: figures are served on a loopback "
			"address only, such as 127.0.0.1:9464, or unix:/path",
			text);
	else if (err)
		buf__printf(why, "this takes 127.0.0.1:PORT, [::1]:PORT or unix:/path, not '%s'",
		            text);
	return err ? -EINVAL : 0;
}

int listen_address__open(const struct listen_address *a)
{
	const struct sockaddr *addr = (const struct sockaddr *)&a->addr;
	int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1, err;
	const char *path = ((const struct sockaddr_un *)addr)->sun_path;
	struct stat st;
	mode_t mask;

	if (fd < 0)
		return -errno;
	if (addr->sa_family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	else if (!lstat(path, &st) && S_ISSOCK(st.st_mode))
		unlink(path);
	/* anybody's to read figures from; not by chmod(2): what has the name by then may be
	 * something else */
	mask = umask(0111);
	err = bind(fd, addr, a->len) || listen(fd, 16) ? -errno : 0;
	umask(mask);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}
