// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "setting_text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

int setting__parse_size(const char *text, uint64_t *out)
{
	static const char units[] = "kmg";
	unsigned long long v;
	const char *unit;
	char *end;
	int shift = 0;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end | 0x20) : NULL;
	if (unit) {
		shift = 10 * (int)(unit - units + 1);
		end++;
	}
	if (errno || *end || v > UINT64_MAX >> shift)
		return -EINVAL;
	*out = (uint64_t)v << shift;
	return 0;
}

int setting__parse_seconds(const char *text, double *out)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {{"", 1}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
	char *end;
	double v;

	if ((text[0] < '0' || text[0] > '9') && text[0] != '.')
		return -EINVAL;
	v = strtod(text, &end);
	if (end == text || !isfinite(v))
		return -EINVAL;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(end, units[i].name)) {
			*out = v * units[i].seconds;
			return 0;
		}
	return -EINVAL;
}

static int parse_bool(const char *text, bool *out)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(text, words[i])) {
			*out = i & 1;
			return 0;
		}
	return -EINVAL;
}

static bool is_choice(const char *choices, const char *text)
{
	size_t len = strlen(text);

	for (;;) {
		size_t n = strcspn(choices, "|");

		if (n == len && !strncmp(choices, text, n))
			return true;
		if (!choices[n])
			return false;
		choices += n + 1;
	}
}

static bool within(const struct setting *def, double v)
{
	return def->max == 0 || (v >= def->min && v <= def->max);
}

/* "1K", "64M", "100": as a person would write the limit. */
static void put_limit(struct buf *why, const struct setting *def, double v)
{
	static const char *const units[] = {"", "K", "M", "G"};
	int unit = 0;

	while (def->type == SETTING_SIZE && unit < 3 && v >= 1024 && fmod(v, 1024) == 0) {
		v /= 1024;
		unit++;
	}
	buf__printf(why, "%g%s%s", v, units[unit], def->type == SETTING_SECONDS ? "s" : "");
}

static void say_wanted(const struct setting *def, const char *text, struct buf *why)
{
	static const char *const wanted[] = {
		[SETTING_STRING] = "a text that is not empty",
		[SETTING_BOOL] = "yes or no",
		[SETTING_NUMBER] = "a whole number",
		[SETTING_SIZE] = "a size such as 512K or 64M",
		[SETTING_SECONDS] = "a time such as 200ms, 5s or 1h",
		[SETTING_CHOICE] = "one of ",
		[SETTING_LIST] = "texts that are not empty",
		[SETTING_PATH] = "an absolute path",
		[SETTING_SECRET] = "the absolute path of a file that has it, or credential:NAME,",
	};

	if (!why)
		return;
	buf__printf(why, "'%s' takes %s%s", def->name, wanted[def->type],
	            def->type == SETTING_CHOICE ? def->choices : "");
	if (def->max != 0) {
		buf__lit(why, " from ");
		put_limit(why, def, def->min);
		buf__lit(why, " to ");
		put_limit(why, def, def->max);
	}
	/* what was given in place of a secret's file may be the secret */
	if (def->type != SETTING_SECRET)
		buf__printf(why, ", not '%s'", text);
	else
		buf__lit(why, " never the secret itself");
}

static bool is_secret_name(const char *text)
{
	if (!strncmp(text, "credential:", 11))
		return text[11] && !strchr(text + 11, '/') && text[11] != '.';
	return text[0] == '/';
}

static bool is_good(const struct setting *def, const char *text, union setting_value *out)
{
	switch (def->type) {
	case SETTING_STRING:
	case SETTING_LIST:
		return *text;
	case SETTING_BOOL:
		return !parse_bool(text, &out->flag);
	case SETTING_NUMBER:
		return !setting__parse_size(text, &out->number) &&
		       text[strspn(text, "0123456789")] == '\0' && within(def, (double)out->number);
	case SETTING_SIZE:
		return !setting__parse_size(text, &out->number) && within(def, (double)out->number);
	case SETTING_SECONDS:
		return !setting__parse_seconds(text, &out->seconds) && within(def, out->seconds);
	case SETTING_CHOICE:
		return is_choice(def->choices, text);
	case SETTING_PATH:
		return text[0] == '/';
	case SETTING_SECRET:
		return is_secret_name(text);
	}
	return false;
}

int setting__parse(const struct setting *def, const char *text, union setting_value *out,
                   struct buf *why)
{
	union setting_value v = {0};

	if (!is_good(def, text, &v)) {
		say_wanted(def, text, why);
		return -EINVAL;
	}
	*out = v;
	return 0;
}
