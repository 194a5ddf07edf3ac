/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The exporter as the tracer has it: started, started again when it ends, stopped. Nothing of the
 * spool is lost by that: its cursors move on acknowledgement only. When the tracer ends, however,
 * the exporter does, too.
 */
#ifndef PYTRAIL_EXPORTER_H
#define PYTRAIL_EXPORTER_H

#include "export_config.h"
#include "figures.h"

struct exporter;

struct exporter_hooks {
	void (*alarm)(void *ctx, const char *output, bool held, const char *reason);
	/* it has ended by itself and was started again */
	void (*restarted)(void *ctx, const char *how);
	void *ctx;
};

/*
 * User and group of a name or number, NULL: pytrail, or nobody. Without root: ourselves. 0, -ENOENT
 * (there is no such user).
 */
int exporter__user(const char *name, uid_t *uid, gid_t *gid);

/*
 * Starts it and waits until its drivers are open. listen_fd: of the metrics, or -1; not taken over.
 * 0, -EINVAL: the drivers do not want what they are told (a sentence a line in `why`), or -errno,
 * the same.
 */
int exporter__start(const struct export_config *cfg, int listen_fd,
                    const struct exporter_hooks *hooks, struct exporter **out, struct buf *why);

/* Another configuration from now on: 0, or the old one is left at work. listen_fd as above. */
int exporter__replace(struct exporter *x, const struct export_config *cfg, int listen_fd,
                      struct buf *why);

/* Only whether the drivers want it. */
int exporter__check(const struct export_config *cfg, struct buf *why);

/* Readable when the exporter has something to say. The same descriptor for ever. */
int exporter__fd(const struct exporter *x);
void exporter__handle(struct exporter *x);
/* Starts it again when that is due. Returns in how many milliseconds to be called, -1: never. now:
 * CLOCK_MONOTONIC. */
int exporter__due(struct exporter *x, uint64_t now);

void exporter__tell(struct exporter *x, const struct tracer_figures *t);
/* As it said last; cnt 0: nothing yet. */
const struct exporter_figures *exporter__figures(const struct exporter *x);
bool exporter__is_up(const struct exporter *x);
uint64_t exporter__restarts(const struct exporter *x);

/*
 * What is pending is delivered for up to `drain` seconds; then it is ended. One that dies meanwhile
 * is started again. Returns whether the figures are the last ones: else it was ended before it
 * could tell.
 */
bool exporter__stop(struct exporter *x, double drain);
void exporter__free(struct exporter *x);

#endif
