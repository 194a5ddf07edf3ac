/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* events/layouts.tsv, compiled in. */
#ifndef PYTRAIL_LAYOUTS_H
#define PYTRAIL_LAYOUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "../bpf/wire.h"

/* The row for a PY_VERSION_HEX and flavour, NULL: this version is not known. */
const struct pt_layout *layouts__find(uint32_t py_version_hex, bool free_threaded);

#endif
