// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "process_text.h"

#include <string.h>

#include "fields.h"
#include "json.h"
#include "../enrich/ancestry.h"
#include "../enrich/call_site.h"
#include "../enrich/process.h"
#include "../enrich/py_argv.h"
#include "../py_version.h"

void process_text__member(struct buf *out, const char *name, const char *s, size_t len)
{
	if (!s)
		return;
	buf__str(out, name);
	json__whole_string(out, s, len);
}

const char *process_text__base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void process_text__name(struct buf *out, const char *exe)
{
	const char *base = process_text__base(exe);

	process_text__member(out, ",\"name\":", base, strlen(base));
}

void process_text__command_line(struct buf *out, const char *argv, size_t len)
{
	static __thread struct buf line;

	buf__reset(&line);
	buf__append(&line, argv, len);
	for (size_t i = 0; i < line.len; i++)
		if (!line.data[i])
			line.data[i] = ' ';
	json__whole_string(out, line.len ? line.data : "", line.len);
	out->failed |= line.failed;
}

void process_text__ancestry(struct buf *out, const struct process *facts, const char *exe_name)
{
	const char *pos = facts->ancestry, *end = pos + facts->ancestry_len;
	struct ancestor a;

	buf__lit(out, ",\"ancestry\":[");
	for (int i = 0; i < ANCESTRY_MAX && ancestry__next(&pos, end, &a); i++) {
		buf__str(out, i ? ",{\"pid\":" : "{\"pid\":");
		buf__u64(out, a.pid);
		process_text__member(out, ",\"name\":", a.comm, strlen(a.comm));
		if (*a.exe) {
			buf__lit(out, ",\"");
			buf__str(out, exe_name);
			process_text__member(out, "\":", a.exe, strlen(a.exe));
		}
		buf__char(out, '}');
	}
	buf__char(out, ']');
}

const char *process_text__container(const struct process *facts, enum process_name which)
{
	const char *p = facts->names, *end = p ? p + facts->names_len : NULL;

	/* the last is terminated, too (process.c) */
	for (unsigned i = 0; p && i < which; i++) {
		p += strlen(p) + 1;
		if (p > end)
			return "";
	}
	return p ? p : "";
}

void process_text__container_member(struct buf *out, const char *name, const struct process *facts,
                                    enum process_name which)
{
	const char *text = process_text__container(facts, which);

	if (*text)
		process_text__member(out, name, text, strlen(text));
}

static void render_interpreter(struct buf *out, uint32_t py_version, uint8_t probe, bool free_threaded)
{
	char version[32];

	buf__lit(out, "\"probe\":\"");
	buf__str(out, probe__name(probe));
	buf__char(out, '"');
	if (py_version) {
		py_version__format(py_version, version, sizeof(version));
		buf__lit(out, ",\"version\":\"");
		buf__str(out, version);
		buf__char(out, '"');
	}
	if (free_threaded)
		buf__lit(out, ",\"free_threaded\":true");
}

/* Mostly the same as the last time. */
void process_text__interpreter(struct buf *out, uint32_t py_version, uint8_t probe, bool free_threaded)
{
	static __thread struct {
		struct buf text;
		uint32_t py_version;
		uint8_t probe;
		bool free_threaded;
	} last;

	if (!last.text.len || last.text.failed || last.py_version != py_version ||
	    last.probe != probe || last.free_threaded != free_threaded) {
		buf__reset(&last.text);
		render_interpreter(&last.text, py_version, probe, free_threaded);
		last.py_version = py_version;
		last.probe = probe;
		last.free_threaded = free_threaded;
		out->failed |= last.text.failed;
	}
	buf__append(out, last.text.data, last.text.len);
}

void process_text__python(struct buf *out, const struct process *facts)
{
	static const char *const names[] = {
		[PY_RUN_SCRIPT] = ",\"script\":",
		[PY_RUN_MODULE] = ",\"module\":",
		[PY_RUN_COMMAND] = ",\"command\":",
	};
	struct py_argv run;

	/* of a process that embeds Python the command line says nothing of the kind */
	if (!facts || !facts->exe || !facts->argv ||
	    !py_argv__is_interpreter(facts->exe, strlen(facts->exe)))
		return;
	run = py_argv__parse(facts->argv, facts->argv_len);
	if (run.run != PY_RUN_NONE)
		process_text__member(out, names[run.run], run.text, run.len);
	if (facts->venv && *facts->venv)
		process_text__member(out, ",\"venv\":", facts->venv, strlen(facts->venv));
}

void process_text__child_line(struct buf *out, const struct fields_command *c)
{
	struct node_iter it = c->it;
	struct node n;

	if (c->text.kind != PT_K_END) {
		json__whole_node_string(out, &c->text);
		return;
	}
	buf__char(out, '"');
	for (bool first = true; fields__next_text(&it, &n); first = false) {
		size_t at;

		if (!first)
			buf__char(out, ' ');
		at = out->len;
		json__whole_node_string(out, &n);
		if (out->failed)
			return;
		/* without its quotes */
		memmove(out->data + at, out->data + at + 1, out->len - at - 2);
		out->len -= 2;
	}
	buf__char(out, '"');
}

void process_text__child_program(struct buf *out, const struct fields_command *c, const char *exe_name)
{
	struct node name;

	if (c->executable.kind == PT_K_END)
		return;
	buf__lit(out, ",\"");
	buf__str(out, exe_name);
	buf__lit(out, "\":");
	json__whole_node_string(out, &c->executable);
	if (!fields__name(&c->executable, &name))
		return;
	buf__lit(out, ",\"name\":");
	json__whole_node_string(out, &name);
}

void process_text__call_site(struct buf *out, const struct call_site *s)
{
	char hex[24];

	buf__lit(out, ",\"call_site\":{\"address\":\"");
	buf__append(out, hex, (size_t)(hex__u64(hex, s->address) - hex));
	buf__char(out, '"');
	if (s->module)
		process_text__member(out, ",\"module\":", s->module, strlen(s->module));
	if (s->symbol)
		process_text__member(out, ",\"symbol\":", s->symbol, strlen(s->symbol));
	/* not CALL_SITE_NO_OFFSET; 63 bits are what databases have */
	if (s->offset <= INT64_MAX) {
		buf__lit(out, ",\"offset\":");
		buf__u64(out, s->offset);
	}
	buf__char(out, '}');
}
