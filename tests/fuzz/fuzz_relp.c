// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What a RELP server sends. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sink/relp_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct relp_frame f;
	const char *text;
	size_t len;
	long n;

	while ((n = relp_frame__parse(p, size, &f)) > 0) {
		if ((size_t)n > size || f.data < p || f.data + f.len > p + n)
			abort();
		if (relp_frame__status(&f, &text, &len) >= 0 &&
		    (text < f.data || text + len > f.data + f.len))
			abort();
		relp_frame__offers(&f, "commands", "syslog");
		p += n;
		size -= (size_t)n;
	}
	return 0;
}
