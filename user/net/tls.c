// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "../util/buf.h"
#include "../util/dynlib.h"
#include "../util/settings.h"

/* How long a TLS 1.3 receiver may take to say that it does not want our certificate: see
 * await_verdict(). */
#define VERDICT_SECONDS 1.0

static struct {
	DYNLIB_FN(SSL_CTX_new);
	DYNLIB_FN(SSL_CTX_free);
	DYNLIB_FN(SSL_CTX_ctrl);
	DYNLIB_FN(SSL_CTX_set_verify);
	DYNLIB_FN(SSL_CTX_set_default_verify_paths);
	DYNLIB_FN(SSL_CTX_load_verify_file);
	DYNLIB_FN(SSL_CTX_use_certificate_chain_file);
	DYNLIB_FN(SSL_CTX_use_PrivateKey);
	DYNLIB_FN(SSL_CTX_check_private_key);
	DYNLIB_FN(SSL_CTX_sess_set_new_cb);
	DYNLIB_FN(SSL_new);
	DYNLIB_FN(SSL_free);
	DYNLIB_FN(SSL_set_fd);
	DYNLIB_FN(SSL_ctrl);
	DYNLIB_FN(SSL_set1_host);
	DYNLIB_FN(SSL_get0_param);
	DYNLIB_FN(SSL_set_ex_data);
	DYNLIB_FN(SSL_get_ex_data);
	DYNLIB_FN(SSL_connect);
	DYNLIB_FN(SSL_get_error);
	DYNLIB_FN(SSL_get_verify_result);
	DYNLIB_FN(SSL_version);
	DYNLIB_FN(SSL_peek);
	DYNLIB_FN(SSL_read);
	DYNLIB_FN(SSL_write);
	DYNLIB_FN(SSL_shutdown);
	DYNLIB_FN(TLS_client_method);
} ssl;

static const struct dynlib_symbol ssl_symbols[] = {
	DYNLIB_SYMBOL(ssl, SSL_CTX_new),
	DYNLIB_SYMBOL(ssl, SSL_CTX_free),
	DYNLIB_SYMBOL(ssl, SSL_CTX_ctrl),
	DYNLIB_SYMBOL(ssl, SSL_CTX_set_verify),
	DYNLIB_SYMBOL(ssl, SSL_CTX_set_default_verify_paths),
	DYNLIB_SYMBOL(ssl, SSL_CTX_load_verify_file),
	DYNLIB_SYMBOL(ssl, SSL_CTX_use_certificate_chain_file),
	DYNLIB_SYMBOL(ssl, SSL_CTX_use_PrivateKey),
	DYNLIB_SYMBOL(ssl, SSL_CTX_check_private_key),
	DYNLIB_SYMBOL(ssl, SSL_CTX_sess_set_new_cb),
	DYNLIB_SYMBOL(ssl, SSL_new),
	DYNLIB_SYMBOL(ssl, SSL_free),
	DYNLIB_SYMBOL(ssl, SSL_set_fd),
	DYNLIB_SYMBOL(ssl, SSL_ctrl),
	DYNLIB_SYMBOL(ssl, SSL_set1_host),
	DYNLIB_SYMBOL(ssl, SSL_get0_param),
	DYNLIB_SYMBOL(ssl, SSL_set_ex_data),
	DYNLIB_SYMBOL(ssl, SSL_get_ex_data),
	DYNLIB_SYMBOL(ssl, SSL_connect),
	DYNLIB_SYMBOL(ssl, SSL_get_error),
	DYNLIB_SYMBOL(ssl, SSL_get_verify_result),
	DYNLIB_SYMBOL(ssl, SSL_version),
	DYNLIB_SYMBOL(ssl, SSL_peek),
	DYNLIB_SYMBOL(ssl, SSL_read),
	DYNLIB_SYMBOL(ssl, SSL_write),
	DYNLIB_SYMBOL(ssl, SSL_shutdown),
	DYNLIB_SYMBOL(ssl, TLS_client_method),
	{0},
};

static struct {
	DYNLIB_FN(BIO_new_mem_buf);
	DYNLIB_FN(BIO_free);
	DYNLIB_FN(ERR_clear_error);
	DYNLIB_FN(ERR_peek_last_error);
	DYNLIB_FN(ERR_reason_error_string);
	DYNLIB_FN(EVP_PKEY_free);
	DYNLIB_FN(PEM_read_bio_PrivateKey);
	DYNLIB_FN(X509_VERIFY_PARAM_set1_ip_asc);
	DYNLIB_FN(X509_verify_cert_error_string);
} crypto;

static const struct dynlib_symbol crypto_symbols[] = {
	DYNLIB_SYMBOL(crypto, BIO_new_mem_buf),
	DYNLIB_SYMBOL(crypto, BIO_free),
	DYNLIB_SYMBOL(crypto, ERR_clear_error),
	DYNLIB_SYMBOL(crypto, ERR_peek_last_error),
	DYNLIB_SYMBOL(crypto, ERR_reason_error_string),
	DYNLIB_SYMBOL(crypto, EVP_PKEY_free),
	DYNLIB_SYMBOL(crypto, PEM_read_bio_PrivateKey),
	DYNLIB_SYMBOL(crypto, X509_VERIFY_PARAM_set1_ip_asc),
	DYNLIB_SYMBOL(crypto, X509_verify_cert_error_string),
	{0},
};

struct tls_client {
	SSL_CTX *ctx;
	char *name; /* tls_name, NULL: the host's */
};

struct tls {
	SSL *ssl;
	bool ticket; /* the receiver has sent one */
	bool broken; /* not to be ended in good order */
};

static const char *why_not(void)
{
	unsigned long e = crypto.ERR_peek_last_error();
	const char *s = e ? crypto.ERR_reason_error_string(e) : NULL;

	return s ? s : e ? strerror(ERR_GET_REASON(e)) : "unknown reason";
}

/* No password is ever asked for on a terminal. */
static int no_password(char *out, int size, int rwflag, void *ctx)
{
	return -1;
}

static int load_key(struct tls_client *c, const struct settings *s, struct buf *why)
{
	size_t len;
	const char *pem = settings__secret(s, "tls_key", &len);
	BIO *bio = pem ? crypto.BIO_new_mem_buf(pem, (int)len) : NULL;
	EVP_PKEY *key = bio ? crypto.PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
	int err = 0;

	if (!pem) {
		buf__lit(why, "'tls_cert' needs 'tls_key', too");
		err = -EINVAL;
	} else if (!key) {
		buf__printf(why, "'tls_key' is no private key in PEM without a password: %s",
		            why_not());
		err = -EINVAL;
	} else if (ssl.SSL_CTX_use_PrivateKey(c->ctx, key) != 1 ||
	           ssl.SSL_CTX_check_private_key(c->ctx) != 1) {
		buf__lit(why, "'tls_key' is not the key of 'tls_cert'");
		err = -EINVAL;
	}
	if (key)
		crypto.EVP_PKEY_free(key);
	if (bio)
		crypto.BIO_free(bio);
	return err;
}

static int load_certificates(struct tls_client *c, const struct settings *s, struct buf *why)
{
	const char *ca = settings__string(s, "tls_ca"), *cert = settings__string(s, "tls_cert");

	if (ca && ssl.SSL_CTX_load_verify_file(c->ctx, ca) != 1) {
		buf__printf(why, "'tls_ca': no certificates could be loaded from '%s': %s", ca,
		            why_not());
		return -EINVAL;
	}
	if (!ca)
		ssl.SSL_CTX_set_default_verify_paths(c->ctx);
	if (!cert)
		return 0;
	if (ssl.SSL_CTX_use_certificate_chain_file(c->ctx, cert) != 1) {
		buf__printf(why, "'tls_cert': no certificate could be loaded from '%s': %s", cert,
		            why_not());
		return -EINVAL;
	}
	return load_key(c, s, why);
}

static int on_ticket(SSL *s, SSL_SESSION *session)
{
	struct tls *t = ssl.SSL_get_ex_data(s, 0);

	t->ticket = true;
	return 0; /* it is not kept */
}

int tls_client__new(const struct settings *s, struct tls_client **out, struct buf *why)
{
	struct tls_client *c;
	const char *name = settings__string(s, "tls_name");
	int err = dynlib__load("libcrypto.so.3", "libssl3", crypto_symbols, why);

	if (!err)
		err = dynlib__load("libssl.so.3", "libssl3", ssl_symbols, why);
	if (err)
		return err;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	crypto.ERR_clear_error();
	c->ctx = ssl.SSL_CTX_new(ssl.TLS_client_method());
	c->name = name ? strdup(name) : NULL;
	if (!c->ctx || (name && !c->name)) {
		tls_client__free(c);
		return -ENOMEM;
	}
	ssl.SSL_CTX_ctrl(c->ctx, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, NULL);
	ssl.SSL_CTX_ctrl(c->ctx, SSL_CTRL_MODE,
	                 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, NULL);
	ssl.SSL_CTX_ctrl(c->ctx, SSL_CTRL_SET_SESS_CACHE_MODE,
	                 SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE, NULL);
	ssl.SSL_CTX_sess_set_new_cb(c->ctx, on_ticket);
	ssl.SSL_CTX_set_verify(
		c->ctx, settings__bool(s, "tls_verify") ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	err = load_certificates(c, s, why);
	if (err) {
		tls_client__free(c);
		return err;
	}
	*out = c;
	return 0;
}

void tls_client__free(struct tls_client *c)
{
	if (!c)
		return;
	if (c->ctx)
		ssl.SSL_CTX_free(c->ctx);
	free(c->name);
	free(c);
}

/*
 * What the last call's result means, by SSL_get_error(3). Fatal alerts that a peer sends have
 * reasons of SSL_AD_REASON_OFFSET and above.
 */
static int outcome(struct tls *t, int result, bool handshake, short *events, struct buf *why)
{
	int code = ssl.SSL_get_error(t->ssl, result), reason;
	long verdict;

	if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE) {
		*events = code == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
		return -EAGAIN;
	}
	if (code == SSL_ERROR_ZERO_RETURN)
		return -EPIPE;
	t->broken = true;
	if (code != SSL_ERROR_SSL) {
		buf__printf(why, "the TLS connection broke");
		return -ECONNRESET;
	}
	reason = ERR_GET_REASON(crypto.ERR_peek_last_error());
	verdict = ssl.SSL_get_verify_result(t->ssl);
	if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && verdict != X509_V_OK)
		buf__printf(why, "the receiver's certificate is not accepted: %s",
		            crypto.X509_verify_cert_error_string(verdict));
	else if (reason >= SSL_AD_REASON_OFFSET)
		buf__printf(why, "the receiver does not accept us: %s", why_not());
	else
		buf__printf(why, "TLS failed: %s", why_not());
	if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return -ECONNRESET;
	return handshake || reason >= SSL_AD_REASON_OFFSET ? -EACCES : -ECONNRESET;
}

/* The name that the certificate must have, and that is asked for. */
static int expect(struct tls *t, const char *name)
{
	struct in6_addr addr;

	if (inet_pton(AF_INET, name, &addr) == 1 || inet_pton(AF_INET6, name, &addr) == 1)
		return crypto.X509_VERIFY_PARAM_set1_ip_asc(ssl.SSL_get0_param(t->ssl), name) == 1
		               ? 0
		               : -ENOMEM;
	if (ssl.SSL_set1_host(t->ssl, name) != 1 ||
	    ssl.SSL_ctrl(t->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
	                 (void *)(uintptr_t)name) != 1)
		return -ENOMEM;
	return 0;
}

/*
 * In TLS 1.3 the client is done before the server has looked at its certificate: a refusal comes
 * later, as an alert, when the first messages may have gone already. A server that accepts it sends
 * session tickets, as a rule; what comes first is awaited, for a little while.
 */
static int await_verdict(struct tls *t, int fd, const struct waiter *w, struct buf *why)
{
	uint64_t deadline = waiter__deadline(VERDICT_SECONDS);
	short events;
	char c;
	int n, err;

	while (!t->ticket) {
		crypto.ERR_clear_error();
		n = ssl.SSL_peek(t->ssl, &c, 1);
		if (n > 0)
			return 0;
		err = outcome(t, n, true, &events, why);
		if (err != -EAGAIN)
			return err;
		if (t->ticket)
			return 0;
		err = waiter__poll(w, fd, events, deadline);
		if (err)
			return err == -ETIMEDOUT ? 0 : err;
	}
	return 0;
}

static int handshake(struct tls *t, int fd, const struct waiter *w, uint64_t deadline, struct buf *why)
{
	short events;
	int n, err;

	for (;;) {
		crypto.ERR_clear_error();
		n = ssl.SSL_connect(t->ssl);
		if (n == 1)
			break;
		err = outcome(t, n, true, &events, why);
		if (err == -EAGAIN)
			err = waiter__poll(w, fd, events, deadline);
		if (err == -ETIMEDOUT)
			buf__lit(why, "no TLS handshake within the time-out");
		if (err) {
			t->broken = true;
			return err;
		}
	}
	return ssl.SSL_version(t->ssl) >= TLS1_3_VERSION ? await_verdict(t, fd, w, why) : 0;
}

int tls__connect(struct tls_client *c, int fd, const char *host, const struct waiter *w,
                 uint64_t deadline, struct tls **out, struct buf *why)
{
	struct tls *t = calloc(1, sizeof(*t));
	int err = -ENOMEM;

	waiter__block_sigpipe(); /* OpenSSL writes without MSG_NOSIGNAL */
	if (t && (t->ssl = ssl.SSL_new(c->ctx)) && ssl.SSL_set_ex_data(t->ssl, 0, t) == 1 &&
	    ssl.SSL_set_fd(t->ssl, fd) == 1)
		err = expect(t, c->name ? c->name : host);
	if (!err)
		err = handshake(t, fd, w, deadline, why);
	if (err) {
		tls__free(t);
		return err;
	}
	*out = t;
	return 0;
}

ssize_t tls__read(struct tls *t, void *data, size_t len, short *events, struct buf *why)
{
	int n;

	crypto.ERR_clear_error();
	n = ssl.SSL_read(t->ssl, data, len > INT32_MAX ? INT32_MAX : (int)len);
	return n > 0 ? n : outcome(t, n, false, events, why);
}

ssize_t tls__write(struct tls *t, const void *data, size_t len, short *events, struct buf *why)
{
	int n;

	crypto.ERR_clear_error();
	n = ssl.SSL_write(t->ssl, data, len > INT32_MAX ? INT32_MAX : (int)len);
	return n > 0 ? n : outcome(t, n, false, events, why);
}

void tls__free(struct tls *t)
{
	if (!t)
		return;
	if (t->ssl) {
		crypto.ERR_clear_error();
		if (!t->broken)
			ssl.SSL_shutdown(t->ssl);
		ssl.SSL_free(t->ssl);
	}
	free(t);
}
