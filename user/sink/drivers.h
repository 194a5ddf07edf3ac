/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The drivers there are, for their table in driver.c. */
#ifndef PYTRAIL_DRIVERS_H
#define PYTRAIL_DRIVERS_H

#include "driver.h"

extern const struct driver_ops elasticsearch_driver;
extern const struct driver_ops loki_driver;
extern const struct driver_ops otlp_driver;
extern const struct driver_ops splunk_driver;
extern const struct driver_ops webhook_driver;
extern const struct driver_ops syslog_driver;
extern const struct driver_ops relp_driver;
extern const struct driver_ops journald_driver;
extern const struct driver_ops kafka_driver;
extern const struct driver_ops nats_driver;
extern const struct driver_ops exec_driver;

#endif
