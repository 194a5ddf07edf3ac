// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* `pytrail daemon --print-options`: the tables of settings as text, for documentation. */
#include <stdio.h>

#include "../sink/file_dest.h"
#include "config.h"

static const char *const type_names[] = {
	[SETTING_STRING] = "text", [SETTING_BOOL] = "yes/no",  [SETTING_NUMBER] = "number",
	[SETTING_SIZE] = "size",   [SETTING_SECONDS] = "time", [SETTING_CHOICE] = "choice",
	[SETTING_LIST] = "list",   [SETTING_PATH] = "path",    [SETTING_SECRET] = "secret",
};

static void print_table(const char *section, const struct setting *d)
{
	for (; d && d->name; d++) {
		printf("key\t%s\t%s\t%s\t%s\t", section, d->name, type_names[d->type],
		       d->fallback ? d->fallback : "");
		if (d->choices)
			printf("%s", d->choices);
		else if (d->max != 0)
			printf("%.12g..%.12g", d->min, d->max);
		printf("\t%s\n", d->help);
	}
}

void config__print_options(void)
{
	for (size_t i = 0; i < SECTIONS; i++) {
		printf("section\t%s\t%s\n", sections[i].name, sections[i].help);
		print_table(sections[i].name, sections[i].settings);
		if (i != SECTION_OUTPUTS)
			continue;
		printf("section\toutputs:file\tOf a file.\n");
		print_table("outputs:file", file_settings);
		printf("section\toutputs:*\tOf every output but a file.\n");
		print_table("outputs:*", driver_settings);
		for (size_t k = 0; drivers[k]; k++) {
			char name[64];

			snprintf(name, sizeof(name), "outputs:%s", drivers[k]->name);
			printf("section\t%s\t%s\t", name, drivers[k]->summary);
			for (const char *const *s = drivers[k]->schemes; *s; s++)
				printf("%s%s", s == drivers[k]->schemes ? "" : ",", *s);
			printf("\t%s\n",
			       drivers[k]->default_format ? drivers[k]->default_format : "");
			print_table(name, drivers[k]->settings);
		}
	}
}
