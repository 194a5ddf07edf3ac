// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "host_facts.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "../util/clock.h"

static size_t read_text(const char *path, char *out, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n;

	out[0] = '\0';
	if (!f)
		return 0;
	n = fread(out, 1, size - 1, f);
	fclose(f);
	out[n] = '\0';
	return n;
}

/* The value of NAME=VALUE on a line, with or without quotes, as a shell reads it: a backslash
 * before a quote, a dollar, a backtick or a backslash is taken off. */
static void take_value(const char *p, char *out, size_t size)
{
	char quote = *p == '"' || *p == '\'' ? *p++ : 0;
	size_t n = 0;

	for (; *p && *p != '\n' && (!quote || *p != quote) && n + 1 < size; p++) {
		if (*p == '\\' && quote != '\'' && p[1] && strchr("\"$`\\'", p[1]))
			p++;
		out[n++] = *p;
	}
	out[n] = '\0';
}

void host_facts__os_release(struct host_facts *h, const char *text)
{
	const struct {
		const char *name;
		char *out;
		size_t size;
	} wanted[] = {
		{"ID=", h->os_id, sizeof(h->os_id)},
		{"NAME=", h->os_name, sizeof(h->os_name)},
		{"VERSION_ID=", h->os_version, sizeof(h->os_version)},
		{"PRETTY_NAME=", h->os_pretty, sizeof(h->os_pretty)},
	};

	while (text && *text) {
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
			size_t len = strlen(wanted[i].name);

			if (!strncmp(text, wanted[i].name, len))
				take_value(text + len, wanted[i].out, wanted[i].size);
		}
		text = strchr(text, '\n');
		text += text != NULL;
	}
}

static void take_uname(struct host_facts *h)
{
	struct utsname u;

	if (uname(&u))
		return;
	snprintf(h->name, sizeof(h->name), "%s", u.nodename);
	snprintf(h->kernel, sizeof(h->kernel), "%s", u.release);
	snprintf(h->arch, sizeof(h->arch), "%s", u.machine);
}

void host_facts__read(struct host_facts *h, const char *boot_id, bool live)
{
	char here[sizeof(h->boot_id)], text[4096];

	memset(h, 0, sizeof(*h));
	if (boot_id)
		snprintf(h->boot_id, sizeof(h->boot_id), "%s", boot_id);
	clock__boot_id(here, sizeof(here));
	if (!here[0] || strcmp(here, h->boot_id) != 0)
		return;
	take_uname(h);
	if (read_text("/etc/machine-id", h->id, sizeof(h->id)))
		h->id[strcspn(h->id, "\n")] = '\0';
	if (read_text("/etc/os-release", text, sizeof(text)) ||
	    read_text("/usr/lib/os-release", text, sizeof(text)))
		host_facts__os_release(h, text);
	if (live) {
		h->has_boottime_offset = true;
		h->boottime_offset_ns = (int64_t)(clock__realtime() - clock__boottime());
	}
}
