// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "when.h"

#include <string.h>
#include <time.h>

#include "../util/digits.h"

#define NS_PER_S 1000000000ll
#define S_MAX    253402300799ll /* 9999-12-31T23:59:59Z */

static int64_t split(int64_t ns, unsigned *fraction)
{
	if (ns < 0)
		ns = 0;
	*fraction = (unsigned)(ns % NS_PER_S);
	return ns / NS_PER_S > S_MAX ? S_MAX : ns / NS_PER_S;
}

void when__utc(char out[WHEN_UTC_LEN], int64_t realtime_ns)
{
	static __thread int64_t cached = -1;
	static __thread int64_t cached_ns = -1;
	static __thread char text[WHEN_UTC_LEN];
	unsigned fraction;
	int64_t s;

	/* some formats say it twice */
	if (realtime_ns == cached_ns) {
		memcpy(out, text, sizeof(text));
		return;
	}
	s = split(realtime_ns, &fraction);
	if (s != cached) {
		time_t t = s;
		struct tm tm;

		gmtime_r(&t, &tm);
		digits__fixed(text, (unsigned)tm.tm_year + 1900, 4);
		text[4] = text[7] = '-';
		digits__fixed(text + 5, (unsigned)tm.tm_mon + 1, 2);
		digits__fixed(text + 8, (unsigned)tm.tm_mday, 2);
		text[10] = 'T';
		digits__fixed(text + 11, (unsigned)tm.tm_hour, 2);
		digits__fixed(text + 14, (unsigned)tm.tm_min, 2);
		digits__fixed(text + 17, (unsigned)tm.tm_sec, 2);
		text[13] = text[16] = ':';
		text[19] = '.';
		text[29] = 'Z';
		cached = s;
	}
	digits__fixed(text + 20, fraction, 9);
	cached_ns = realtime_ns;
	memcpy(out, text, sizeof(text));
}

void when__local(char out[WHEN_LOCAL_LEN], int64_t realtime_ns)
{
	static __thread int64_t cached = -1;
	static __thread char text[9]; /* "09:00:00." */
	unsigned fraction;
	int64_t s = split(realtime_ns, &fraction);

	if (s != cached) {
		time_t t = s;
		struct tm tm;

		localtime_r(&t, &tm);
		digits__fixed(text, (unsigned)tm.tm_hour, 2);
		digits__fixed(text + 3, (unsigned)tm.tm_min, 2);
		digits__fixed(text + 6, (unsigned)tm.tm_sec, 2);
		text[2] = text[5] = ':';
		text[8] = '.';
		cached = s;
	}
	memcpy(out, text, sizeof(text));
	digits__fixed(out + 9, fraction / 1000000, 3);
}
