// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "process_json.h"

#include <string.h>

#include "ancestry.h"
#include "cgroup.h"
#include "proc_facts.h"
#include "process.h"
#include "py_argv.h"
#include "../format/format.h"
#include "../util/buf.h"

static void put_member(struct buf *b, const char *name, const char *s, size_t len)
{
	if (!s)
		return;
	buf__str(b, name);
	json__string(b, s, len);
	buf__char(b, ',');
}

static void put_argv(struct buf *b, const char *argv, size_t len, bool cut)
{
	const char *end;

	if (!argv)
		return;
	end = argv + len;
	buf__lit(b, "\"argv\":[");
	for (;;) {
		const char *nul = memchr(argv, '\0', (size_t)(end - argv));

		json__string(b, argv, (size_t)((nul ? nul : end) - argv));
		if (!nul)
			break;
		buf__char(b, ',');
		argv = nul + 1;
	}
	buf__lit(b, "],");
	if (cut)
		buf__lit(b, "\"argv_truncated\":true,");
}

/* With a comma before it. */
static void add_member(struct buf *b, const char *name, const char *s, size_t len)
{
	if (!s || !len)
		return;
	buf__str(b, name);
	json__string(b, s, len);
}

/* The i-th of the container's names; length 0: not known. */
static const char *name_of(const struct process_facts *f, int i, size_t *len)
{
	const char *p = f->names, *end = f->names ? f->names + f->names_len : NULL, *nul;

	*len = 0;
	for (; p && p <= end; p = nul + 1) {
		nul = memchr(p, '\0', (size_t)(end - p)) ?: end;
		if (!i--) {
			*len = (size_t)(nul - p);
			return p;
		}
	}
	return NULL;
}

static void add_name(struct buf *b, const char *member, const struct process_facts *f, int i)
{
	size_t len;
	const char *s = name_of(f, i, &len);

	add_member(b, member, s, len);
}

static void put_cgroup(struct buf *b, const struct process_facts *f)
{
	struct cgroup_facts c;

	add_member(b, ",\"container_id\":", f->container, f->container_len);
	add_name(b, ",\"container_name\":", f, 0);
	add_name(b, ",\"container_image\":", f, 1);
	cgroup__parse_path(f->cgroup ?: "", f->cgroup_len, &c);
	add_member(b, ",\"pod_uid\":", c.pod_uid, strlen(c.pod_uid));
	add_name(b, ",\"pod_name\":", f, 2);
	add_name(b, ",\"pod_namespace\":", f, 3);
	add_member(b, ",\"unit\":", c.unit, c.unit_len);
	add_member(b, ",\"cgroup\":", f->cgroup, f->cgroup_len);
}

/* Which members have secrets taken out. */
static void put_hidden(struct buf *b, unsigned hidden)
{
	static const char *const names[] = {"\"exe\"", "\"argv\"", "\"cwd\""};
	const char *open = ",\"redacted\":[";

	if (!hidden)
		return;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (hidden & 1u << i) {
			buf__str(b, open);
			buf__str(b, names[i]);
			open = ",";
		}
	buf__char(b, ']');
}

void process_json__make(struct buf *b, const struct process *p, const struct process_facts *f)
{
	/* of a command line with marks in it: by what it was */
	size_t argv_len = f->hidden ? p->argv_len : f->argv_len;

	buf__reset(b);
	put_member(b, "\"exe\":", f->exe, f->exe_len);
	put_argv(b, f->argv, f->argv_len, argv_len >= PROC_ARGV_MAX - 1);
	put_member(b, "\"cwd\":", f->cwd, f->cwd_len);
	buf__lit(b, "\"start_ns\":");
	buf__u64(b, p->start_ns);
	buf__lit(b, ",\"entity_id\":\"");
	buf__str(b, p->entity_id);
	buf__char(b, '"');
	put_cgroup(b, f);
	put_hidden(b, f->hidden);
	if (f->ancestry) {
		buf__lit(b, ",\"ancestry\":");
		ancestry__json(b, f->ancestry, f->ancestry_len);
	}
}

void process_json__python(struct buf *b, const struct process_facts *f)
{
	static const char *const names[] = {
		[PY_RUN_SCRIPT] = ",\"script\":",
		[PY_RUN_MODULE] = ",\"module\":",
		[PY_RUN_COMMAND] = ",\"command\":",
	};
	struct py_argv run;

	buf__reset(b);
	/* of a process that embeds Python the command line says nothing of the kind */
	if (!py_argv__is_interpreter(f->exe, f->exe_len))
		return;
	run = py_argv__parse(f->argv, f->argv_len);
	if (run.run != PY_RUN_NONE)
		add_member(b, names[run.run], run.text, run.len);
	add_member(b, ",\"venv\":", f->venv, f->venv_len);
}
