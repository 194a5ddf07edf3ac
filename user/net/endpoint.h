/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The parts of a URL such as "syslog+tcp://[::1]:514" or "kafka://a:9092,b:9092/topic". */
#ifndef PYTRAIL_ENDPOINT_H
#define PYTRAIL_ENDPOINT_H

#include <stdbool.h>

struct buf;

struct endpoint {
	char scheme[32];
	char host[256];  /* without brackets; "": none */
	char port[6];    /* decimal, 1 to 65535 */
	char path[1024]; /* from the first slash on, as it is in the URL; "": none */
};

/*
 * Takes "scheme://host[:port][path]" apart, one host only. default_port: where the URL has none,
 * NULL: it must. 0, or -EINVAL with a sentence appended to `why`: a part missing, too long or not
 * well-formed, a user or password (they belong into settings, where they are not shown).
 */
int endpoint__parse(const char *url, const char *default_port, struct endpoint *out, struct buf *why);

/* As above for "scheme:path" and "scheme://path": no host, an absolute path. default_path: NULL: it
 * must be given. */
int endpoint__parse_path(const char *url, const char *default_path, struct endpoint *out,
                         struct buf *why);

/* Whether the URL's scheme is this one. */
bool endpoint__is(const char *url, const char *scheme);

#endif
