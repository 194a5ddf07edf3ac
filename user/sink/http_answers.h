/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What receivers answer, read without a network: for the drivers, their unit tests and the
 * fuzzer. */
#ifndef PYTRAIL_HTTP_ANSWERS_H
#define PYTRAIL_HTTP_ANSWERS_H

#include "http.h"

/*
 * Of _bulk, status 2xx: one verdict an item. An item that out->items has as DELIVERY_REJECTED was
 * not sent. An answer that does not have exactly the items that were sent is believed in nothing.
 */
void http_elasticsearch__answer(const char *body, size_t len, const struct item *items, size_t cnt,
                                struct delivery *out);
/* Of _bulk, any other status: *out as http__deliver() left it. */
void http_elasticsearch__refusal(const char *body, size_t len, struct delivery *out);

/*
 * Of HEC, any status: *out as http__deliver() left it, corrected by HEC's own code. True: accepted;
 * *ack is the number to ask for, -1 when there is none.
 */
bool http_splunk__answer(const char *body, size_t len, struct delivery *out, int64_t *ack);
/* Of /services/collector/ack, status 2xx: whether that batch is indexed. */
bool http_splunk__is_acked(const char *body, size_t len, int64_t ack);

/* Of OTLP, status 2xx to a request with cnt records. */
void http_otlp__answer(const char *body, size_t len, bool json, size_t cnt, struct delivery *out);
/* Of OTLP, any other status: *out as http__deliver() left it. */
void http_otlp__refusal(const char *body, size_t len, bool json, struct delivery *out);

/* Of Loki, any status but 2xx: *out as http__deliver() left it. */
void http_loki__refusal(const char *body, size_t len, struct delivery *out);

#endif
