// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "installed.h"

#include <elf.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/log.h"

/*
 * Where they lie: distributions; python.org's `make install`; pyenv (README, "PYENV_ROOT"); conda
 * (docs.conda.io, default prefixes of the installers; environments are hard links or copies below
 * envs/); uv (docs.astral.sh/uv, "Storage": python installations). Virtual environments need no
 * place here: their python is a link to one of these.
 */
#define CONDA(dir)                                                                       \
	dir "/bin/python3*:" dir "/lib/libpython3*.so*:" dir "/envs/*/bin/python3*:" dir \
	    "/envs/*/lib/libpython3*.so*:"
#define CONDAS(home) CONDA(home "/{conda,miniconda,anaconda,miniforge,mambaforge}*")
#define HOME(home)                                          \
	home "/.pyenv/versions/*/bin/python3*:" home        \
	     "/.pyenv/versions/*/lib/libpython3*.so*:" home \
	     "/.local/share/uv/python/*/bin/python3*:" home \
	     "/.local/share/uv/python/*/lib/libpython3*.so*:" CONDAS(home)

static const char defaults[] = "/usr/bin/python3*:"
			       "/usr/lib/libpython3*.so*:"
			       "/usr/lib64/libpython3*.so*:"
			       "/usr/lib/*/libpython3*.so*:"
			       "/usr/libexec/platform-python*:"
			       "/usr/local/bin/python3*:"
			       "/usr/local/lib/libpython3*.so*:"
			       "/opt/*/bin/python3*:"
			       "/opt/*/lib/libpython3*.so*:"
			       "/opt/python/*/bin/python3*:" CONDAS("/opt") HOME("/root")
				       HOME("/home/*");

struct seen {
	dev_t dev;
	ino_t ino;
};

struct search {
	void (*fn)(void *ctx, const char *path);
	void *ctx;
	struct seen seen[INSTALLED_MAX];
	size_t cnt;
	bool full;
};

/* Only the header is looked at: scripts and links of the same name are plentiful. */
static bool is_elf(const char *path)
{
	char magic[SELFMAG];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	bool yes;

	if (fd < 0)
		return false;
	yes = read(fd, magic, SELFMAG) == SELFMAG && !memcmp(magic, ELFMAG, SELFMAG);
	close(fd);
	return yes;
}

static void search__file(struct search *s, const char *path)
{
	char real[PATH_MAX];
	struct stat st;
	size_t i;

	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return;
	for (i = 0; i < s->cnt; i++) {
		if (s->seen[i].dev == st.st_dev && s->seen[i].ino == st.st_ino)
			return;
	}
	if (!realpath(path, real) || !is_elf(real))
		return;
	if (s->cnt == INSTALLED_MAX) {
		s->full = true;
		return;
	}
	s->seen[s->cnt++] = (struct seen){st.st_dev, st.st_ino};
	s->fn(s->ctx, real);
}

static void search__glob(struct search *s, const char *pattern)
{
	glob_t found;
	size_t i;

	if (!glob(pattern, GLOB_NOSORT | GLOB_BRACE, NULL, &found)) {
		for (i = 0; i < found.gl_pathc; i++)
			search__file(s, found.gl_pathv[i]);
	}
	globfree(&found);
}

/* Each part of a colon-separated list, with what is to be put behind it. */
static void search__list(struct search *s, const char *list, const char *behind)
{
	char pattern[PATH_MAX];
	size_t len;

	for (; *list; list += len + (list[len] == ':')) {
		len = strcspn(list, ":");
		/* a part that is relative means another place tomorrow */
		if (list[0] == '/' && (size_t)snprintf(pattern, sizeof(pattern), "%.*s%s", (int)len,
		                                       list, behind) < sizeof(pattern))
			search__glob(s, pattern);
	}
}

static void search__defaults(struct search *s, bool everywhere)
{
	const char *path = getenv("PATH"), *pyenv = getenv("PYENV_ROOT");

	/* the nearest first, in case there are too many */
	if (path)
		search__list(s, path, "/python3*");
	if (!everywhere)
		return;
	if (pyenv) {
		search__list(s, pyenv, "/versions/*/bin/python3*");
		search__list(s, pyenv, "/versions/*/lib/libpython3*.so*");
	}
	search__list(s, defaults, "");
}

bool installed__is_spec(const char *spec)
{
	size_t len;

	if (!strcmp(spec, "none"))
		return true;
	if (*spec == '+')
		spec++;
	if (!*spec)
		return false;
	for (; *spec; spec += len + (spec[len] == ':')) {
		len = strcspn(spec, ":");
		if (spec[0] != '/')
			return false;
	}
	return true;
}

size_t installed__each(const char *spec, bool everywhere, void (*fn)(void *ctx, const char *path),
                       void *ctx)
{
	struct search *s;
	size_t cnt;

	if (spec && !strcmp(spec, "none"))
		return 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		return 0;
	s->fn = fn;
	s->ctx = ctx;
	if (spec)
		search__list(s, spec + (*spec == '+'), "");
	if (!spec || *spec == '+')
		search__defaults(s, everywhere);
	if (s->full)
		log__warn("more than %d interpreters are installed: those beyond are attached when "
		          "they "
		          "start; choose with --interpreters",
		          INSTALLED_MAX);
	cnt = s->cnt;
	free(s);
	return cnt;
}
