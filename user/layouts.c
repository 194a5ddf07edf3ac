/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The table that scripts/gen-layouts.py makes from events/layouts.tsv. */
#include "layouts.h"

#include <stddef.h>

#include "layouts_table.h"

/*
 * The memory of a version's objects does not change between its patch levels (checked: 3.9.2 =
 * 3.9.18, 3.11.2 = 3.11.7, 3.13.0 = 3.13.5), so major and minor version choose the row.
 */
const struct pt_layout *layouts__find(uint32_t py_version_hex, bool free_threaded)
{
	uint32_t version = py_version_hex >> 16;
	size_t i;

	for (i = 0; i < sizeof(layouts_table) / sizeof(layouts_table[0]); i++) {
		const struct pt_layout *row = &layouts_table[i];

		if (row->py_version == version && row->free_threaded == free_threaded)
			return row;
	}
	return NULL;
}
