/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Names of containers, from the files that their runtimes keep: no daemon is asked, which may be
 * slow, or not run. A file counts only when its owner alone can write it: root, or, for the
 * containers of a user without privileges (Podman, Docker), that user, in whose slice of systemd
 * they are. Nobody can give a name to another's container.
 */
#ifndef PYTRAIL_CONTAINERS_H
#define PYTRAIL_CONTAINERS_H

#include <stddef.h>

#include "container_json.h"

struct containers;

/*
 * root: where the host's files are, "": here; NULL: PYTRAIL_HOST_ROOT of the environment says it,
 * if anything does. Returns NULL without memory.
 */
struct containers *containers__new(const char *root);
void containers__free(struct containers *c);

/*
 * The facts of a container: id as cgroup__parse() gives it, with the path of its control group.
 * NULL: not known. Valid until the next call. What is found is kept until its file changes; what is
 * not found is looked for again, but not more often than each second.
 */
const struct container_facts *containers__get(struct containers *c, const char *id,
                                              const char *cgroup, size_t cgroup_len);

#endif
