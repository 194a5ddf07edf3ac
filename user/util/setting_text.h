/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A setting's value from its text. */
#ifndef PYTRAIL_SETTING_TEXT_H
#define PYTRAIL_SETTING_TEXT_H

#include "settings.h"

union setting_value {
	bool flag;
	uint64_t number;
	double seconds;
};

/* 0; -EINVAL with half a sentence in `why` (or NULL). Of types that are texts only the form is
 * checked. */
int setting__parse(const struct setting *def, const char *text, union setting_value *out,
                   struct buf *why);

/* "10K": a whole number with an optional K, M or G, powers of 1024. 0 or -EINVAL. */
int setting__parse_size(const char *text, uint64_t *out);
/* "1.5s", "200ms", "2h". 0 or -EINVAL. */
int setting__parse_seconds(const char *text, double *out);

#endif
