/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* JSON from and to receivers: their answers, which may be hostile, and texts of ours in a body. */
#ifndef PYTRAIL_HTTP_JSON_H
#define PYTRAIL_HTTP_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "../spool/item.h"

struct buf;

/* An answer's body. NULL when it is no JSON, or nested deeper than answers are. For
 * json_decref(). */
json_t *http_json__parse(const char *data, size_t len);

/* Members of an object, whatever `object` is: "" and -1 when there is none of that type. */
const char *http_json__string(const json_t *object, const char *name);
long long http_json__integer(const json_t *object, const char *name);

/*
 * A JSON string, quotes included: what is not UTF-8 becomes U+FFFD, and never a lone surrogate,
 * which strict receivers refuse together with the whole batch.
 */
void http_json__append_string(struct buf *out, const char *s, size_t len);
/* The same without escapes and quotes: what is left is UTF-8. */
void http_json__append_utf8(struct buf *out, const char *s, size_t len);
/* One character; a surrogate becomes U+FFFD. */
void http_json__append_code_point(struct buf *out, uint32_t c);

/* Whether items of that format are JSON objects on one line. */
bool http_json__is_format(const char *format);
/* Whether this item is: one that is not would break the framing of the others of its batch. */
bool http_json__is_object(const struct item *it);

#endif
