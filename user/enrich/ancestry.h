/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where a process comes from: its parent, that one's parent, and so on up to init. A list is a text
 * of three NUL-terminated strings for each ancestor, nearest first: pid, comm, executable ("" when
 * not known).
 */
#ifndef PYTRAIL_ANCESTRY_H
#define PYTRAIL_ANCESTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANCESTRY_MAX   16          /* generations */
#define ANCESTRY_BYTES (12 * 1024) /* of a list: with all else it fits a record */

struct buf;

struct ancestor {
	uint32_t pid;
	const char *comm, *exe;
};

/* Appends one. False, and nothing done, when there is no room: *len of `size` bytes are used. */
bool ancestry__put(char *list, size_t size, size_t *len, const struct ancestor *a);

/* Appends a list's first `max` to another. */
void ancestry__append(char *list, size_t size, size_t *len, const char *from, size_t from_len,
                      size_t max);

/*
 * Takes the next from a list of any bytes. False at its end, or where it is not of that form.
 */
bool ancestry__next(const char **pos, const char *end, struct ancestor *out);

/* `[{"pid":1,"comm":"init","exe":"/sbin/init"}]`, of ANCESTRY_MAX at most. */
void ancestry__json(struct buf *out, const char *list, size_t len);

/*
 * Appends what /proc says of `pid` and its ancestors. before_ns (CLOCK_BOOTTIME): a parent has not
 * started after it; a pid that was used again ends the list.
 */
void ancestry__read(uint32_t pid, uint64_t before_ns, char *list, size_t size, size_t *len);

#endif
