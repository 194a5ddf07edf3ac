/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a Python interpreter was told to run, from its command line. */
#ifndef PYTRAIL_PY_ARGV_H
#define PYTRAIL_PY_ARGV_H

#include <stdbool.h>
#include <stddef.h>

enum py_run {
	PY_RUN_NONE,    /* interactive, standard input, or not known */
	PY_RUN_SCRIPT,  /* text: a file, or a directory or archive with a __main__ */
	PY_RUN_MODULE,  /* -m */
	PY_RUN_COMMAND, /* -c */
};

struct py_argv {
	enum py_run run;
	const char *text; /* in argv; not terminated */
	size_t len;
};

/* Whether a path's base name is that of an interpreter: python, python3.11, python3.13t, pypy3. A
 * process that embeds Python has a command line of its own. */
bool py_argv__is_interpreter(const char *path, size_t len);

/* argv: NUL-separated, as in /proc/PID/cmdline but for its last NUL. */
struct py_argv py_argv__parse(const char *argv, size_t len);

#endif
