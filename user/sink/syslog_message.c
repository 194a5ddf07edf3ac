// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "syslog_message.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../format/when.h"
#include "../util/buf.h"
#include "severity.h"

#define MSGID_MAX 32 /* RFC 5424, 6 */

/* Printable US-ASCII without a space, as header fields are; "-" when nothing is left. */
static void put_name(struct buf *out, const char *s, size_t len, size_t max)
{
	if (len > max)
		len = max;
	if (!len)
		buf__char(out, '-');
	for (size_t i = 0; i < len; i++)
		buf__char(out, s[i] > 32 && s[i] < 127 ? s[i] : '_');
}

static void copy_name(char *out, size_t size, const char *s)
{
	struct buf b = BUF_INIT;

	put_name(&b, s, strlen(s), size - 1);
	memcpy(out, b.data, b.len);
	out[b.len] = '\0';
	buf__free(&b);
}

/* RFC 5424, 6.3.2: names of structured data have no '=', ']' and '"' either. */
static void copy_sd_id(char *out, size_t size, const char *s)
{
	if (!strcmp(s, "-")) {
		out[0] = '\0';
		return;
	}
	copy_name(out, size, s);
	for (char *p = out; *p; p++)
		if (strchr("=]\"", *p))
			*p = '_';
}

static unsigned facility_number(const char *name)
{
	const char *s = SYSLOG_FACILITIES;
	size_t len = strlen(name);
	unsigned n = 0;

	for (;; n++) {
		size_t word = strcspn(s, "|");

		if (word == len && !strncmp(s, name, len))
			return n;
		s += word + 1;
	}
}

void syslog_style__init(struct syslog_style *out, const struct driver_config *cfg, bool local)
{
	const struct settings *s = cfg->settings;
	const char *host = settings__string(s, "hostname"), *prefix = settings__string(s, "prefix");

	memset(out, 0, sizeof(*out));
	out->facility = facility_number(settings__string(s, "facility"));
	out->rfc3164 = !strcmp(settings__string(s, "protocol"), "rfc3164");
	out->local = local;
	copy_name(out->hostname, sizeof(out->hostname), host ? host : cfg->host);
	copy_name(out->app_name, sizeof(out->app_name), settings__string(s, "app_name"));
	copy_sd_id(out->sd_id, sizeof(out->sd_id), settings__string(s, "sd_id"));
	snprintf(out->procid, sizeof(out->procid), "%d", (int)getpid());
	if (prefix)
		snprintf(out->prefix, sizeof(out->prefix), "%s ", prefix);
}

unsigned syslog_severity(const struct item *it)
{
	return 7u - severity__clamp(it->severity);
}

static unsigned priority(const struct syslog_style *style, const struct item *it)
{
	return style->facility * 8 + syslog_severity(it);
}

/* A parameter, when it has a value. */
static void put_param(struct buf *out, const char *name, struct item_text v)
{
	if (!v.len)
		return;
	buf__char(out, ' ');
	buf__str(out, name);
	buf__lit(out, "=\"");
	for (size_t i = 0; i < v.len; i++) {
		if (strchr("\"\\]", v.s[i]) && v.s[i])
			buf__char(out, '\\');
		buf__char(out, (unsigned char)v.s[i] < 32 || v.s[i] == 127 ? '_' : v.s[i]);
	}
	buf__char(out, '"');
}

static void put_structured_data(const struct syslog_style *style, const struct item *it,
                                struct buf *out)
{
	if (!style->sd_id[0]) {
		buf__char(out, '-');
		return;
	}
	buf__char(out, '[');
	buf__str(out, style->sd_id);
	put_param(out, "id", it->id);
	put_param(out, "event", it->event);
	put_param(out, "category", it->category);
	put_param(out, "entity", it->entity);
	buf__printf(out, " seq=\"%llu\" severity=\"%u\"]", (unsigned long long)it->seq, it->severity);
}

static void put_header(const struct syslog_style *style, const struct item *it, struct buf *out)
{
	struct item_text event = item__event_or_kind(it);
	char when[WHEN_UTC_LEN];

	when__utc(when, it->time_ns);
	buf__printf(out, "<%u>1 ", priority(style, it));
	buf__append(out, when, WHEN_UTC_LEN - 4); /* six digits of the second at most */
	buf__printf(out, "Z %s %s %s ", style->hostname, style->app_name, style->procid);
	put_name(out, event.s, event.len, MSGID_MAX);
	buf__char(out, ' ');
	put_structured_data(style, it, out);
	buf__char(out, ' ');
}

static void put_header_3164(const struct syslog_style *style, const struct item *it, struct buf *out)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = (time_t)(it->time_ns / 1000000000);
	struct tm tm;

	if (!localtime_r(&t, &tm))
		memset(&tm, 0, sizeof(tm));
	buf__printf(out, "<%u>%.3s %2d %02d:%02d:%02d ", priority(style, it),
	            months + 3 * tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (!style->local)
		buf__printf(out, "%s ", style->hostname);
	buf__printf(out, "%.32s[%s]: ", style->app_name, style->procid);
}

void syslog_message__build(const struct syslog_style *style, const struct item *it, bool one_line,
                           struct buf *out)
{
	size_t body;

	if (style->rfc3164)
		put_header_3164(style, it, out);
	else
		put_header(style, it, out);
	buf__str(out, style->prefix);
	body = out->len;
	buf__append(out, it->body.s, it->body.len);
	for (size_t i = body; one_line && i < out->len; i++)
		if (out->data[i] == '\n' || out->data[i] == '\0')
			out->data[i] = ' ';
}
