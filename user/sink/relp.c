// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The RELP driver: syslog messages, each of which the receiver acknowledges. What it has
 * acknowledged is delivered, and nothing else.
 *
 * The protocol is spoken here and not by librelp: that library (1.11) keeps the acknowledgements to
 * itself. Its relpCltSendSyslog() returns when a message has been written, it has no callback and
 * no count of what is not acknowledged, and what a broken session has left it sends again from its
 * own memory or forgets. (It also reads the TLS key from a file only, and is GPL-3.)
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../net/endpoint.h"
#include "../net/stream.h"
#include "../net/tls.h"
#include "../util/buf.h"
#include "delivery.h"
#include "drivers.h"
#include "relp_frame.h"
#include "syslog_message.h"

/* Messages under way at most: their acknowledgements fit into a socket's buffer even if nobody
 * reads them. */
#define WINDOW       512
#define CHUNK        (256 * 1024) /* bytes collected before they are written */
#define OFFER        "relp_version=0\nrelp_software=pytrail\ncommands=syslog"
#define SERVER_CLOSE "serverclose"

static const struct setting relp_settings[] = {SYSLOG_MESSAGE_SETTINGS, {0}};
static const char *const relp_schemes[] = {"relp", "relp+tls", NULL};

struct relp {
	struct driver base;
	struct syslog_style style;
	struct endpoint to;
	struct waiter waiter;
	struct tls_client *tls;
	struct stream stream;
	double timeout;
	size_t max_message;
	uint32_t txnr;  /* of the last frame sent */
	uint32_t first; /* of the first message of the batch; those of a batch follow each other */
	struct buf in, out, message, why;
};

static int bad_answer(struct relp *r)
{
	buf__lit(&r->why, "the receiver does not speak RELP");
	return -EBADMSG;
}

/* The next frame of the server, which stays until frame_done(). wait: false: -EAGAIN when there is
 * none. */
static int next_frame(struct relp *r, bool wait, struct relp_frame *f, size_t *size)
{
	for (;;) {
		long n = relp_frame__parse(r->in.data, r->in.len, f);

		if (n < 0)
			return bad_answer(r);
		if (n > 0) {
			*size = (size_t)n;
			break;
		}
		if (!buf__reserve(&r->in, 4096))
			return -ENOMEM;
		n = stream__read(&r->stream, r->in.data + r->in.len, 4096, wait, &r->why);
		if (n < 0)
			return (int)n;
		r->in.len += (size_t)n;
	}
	if (!f->txnr && !strcmp(f->command, SERVER_CLOSE)) {
		buf__lit(&r->why, "the receiver closes the session");
		return -EPIPE;
	}
	return strcmp(f->command, "rsp") ? bad_answer(r) : 0;
}

static void frame_done(struct relp *r, size_t size)
{
	r->in.len -= size;
	memmove(r->in.data, r->in.data + size, r->in.len);
}

static void next_txnr(struct relp *r)
{
	r->txnr = r->txnr == RELP_TXNR_MAX ? 1 : r->txnr + 1;
}

static int say_hello(struct relp *r)
{
	struct relp_frame f;
	const char *text;
	size_t size, len;
	int err, status;

	r->txnr = 1;
	buf__reset(&r->in);
	buf__reset(&r->out);
	relp_frame__put(&r->out, r->txnr, "open", OFFER, sizeof(OFFER) - 1);
	err = stream__write(&r->stream, r->out.data, r->out.len, &r->why);
	if (!err)
		err = next_frame(r, true, &f, &size);
	if (err)
		return err;
	status = relp_frame__status(&f, &text, &len);
	if (status < 0 || f.txnr != 1)
		return bad_answer(r);
	if (status != 200) {
		buf__printf(&r->why, "the receiver refuses the session: %d %.*s", status, (int)len,
		            text);
		return -ECONNREFUSED;
	}
	if (!relp_frame__offers(&f, "commands", "syslog")) {
		buf__lit(&r->why, "the receiver takes no syslog messages");
		return -ECONNREFUSED;
	}
	frame_done(r, size);
	return 0;
}

static void hang_up(struct relp *r)
{
	stream__close(&r->stream);
}

static int ensure_session(struct relp *r)
{
	struct relp_frame f;
	size_t size;
	int err;

	if (r->stream.fd >= 0) {
		/* nothing is under way: all there can be is a hint that it closes, or the end */
		err = next_frame(r, false, &f, &size);
		buf__reset(&r->why);
		if (err == -EAGAIN)
			return 0;
		hang_up(r);
	}
	err = stream__connect(&r->stream, r->to.host, r->to.port, r->tls, &r->waiter, r->timeout,
	                      &r->why);
	return err ? err : say_hello(r);
}

/* One batch under way. index[k] is the item of its k-th message; acknowledgements may come in any
 * order. */
struct window {
	const uint32_t *index;
	size_t cnt, sent, done;
};

/* Takes one answer. */
static int take_answer(struct relp *r, struct window *w, const struct relp_frame *f,
                       struct delivery *out)
{
	const char *text;
	size_t len, k;
	int status = relp_frame__status(f, &text, &len);

	/* transaction numbers start again behind their maximum */
	k = f->txnr >= r->first ? f->txnr - r->first : f->txnr + (size_t)(RELP_TXNR_MAX - r->first);
	if (status < 0 || !f->txnr || k >= w->sent)
		return bad_answer(r);
	w->done++;
	if (status == 200) {
		out->items[w->index[k]] = DELIVERY_OK;
		return 0;
	}
	/* the receiver has not taken it now; what it says is not worth a dead letter */
	out->code = status;
	if (!r->why.len)
		buf__printf(&r->why, "the receiver did not take a message: %d %.*s", status,
		            (int)(len < 128 ? len : 128), text);
	return 0;
}

static int read_answers(struct relp *r, struct window *w, bool wait, struct delivery *out)
{
	struct relp_frame f;
	size_t size;
	int err;

	while (w->done < w->sent) {
		err = next_frame(r, wait, &f, &size);
		if (err)
			return err == -EAGAIN ? 0 : err;
		err = take_answer(r, w, &f, out);
		if (err)
			return err;
		frame_done(r, size);
		wait = false; /* one more message may be sent */
	}
	return 0;
}

/* As many messages as the window and a chunk have room for. */
static int send_some(struct relp *r, struct window *w, const struct item *items, struct delivery *out)
{
	int err;

	buf__reset(&r->out);
	while (w->sent < w->cnt && w->sent - w->done < WINDOW && r->out.len < CHUNK) {
		buf__reset(&r->message);
		syslog_message__build(&r->style, &items[w->index[w->sent]], false, &r->message);
		next_txnr(r);
		if (!w->sent)
			r->first = r->txnr;
		relp_frame__put(&r->out, r->txnr, "syslog", r->message.data, r->message.len);
		w->sent++;
	}
	if (r->message.failed || r->out.failed)
		return -ENOMEM;
	err = stream__write(&r->stream, r->out.data, r->out.len, &r->why);
	if (!err)
		out->bytes_sent += r->out.len;
	return err;
}

/* Leaves out what is above the limit; the number of messages that are to be sent. */
static size_t choose(struct relp *r, const struct item *items, size_t cnt, uint32_t *index,
                     struct delivery *out)
{
	size_t n = 0;

	for (size_t i = 0; i < cnt; i++) {
		buf__reset(&r->message);
		if (r->max_message)
			syslog_message__build(&r->style, &items[i], false, &r->message);
		if (r->message.len <= r->max_message) {
			index[n++] = (uint32_t)i;
			continue;
		}
		out->items[i] = DELIVERY_REJECTED;
		buf__reset(&r->why);
		buf__printf(&r->why, "a message of %zu bytes is above the limit of %zu",
		            r->message.len, r->max_message);
	}
	return n;
}

static int send_batch(struct relp *r, const struct item *items, struct window *w, struct delivery *out)
{
	struct buf limit = r->why; /* what choose() has to say; the rest starts anew */
	int err;

	r->why = BUF_INIT;
	err = w->cnt ? ensure_session(r) : 0;
	while (!err && w->done < w->cnt) {
		bool full = w->sent == w->cnt || w->sent - w->done >= WINDOW;

		if (!full)
			err = send_some(r, w, items, out);
		if (!err)
			err = read_answers(r, w, full, out);
	}
	if (!r->why.len)
		buf__append(&r->why, limit.data, limit.len);
	buf__free(&limit);
	return err;
}

static void relp_send(struct driver *d, const struct item *items, size_t cnt, struct delivery *out)
{
	struct relp *r = (struct relp *)d;
	uint32_t *index = reallocarray(NULL, cnt, sizeof(*index));
	struct window w = {.index = index};
	int err = index ? 0 : -ENOMEM;

	delivery__per_item(out, cnt, DELIVERY_RETRY);
	buf__reset(&r->why);
	if (!err) {
		w.cnt = choose(r, items, cnt, index, out);
		err = send_batch(r, items, &w, out);
	}
	if (err) {
		hang_up(r);
		delivery__replace(out, cnt, DELIVERY_RETRY, delivery__of_error(err));
	}
	delivery__set_reason(out, &r->why);
	free(index);
}

static void relp_interrupt(struct driver *d)
{
	waiter__interrupt(&((struct relp *)d)->waiter);
}

static void relp_close(struct driver *d)
{
	struct relp *r = (struct relp *)d;

	if (r->stream.fd >= 0) {
		/* in good order, without waiting: nothing is under way */
		r->stream.timeout = 0.1;
		buf__reset(&r->out);
		next_txnr(r);
		relp_frame__put(&r->out, r->txnr, "close", NULL, 0);
		stream__write(&r->stream, r->out.data, r->out.len, &r->why);
	}
	hang_up(r);
	tls_client__free(r->tls);
	waiter__close(&r->waiter);
	buf__free(&r->in);
	buf__free(&r->out);
	buf__free(&r->message);
	buf__free(&r->why);
	free(r);
}

static int configure(struct relp *r, const struct driver_config *cfg, struct buf *why)
{
	int err = endpoint__parse(cfg->url, "2514", &r->to, why);

	if (err)
		return err;
	if (r->to.path[0] && strcmp(r->to.path, "/")) {
		buf__printf(why, "'%s' has a path: RELP has none", cfg->url);
		return -EINVAL;
	}
	r->timeout = settings__seconds(cfg->settings, "timeout");
	if (settings__given(cfg->settings, "max_message"))
		r->max_message = settings__number(cfg->settings, "max_message");
	syslog_style__init(&r->style, cfg, false);
	return endpoint__is(cfg->url, "relp+tls") ? tls_client__new(cfg->settings, &r->tls, why) : 0;
}

static int relp_open(const struct driver_config *cfg, struct driver **out, struct buf *why)
{
	struct relp *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->base.ops = &relp_driver;
	r->stream = STREAM_CLOSED;
	err = waiter__init(&r->waiter);
	if (!err)
		err = configure(r, cfg, why);
	if (err) {
		relp_close(&r->base);
		return err;
	}
	*out = &r->base;
	return 0;
}

const struct driver_ops relp_driver = {
	.name = "relp",
	.summary = "syslog messages that the receiver acknowledges one by one, to rsyslog's imrelp",
	.delivered =
		"The receiver has acknowledged the message by itself (200). What that promises "
		"is its own matter: rsyslog has queued it, by default in memory.",
	.schemes = relp_schemes,
	.default_format = "json",
	.settings = relp_settings,
	.batch_items = 1000,
	.batch_bytes = 1 << 20,
	.open = relp_open,
	.send = relp_send,
	.interrupt = relp_interrupt,
	.close = relp_close,
};
