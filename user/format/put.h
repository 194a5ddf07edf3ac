/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Writing of fixed parts and numbers where room was made before: no check for each. */
#ifndef PYTRAIL_PUT_H
#define PYTRAIL_PUT_H

#include <string.h>

#include "../util/digits.h"

/* Room for all fixed parts and numbers of one part of a record. */
#define PUT_FIXED_MAX 512

#define PUT_LIT(p, s) ((char *)mempcpy((p), "" s, sizeof(s) - 1))

#endif
