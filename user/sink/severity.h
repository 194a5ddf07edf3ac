/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Names of the severities of items, 1 to 5: those of OCSF's severity_id. */
#ifndef PYTRAIL_SEVERITY_H
#define PYTRAIL_SEVERITY_H

#include <stdint.h>

#define SEVERITY_MAX 5

/* Of an item that may be corrupt. */
static inline uint8_t severity__clamp(unsigned severity)
{
	return (uint8_t)(severity < 1 ? 1 : severity > SEVERITY_MAX ? SEVERITY_MAX : severity);
}

static inline const char *severity__name(unsigned severity)
{
	static const char *const names[] = {"informational", "low", "medium", "high", "critical"};

	return names[severity__clamp(severity) - 1];
}

#endif
