// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The NATS driver, by libnats: messages that a JetStream stream acknowledges, each with the item's
 * id as Nats-Msg-Id, by which the stream knows those that come again within its duplicate window. A
 * message is delivered when the stream's acknowledgement says so.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../util/clock.h"
#include "delivery.h"
#include "drivers.h"
#include "nats_impl.h"

/* libnats' connect cannot be interrupted. */
#define CONNECT_SECONDS 5.0
/* JetStream's error codes that say that a message will never be taken. */
#define MESSAGE_TOO_LARGE 10054 /* JSStreamMessageExceedsMaximumErr */

static const char *const nats_schemes[] = {"nats", "nats+tls", NULL};

static bool is_denial(natsStatus s)
{
	return s == NATS_CONNECTION_AUTH_FAILED || s == NATS_NOT_PERMITTED || s == NATS_SSL_ERROR ||
	       s == NATS_SECURE_CONNECTION_WANTED || s == NATS_SECURE_CONNECTION_REQUIRED;
}

/* Under the lock. The first reason is the cause, as a rule. */
static void note(struct nats_batch *b, natsStatus s, const char *text)
{
	if (!b->reason[0])
		strncpy(b->reason, text && *text ? text : nats_lib.natsStatus_GetText(s),
		        sizeof(b->reason) - 1);
	if (is_denial(s))
		b->denied = true;
}

/* The item of a message under way; answers come in order, as a rule. cnt: it is none of this
 * batch. */
static size_t find(struct nats_batch *b, const natsMsg *msg)
{
	for (size_t n = 0, i = b->next; n < b->cnt; n++, i = i + 1 < b->cnt ? i + 1 : 0)
		if (b->messages[i] == msg) {
			b->next = i + 1 < b->cnt ? i + 1 : 0;
			return i;
		}
	return b->cnt;
}

static enum delivery_status status_of(const jsPubAckErr *e)
{
	if (e->ErrCode == MESSAGE_TOO_LARGE || e->Err == NATS_MAX_PAYLOAD)
		return DELIVERY_REJECTED;
	return is_denial(e->Err) ? DELIVERY_DENIED : DELIVERY_RETRY;
}

/* In a thread of the library's. */
static void on_answer(jsCtx *js, natsMsg *msg, jsPubAck *ack, jsPubAckErr *error, void *closure)
{
	struct nats_batch *b = closure;
	size_t i;

	pthread_mutex_lock(&b->lock);
	i = find(b, msg);
	if (i < b->cnt) {
		b->messages[i] = NULL;
		b->items[i] = (uint8_t)(ack ? DELIVERY_OK : status_of(error));
		b->waiting--;
		if (!ack) {
			b->code = (int)error->ErrCode;
			note(b, error->Err,
			     error->Err == NATS_NO_RESPONDERS ? "no stream takes the subject"
			                                      : error->ErrText);
		}
		pthread_cond_signal(&b->changed);
	}
	pthread_mutex_unlock(&b->lock);
	nats_lib.natsMsg_Destroy(msg);
}

/* What the server says beside answers: that a subject is not permitted, above all. */
static void on_error(natsConnection *nc, natsSubscription *sub, natsStatus s, void *closure)
{
	struct nats_batch *b = closure;
	const char *text = NULL;

	nats_lib.natsConnection_GetLastError(nc, &text);
	pthread_mutex_lock(&b->lock);
	note(b, s, text);
	pthread_cond_signal(&b->changed);
	pthread_mutex_unlock(&b->lock);
}

static void on_closed(natsConnection *nc, void *closure)
{
	struct nats_batch *b = closure;

	pthread_mutex_lock(&b->lock);
	if (b->connection == nc)
		b->closed = true;
	pthread_cond_signal(&b->changed);
	pthread_mutex_unlock(&b->lock);
}

static void disconnect(struct nats *n)
{
	struct nats_batch *b = n->batch;
	natsConnection *nc = b->connection;

	pthread_mutex_lock(&b->lock);
	b->connection = NULL;
	b->closed = false;
	pthread_mutex_unlock(&b->lock);
	if (n->js)
		nats_lib.jsCtx_Destroy(n->js);
	n->js = NULL;
	if (nc)
		nats_lib.natsConnection_Destroy(nc);
}

static natsStatus ensure_connected(struct nats *n)
{
	struct nats_batch *b = n->batch;
	natsConnection *nc = NULL;
	jsOptions options;
	natsStatus s;
	bool closed;

	pthread_mutex_lock(&b->lock);
	closed = b->closed;
	pthread_mutex_unlock(&b->lock);
	if (b->connection && (closed || nats_lib.natsConnection_IsClosed(b->connection)))
		disconnect(n);
	if (b->connection)
		return NATS_OK;
	s = nats_lib.natsConnection_Connect(&nc, n->options);
	if (s != NATS_OK)
		return s;
	pthread_mutex_lock(&b->lock);
	b->connection = nc;
	pthread_mutex_unlock(&b->lock);
	nats_lib.jsOptions_Init(&options);
	options.PublishAsync.AckHandler = on_answer;
	options.PublishAsync.AckHandlerClosure = b;
	options.PublishAsync.MaxPending = 1 << 20; /* batch_items bounds them */
	return nats_lib.natsConnection_JetStream(&n->js, nc, &options);
}

static natsMsg *message(struct nats *n, const struct item *it, char id[ITEM_ID_MAX + 1])
{
	natsMsg *msg;

	if (it->body.len > INT32_MAX || nats_lib.natsMsg_Create(&msg, n->subject, NULL, it->body.s,
	                                                        (int)it->body.len) != NATS_OK)
		return NULL;
	/* headers must not be broken by what a disk says */
	memcpy(id, it->id.s, it->id.len);
	id[it->id.len] = '\0';
	for (char *p = id; *p; p++)
		if (*p <= ' ' || *p == 0x7f)
			*p = '_';
	if (nats_lib.natsMsgHeader_Set(msg, "Content-Type", n->content_type) == NATS_OK &&
	    nats_lib.natsMsgHeader_Set(msg, "Schema", n->schema) == NATS_OK)
		return msg;
	nats_lib.natsMsg_Destroy(msg);
	return NULL;
}

/* False: no more of them. */
static bool publish(struct nats *n, const struct item *items, size_t i)
{
	struct nats_batch *b = n->batch;
	char id[ITEM_ID_MAX + 1];
	natsMsg *msg = message(n, &items[i], id);
	jsPubOptions options;
	natsStatus s;

	if (!msg)
		return false;
	nats_lib.jsPubOptions_Init(&options);
	options.MsgId = id[0] ? id : NULL;
	pthread_mutex_lock(&b->lock);
	b->messages[i] = msg;
	b->waiting++;
	pthread_mutex_unlock(&b->lock);
	s = nats_lib.js_PublishMsgAsync(n->js, &msg, &options);
	if (s == NATS_OK)
		return true;
	pthread_mutex_lock(&b->lock);
	b->messages[i] = NULL;
	b->waiting--;
	b->items[i] = s == NATS_MAX_PAYLOAD ? DELIVERY_REJECTED : DELIVERY_RETRY;
	note(b, s, s == NATS_MAX_PAYLOAD ? "larger than the server takes (max_payload)" : NULL);
	pthread_mutex_unlock(&b->lock);
	nats_lib.natsMsg_Destroy(msg);
	return s == NATS_MAX_PAYLOAD;
}

/* Until all are answered, none has been for the time-out, or there is no use in waiting. */
static natsStatus await_answers(struct nats *n)
{
	struct nats_batch *b = n->batch;
	uint64_t deadline = waiter__deadline(n->timeout);
	natsStatus s = NATS_OK;
	size_t before = b->cnt;

	pthread_mutex_lock(&b->lock);
	while (b->waiting && s == NATS_OK) {
		struct timespec until;

		if (b->waiting != before)
			deadline = waiter__deadline(n->timeout);
		before = b->waiting;
		if (b->denied || waiter__interrupted(&n->waiter))
			break;
		if (b->closed)
			s = NATS_CONNECTION_CLOSED;
		else if (clock__monotonic() >= deadline)
			s = NATS_TIMEOUT;
		else {
			until.tv_sec = (time_t)(deadline / 1000000000);
			until.tv_nsec = (long)(deadline % 1000000000);
			pthread_cond_timedwait(&b->changed, &b->lock, &until);
		}
	}
	if (s != NATS_OK)
		note(b, s, NULL);
	pthread_mutex_unlock(&b->lock);
	return s;
}

static void begin(struct nats *n, struct delivery *out, natsMsg **messages, size_t cnt)
{
	struct nats_batch *b = n->batch;

	pthread_mutex_lock(&b->lock);
	b->messages = messages;
	b->items = out->items;
	b->cnt = cnt;
	b->next = b->waiting = 0;
	b->denied = false;
	b->code = 0;
	memset(b->reason, 0, sizeof(b->reason));
	pthread_mutex_unlock(&b->lock);
}

/* From here on answers that come late are nobody's. */
static void end(struct nats *n, struct delivery *out, size_t cnt)
{
	struct nats_batch *b = n->batch;
	bool given_up;

	pthread_mutex_lock(&b->lock);
	given_up = b->waiting;
	b->messages = NULL;
	b->items = NULL;
	b->cnt = 0;
	if (b->denied)
		delivery__replace(out, cnt, DELIVERY_RETRY, DELIVERY_DENIED);
	memcpy(out->reason, b->reason, sizeof(b->reason));
	out->code = b->code;
	pthread_mutex_unlock(&b->lock);
	if (given_up)
		disconnect(n);
}

static void nats_send(struct driver *d, const struct item *items, size_t cnt, struct delivery *out)
{
	struct nats *n = (struct nats *)d;
	natsMsg **messages = calloc(cnt, sizeof(natsMsg *));
	natsStatus s;
	bool go_on = messages && !waiter__interrupted(&n->waiter);

	delivery__per_item(out, cnt, DELIVERY_RETRY);
	if (go_on) {
		begin(n, out, messages, cnt);
		s = ensure_connected(n);
		if (s != NATS_OK) {
			const char *text = nats_lib.nats_GetLastError(&s);

			pthread_mutex_lock(&n->batch->lock);
			note(n->batch, s, text);
			pthread_mutex_unlock(&n->batch->lock);
			disconnect(n);
			go_on = false;
		}
		for (size_t i = 0; i < cnt && go_on; i++) {
			go_on = publish(n, items, i) && !waiter__interrupted(&n->waiter);
			out->bytes_sent += items[i].body.len;
		}
		await_answers(n);
		end(n, out, cnt);
	}
	free(messages);
}

static void nats_interrupt(struct driver *d)
{
	struct nats *n = (struct nats *)d;

	waiter__interrupt(&n->waiter);
	pthread_mutex_lock(&n->batch->lock);
	pthread_cond_signal(&n->batch->changed);
	pthread_mutex_unlock(&n->batch->lock);
}

static void nats_close(struct driver *d)
{
	struct nats *n = (struct nats *)d;

	if (n->batch)
		disconnect(n); /* the batch stays: see nats_impl.h */
	if (n->options)
		nats_lib.natsOptions_Destroy(n->options);
	waiter__close(&n->waiter);
	free(n->subject);
	free(n->schema);
	free(n);
}

static int nats_open(const struct driver_config *cfg, struct driver **out, struct buf *why)
{
	struct nats *n = calloc(1, sizeof(*n));
	int err;

	if (!n)
		return -ENOMEM;
	n->base.ops = &nats_driver;
	err = waiter__init(&n->waiter);
	if (!err)
		err = nats__configure(n, cfg, why);
	if (!err) {
		double connect = n->timeout < CONNECT_SECONDS ? n->timeout : CONNECT_SECONDS;

		n->batch = nats_batch__new();
		err = n->batch ? 0 : -ENOMEM;
		nats_lib.natsOptions_SetTimeout(n->options, (int64_t)(connect * 1000));
	}
	if (!err) {
		nats_lib.natsOptions_SetErrorHandler(n->options, on_error, n->batch);
		nats_lib.natsOptions_SetClosedCB(n->options, on_closed, n->batch);
	}
	if (err) {
		nats_close(&n->base);
		return err;
	}
	*out = &n->base;
	return 0;
}

const struct driver_ops nats_driver = {
	.name = "nats",
	.summary = "a NATS JetStream stream, which acknowledges each message and knows duplicates, "
		   "by libnats",
	.delivered = "The JetStream stream has stored the message, or has it already, by its "
		     "acknowledgement.",
	.schemes = nats_schemes,
	.default_format = "json",
	.settings = nats_settings,
	.batch_items = 1000,
	.batch_bytes = 4 << 20,
	.open = nats_open,
	.send = nats_send,
	.interrupt = nats_interrupt,
	.close = nats_close,
};
