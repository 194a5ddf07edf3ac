/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Every key of pytrail.yaml, but for the drivers' own (sink/driver.h): the one place to touch for a
 * new one. The loader, its errors, `pytrail daemon --print-options` and pytrail.yaml(5) are made
 * from it.
 */
#ifndef PYTRAIL_SECTIONS_H
#define PYTRAIL_SECTIONS_H

#include <stddef.h>

#include "../util/settings.h"

enum section_id {
	SECTION_TRACE,
	SECTION_SELECT,
	SECTION_OUTPUTS, /* of each item of the list */
	SECTION_SPOOL,
	SECTION_REDACT,
	SECTION_EXPORTER,
	SECTION_METRICS,
	SECTION_CONTROL,
	SECTION_LOG,
	SECTIONS
};

struct section {
	const char *name; /* the path of its key: "trace.select" */
	const char *help; /* a sentence for the documentation */
	const struct setting *settings;
};

extern const struct section sections[SECTIONS];

#endif
