// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* user/format/schema.json, compiled in by scripts/gen-cstring.py. */
#include "format.h"

#include "json_schema.h"
