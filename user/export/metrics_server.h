/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* GET /metrics and /healthz, by libmicrohttpd: in the exporter, for requests are others' words. */
#ifndef PYTRAIL_METRICS_SERVER_H
#define PYTRAIL_METRICS_SERVER_H

#include "figures.h"

struct metrics_server;

/* fd: a listening socket, taken over. 0 or -errno with a sentence in `why`. */
int metrics_server__start(int fd, struct metrics_server **out, struct buf *why);
void metrics_server__stop(struct metrics_server *s);

/* From any thread: copied. */
void metrics_server__set_tracer(struct metrics_server *s, const struct tracer_figures *t);
void metrics_server__set_outputs(struct metrics_server *s, const struct exporter_figures *e);

#endif
