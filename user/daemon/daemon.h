/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The service: traces as a configuration says, until SIGTERM or SIGINT; SIGHUP reads it again. */
#ifndef PYTRAIL_DAEMON_H
#define PYTRAIL_DAEMON_H

struct config;

/* path: to read again. Takes the configuration, its secrets loaded, over. Returns an exit code. */
int daemon__run(const char *path, struct config *cfg);

/* Whether the drivers want what the configuration says of them; as the exporter's user. 0 or
 * -errno, said. */
int daemon__check_drivers(const struct config *cfg);

#endif
