/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A message is built in memory and leaves in one write(), so that lines of several threads, or of
 * the traced command on the same terminal, do not mix. errno is the same after as before.
 *
 * What is said can hold an attacker's bytes (a process's name, a path): on a terminal they must not
 * be able to move the cursor, forge a line or reverse the reading direction.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"

#define LOG_LINE 1024
#define PREFIX   "pytrail: "

static enum log_level current_level = LOG_NORMAL;
static log_divert_fn diverted;
static void *diverted_ctx;

void log__divert(log_divert_fn fn, void *ctx)
{
	diverted = fn;
	diverted_ctx = ctx;
}

void log__set_level(enum log_level level)
{
	current_level = level;
}

enum log_level log__level(void)
{
	return current_level;
}

/*
 * Decodes one UTF-8 sequence (RFC 3629: shortest form, no surrogates, at most U+10FFFF) at the
 * front of s. Returns its length, 0 when it is invalid.
 */
static size_t utf8_decode(const unsigned char *s, size_t len, uint32_t *out)
{
	static const uint32_t shortest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t need, i;
	uint32_t c;

	if (s[0] < 0x80) {
		*out = s[0];
		return 1;
	}
	if (s[0] >= 0xc2 && s[0] < 0xe0)
		need = 2;
	else if (s[0] >= 0xe0 && s[0] < 0xf0)
		need = 3;
	else if (s[0] >= 0xf0 && s[0] < 0xf5)
		need = 4;
	else
		return 0;
	if (need > len)
		return 0;
	c = s[0] & (0x7fu >> need);
	for (i = 1; i < need; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < shortest[need] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out = c;
	return need;
}

/*
 * C0 and C1 controls and DEL drive terminals; line and paragraph separators and the embedding,
 * override and isolate characters change how the rest of the line reads (Unicode TR 36).
 */
static bool must_escape(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x61c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static void append_escaped(struct buf *out, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	uint32_t c = 0;
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = utf8_decode(s + i, len - i, &c);
		if (!n) {
			buf__printf(out, "\\x%02x", s[i]);
			n = 1;
		} else if (!must_escape(c)) {
			buf__append(out, text + i, n);
		} else if (c == '\n') {
			buf__lit(out, "\\n");
		} else if (c == '\t') {
			buf__lit(out, "\\t");
		} else if (c == '\r') {
			buf__lit(out, "\\r");
		} else if (c < 0x80) {
			buf__printf(out, "\\x%02x", (unsigned int)c);
		} else {
			buf__printf(out, "\\u%04x", (unsigned int)c);
		}
	}
}

/* Standard error that is full or gone is nothing to fail for: there is nowhere to say it. */
static void write_all(const char *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(STDERR_FILENO, data, len);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return;
		}
		data += n;
		len -= (size_t)n;
	}
}

/* Without memory: what need not be escaped stands, anything else is a '?'. */
static void write_bare(const char *prefix, const char *text)
{
	char line[LOG_LINE];
	int n = snprintf(line, sizeof(line), PREFIX "%s%s", prefix, text);

	n = n < (int)sizeof(line) - 1 ? n : (int)sizeof(line) - 2;
	for (int i = 0; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || (unsigned char)line[i] >= 0x7f)
			line[i] = '?';
	line[n] = '\n';
	write_all(line, (size_t)n + 1);
}

static void log__say(const char *prefix, const char *fmt, va_list ap)
{
	char line[LOG_LINE], *text = line;
	struct buf out = BUF_INIT;
	int saved_errno = errno;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	if (n >= (int)sizeof(line)) {
		text = malloc((size_t)n + 1);
		if (text) {
			errno = saved_errno; /* for %m */
			n = vsnprintf(text, (size_t)n + 1, fmt, again);
		} else {
			text = line;
			n = sizeof(line) - 1;
		}
	}
	va_end(again);
	buf__lit(&out, PREFIX);
	buf__str(&out, prefix);
	if (n < 0) /* better the raw sentence than none */
		append_escaped(&out, fmt, strlen(fmt));
	else
		append_escaped(&out, text, (size_t)n);
	if (diverted && out.len > sizeof(PREFIX) - 1)
		diverted(diverted_ctx, out.data + sizeof(PREFIX) - 1, out.len - (sizeof(PREFIX) - 1));
	buf__char(&out, '\n');
	if (!diverted && out.failed)
		write_bare(prefix, n < 0 ? fmt : text);
	else if (!diverted && out.len)
		write_all(out.data, out.len);
	if (text != line)
		free(text);
	buf__free(&out);
	errno = saved_errno;
}

void log__error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log__say("", fmt, ap);
	va_end(ap);
}

void log__warn(const char *fmt, ...)
{
	va_list ap;

	if (current_level < LOG_NORMAL)
		return;
	va_start(ap, fmt);
	log__say("warning: ", fmt, ap);
	va_end(ap);
}

void log__info(const char *fmt, ...)
{
	va_list ap;

	if (current_level < LOG_NORMAL)
		return;
	va_start(ap, fmt);
	log__say("", fmt, ap);
	va_end(ap);
}

void log__debug(const char *fmt, ...)
{
	va_list ap;

	if (current_level < LOG_VERBOSE)
		return;
	va_start(ap, fmt);
	log__say("", fmt, ap);
	va_end(ap);
}
