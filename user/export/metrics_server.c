// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "metrics_server.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "../util/clock.h"
#include "../util/dynlib.h"

static struct {
	DYNLIB_FN(MHD_start_daemon);
	DYNLIB_FN(MHD_quiesce_daemon);
	DYNLIB_FN(MHD_stop_daemon);
	DYNLIB_FN(MHD_create_response_from_buffer);
	DYNLIB_FN(MHD_add_response_header);
	DYNLIB_FN(MHD_queue_response);
	DYNLIB_FN(MHD_destroy_response);
} mhd;

static const struct dynlib_symbol symbols[] = {
	DYNLIB_SYMBOL(mhd, MHD_start_daemon),
	DYNLIB_SYMBOL(mhd, MHD_quiesce_daemon),
	DYNLIB_SYMBOL(mhd, MHD_stop_daemon),
	DYNLIB_SYMBOL(mhd, MHD_create_response_from_buffer),
	DYNLIB_SYMBOL(mhd, MHD_add_response_header),
	DYNLIB_SYMBOL(mhd, MHD_queue_response),
	DYNLIB_SYMBOL(mhd, MHD_destroy_response),
	{0},
};

struct metrics_server {
	struct MHD_Daemon *daemon;
	pthread_mutex_t lock;
	struct tracer_figures tracer;
	struct exporter_figures outputs;
};

static enum MHD_Result reply(struct MHD_Connection *c, unsigned status, const char *type,
                             struct buf *body)
{
	struct MHD_Response *r;
	enum MHD_Result done;

	if (body->failed)
		status = MHD_HTTP_INTERNAL_SERVER_ERROR;
	r = mhd.MHD_create_response_from_buffer(body->len, body->data ? body->data : (char *)"",
	                                        MHD_RESPMEM_MUST_COPY);
	buf__free(body);
	if (!r)
		return MHD_NO;
	mhd.MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		mhd.MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	done = mhd.MHD_queue_response(c, status, r);
	mhd.MHD_destroy_response(r);
	return done;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **state)
{
	struct metrics_server *s = ctx;
	struct buf body = BUF_INIT;
	bool healthy;

	/* the first call has the headers only; a body is not for us */
	if (!*state) {
		*state = s;
		return MHD_YES;
	}
	if (*upload_len) {
		*upload_len = 0;
		return MHD_YES;
	}
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		buf__lit(&body, "only GET\n");
		return reply(c, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain", &body);
	}
	if (!strcmp(url, "/metrics")) {
		pthread_mutex_lock(&s->lock);
		figures__prometheus(&body, &s->tracer, &s->outputs);
		pthread_mutex_unlock(&s->lock);
		return reply(c, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &body);
	}
	if (!strcmp(url, "/healthz")) {
		pthread_mutex_lock(&s->lock);
		healthy =
			figures__healthy(&body, &s->tracer, &s->outputs, (int64_t)clock__realtime());
		pthread_mutex_unlock(&s->lock);
		if (healthy)
			buf__lit(&body, "ok\n");
		return reply(c, healthy ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
		             "text/plain; charset=utf-8", &body);
	}
	buf__lit(&body, "there are /metrics and /healthz\n");
	return reply(c, MHD_HTTP_NOT_FOUND, "text/plain", &body);
}

int metrics_server__start(int fd, struct metrics_server **out, struct buf *why)
{
	struct metrics_server *s;
	int err = dynlib__load("libmicrohttpd.so.12", "libmicrohttpd12", symbols, why);

	if (err)
		return err;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	pthread_mutex_init(&s->lock, NULL);
	s->daemon = mhd.MHD_start_daemon(
		MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC, 0, NULL, NULL,
		on_request, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, 32u,
		MHD_OPTION_CONNECTION_TIMEOUT, 10u, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)16384, MHD_OPTION_END);
	if (!s->daemon) {
		buf__printf(why, "metrics cannot be served: libmicrohttpd refused the socket");
		free(s);
		return -EIO;
	}
	*out = s;
	return 0;
}

void metrics_server__stop(struct metrics_server *s)
{
	if (!s)
		return;
	/* stopping alone would shut the socket down, which the next exporter is to have */
	mhd.MHD_quiesce_daemon(s->daemon);
	mhd.MHD_stop_daemon(s->daemon);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

void metrics_server__set_tracer(struct metrics_server *s, const struct tracer_figures *t)
{
	pthread_mutex_lock(&s->lock);
	s->tracer = *t;
	pthread_mutex_unlock(&s->lock);
}

void metrics_server__set_outputs(struct metrics_server *s, const struct exporter_figures *e)
{
	pthread_mutex_lock(&s->lock);
	s->outputs = *e;
	pthread_mutex_unlock(&s->lock);
}
