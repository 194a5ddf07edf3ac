/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Where an output goes, as people write it: a file, or the URL of a receiver with settings in its
 * query. */
#ifndef PYTRAIL_TARGET_H
#define PYTRAIL_TARGET_H

#include "../util/settings.h"
#include "driver.h"

struct buf;

/*
 * *driver: of the URL, NULL when it is a file's path. -EINVAL with a sentence that lists the
 * schemes when it looks like a URL ("x://…") of none. A file of such a name is written "./x://…".
 */
int target__kind(const char *to, const struct driver_ops **driver, struct buf *why);

/* Sets what the query says ("?index=logs&batch_wait=200ms", percent-decoded); *url: the rest, to be
 * freed. 0, -ENOMEM, or -EINVAL with a sentence in `why`. */
int target__split(const char *to, struct settings *s, char **url, struct buf *why);

#endif
