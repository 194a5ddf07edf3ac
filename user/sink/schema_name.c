// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "schema_name.h"

#include <stdbool.h>
#include <string.h>

#include "../util/buf.h"

static bool is(const char *format, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(format, name, len) && (!format[len] || format[len] == '+');
}

void schema_name__put(struct buf *out, const char *format, const char *version)
{
	if (is(format, "ecs"))
		buf__lit(out, "ecs/9.4.0");
	else if (is(format, "ocsf"))
		buf__lit(out, "ocsf/1.8.0");
	else
		buf__printf(out, "pytrail-%.*s/%s", (int)strcspn(format, "+"), format, version);
}

const char *schema_name__content_type(const char *format)
{
	return is(format, "ecs") || is(format, "ocsf") || is(format, "json")
	               ? "application/json"
	               : "text/plain; charset=utf-8";
}
