/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the exporter must know, secrets included, on its way from the tracer: through a sealed
 * memory file, for command lines and environments can be read by others.
 */
#ifndef PYTRAIL_EXPORT_CONFIG_H
#define PYTRAIL_EXPORT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../config/config.h"

struct export_config {
	const char *dir;   /* of the spool */
	bool dead_letters; /* are kept, in files beside the cursors */
	bool check;        /* only open the drivers */
	const char *boot_id;
	int64_t realtime_offset_ns;
	uid_t uid; /* to run as */
	gid_t gid;
	pid_t parent;
	const struct config_output *outputs; /* those with a driver count; secrets loaded */
	size_t outputs_cnt;
};

/* "json", "json+raw": of the items that an output takes; size: ITEM_STREAM_MAX + 1. */
void export_config__stream(const struct config_output *o, char *out, size_t size);

/* A descriptor to be handed to the exporter, or -errno. */
int export_config__write(const struct export_config *cfg);
/* Reads it there; *out and *outputs are to be kept. 0, -EBADMSG, -errno; what is wrong is in
 * `why`. */
int export_config__read(int fd, struct export_config *out, struct buf *why);

#endif
