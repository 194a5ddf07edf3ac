// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* A session: opening it by the settings, requests, waiting, interrupting. */
#include "http_impl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../util/clock.h"
#include "../util/log.h"

#define IDLE_MAX 300L /* seconds after which a kept connection is not trusted any more */

static size_t take_body(char *data, size_t size, size_t n, void *ctx)
{
	struct http *h = ctx;
	size_t room = h->body_max - h->body.len, len = size * n;

	if (len > room) {
		h->body_cut = true;
		buf__append(&h->body, data, room);
		return CURL_WRITEFUNC_ERROR;
	}
	buf__append(&h->body, data, len);
	return h->body.failed ? CURL_WRITEFUNC_ERROR : len;
}

static int check_file(const struct settings *s, const char *name, struct buf *why)
{
	const char *path = settings__string(s, name);

	if (path && access(path, R_OK)) {
		int err = -errno;

		buf__printf(why, "'%s' cannot be read from '%s': %s", name, path, strerror(-err));
		return err;
	}
	return 0;
}

static int check_tls(struct http *h, bool proxy_tls, struct buf *why)
{
	static const char *const names[] = {"tls_ca", "tls_cert", "tls_key", "tls_name",
	                                    "tls_verify"};
	const struct settings *s = h->settings;
	int err;

	for (size_t i = 0; !h->tls && i < sizeof(names) / sizeof(*names); i++)
		if (settings__given(s, names[i])) {
			buf__printf(why, "'%s' is given, but the URL is http: give an https URL",
			            names[i]);
			return -EINVAL;
		}
	if (settings__given(s, "proxy_tls_ca") && !proxy_tls) {
		buf__str(why, "'proxy_tls_ca' is given, but there is no https proxy");
		return -EINVAL;
	}
	if (settings__given(s, "tls_key") && !settings__given(s, "tls_cert")) {
		buf__str(why, "'tls_key' is given without 'tls_cert'");
		return -EINVAL;
	}
	err = check_file(s, "tls_ca", why);
	if (!err)
		err = check_file(s, "tls_cert", why);
	if (!err)
		err = check_file(s, "proxy_tls_ca", why);
	return err;
}

/* What cannot fail but for memory, or a libcurl without it. */
#define SET(option, value)                                                               \
	do {                                                                             \
		CURLcode err_ = curl.curl_easy_setopt(h->easy, CURLOPT_##option, value); \
		if (err_) {                                                              \
			buf__printf(why, "libcurl does not do %s: %s", #option,          \
			            curl.curl_easy_strerror(err_));                      \
			return err_ == CURLE_OUT_OF_MEMORY ? -ENOMEM : -ENOTSUP;         \
		}                                                                        \
	} while (0)

static int set_tls(struct http *h, struct buf *why)
{
	const char *ca = settings__string(h->settings, "tls_ca");
	const char *cert = settings__string(h->settings, "tls_cert");
	size_t len = 0;
	const char *key = settings__secret(h->settings, "tls_key", &len);

	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (!settings__bool(h->settings, "tls_verify")) {
		SET(SSL_VERIFYPEER, 0L);
		SET(SSL_VERIFYHOST, 0L);
	}
	if (ca) {
		SET(CAINFO, ca);
		SET(CAPATH, NULL);
	}
	if (cert) {
		SET(SSLCERT, cert);
		/* Otherwise OpenSSL asks on the terminal for an encrypted key's. */
		SET(KEYPASSWD, "");
	}
	if (key) {
		struct curl_blob blob = {(void *)key, len, CURL_BLOB_COPY};

		SET(SSLKEY_BLOB, &blob);
	}
	if (h->connect_to)
		SET(CONNECT_TO, h->connect_to);
	return 0;
}

static int set_proxy(struct http *h, const char *proxy, struct buf *why)
{
	const char *user = settings__string(h->settings, "proxy_user");
	const char *password = settings__secret(h->settings, "proxy_password", NULL);
	const char *ca = settings__string(h->settings, "proxy_tls_ca");

	if ((user || password) && (!proxy || !user || !password)) {
		buf__str(why, "'proxy_user' and 'proxy_password' go together, with 'proxy'");
		return -EINVAL;
	}
	/* "": none, whatever http_proxy or ALL_PROXY in the environment says; the same for
	 * no_proxy. */
	SET(PROXY, proxy ? proxy : "");
	SET(NOPROXY, "");
	if (user) {
		SET(PROXYAUTH, (long)CURLAUTH_BASIC);
		SET(PROXYUSERNAME, user);
		SET(PROXYPASSWORD, password);
	}
	if (ca) {
		SET(PROXY_CAINFO, ca);
		SET(PROXY_CAPATH, NULL);
	}
	return 0;
}

static int set_options(struct http *h, const struct driver_config *cfg, struct buf *why)
{
	double timeout = settings__seconds(cfg->settings, "timeout");
	char agent[64];

	snprintf(agent, sizeof(agent), "pytrail/%s", cfg->version);
	SET(ERRORBUFFER, h->error);
	SET(PROTOCOLS_STR, "http,https");
	SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(FOLLOWLOCATION, 0L);
	SET(NETRC, (long)CURL_NETRC_IGNORED);
	SET(NOSIGNAL, 1L); /* no alarm() for name look-ups: others have threads here */
	SET(USERAGENT, agent);
	SET(TIMEOUT_MS, (long)(timeout * 1000));
	SET(TCP_KEEPALIVE, 1L);
	SET(MAXAGE_CONN, IDLE_MAX);
	SET(WRITEFUNCTION, take_body);
	SET(WRITEDATA, h);
	return 0;
}

static int setup(struct http *h, const struct driver_config *cfg, const struct http_preset *preset,
                 struct buf *why)
{
	const char *proxy = settings__string(cfg->settings, "proxy");
	bool proxy_tls = false;
	int err = http_url__parse(h, cfg, preset->port, why);

	if (!err && proxy)
		err = http_url__check_proxy(proxy, &proxy_tls, why);
	if (!err)
		err = check_tls(h, proxy_tls, why);
	if (!err)
		err = http_headers__from_settings(h, preset, why);
	if (!err)
		err = http_coder__new(settings__string(cfg->settings, "compression"), &h->coder, why);
	if (err)
		return err;
	h->easy = curl.curl_easy_init();
	h->multi = curl.curl_multi_init();
	if (!h->easy || !h->multi)
		return -ENOMEM;
	err = set_options(h, cfg, why);
	if (!err)
		err = set_tls(h, why);
	if (!err)
		err = set_proxy(h, proxy, why);
	return err;
}

/* Said once: it is not wrong inside one machine, or behind a tunnel. */
static void warn_clear(const struct http *h, const struct driver_config *cfg)
{
	static const char *const secrets[] = {"password", "token", "secret_headers"};
	bool local = !strncmp(h->origin, "http://127.", 11) ||
	             !strncmp(h->origin, "http://localhost:", 17) ||
	             !strncmp(h->origin, "http://[::1]", 12);

	if (h->tls && !settings__bool(cfg->settings, "tls_verify"))
		log__warn("output '%s' does not check the receiver's certificate: who is in "
		          "between can read and answer",
		          cfg->output);
	for (size_t i = 0; !h->tls && !local && i < sizeof(secrets) / sizeof(*secrets); i++)
		if (settings__given(cfg->settings, secrets[i])) {
			log__warn("output '%s' sends its credentials in the clear: give an https "
			          "URL",
			          cfg->output);
			break;
		}
}

int http__open(const struct driver_config *cfg, const struct http_preset *preset, struct http **out,
               struct buf *why)
{
	struct http *h;
	int err = http_curl__load(why);

	if (err)
		return err;
	h = calloc(1, sizeof(*h));
	if (!h) {
		buf__str(why, "out of memory");
		return -ENOMEM;
	}
	h->settings = cfg->settings;
	err = setup(h, cfg, preset, why);
	if (err) {
		if (!why->len)
			buf__str(why, strerror(-err));
		http__close(h);
		return err;
	}
	warn_clear(h, cfg);
	*out = h;
	return 0;
}

void http__close(struct http *h)
{
	if (!h)
		return;
	if (h->easy)
		curl.curl_easy_cleanup(h->easy);
	if (h->multi)
		curl.curl_multi_cleanup(h->multi);
	curl.curl_slist_free_all(h->connect_to);
	http_headers__free(h);
	http_coder__free(h->coder);
	buf__free(&h->body);
	free(h->origin);
	free(h->path);
	free(h);
}

static bool add(struct curl_slist **list, const char *line)
{
	struct curl_slist *more = curl.curl_slist_append(*list, line);

	if (more)
		*list = more;
	return more;
}

static struct curl_slist *build_headers(const struct http *h, const struct http_request *rq)
{
	const char *coding = rq->plain ? NULL : http_coder__name(h->coder);
	struct curl_slist *list = NULL;
	char line[128];
	bool ok;

	/* Not "100-continue": one more round trip, and not all servers know it. */
	ok = add(&list, "Expect:") && (!rq->header || add(&list, rq->header));
	snprintf(line, sizeof(line), "Content-Type: %s", rq->content_type);
	ok = ok && add(&list, line);
	snprintf(line, sizeof(line), "Content-Encoding: %s", coding ? coding : "");
	ok = ok && (!coding || add(&list, line));
	for (size_t i = 0; i < h->headers_cnt; i++)
		ok = ok && add(&list, h->headers[i]);
	if (!ok) {
		curl.curl_slist_free_all(list);
		list = NULL;
	}
	return list;
}

/* Until the transfer is over or somebody interrupts. */
static CURLcode run(struct http *h)
{
	CURLcode result = CURLE_ABORTED_BY_CALLBACK;
	int running = 1, left;
	CURLMsg *msg;

	if (curl.curl_multi_add_handle(h->multi, h->easy))
		return CURLE_OUT_OF_MEMORY;
	while (running && !atomic_load(&h->interrupted)) {
		if (curl.curl_multi_perform(h->multi, &running)) {
			result = CURLE_OUT_OF_MEMORY;
			break;
		}
		while ((msg = curl.curl_multi_info_read(h->multi, &left)))
			if (msg->msg == CURLMSG_DONE)
				result = msg->data.result;
		if (running)
			curl.curl_multi_poll(h->multi, NULL, 0, 1000, NULL);
	}
	curl.curl_multi_remove_handle(h->multi, h->easy);
	return result;
}

/*
 * libcurl and OpenSSL may write to a connection that is gone. The process should ignore SIGPIPE,
 * but what this file does must not depend on it.
 */
static CURLcode run_without_sigpipe(struct http *h)
{
	const struct timespec now = {0};
	sigset_t pipe, old;
	CURLcode err;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, &old);
	err = run(h);
	if (!sigismember(&old, SIGPIPE)) /* else one that is pending is not known to be ours */
		while (sigtimedwait(&pipe, NULL, &now) < 0 && errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

static void take_answer(struct http *h, CURLcode err)
{
	long code = 0, connect_code = 0, request = 0;
	struct http_answer *a = &h->answer;
	curl_off_t wait = 0, up = 0;
	char *type = NULL;

	curl.curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &code);
	curl.curl_easy_getinfo(h->easy, CURLINFO_HTTP_CONNECTCODE, &connect_code);
	curl.curl_easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &wait);
	curl.curl_easy_getinfo(h->easy, CURLINFO_CONTENT_TYPE, &type);
	curl.curl_easy_getinfo(h->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	curl.curl_easy_getinfo(h->easy, CURLINFO_REQUEST_SIZE, &request);
	a->code = (int)code;
	a->cut = h->body_cut;
	a->complete = !err;
	a->body = h->body.data ? h->body.data : "";
	a->len = h->body.len;
	snprintf(a->content_type, sizeof(a->content_type), "%s", type ? type : "");
	a->bytes_sent = (size_t)up + (size_t)request;
	if (wait > 0)
		a->retry_after = wait < HTTP_RETRY_AFTER_MAX ? (double)wait : HTTP_RETRY_AFTER_MAX;
	http_status__judge(h, err, connect_code);
}

static CURLcode perform(struct http *h, const struct http_request *rq)
{
	const struct buf *body = rq->plain ? rq->body : http_coder__encode(h->coder, rq->body);
	struct curl_slist *headers = build_headers(h, rq);
	CURLcode err = CURLE_OUT_OF_MEMORY;

	if (body && headers && !curl.curl_easy_setopt(h->easy, CURLOPT_URL, rq->url) &&
	    !curl.curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, headers) &&
	    !curl.curl_easy_setopt(h->easy, CURLOPT_POST, 1L) &&
	    !curl.curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, rq->method) &&
	    !curl.curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, body->data ? body->data : "") &&
	    !curl.curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len))
		err = run_without_sigpipe(h);
	curl.curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, NULL);
	curl.curl_slist_free_all(headers);
	return err;
}

const struct http_answer *http__post(struct http *h, const struct http_request *rq)
{
	CURLcode err = CURLE_OUT_OF_MEMORY;

	memset(&h->answer, 0, sizeof(h->answer));
	h->answer.body = "";
	h->error[0] = '\0';
	buf__reset(&h->body);
	h->body_cut = false;
	h->body_max = rq->answer_max;
	if (rq->body->failed || atomic_load(&h->interrupted)) {
		/* As it would be without a request: getinfo would tell of the last one. */
		h->answer.status = DELIVERY_RETRY;
		snprintf(h->answer.reason, sizeof(h->answer.reason), "%s",
		         rq->body->failed ? "out of memory" : "interrupted");
		return &h->answer;
	}
	err = perform(h, rq);
	take_answer(h, err);
	return &h->answer;
}

bool http__wait(struct http *h, double seconds)
{
	uint64_t end = clock__monotonic() + (uint64_t)(seconds * 1e9);

	while (!atomic_load(&h->interrupted)) {
		uint64_t now = clock__monotonic();

		if (now >= end)
			return true;
		curl.curl_multi_poll(h->multi, NULL, 0, (int)((end - now) / 1000000 + 1), NULL);
	}
	return false;
}

void http__interrupt(struct http *h)
{
	atomic_store(&h->interrupted, true);
	curl.curl_multi_wakeup(h->multi);
}
