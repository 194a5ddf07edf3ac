// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "selection.h"

#include <errno.h>
#include <fnmatch.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "enrich/process.h"
#include "enrich/py_argv.h"
#include "util/log.h"

#define RULES_MAX 1024

struct rule {
	enum selection_kind kind;
	bool exclude;
	const char *text;
	uint32_t uid;
};

struct selection {
	struct rule *rules;
	size_t cnt;
	bool has[SELECT_KINDS], includes[SELECT_KINDS];
};

struct selection *selection__new(void)
{
	return calloc(1, sizeof(struct selection));
}

void selection__free(struct selection *s)
{
	if (!s)
		return;
	free(s->rules);
	free(s);
}

static int parse_uid(const char *text, uint32_t *out)
{
	const struct passwd *pw;
	unsigned long long v;
	char *end;

	if (text[0] >= '0' && text[0] <= '9') {
		errno = 0;
		v = strtoull(text, &end, 10);
		/* the last number stands for "none" (chown(2)) */
		if (!*end && !errno && v < UINT32_MAX) {
			*out = (uint32_t)v;
			return 0;
		}
	}
	pw = getpwnam(text);
	if (!pw) {
		log__error("--uid: there is no user '%s'", text);
		return -EINVAL;
	}
	*out = pw->pw_uid;
	return 0;
}

int selection__add(struct selection *s, enum selection_kind kind, const char *text)
{
	struct rule r = {.kind = kind}, *rules;
	int err;

	if (*text == '!') {
		r.exclude = true;
		text++;
	}
	if (!*text) {
		log__error("a process cannot be selected by an empty word");
		return -EINVAL;
	}
	if (s->cnt == RULES_MAX) {
		log__error("processes can be selected by %d words at most", RULES_MAX);
		return -EINVAL;
	}
	if (kind == SELECT_UID) {
		err = parse_uid(text, &r.uid);
		if (err)
			return err;
	}
	r.text = text;
	rules = realloc(s->rules, (s->cnt + 1) * sizeof(*rules));
	if (!rules) {
		log__error("out of memory");
		return -ENOMEM;
	}
	s->rules = rules;
	s->rules[s->cnt++] = r;
	s->has[kind] = true;
	if (!r.exclude)
		s->includes[kind] = true;
	return 0;
}

bool selection__needs_facts(const struct selection *s)
{
	for (size_t k = 0; s && k < SELECT_KINDS; k++)
		if (k != SELECT_UID && s->has[k])
			return true;
	return false;
}

bool selection__wants_uid(const struct selection *s, uint32_t uid)
{
	bool exclude, only = false, included = false;
	uint32_t each;

	for (size_t i = 0; selection__uid(s, i, &each, &exclude); i++) {
		if (exclude && each == uid)
			return false;
		only |= !exclude;
		included |= !exclude && each == uid;
	}
	return included || !only;
}

bool selection__uid(const struct selection *s, size_t i, uint32_t *uid, bool *exclude)
{
	for (size_t k = 0; s && k < s->cnt; k++) {
		if (s->rules[k].kind != SELECT_UID || i--)
			continue;
		*uid = s->rules[k].uid;
		*exclude = s->rules[k].exclude;
		return true;
	}
	return false;
}

static bool glob_matches(const char *glob, const char *text)
{
	const char *slash;

	if (!strchr(glob, '/')) {
		slash = strrchr(text, '/');
		text = slash ? slash + 1 : text;
	}
	return !fnmatch(glob, text, 0);
}

/* A file that was deleted or replaced since has this behind its path (proc(5)). */
static bool exe_matches(const char *glob, const char *exe)
{
	static const char deleted[] = " (deleted)";
	size_t len = strlen(exe), cut = sizeof(deleted) - 1;
	char path[4096];

	if (len > cut && len < sizeof(path) && !strcmp(exe + len - cut, deleted)) {
		memcpy(path, exe, len - cut);
		path[len - cut] = '\0';
		exe = path;
	}
	return glob_matches(glob, exe);
}

/* The group itself or one below. */
static bool cgroup_matches(const char *prefix, const char *cgroup)
{
	size_t n = strlen(prefix);

	while (n && prefix[n - 1] == '/')
		n--;
	return !strncmp(cgroup, prefix, n) && (!cgroup[n] || cgroup[n] == '/');
}

/* NULL: not known, or there is none. */
static const char *script_of(const struct process *p)
{
	struct py_argv run;

	if (!p->exe || !py_argv__is_interpreter(p->exe, strlen(p->exe)))
		return NULL;
	run = py_argv__parse(p->argv, p->argv_len);
	/* the end of its word in argv terminates it */
	return run.run == PY_RUN_SCRIPT || run.run == PY_RUN_MODULE ? run.text : NULL;
}

static bool matches(const struct rule *r, const struct process *p)
{
	const char *text;

	switch (r->kind) {
	case SELECT_EXE:
		return p->exe && exe_matches(r->text, p->exe);
	case SELECT_COMM:
		return !fnmatch(r->text, p->comm, 0);
	case SELECT_CONTAINER:
		return (p->container_id && !strncmp(p->container_id, r->text, strlen(r->text))) ||
		       (p->container_name && !fnmatch(r->text, p->container_name, 0));
	case SELECT_CGROUP:
		return cgroup_matches(r->text, p->cgroup ? p->cgroup : p->partial ? "?" : "/");
	case SELECT_SCRIPT:
		text = script_of(p);
		return text && glob_matches(r->text, text);
	case SELECT_VENV:
		return p->venv && glob_matches(r->text, p->venv);
	default:
		return false;
	}
}

bool selection__wants(const struct selection *s, const struct process *p)
{
	bool included[SELECT_KINDS] = {false};

	for (size_t i = 0; i < s->cnt; i++) {
		const struct rule *r = &s->rules[i];

		if (r->kind == SELECT_UID || !matches(r, p))
			continue;
		if (r->exclude)
			return false;
		included[r->kind] = true;
	}
	for (size_t k = 0; k < SELECT_KINDS; k++)
		if (k != SELECT_UID && s->includes[k] && !included[k])
			return false;
	return true;
}
