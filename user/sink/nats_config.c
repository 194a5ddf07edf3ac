// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* NATS: settings and URL as options of libnats. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../net/endpoint.h"
#include "nats_impl.h"
#include "schema_name.h"

#define CERT_MAX (1u << 20)
/* libnats has no default; the first that is there. */
static const char *const system_certificates[] = {"/etc/ssl/certs/ca-certificates.crt",
                                                  "/etc/pki/tls/certs/ca-bundle.crt"};

const struct setting nats_settings[] = {
	{"user", SETTING_STRING, NULL, NULL, 0, 0, "who logs in"},
	{"password", SETTING_SECRET, NULL, NULL, 0, 0, "its password"},
	{"token", SETTING_SECRET, NULL, NULL, 0, 0, "in place of user and password"},
	{"credentials", SETTING_PATH, NULL, NULL, 0, 0,
         "a file with JWT and NKEY seed (.creds), in place of the others"},
	{0},
};

struct nats_library nats_lib;

static const struct dynlib_symbol symbols[] = {
	DYNLIB_SYMBOL(nats_lib, natsOptions_Create),
	DYNLIB_SYMBOL(nats_lib, natsOptions_Destroy),
	DYNLIB_SYMBOL(nats_lib, natsOptions_SetURL),
	DYNLIB_SYMBOL(nats_lib, natsOptions_SetTimeout),
	DYNLIB_SYMBOL(nats_lib, natsOptions_SetName),
	DYNLIB_SYMBOL(nats_lib, natsOptions_SetAllowReconnect),
	DYNLIB_SYMBOL(nats_lib, natsOptions_SetErrorHandler),
	DYNLIB_SYMBOL(nats_lib, natsOptions_SetClosedCB),
	DYNLIB_SYMBOL(nats_lib, natsOptions_SetUserInfo),
	DYNLIB_SYMBOL(nats_lib, natsOptions_SetToken),
	DYNLIB_SYMBOL(nats_lib, natsOptions_SetUserCredentialsFromFiles),
	DYNLIB_SYMBOL(nats_lib, natsOptions_SetSecure),
	DYNLIB_SYMBOL(nats_lib, natsOptions_LoadCATrustedCertificates),
	DYNLIB_SYMBOL(nats_lib, natsOptions_SetCertificatesChain),
	DYNLIB_SYMBOL(nats_lib, natsOptions_SetExpectedHostname),
	DYNLIB_SYMBOL(nats_lib, natsOptions_SkipServerVerification),
	DYNLIB_SYMBOL(nats_lib, natsConnection_Connect),
	DYNLIB_SYMBOL(nats_lib, natsConnection_Destroy),
	DYNLIB_SYMBOL(nats_lib, natsConnection_IsClosed),
	DYNLIB_SYMBOL(nats_lib, natsConnection_GetLastError),
	DYNLIB_SYMBOL(nats_lib, natsConnection_JetStream),
	DYNLIB_SYMBOL(nats_lib, natsMsg_Create),
	DYNLIB_SYMBOL(nats_lib, natsMsg_Destroy),
	DYNLIB_SYMBOL(nats_lib, natsMsgHeader_Set),
	DYNLIB_SYMBOL(nats_lib, natsStatus_GetText),
	DYNLIB_SYMBOL(nats_lib, nats_GetLastError),
	DYNLIB_SYMBOL(nats_lib, jsOptions_Init),
	DYNLIB_SYMBOL(nats_lib, jsPubOptions_Init),
	DYNLIB_SYMBOL(nats_lib, jsCtx_Destroy),
	DYNLIB_SYMBOL(nats_lib, js_PublishMsgAsync),
	{0},
};

struct nats_batch *nats_batch__new(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct nats_batch *all;
	struct nats_batch *b = calloc(1, sizeof(*b));
	pthread_condattr_t attr;

	if (!b)
		return NULL;
	pthread_mutex_init(&b->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&b->changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_lock(&lock);
	b->older = all;
	all = b;
	pthread_mutex_unlock(&lock);
	return b;
}

static int said(natsStatus s, const char *what, struct buf *why)
{
	const char *text;

	if (s == NATS_OK)
		return 0;
	text = nats_lib.nats_GetLastError(NULL);
	buf__printf(why, "libnats does not take %s: %s", what,
	            text && *text ? text : nats_lib.natsStatus_GetText(s));
	return -EINVAL;
}

/* The certificate's file as text. */
static int read_certificate(const char *path, struct buf *out, struct buf *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), err = fd < 0 ? -errno : 0;
	ssize_t n = 1;

	while (!err && n && out->len < CERT_MAX) {
		if (!buf__reserve(out, 4096))
			err = -ENOMEM;
		else if ((n = read(fd, out->data + out->len, 4096)) < 0)
			err = -errno;
		else
			out->len += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	if (err)
		buf__printf(why, "'tls_cert' cannot be read from '%s': %s", path, strerror(-err));
	buf__char(out, '\0');
	return err;
}

static int set_certificate(struct nats *n, const struct settings *s, const char *path, struct buf *why)
{
	struct buf cert = BUF_INIT;
	size_t len;
	const char *key = settings__secret(s, "tls_key", &len);
	int err;

	if (!key) {
		buf__lit(why, "'tls_cert' needs 'tls_key', too");
		return -EINVAL;
	}
	err = read_certificate(path, &cert, why);
	if (!err)
		err = said(nats_lib.natsOptions_SetCertificatesChain(n->options, cert.data, key),
		           "'tls_cert' and 'tls_key'", why);
	buf__free(&cert);
	return err;
}

static int set_tls(struct nats *n, const struct settings *s, const char *host, struct buf *why)
{
	const char *ca = settings__string(s, "tls_ca"), *cert = settings__string(s, "tls_cert"),
		   *name = settings__string(s, "tls_name");
	int err = said(nats_lib.natsOptions_SetSecure(n->options, true), "TLS", why);

	for (size_t i = 0; !ca && i < sizeof(system_certificates) / sizeof(char *); i++)
		if (!access(system_certificates[i], R_OK))
			ca = system_certificates[i];
	if (!err && !settings__bool(s, "tls_verify"))
		err = said(nats_lib.natsOptions_SkipServerVerification(n->options, true),
		           "tls_verify", why);
	else if (!err)
		err = said(nats_lib.natsOptions_SetExpectedHostname(n->options, name ? name : host),
		           "'tls_name'", why);
	if (!err && ca)
		err = said(nats_lib.natsOptions_LoadCATrustedCertificates(n->options, ca),
		           "'tls_ca'", why);
	if (!err && cert)
		err = set_certificate(n, s, cert, why);
	return err;
}

static int set_login(struct nats *n, const struct settings *s, struct buf *why)
{
	const char *user = settings__string(s, "user"), *file = settings__string(s, "credentials");
	size_t len;
	const char *password = settings__secret(s, "password", &len),
		   *token = settings__secret(s, "token", &len);
	int err = 0;

	if (!user != !password || !!user + !!token + !!file > 1) {
		buf__lit(why, "give 'user' and 'password', or 'token', or 'credentials'");
		return -EINVAL;
	}
	if (user)
		err = said(nats_lib.natsOptions_SetUserInfo(n->options, user, password), "'user'",
		           why);
	if (token)
		err = said(nats_lib.natsOptions_SetToken(n->options, token), "'token'", why);
	if (file)
		err = said(nats_lib.natsOptions_SetUserCredentialsFromFiles(n->options, file, NULL),
		           "'credentials'", why);
	return err;
}

/* A subject to publish to: words with '.' between, no wildcards. */
static bool is_subject(const char *s)
{
	size_t len = strlen(s);

	return len && len < 250 && !strpbrk(s, "*> \t\r\n/") && s[0] != '.' && s[len - 1] != '.' &&
	       !strstr(s, "..");
}

static int take_url(struct nats *n, const struct driver_config *cfg, struct endpoint *to,
                    struct buf *why)
{
	struct buf url = BUF_INIT;
	bool v6;
	int err = endpoint__parse(cfg->url, "4222", to, why);

	if (err)
		return err;
	if (to->path[0] != '/' || !is_subject(to->path + 1)) {
		buf__printf(
			why,
			"'%s' is not a URL that can be used here: a subject without wildcards has "
			"to follow the host: nats://HOST/SUBJECT",
			cfg->url);
		return -EINVAL;
	}
	n->subject = strdup(to->path + 1);
	v6 = strchr(to->host, ':');
	buf__printf(&url, "nats://%s%s%s:%s", v6 ? "[" : "", to->host, v6 ? "]" : "", to->port);
	buf__char(&url, '\0');
	err = !n->subject || url.failed
	              ? -ENOMEM
	              : said(nats_lib.natsOptions_SetURL(n->options, url.data), "the URL", why);
	buf__free(&url);
	return err;
}

int nats__configure(struct nats *n, const struct driver_config *cfg, struct buf *why)
{
	struct buf schema = BUF_INIT;
	struct endpoint to;
	int err = dynlib__load("libnats.so.3.4", "libnats3.4", symbols, why);

	if (err)
		return err;
	if (nats_lib.natsOptions_Create(&n->options) != NATS_OK)
		return -ENOMEM;
	nats_lib.natsOptions_SetName(n->options, "pytrail");
	/* a new connection is made by the next batch, which knows what has not been acknowledged */
	nats_lib.natsOptions_SetAllowReconnect(n->options, false);
	schema_name__put(&schema, cfg->format, cfg->version);
	buf__char(&schema, '\0');
	if (schema.failed) {
		buf__free(&schema);
		return -ENOMEM;
	}
	n->schema = schema.data;
	n->content_type = schema_name__content_type(cfg->format);
	n->timeout = settings__seconds(cfg->settings, "timeout");
	err = take_url(n, cfg, &to, why);
	if (!err)
		err = set_login(n, cfg->settings, why);
	if (!err && endpoint__is(cfg->url, "nats+tls"))
		err = set_tls(n, cfg->settings, to.host, why);
	return err;
}
