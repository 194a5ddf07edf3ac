/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The audit events table, events/audit.tsv, compiled in: names of arguments, category, severity.
 * Nothing here allocates; every pointer lives as long as the program.
 */
#ifndef PYTRAIL_CATALOG_H
#define PYTRAIL_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CATALOG_ARGS_MAX 16
#define CATALOG_OPEN     0xffff /* an `until`: the newest version raises it still */

/* One list of argument names, for a number of arguments and a range of Python versions. */
struct catalog_signature {
	uint16_t since; /* 0x0308 for 3.8, inclusive */
	uint16_t until; /* inclusive, or CATALOG_OPEN */
	uint8_t nargs;
	bool documented; /* false: the names are arg0, arg1, ... */
	/* JSON-escaped and quoted with a colon, `"path":`, for the hot path; and plain. */
	const char *json_names[CATALOG_ARGS_MAX];
	uint8_t json_names_len[CATALOG_ARGS_MAX];
	const char *names[CATALOG_ARGS_MAX];
	/* As json_names, as long, with '_' in place of a dot: one level in a database,
	 * `"sys_path":`. */
	const char *flat_names[CATALOG_ARGS_MAX];
};

struct catalog_event {
	const char *name;
	uint16_t name_len;
	uint16_t id; /* index in the table, stable within a build only */
	uint16_t since;
	uint16_t until;
	uint8_t severity;     /* 1 informational to 5 critical */
	bool documented;      /* named in an edition of CPython's audit events table */
	bool linux_;          /* can be raised on Linux (false: Windows or BSD only) */
	const char *module;   /* "os", "socket" ... */
	const char *category; /* see events/README.md */
	const char *platform; /* "all", "unix", "linux", "bsd", "windows" */
	const char *alias;    /* the documentation's, or the code's, other name of it; NULL: none */
	/* "C:Modules/posixmodule.c (OO) 3.8+; Py:Lib/os.py (top) 3.9+": where raised, how, in which
	 * versions. "": never raised by this name, see alias. */
	const char *sources;
	const char *json_prefix; /* `"event":"os.listdir",` for the hot path */
	uint16_t json_prefix_len;
	uint8_t signatures_cnt;
	const struct catalog_signature *signatures; /* newest documented edition first */
};

size_t catalog__count(void);
const struct catalog_event *catalog__at(size_t index);

/* The event of that name, or NULL. name need not be terminated. */
const struct catalog_event *catalog__find(const char *name, size_t name_len);

/*
 * The signature that names nargs arguments of the event: from the newest documented edition that
 * has the event with that many arguments, whatever the Python version (so that a rule written once
 * holds), else from a version that raises it so without documenting it. NULL: none, the arguments
 * are arg0, arg1, ... nargs 0 needs no signature.
 */
const struct catalog_signature *catalog__signature(const struct catalog_event *event, size_t nargs);

/* Up to max names of events nearest to a misspelt one, nearest first; returns how many. */
size_t catalog__nearest(const char *name, const char **out, size_t max);

#endif
