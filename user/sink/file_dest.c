// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "file_dest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../util/buf.h"
#include "target.h"

const struct setting file_settings[] = {
	{"rotate_size", SETTING_SIZE, NULL, NULL, 4096, 1e15,
         "a new file before it gets larger than this"},
	{"rotate_every", SETTING_SECONDS, NULL, NULL, 1, 31536000,
         "a new file each time this has passed, counted from midnight UTC"},
	{"keep", SETTING_NUMBER, "10", NULL, 1, 100000, "rotated files that are kept"},
	{"compress", SETTING_CHOICE, "none", "none|zstd", 0, 0, "of rotated files"},
	{"mode", SETTING_CHOICE, "0600", "0600|0640|0644", 0, 0, "of new files"},
	{0},
};

/* In place: %3F and %25; any other % is one. */
static void decode(char *path)
{
	char *to = path;

	for (const char *p = path; *p; p++) {
		if (!strncasecmp(p, "%3F", 3)) {
			*to++ = '?';
			p += 2;
		} else if (!strncmp(p, "%25", 3)) {
			*to++ = '%';
			p += 2;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
}

static int check(const struct settings *s, struct buf *why)
{
	if (settings__given(s, "rotate_size") || settings__given(s, "rotate_every") ||
	    (!settings__given(s, "keep") && !settings__given(s, "compress")))
		return 0;
	buf__lit(why, "'keep' and 'compress' are of rotated files: set 'rotate_size' or "
	              "'rotate_every', too");
	return -EINVAL;
}

int file_dest__parse(const char *dest, char **path, struct settings **settings, struct buf *why)
{
	static const struct setting *const tables[] = {file_settings, NULL};
	int err = 0;

	*path = NULL;
	*settings = settings__new(tables);
	if (!*settings) {
		buf__lit(why, "out of memory");
		return -ENOMEM;
	}
	err = target__split(dest, *settings, path, why);
	if (!err && strchr(dest, '?'))
		decode(*path);
	if (!err)
		err = check(*settings, why);
	if (!err && !**path) {
		buf__lit(why, "the file's name is missing");
		err = -EINVAL;
	}
	if (!err)
		return 0;
	free(*path);
	settings__free(*settings);
	*path = NULL;
	*settings = NULL;
	return err;
}
