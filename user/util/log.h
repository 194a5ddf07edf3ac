/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What pytrail says of itself, on standard error: one line a message, "pytrail: " before it.
 * Control characters in what is said (a file's name, say) are escaped. */
#ifndef PYTRAIL_LOG_H
#define PYTRAIL_LOG_H

#include <stdarg.h>
#include <stddef.h>

enum log_level { LOG_QUIET = -1, LOG_NORMAL = 0, LOG_VERBOSE = 1, LOG_DEBUG = 2 };

/* -q: errors only; -v: more, -vv: libbpf's own messages too. */
void log__set_level(enum log_level level);
enum log_level log__level(void);

/* An error: always said. A sentence in lower case without a full stop: what failed, why, what to
 * do. */
void log__error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "warning: " before it; not said with -q. */
void log__warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Said unless -q: the summary, notices. */
void log__info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Said with -v. */
void log__debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * While something else has the terminal: each line goes to fn instead of standard error, escaped,
 * without "pytrail: " and newline, not terminated. NULL: standard error again.
 */
typedef void (*log_divert_fn)(void *ctx, const char *line, size_t len);
void log__divert(log_divert_fn fn, void *ctx);

/* Exit codes of the command line, see pytrail(1). */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAIL = 1,
	EXIT_USAGE = 2,
	EXIT_CANNOT_TRACE = 3,
	EXIT_LOST = 4,
};

#endif
