// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Kafka: settings and URL as properties of librdkafka. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../net/endpoint.h"
#include "../util/log.h"
#include "kafka_impl.h"
#include "schema_name.h"

const struct setting kafka_settings[] = {
	{"compression", SETTING_CHOICE, "zstd", "none|gzip|snappy|lz4|zstd", 0, 0, "of the messages"},
	{"sasl_mechanism", SETTING_CHOICE, NULL, "PLAIN|SCRAM-SHA-256|SCRAM-SHA-512", 0, 0,
         "how to log in; others by property"},
	{"sasl_username", SETTING_STRING, NULL, NULL, 0, 0, "who logs in"},
	{"sasl_password", SETTING_SECRET, NULL, NULL, 0, 0, "its password"},
	{"property", SETTING_LIST, NULL, NULL, 0, 0,
         "NAME=VALUE, a property of librdkafka as its CONFIGURATION.md has them; repeats"},
	{0},
};

struct kafka_library kafka_lib;

static const struct dynlib_symbol symbols[] = {
	DYNLIB_SYMBOL(kafka_lib, rd_kafka_conf_new),
	DYNLIB_SYMBOL(kafka_lib, rd_kafka_conf_dup),
	DYNLIB_SYMBOL(kafka_lib, rd_kafka_conf_destroy),
	DYNLIB_SYMBOL(kafka_lib, rd_kafka_conf_set),
	DYNLIB_SYMBOL(kafka_lib, rd_kafka_conf_set_opaque),
	DYNLIB_SYMBOL(kafka_lib, rd_kafka_conf_set_dr_msg_cb),
	DYNLIB_SYMBOL(kafka_lib, rd_kafka_conf_set_error_cb),
	DYNLIB_SYMBOL(kafka_lib, rd_kafka_conf_set_log_cb),
	DYNLIB_SYMBOL(kafka_lib, rd_kafka_new),
	DYNLIB_SYMBOL(kafka_lib, rd_kafka_destroy),
	DYNLIB_SYMBOL(kafka_lib, rd_kafka_producev),
	DYNLIB_SYMBOL(kafka_lib, rd_kafka_poll),
	DYNLIB_SYMBOL(kafka_lib, rd_kafka_purge),
	DYNLIB_SYMBOL(kafka_lib, rd_kafka_fatal_error),
	DYNLIB_SYMBOL(kafka_lib, rd_kafka_err2str),
	{0},
};

/* Properties on which the promise rests, or which are settings, with what to do instead. */
static const struct {
	const char *name, *instead;
} reserved[] = {
	{"acks", "all of them are awaited"},
	{"request.required.acks", "all of them are awaited"},
	{"enable.idempotence", "it is always on"},
	{"bootstrap.servers", "they are the URL's hosts"},
	{"metadata.broker.list", "they are the URL's hosts"},
	{"message.timeout.ms", "set 'timeout'"},
	{"delivery.timeout.ms", "set 'timeout'"},
	{"sasl.password", "set 'sasl_password'"},
	{"ssl.key.pem", "set 'tls_key'"},
	{"transactional.id", "transactions are not used"},
};

/* NULL is not set. Values are not shown: they may be secrets. */
static int set(struct kafka *k, const char *name, const char *value, struct buf *why)
{
	char said[256];

	if (!value || kafka_lib.rd_kafka_conf_set(k->conf, name, value, said, sizeof(said)) ==
	                      RD_KAFKA_CONF_OK)
		return 0;
	buf__printf(why, "librdkafka does not take the property '%s': %s", name,
	            strstr(said, "pass") || strstr(said, "key") ? "the value is not valid" : said);
	return -EINVAL;
}

static int set_extra(struct kafka *k, const char *property, struct buf *why)
{
	const char *equals = strchr(property, '=');
	char name[128];

	if (!equals || equals == property || (size_t)(equals - property) >= sizeof(name)) {
		buf__printf(why, "'property' takes NAME=VALUE, not '%s'", property);
		return -EINVAL;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(equals - property), property);
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (!strcmp(name, reserved[i].name)) {
			buf__printf(why, "the property '%s' cannot be set: %s", name,
			            reserved[i].instead);
			return -EINVAL;
		}
	return set(k, name, equals + 1, why);
}

static int set_tls(struct kafka *k, const struct settings *s, struct buf *why)
{
	size_t len;
	int err;

	if (settings__given(s, "tls_name")) {
		buf__lit(why,
		         "'tls_name' cannot be set for Kafka: brokers say themselves what they "
		         "are called");
		return -EINVAL;
	}
	err = set(k, "ssl.ca.location", settings__string(s, "tls_ca"), why);
	if (!err)
		err = set(k, "ssl.certificate.location", settings__string(s, "tls_cert"), why);
	if (!err)
		err = set(k, "ssl.key.pem", settings__secret(s, "tls_key", &len), why);
	if (!err && !settings__bool(s, "tls_verify"))
		err = set(k, "enable.ssl.certificate.verification", "false", why);
	else if (!err)
		err = set(k, "ssl.endpoint.identification.algorithm", "https", why);
	return err;
}

static int set_security(struct kafka *k, const struct driver_config *cfg, struct buf *why)
{
	const struct settings *s = cfg->settings;
	const char *mechanism = settings__string(s, "sasl_mechanism");
	bool tls = endpoint__is(cfg->url, "kafka+tls");
	size_t len;
	int err;

	if (!mechanism &&
	    (settings__given(s, "sasl_username") || settings__given(s, "sasl_password"))) {
		buf__lit(why, "'sasl_username' and 'sasl_password' need 'sasl_mechanism', too");
		return -EINVAL;
	}
	err = set(k, "security.protocol",
	          mechanism ? (tls ? "sasl_ssl" : "sasl_plaintext") : (tls ? "ssl" : "plaintext"),
	          why);
	if (!err)
		err = set(k, "sasl.mechanism", mechanism, why);
	if (!err)
		err = set(k, "sasl.username", settings__string(s, "sasl_username"), why);
	if (!err)
		err = set(k, "sasl.password", settings__secret(s, "sasl_password", &len), why);
	return err || !tls ? err : set_tls(k, s, why);
}

/* The topic's name as brokers take it: letters, digits, '.', '_', '-', at most 249. */
static bool is_topic(const char *s)
{
	size_t len = strlen(s);

	return len && len < 250 && strcmp(s, ".") && strcmp(s, "..") &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

static int take_url(struct kafka *k, const char *url, struct buf *why)
{
	const char *hosts = strstr(url, "://"), *slash = hosts ? strchr(hosts + 3, '/') : NULL;
	char *servers;
	int err;

	if (!slash || slash == hosts + 3 || memchr(hosts, '@', (size_t)(slash - hosts)) ||
	    !is_topic(slash + 1)) {
		buf__printf(
			why,
			"'%s' is not a URL that can be used here: it has to be "
			"kafka://HOST[:PORT][,HOST…]/TOPIC, a topic of letters, digits, '.', '_' "
			"and '-'",
			url);
		return -EINVAL;
	}
	k->topic = strdup(slash + 1);
	servers = strndup(hosts + 3, (size_t)(slash - hosts - 3));
	err = k->topic && servers ? set(k, "bootstrap.servers", servers, why) : -ENOMEM;
	free(servers);
	return err;
}

/* What the library has to say is for -v: brokers' words are in it. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	log__debug("librdkafka: %s: %s", facility, text);
}

static int set_all(struct kafka *k, const struct driver_config *cfg, struct buf *why)
{
	const char *const *extra;
	size_t n = settings__list(cfg->settings, "property", &extra);
	char ms[24];
	int err;

	k->timeout = settings__seconds(cfg->settings, "timeout");
	snprintf(ms, sizeof(ms), "%.0f", k->timeout * 1000);
	err = take_url(k, cfg->url, why);
	if (!err)
		err = set(k, "client.id", "pytrail", why);
	if (!err)
		err = set(k, "enable.idempotence", "true", why);
	if (!err)
		err = set(k, "acks", "all", why);
	if (!err)
		err = set(k, "message.timeout.ms", ms, why);
	if (!err) /* as Java's clients choose the partition of a key */
		err = set(k, "partitioner", "murmur2_random", why);
	if (!err)
		err = set(k, "compression.type", settings__string(cfg->settings, "compression"), why);
	if (!err)
		err = set_security(k, cfg, why);
	for (size_t i = 0; !err && i < n; i++)
		err = set_extra(k, extra[i], why);
	return err;
}

int kafka__configure(struct kafka *k, const struct driver_config *cfg, struct buf *why)
{
	struct buf schema = BUF_INIT;
	int err = dynlib__load("librdkafka.so.1", "librdkafka1", symbols, why);

	if (err)
		return err;
	k->conf = kafka_lib.rd_kafka_conf_new();
	kafka_lib.rd_kafka_conf_set_log_cb(k->conf, on_log);
	schema_name__put(&schema, cfg->format, cfg->version);
	buf__char(&schema, '\0');
	if (schema.failed) {
		buf__free(&schema);
		return -ENOMEM;
	}
	k->schema = schema.data;
	k->content_type = schema_name__content_type(cfg->format);
	return set_all(k, cfg, why);
}
