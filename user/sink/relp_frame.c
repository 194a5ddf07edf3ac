// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "relp_frame.h"

#include <errno.h>
#include <string.h>

#include "../util/buf.h"

void relp_frame__put(struct buf *out, uint32_t txnr, const char *command, const void *data, size_t len)
{
	buf__printf(out, "%u %s %zu", txnr, command, len);
	if (len) {
		buf__char(out, ' ');
		buf__append(out, data, len);
	}
	buf__char(out, '\n');
}

/* Digits, nine at most, and what ends them (kept). False: not (yet). */
static int number(const char **p, const char *end, uint32_t *out)
{
	const char *begin = *p;
	uint32_t v = 0;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		if (*p - begin == 9)
			return -EBADMSG;
		v = v * 10 + (uint32_t)(**p - '0');
	}
	*out = v;
	if (*p == end)
		return -EAGAIN;
	return *p == begin ? -EBADMSG : 0;
}

static int command(const char **p, const char *end, struct relp_frame *out)
{
	size_t n = 0;

	for (; *p < end && **p != ' '; (*p)++) {
		char c = **p;

		if (n == sizeof(out->command) - 1 ||
		    !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
			return -EBADMSG;
		out->command[n++] = c;
	}
	out->command[n] = '\0';
	if (*p == end)
		return -EAGAIN;
	return n ? 0 : -EBADMSG;
}

static int space(const char **p, const char *end)
{
	if (*p == end)
		return -EAGAIN;
	return *(*p)++ == ' ' ? 0 : -EBADMSG;
}

static int parse(const char **p, const char *end, struct relp_frame *out)
{
	uint32_t len;
	int err = number(p, end, &out->txnr);

	if (!err)
		err = space(p, end);
	if (!err)
		err = command(p, end, out);
	if (!err)
		err = space(p, end);
	if (!err)
		err = number(p, end, &len);
	if (!err && len)
		err = space(p, end);
	if (err)
		return err;
	if (len > RELP_ANSWER_MAX)
		return -EBADMSG;
	out->data = *p;
	out->len = len;
	if ((size_t)(end - *p) <= len)
		return -EAGAIN;
	*p += len;
	/* "0 serverclose 0 \n" has been seen, too */
	if (!len && **p == ' ' && ++*p == end)
		return -EAGAIN;
	return *(*p)++ == '\n' ? 0 : -EBADMSG;
}

long relp_frame__parse(const char *data, size_t len, struct relp_frame *out)
{
	const char *p = data;
	int err;

	memset(out, 0, sizeof(*out));
	err = parse(&p, data + len, out);
	return err == -EAGAIN ? 0 : err ? err : p - data;
}

int relp_frame__status(const struct relp_frame *f, const char **text, size_t *len)
{
	const char *p = f->data, *end = f->data + f->len, *line;
	uint32_t status;
	int err = number(&p, end, &status);

	/* the number may be all there is */
	if ((err && err != -EAGAIN) || p - f->data != 3)
		return -EBADMSG;
	if (p < end && *p == ' ')
		p++;
	line = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
	*text = p;
	*len = (size_t)((line ? line : end) - p);
	return (int)status;
}

int relp_frame__offers(const struct relp_frame *f, const char *feature, const char *value)
{
	const char *p = f->data, *end = f->data + f->len;
	size_t name = strlen(feature), want = strlen(value);

	while (p < end) {
		const char *line = memchr(p, '\n', (size_t)(end - p));
		const char *stop = line ? line : end;

		if ((size_t)(stop - p) > name && !memcmp(p, feature, name) && p[name] == '=') {
			const char *v = p + name + 1;

			while (v <= stop) {
				const char *comma = v < stop ? memchr(v, ',', (size_t)(stop - v))
				                             : NULL;
				const char *last = comma ? comma : stop;

				if ((size_t)(last - v) == want && !memcmp(v, value, want))
					return 1;
				v = last + 1;
			}
		}
		p = stop + 1;
	}
	return 0;
}
