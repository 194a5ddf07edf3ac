/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Between kafka.c, which sends, and kafka_config.c, which makes a producer. */
#ifndef PYTRAIL_KAFKA_IMPL_H
#define PYTRAIL_KAFKA_IMPL_H

#include <librdkafka/rdkafka.h>

#include "../net/waiter.h"
#include "../util/buf.h"
#include "../util/dynlib.h"
#include "driver.h"

struct kafka_library {
	DYNLIB_FN(rd_kafka_conf_new);
	DYNLIB_FN(rd_kafka_conf_dup);
	DYNLIB_FN(rd_kafka_conf_destroy);
	DYNLIB_FN(rd_kafka_conf_set);
	DYNLIB_FN(rd_kafka_conf_set_opaque);
	DYNLIB_FN(rd_kafka_conf_set_dr_msg_cb);
	DYNLIB_FN(rd_kafka_conf_set_error_cb);
	DYNLIB_FN(rd_kafka_conf_set_log_cb);
	DYNLIB_FN(rd_kafka_new);
	DYNLIB_FN(rd_kafka_destroy);
	DYNLIB_FN(rd_kafka_producev);
	DYNLIB_FN(rd_kafka_poll);
	DYNLIB_FN(rd_kafka_purge);
	DYNLIB_FN(rd_kafka_fatal_error);
	DYNLIB_FN(rd_kafka_err2str);
};

extern struct kafka_library kafka_lib;

extern const struct setting kafka_settings[];

struct kafka {
	struct driver base;
	struct waiter waiter;
	rd_kafka_conf_t *conf; /* of each producer */
	rd_kafka_t *producer;  /* NULL: none yet, or the last one had a fatal error */
	char *topic;
	const char *content_type;
	char *schema; /* "ecs/9.4.0" */
	double timeout;
	/* of the send() that runs; the library calls back within rd_kafka_poll() only */
	struct delivery *out;
	size_t cnt, waiting;
	bool denied; /* a broker does not accept us */
	char reason[256];
};

/* Loads the library; url and settings into conf, topic and the rest. 0 or -errno with a
 * sentence. */
int kafka__configure(struct kafka *k, const struct driver_config *cfg, struct buf *why);

#endif
