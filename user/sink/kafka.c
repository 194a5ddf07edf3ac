// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The Kafka driver, by librdkafka: an idempotent producer that waits for all replicas. The key of a
 * message is the process's entity id, so that a process's events stay in order in one partition. A
 * message is delivered when its delivery report says so.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../util/clock.h"
#include "delivery.h"
#include "drivers.h"
#include "kafka_impl.h"

#define POLL_MS 50 /* how soon an interrupt is seen */
/* Beyond message.timeout.ms, for reports that do not come: a bug of the library would hold the
 * output for ever. */
#define GRACE_SECONDS 10

static const char *const kafka_schemes[] = {"kafka", "kafka+tls", NULL};

static bool is_denial(rd_kafka_resp_err_t err)
{
	switch (err) {
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR__SSL:
	case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
	case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
		return true;
	default:
		return false;
	}
}

static enum delivery_status status_of(rd_kafka_resp_err_t err, size_t cnt)
{
	switch (err) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		return DELIVERY_OK;
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
		/* the broker says it of the batch it came in */
		return cnt > 1 ? DELIVERY_TOO_LARGE : DELIVERY_REJECTED;
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
		return DELIVERY_REJECTED;
	default:
		return is_denial(err) ? DELIVERY_DENIED : DELIVERY_RETRY;
	}
}

/* The first reason is the cause, as a rule. */
static void note(struct kafka *k, rd_kafka_resp_err_t err, const char *text)
{
	if (k->reason[0])
		return;
	strncpy(k->reason, text ? text : kafka_lib.rd_kafka_err2str(err), sizeof(k->reason) - 1);
}

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct kafka *k = opaque;
	size_t i = (size_t)(uintptr_t)m->_private;

	if (!k->out || i >= k->cnt)
		return;
	k->out->items[i] = (uint8_t)status_of(m->err, k->cnt);
	k->waiting--;
	if (!m->err)
		k->out->bytes_sent += m->len;
	else
		k->out->code = m->err;
	/* "purged" is what we did ourselves */
	if (m->err && m->err != RD_KAFKA_RESP_ERR__PURGE_QUEUE &&
	    m->err != RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
		note(k, m->err, NULL);
}

static void on_error(rd_kafka_t *rk, int err, const char *text, void *opaque)
{
	struct kafka *k = opaque;

	if (is_denial((rd_kafka_resp_err_t)err) && !k->denied) {
		k->denied = true;
		k->reason[0] = '\0';
	}
	note(k, (rd_kafka_resp_err_t)err, text);
}

static void drop_producer(struct kafka *k)
{
	/* without a flush: what matters has been waited for */
	if (k->producer)
		kafka_lib.rd_kafka_destroy(k->producer);
	k->producer = NULL;
}

static bool ensure_producer(struct kafka *k)
{
	rd_kafka_conf_t *conf;

	if (k->producer)
		return true;
	conf = kafka_lib.rd_kafka_conf_dup(k->conf);
	k->producer = kafka_lib.rd_kafka_new(RD_KAFKA_PRODUCER, conf, k->reason, sizeof(k->reason));
	if (!k->producer)
		kafka_lib.rd_kafka_conf_destroy(conf);
	return k->producer;
}

static rd_kafka_resp_err_t produce(struct kafka *k, const struct item *it, size_t i)
{
	/* clang-format off */
	return kafka_lib.rd_kafka_producev(
		k->producer,
		RD_KAFKA_V_TOPIC(k->topic),
		RD_KAFKA_V_KEY(it->entity.len ? it->entity.s : NULL, it->entity.len),
		RD_KAFKA_V_VALUE((void *)(uintptr_t)it->body.s, it->body.len),
		RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
		RD_KAFKA_V_TIMESTAMP(it->time_ns / 1000000),
		RD_KAFKA_V_HEADER("content-type", k->content_type, -1),
		RD_KAFKA_V_HEADER("schema", k->schema, -1),
		RD_KAFKA_V_HEADER("event-id", it->id.s, (ssize_t)it->id.len),
		RD_KAFKA_V_OPAQUE((void *)i),
		RD_KAFKA_V_END);
	/* clang-format on */
}

/* False: no more of them, for now. */
static bool enqueue(struct kafka *k, const struct item *items, size_t i)
{
	rd_kafka_resp_err_t err;

	while ((err = produce(k, &items[i], i)) == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
		kafka_lib.rd_kafka_poll(k->producer, POLL_MS);
		if (k->denied || waiter__interrupted(&k->waiter))
			return false;
	}
	if (!err) {
		k->waiting++;
		return true;
	}
	note(k, err, NULL);
	/* above message.max.bytes by itself: no smaller batch will help */
	k->out->items[i] = err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
	                           ? DELIVERY_REJECTED
	                           : (uint8_t)status_of(err, k->cnt);
	return err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
}

/* Until every message has its report. When there is no use in waiting, what is left is given up. */
static void await_reports(struct kafka *k)
{
	uint64_t deadline = waiter__deadline(k->timeout + GRACE_SECONDS);
	bool purged = false;

	while (k->waiting && clock__monotonic() < deadline) {
		kafka_lib.rd_kafka_poll(k->producer, POLL_MS);
		if (purged || !(k->denied || waiter__interrupted(&k->waiter)))
			continue;
		kafka_lib.rd_kafka_purge(k->producer,
		                         RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
		purged = true;
		deadline = waiter__deadline(GRACE_SECONDS);
	}
	if (k->waiting || purged)
		drop_producer(k); /* its messages must never be taken for later ones */
}

static void kafka_send(struct driver *d, const struct item *items, size_t cnt, struct delivery *out)
{
	struct kafka *k = (struct kafka *)d;
	char fatal[sizeof(k->reason)];

	delivery__per_item(out, cnt, DELIVERY_RETRY);
	/* what happened while nothing was sent is not this batch's */
	if (k->producer)
		kafka_lib.rd_kafka_poll(k->producer, 0);
	k->out = out;
	k->cnt = cnt;
	k->waiting = 0;
	k->denied = false;
	memset(k->reason, 0, sizeof(k->reason));
	if (!waiter__interrupted(&k->waiter) && ensure_producer(k)) {
		for (size_t i = 0; i < cnt && enqueue(k, items, i); i++)
			;
		await_reports(k);
	}
	/* an idempotent producer that lost its sequence is of no more use */
	if (k->producer && kafka_lib.rd_kafka_fatal_error(k->producer, fatal, sizeof(fatal))) {
		memcpy(k->reason, fatal, sizeof(fatal));
		drop_producer(k);
	}
	if (k->denied)
		delivery__replace(out, cnt, DELIVERY_RETRY, DELIVERY_DENIED);
	if (memchr(out->items, DELIVERY_RETRY, cnt) || memchr(out->items, DELIVERY_DENIED, cnt) ||
	    memchr(out->items, DELIVERY_REJECTED, cnt) || memchr(out->items, DELIVERY_TOO_LARGE, cnt))
		memcpy(out->reason, k->reason, sizeof(k->reason));
	k->out = NULL;
}

static void kafka_interrupt(struct driver *d)
{
	waiter__interrupt(&((struct kafka *)d)->waiter);
}

static void kafka_close(struct driver *d)
{
	struct kafka *k = (struct kafka *)d;

	drop_producer(k);
	if (k->conf)
		kafka_lib.rd_kafka_conf_destroy(k->conf);
	waiter__close(&k->waiter);
	free(k->topic);
	free(k->schema);
	free(k);
}

static int kafka_open(const struct driver_config *cfg, struct driver **out, struct buf *why)
{
	struct kafka *k = calloc(1, sizeof(*k));
	int err;

	if (!k)
		return -ENOMEM;
	k->base.ops = &kafka_driver;
	err = waiter__init(&k->waiter);
	if (!err)
		err = kafka__configure(k, cfg, why);
	if (!err) {
		kafka_lib.rd_kafka_conf_set_opaque(k->conf, k);
		kafka_lib.rd_kafka_conf_set_dr_msg_cb(k->conf, on_report);
		kafka_lib.rd_kafka_conf_set_error_cb(k->conf, on_error);
		/* what contradicts itself is said here, not when the first event comes; nothing is
		 * connected */
		if (!ensure_producer(k)) {
			buf__printf(why, "librdkafka cannot be used so: %s", k->reason);
			err = -EINVAL;
		}
		drop_producer(k);
	}
	if (err) {
		kafka_close(&k->base);
		return err;
	}
	*out = &k->base;
	return 0;
}

const struct driver_ops kafka_driver = {
	.name = "kafka",
	.summary = "a topic, keyed by process, by librdkafka",
	.delivered =
		"All in-sync replicas have the message (acks=all, idempotent), by its delivery "
		"report.",
	.schemes = kafka_schemes,
	.default_format = "ecs",
	.settings = kafka_settings,
	.batch_items = 10000,
	.batch_bytes = 8 << 20,
	.open = kafka_open,
	.send = kafka_send,
	.interrupt = kafka_interrupt,
	.close = kafka_close,
};
