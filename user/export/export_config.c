// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* A sequence of (length of name, length of value, name, value); "output" begins an output. */
#include "export_config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../format/format.h"
#include "../pattern.h"
#include "../spool/item.h"

#define CONFIG_MAX (64u << 20)

void export_config__stream(const struct config_output *o, char *out, size_t size)
{
	snprintf(out, size, "%s%s", o->format->name, o->redact ? "" : "+raw");
}

static void put(void *ctx, const char *name, const char *value, size_t len)
{
	const uint32_t lens[2] = {(uint32_t)strlen(name), (uint32_t)len};

	buf__append(ctx, lens, sizeof(lens));
	buf__append(ctx, name, lens[0]);
	buf__append(ctx, value, len);
}

static void put_text(struct buf *b, const char *name, const char *value)
{
	put(b, name, value, strlen(value));
}

static void put_number(struct buf *b, const char *name, int64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)v);
	put_text(b, name, text);
}

int export_config__write(const struct export_config *cfg)
{
	struct buf b = BUF_INIT;
	int fd = -ENOMEM;

	put_text(&b, "dir", cfg->dir ? cfg->dir : "");
	put_text(&b, "boot_id", cfg->boot_id ? cfg->boot_id : "");
	put_number(&b, "dead_letters", cfg->dead_letters);
	put_number(&b, "check", cfg->check);
	put_number(&b, "offset", cfg->realtime_offset_ns);
	put_number(&b, "uid", cfg->uid);
	put_number(&b, "gid", cfg->gid);
	put_number(&b, "parent", cfg->parent);
	for (size_t i = 0; i < cfg->outputs_cnt; i++) {
		const struct config_output *o = &cfg->outputs[i];

		if (!o->driver)
			continue;
		put_text(&b, "output", o->to);
		put_text(&b, "format", o->format->name);
		settings__each(o->settings, put, &b);
	}
	if (!b.failed)
		fd = memfd_create("pytrail-exporter", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1)
		fd = -errno;
	if (fd >= 0 &&
	    (write(fd, b.data, b.len) != (ssize_t)b.len ||
	     fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE))) {
		close(fd);
		fd = -EIO;
	}
	if (b.data)
		explicit_bzero(b.data, b.len);
	buf__free(&b);
	return fd;
}

/* The next pair, its texts terminated copies; false at the end or at a lie. */
struct pair {
	char *name, *value;
	size_t len;
};

static bool next(const char **p, const char *end, struct pair *out)
{
	uint32_t lens[2];

	if (*p == end || (size_t)(end - *p) < sizeof(lens))
		return false;
	memcpy(lens, *p, sizeof(lens));
	*p += sizeof(lens);
	if (lens[0] > 64 || (uint64_t)lens[0] + lens[1] > (uint64_t)(end - *p))
		return false;
	out->name = strndup(*p, lens[0]);
	out->value = malloc((size_t)lens[1] + 1);
	if (!out->name || !out->value)
		return false;
	memcpy(out->value, *p + lens[0], lens[1]);
	out->value[lens[1]] = '\0';
	out->len = lens[1];
	*p += lens[0] + lens[1];
	return true;
}

static int begin_output(struct export_config *cfg, char *url, struct buf *why)
{
	struct config_output *o = (struct config_output *)&cfg->outputs[cfg->outputs_cnt];
	const struct setting *tables[4] = {sections[SECTION_OUTPUTS].settings, driver_settings};

	if (cfg->outputs_cnt == CONFIG_OUTPUTS_MAX)
		return -E2BIG;
	o->to = strdup(url);
	o->driver = driver__of_url(url);
	if (!o->to || !o->driver)
		return -EINVAL;
	tables[2] = o->driver->settings;
	o->settings = settings__new(tables);
	cfg->outputs_cnt++;
	return o->settings ? 0 : -ENOMEM;
}

static int take_number(const struct pair *p, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(p->value, &end, 10);
	return errno || *end || end == p->value ? -EINVAL : 0;
}

/* The exporter's own settings. */
static int take_own(struct export_config *cfg, const struct pair *p)
{
	int64_t n = 0;
	int err;

	if (!strcmp(p->name, "dir")) {
		cfg->dir = strdup(p->value);
		return 0;
	}
	if (!strcmp(p->name, "boot_id")) {
		cfg->boot_id = strdup(p->value);
		return 0;
	}
	err = take_number(p, &n);
	if (!strcmp(p->name, "dead_letters"))
		cfg->dead_letters = n != 0;
	else if (!strcmp(p->name, "check"))
		cfg->check = n != 0;
	else if (!strcmp(p->name, "offset"))
		cfg->realtime_offset_ns = n;
	else if (!strcmp(p->name, "uid"))
		cfg->uid = (uid_t)n;
	else if (!strcmp(p->name, "gid"))
		cfg->gid = (gid_t)n;
	else if (!strcmp(p->name, "parent"))
		cfg->parent = (pid_t)n;
	return err;
}

static int take(struct export_config *cfg, const struct pair *p, struct buf *why)
{
	struct config_output *o =
		cfg->outputs_cnt ? (struct config_output *)&cfg->outputs[cfg->outputs_cnt - 1] : NULL;

	if (!strcmp(p->name, "output"))
		return begin_output(cfg, p->value, why);
	if (o && !strcmp(p->name, "format") && !o->format) {
		o->format = format__find(p->value, p->len);
		return o->format ? 0 : -EINVAL;
	}
	if (o)
		return settings__put(o->settings, p->name, p->value, p->len, why);
	return take_own(cfg, p);
}

/* What is known once all settings are there. */
static int finish(struct config_output *o)
{
	const char *const *items;
	size_t n = settings__list(o->settings, "events", &items);
	int err = 0;

	o->name = settings__string(o->settings, "name");
	o->min_severity = (unsigned)settings__number(o->settings, "min_severity");
	o->redact = settings__bool(o->settings, "redact");
	if (!o->name || !o->format)
		return -EINVAL;
	if (n && !(o->patterns = pattern_list__new()))
		return -ENOMEM;
	for (size_t i = 0; i < n && !err; i++)
		err = pattern_list__add(o->patterns, items[i]);
	return err;
}

int export_config__read(int fd, struct export_config *out, struct buf *why)
{
	const char *p, *data;
	struct stat st;
	int err = 0;

	memset(out, 0, sizeof(*out));
	out->outputs = calloc(CONFIG_OUTPUTS_MAX, sizeof(*out->outputs));
	if (!out->outputs)
		return -ENOMEM;
	if (fstat(fd, &st) || st.st_size <= 0 || st.st_size > CONFIG_MAX)
		return -EBADMSG;
	data = p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	while (!err && p < data + st.st_size) {
		struct pair pair = {0};

		err = next(&p, data + st.st_size, &pair) ? take(out, &pair, why) : -EBADMSG;
		if (pair.value)
			explicit_bzero(pair.value, pair.len);
		free(pair.name);
		free(pair.value);
	}
	munmap((void *)data, (size_t)st.st_size);
	for (size_t i = 0; i < out->outputs_cnt && !err; i++)
		err = finish((struct config_output *)&out->outputs[i]);
	return err;
}
