// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What a status code or a failure of the connection means for a batch. What is wrong with the
 * configuration (a URL that is not there, a certificate) holds the output, as wrong credentials do:
 * were it taken as a fault of the data, every event would end as a dead letter. Only what says that
 * the content is bad rejects it.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http_impl.h"

static enum delivery_status of_code(int code)
{
	switch (code) {
	case 200 ... 299:
		return DELIVERY_OK;
	case 400: /* Bad Request */
	case 422: /* Unprocessable Content */
		return DELIVERY_REJECTED;
	case 408: /* Request Timeout */
	case 425: /* Too Early */
	case 429: /* Too Many Requests */
		return DELIVERY_RETRY;
	case 413: /* Content Too Large */
		return DELIVERY_TOO_LARGE;
	case 501: /* Not Implemented */
	case 505: /* HTTP Version Not Supported */
	case 511: /* Network Authentication Required */
		return DELIVERY_DENIED;
	case 500:
	case 502 ... 504:
	case 506 ... 510:
	case 512 ... 599:
		return DELIVERY_RETRY;
	default: /* redirects, 401, 403, 404, 407, 410, 415 and all others */
		return DELIVERY_DENIED;
	}
}

/* Half a sentence on codes that a user can do something about. */
static const char *advice(int code)
{
	switch (code) {
	case 300 ... 399:
		return "the receiver redirects, which is not followed: give its own URL";
	case 401:
		return "the receiver does not know us: check the credentials";
	case 403:
		return "the receiver does not allow it: check what the credentials may do";
	case 404:
	case 410:
		return "there is no such thing at the receiver: check the URL";
	case 405:
		return "the receiver takes no such request here: check the URL";
	case 407:
		return "the proxy does not know us: check 'proxy_user' and 'proxy_password'";
	case 413:
		return "too large for the receiver";
	case 415:
		return "the receiver does not take this kind of content: check 'compression' and "
		       "the format";
	case 429:
		return "the receiver has too much to do";
	default:
		return "";
	}
}

/* What servers say to a plain request on a TLS port: nginx, Go, Apache. */
static bool is_plain_to_tls(const struct http_answer *a)
{
	static const char *const said[] = {"plain HTTP request was sent to HTTPS port",
	                                   "HTTP request to an HTTPS server",
	                                   "speaking plain HTTP to an SSL-enabled server port"};

	for (size_t i = 0; a->code == 400 && i < sizeof(said) / sizeof(*said); i++)
		if (memmem(a->body, a->len, said[i], strlen(said[i])))
			return true;
	return false;
}

static void judge_code(struct http *h)
{
	struct http_answer *a = &h->answer;
	const char *what = advice(a->code);
	int n;

	a->status = of_code(a->code);
	if (a->status == DELIVERY_OK)
		return;
	if (!h->tls && is_plain_to_tls(a)) {
		a->status = DELIVERY_DENIED;
		snprintf(a->reason, sizeof(a->reason),
		         "the receiver speaks TLS on this port: give an https URL");
		return;
	}
	n = snprintf(a->reason, sizeof(a->reason), "HTTP status %d%s%s", a->code, *what ? ": " : "",
	             what);
	if (a->len && n > 0 && (size_t)n < sizeof(a->reason))
		snprintf(a->reason + n, sizeof(a->reason) - (size_t)n, " (%.*s)",
		         (int)(a->len < 160 ? a->len : 160), a->body);
}

/* OpenSSL's words for an alert by which the peer refuses our certificate, in the handshake or, with
 * TLS 1.3, at the first read. */
static bool is_refusal(const char *error)
{
	return strcasestr(error, "alert") &&
	       (strcasestr(error, "certificate") || strcasestr(error, "unknown ca") ||
	        strcasestr(error, "access denied"));
}

/*
 * A new connection that ends behind the handshake and before any answer. The alert of a TLS 1.3
 * server that wants (another) certificate comes as late as that, and gets lost when the server
 * closes at once; but so ends the connection to one that restarts.
 */
static bool is_refused_silently(const struct http *h, CURLcode err)
{
	curl_off_t handshake = 0;
	long connects = 0;

	curl.curl_easy_getinfo(h->easy, CURLINFO_APPCONNECT_TIME_T, &handshake);
	curl.curl_easy_getinfo(h->easy, CURLINFO_NUM_CONNECTS, &connects);
	return err != CURLE_OPERATION_TIMEDOUT && handshake > 0 && connects > 0 && !h->answer.code;
}

static enum delivery_status of_tls(CURLcode err, const char *error, const char **what)
{
	*what = "";
	switch (err) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		*what = "the receiver's certificate is not trusted: check 'tls_ca' and 'tls_name'";
		return DELIVERY_DENIED;
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CRL_BADFILE:
		*what = "the certificates of 'tls_ca' cannot be used";
		return DELIVERY_DENIED;
	case CURLE_SSL_CERTPROBLEM:
		*what = "the certificate of 'tls_cert' and its 'tls_key' cannot be used";
		return DELIVERY_DENIED;
	case CURLE_SSL_CIPHER:
		*what = "the receiver's TLS is too old";
		return DELIVERY_DENIED;
	default:
		break;
	}
	if (is_refusal(error)) {
		*what = "the receiver does not accept our certificate: check 'tls_cert' and "
			"'tls_key'";
		return DELIVERY_DENIED;
	}
	if (err == CURLE_SSL_CONNECT_ERROR &&
	    (strstr(error, "wrong version number") || strstr(error, "unsupported protocol") ||
	     strstr(error, "protocol version"))) {
		*what = "the receiver speaks no TLS, or too old a one, on this port";
		return DELIVERY_DENIED;
	}
	return DELIVERY_RETRY;
}

static void judge_failure(struct http *h, CURLcode err, long connect_code)
{
	struct http_answer *a = &h->answer;
	const char *said = h->error[0] ? h->error : curl.curl_easy_strerror(err), *what;

	if (connect_code >= 300) { /* the proxy's answer, libcurl's error is CURLE_RECV_ERROR */
		a->code = (int)connect_code;
		a->status = of_code(a->code);
		if (a->status != DELIVERY_DENIED)
			a->status = DELIVERY_RETRY;
		what = advice(a->code);
		snprintf(a->reason, sizeof(a->reason), "HTTP status %d from the proxy%s%s", a->code,
		         a->code == 407 ? ": " : "", a->code == 407 ? what : "");
		return;
	}
	a->status = of_tls(err, said, &what);
	if (!*what && h->tls && is_refused_silently(h, err))
		what = "the receiver closed the connection after the TLS handshake: it may want "
		       "another 'tls_cert'";
	snprintf(a->reason, sizeof(a->reason), "%s%s%.140s%s", what, *what ? " (" : "", said,
	         *what ? ")" : "");
}

void http_status__judge(struct http *h, CURLcode err, long connect_code)
{
	struct http_answer *a = &h->answer;

	/* A refusal is one, however its text ended; "accepted" counts when all of the answer is
	 * there. */
	if (a->code && (!err || a->code >= 300)) {
		judge_code(h);
	} else if (atomic_load(&h->interrupted)) {
		a->status = DELIVERY_RETRY;
		snprintf(a->reason, sizeof(a->reason), "interrupted");
	} else if (a->cut) {
		a->status = DELIVERY_RETRY;
		snprintf(a->reason, sizeof(a->reason), "the answer is longer than %zu bytes",
		         h->body_max);
	} else {
		judge_failure(h, err, connect_code);
	}
}

void http__deliver(const struct http_answer *a, struct delivery *out)
{
	out->status = a->status;
	out->code = a->code;
	out->retry_after = a->retry_after;
	out->bytes_sent += a->bytes_sent;
	snprintf(out->reason, sizeof(out->reason), "%s", a->reason);
}
