/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How an interpreter would be traced, or why it cannot be. */
#ifndef PYTRAIL_TRACE_HOW_H
#define PYTRAIL_TRACE_HOW_H

#include <stdbool.h>

struct binary;

struct trace_how {
	const char *probe; /* "usdt" or "uprobe", NULL: it cannot be traced */
	bool decoded;      /* arguments are, not only names */
	/* What stands in the way of the one or the other, or which events cannot be seen; NULL:
	 * nothing. Lives as long as the binary. */
	const char *reason;
};

struct trace_how trace_how__of(const struct binary *b);

#endif
