// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The table of the drivers, and what may be set for each of them. */
#include "driver.h"

#include <string.h>

#include "drivers.h"

const struct setting driver_settings[] = {
	{"batch_items", SETTING_NUMBER, NULL, NULL, 1, 100000, "items sent at once at most"},
	{"batch_bytes", SETTING_SIZE, NULL, NULL, 1024, 64 << 20, "bytes sent at once at most"},
	{"batch_wait", SETTING_SECONDS, "1s", NULL, 0, 3600,
         "how long a batch that is not full waits for more"},
	{"timeout", SETTING_SECONDS, "30s", NULL, 0.1, 3600, "for the receiver's answer"},
	{"retry_min", SETTING_SECONDS, "1s", NULL, 0.01, 3600, "first back-off, before jitter"},
	{"retry_max", SETTING_SECONDS, "60s", NULL, 0.01, 86400, "longest back-off"},
	{"tls_ca", SETTING_PATH, NULL, NULL, 0, 0,
         "certificates that the receiver's is checked against, in place of the system's"},
	{"tls_cert", SETTING_PATH, NULL, NULL, 0, 0, "certificate to show, PEM"},
	{"tls_key", SETTING_SECRET, NULL, NULL, 0, 0, "its key, PEM"},
	{"tls_name", SETTING_STRING, NULL, NULL, 0, 0,
         "name that the receiver's certificate must have, in place of the URL's"},
	{"tls_verify", SETTING_BOOL, "yes", NULL, 0, 0,
         "no: any certificate will do, an eavesdropper's too"},
	{0},
};

const struct driver_ops *const drivers[] = {
	&elasticsearch_driver, &splunk_driver, &otlp_driver, &loki_driver,
	&webhook_driver,       &syslog_driver, &relp_driver, &journald_driver,
	&kafka_driver,         &nats_driver,   &exec_driver, NULL,
};

const struct driver_ops *driver__of_url(const char *url)
{
	const char *end = strstr(url, ":");
	size_t len = end ? (size_t)(end - url) : 0;

	for (size_t i = 0; len && drivers[i]; i++)
		for (const char *const *s = drivers[i]->schemes; *s; s++)
			if (strlen(*s) == len && !strncmp(*s, url, len))
				return drivers[i];
	return NULL;
}
