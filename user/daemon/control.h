/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The daemon's socket for `pytrail status`: who connects, and may, is sent one line of JSON and
 * then a text for people. Nothing is read from it.
 */
#ifndef PYTRAIL_CONTROL_SOCKET_H
#define PYTRAIL_CONTROL_SOCKET_H

struct buf;

/* A listening socket, mode 0600; its directory is made when it is not there. -EADDRINUSE: another
 * daemon listens there; or -errno. */
int control__listen(const char *path);
/* Answers who waits at a listening socket. */
void control__answer(int fd, const struct buf *text);
/* Reads the answer of a daemon. 0 or -errno. */
int control__ask(const char *path, struct buf *text);

#endif
