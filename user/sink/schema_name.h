/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How messages that carry headers say what their body is. */
#ifndef PYTRAIL_SCHEMA_NAME_H
#define PYTRAIL_SCHEMA_NAME_H

struct buf;

/* "ecs/9.4.0", "ocsf/1.8.0", "pytrail-json/VERSION": of a format by its name, "+raw" behind it or
 * not. */
void schema_name__put(struct buf *out, const char *format, const char *version);

/* "application/json" or "text/plain; charset=utf-8". */
const char *schema_name__content_type(const char *format);

#endif
