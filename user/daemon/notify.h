/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What systemd wants to know of a service, by its documented protocol (sd_notify(3)); nothing
 * without NOTIFY_SOCKET. */
#ifndef PYTRAIL_NOTIFY_H
#define PYTRAIL_NOTIFY_H

#include <stdint.h>

/* "READY=1", "STOPPING=1\nSTATUS=…": assignments, one a line. */
void notify(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Every so many nanoseconds "WATCHDOG=1" is expected; 0: it is not. */
uint64_t notify__watchdog_ns(void);

#endif
