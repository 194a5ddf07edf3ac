/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Items as syslog messages: RFC 5424, and RFC 3164 for receivers that know no other. */
#ifndef PYTRAIL_SYSLOG_MESSAGE_H
#define PYTRAIL_SYSLOG_MESSAGE_H

#include <stdbool.h>

#include "driver.h"

struct buf;

struct syslog_style {
	unsigned facility; /* 0 to 23 */
	bool rfc3164;
	bool local; /* RFC 3164 to a unix socket: no host name, as syslog(3) does it */
	char hostname[256], app_name[49], procid[16];
	char sd_id[33];  /* "": no structured data */
	char prefix[64]; /* in front of the body, "": none */
};

/* Settings that every driver that sends syslog messages has. */
/* clang-format off */
#define SYSLOG_MESSAGE_SETTINGS \
	{"facility", SETTING_CHOICE, "local0", SYSLOG_FACILITIES, 0, 0, \
	 "of the messages; their severity is that of the event: 1 is info, 2 notice, 3 warning, " \
	 "4 err, 5 crit"}, \
	{"protocol", SETTING_CHOICE, "rfc5424", "rfc5424|rfc3164", 0, 0, \
	 "rfc3164 for receivers that know no other: neither year nor time zone, no structured data"}, \
	{"hostname", SETTING_STRING, NULL, NULL, 0, 0, "in place of this host's name"}, \
	{"app_name", SETTING_STRING, "pytrail", NULL, 0, 0, "APP-NAME, or the tag"}, \
	{"sd_id", SETTING_STRING, "pytrail@32473", NULL, 0, 0, \
	 "SD-ID of the structured data, NAME@ENTERPRISE-NUMBER; - leaves it out"}, \
	{"prefix", SETTING_STRING, NULL, NULL, 0, 0, \
	 "in front of the body and a space, such as @cee:"}, \
	{"max_message", SETTING_SIZE, NULL, NULL, 480, 16 << 20, \
	 "what is larger is not sent but rejected: receivers cut, and do not say so (rsyslog above " \
	 "8K, unless its maxMessageSize is larger)"}

#define SYSLOG_FACILITIES \
	"kern|user|mail|daemon|auth|syslog|lpr|news|uucp|cron|authpriv|ftp|ntp|audit|alert|clock|" \
	"local0|local1|local2|local3|local4|local5|local6|local7"
/* clang-format on */

/* 6 informational to 2 critical, as syslog(3) and journald count, of the item's 1 to 5. */
unsigned syslog_severity(const struct item *it);

/* By the settings above. */
void syslog_style__init(struct syslog_style *out, const struct driver_config *cfg, bool local);

/*
 * Appends one message. What header and structured data take of the item is made printable there
 * (the item comes from a disk and is not trusted); the body stays as it is, without a byte order
 * mark. one_line: newlines and NULs of the body become spaces, for framings that end a message with
 * them.
 */
void syslog_message__build(const struct syslog_style *style, const struct item *it, bool one_line,
                           struct buf *out);

#endif
