/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "catalog.h"
#include "nearest.h"
#include "util/buf.h"

void nearest__append(struct buf *out, const char *name)
{
	const char *near[3];
	size_t cnt = catalog__nearest(name, near, 3), i;

	for (i = 0; i < cnt; i++) {
		if (i == 0)
			buf__lit(out, "; did you mean '");
		else if (i + 1 == cnt)
			buf__lit(out, " or '");
		else
			buf__lit(out, ", '");
		buf__str(out, near[i]);
		buf__char(out, '\'');
	}
	if (cnt)
		buf__char(out, '?');
	buf__char(out, '\0');
	if (out->len)
		out->len--;
}
