/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Interpreters that are installed on the host: attached before anything runs them, so that even
 * their first process is seen from its first event.
 */
#ifndef PYTRAIL_INSTALLED_H
#define PYTRAIL_INSTALLED_H

#include <stdbool.h>
#include <stddef.h>

#define INSTALLED_MAX 256

/*
 * Calls fn with the real path of each ELF file that the globs match, each file once, INSTALLED_MAX
 * of them at most: the rest is warned of. spec: NULL for python3* in PATH and, with everywhere, the
 * usual places; globs separated by colons instead of these; "+" and globs: these too; "none": none
 * at all. Returns how many.
 */
size_t installed__each(const char *spec, bool everywhere, void (*fn)(void *ctx, const char *path),
                       void *ctx);

/* Whether a spec is one: "", "+" and relative globs are not. */
bool installed__is_spec(const char *spec);

#endif
