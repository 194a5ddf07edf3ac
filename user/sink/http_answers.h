/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What receivers answer, read without a network: for the drivers, their unit tests and the fuzzer. */
#ifndef PYTRAIL_HTTP_ANSWERS_H
#define PYTRAIL_HTTP_ANSWERS_H

#include "http.h"

/*
 * Of _bulk, status 2xx: one verdict an item. An item that out->items has as DELIVERY_REJECTED was not sent. An
 * answer that does not have exactly the items that were sent is believed in nothing.
 */
void http_elasticsearch__answer(const char *body, size_t len, const struct item *items, size_t cnt,
                                struct delivery *out);
/* Of _bulk, any other status: *out as http__deliver() left it. */
void http_elasticsearch__refusal(const char *body, size_t len, struct delivery *out);

#endif
