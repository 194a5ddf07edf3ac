/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Values of OTLP, opentelemetry/proto/common/v1/common.proto, in both of its encodings. */
#ifndef PYTRAIL_HTTP_OTLP_VALUE_H
#define PYTRAIL_HTTP_OTLP_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "../spool/item.h"
#include "../util/buf.h"

struct otlp_encoder {
	bool json;
	struct buf *out;
	struct buf text; /* of one string, as UTF-8 */
};

/* The fields of an AnyValue that is a string, which is made UTF-8. In JSON with the braces around
 * it. */
void otlp__string(struct otlp_encoder *e, struct item_text s);

/* A KeyValue as an element of the repeated `field`; in JSON with a comma before it unless
 * *first. */
void otlp__attribute(struct otlp_encoder *e, unsigned field, const char *key,
                     struct item_text value, bool *first);

/*
 * A JSON text as the AnyValue that it is: objects are lists of keys and values, integers beyond 64
 * bits their digits as a string. False: it is no JSON, or too deep; *out is as before.
 */
bool otlp__structure(struct otlp_encoder *e, struct item_text json);

#endif
