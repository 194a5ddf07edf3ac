// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The same for what is known of a process: its command line and paths. Made once for each reading
 * of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redact_impl.h"
#include "../enrich/proc_facts.h"
#include "../enrich/process_json.h"

/* Bits of a generation, which counts from 1: what formats keep of a process must not be that of the
 * other. */
#define HIDDEN (1ull << 63)
#define BARE   (3ull << 62)

/* Beyond that much of a command line, marks included, its rest is hidden as a whole: a mark is many
 * times longer than the shortest secret, and every event may tell the command line. */
#define ARGV_SOFT_MAX (2 * PROC_ARGV_MAX)

static void put_mark(struct redact *r, const char *s, size_t len)
{
	char mark[MARK_TEXT_MAX];
	uint8_t hash[MARK_BYTES];

	mark__hash(&r->mark, s, len, hash);
	buf__append(&r->text, mark, mark__text(mark, hash, len));
}

/* A text of the facts appended to r->text, secrets hidden. Whether there was one. */
static bool put_text(struct redact *r, const char *s, size_t len, bool cut, uint8_t how,
                     struct command *c)
{
	size_t from = 0;

	redact__find(r, (const uint8_t *)s, len, cut, how, c);
	for (unsigned i = 0; i < r->scan.cnt; i++) {
		struct span at = r->scan.spans[i];

		buf__append(&r->text, s + from, at.start - from);
		put_mark(r, s + at.start, at.end - at.start);
		from = at.end;
	}
	buf__append(&r->text, s + from, len - from);
	return r->scan.cnt;
}

static bool put_argv(struct redact *r, const char *argv, size_t len)
{
	uint8_t how = r->rules.on & RULE_COMMAND ? HOW_WORD : HOW_TEXT;
	const char *end = argv + len;
	size_t begin = r->text.len;
	struct command c = {0};
	bool any = false;

	for (;;) {
		const char *nul = memchr(argv, '\0', (size_t)(end - argv));
		bool cut = !nul && len >= PROC_ARGV_MAX - 1;

		if (argv < end && r->text.len - begin > ARGV_SOFT_MAX) {
			put_mark(r, argv, (size_t)(end - argv));
			return true;
		}
		any |= put_text(r, argv, (size_t)((nul ? nul : end) - argv), cut, how, &c);
		if (!nul)
			return any;
		buf__char(&r->text, '\0');
		argv = nul + 1;
	}
}

/* The facts of p with what has to be hidden, in r->text. Whether that is anything. */
static bool hide_facts(struct redact *r, const struct process *p, struct process_facts *f)
{
	size_t argv, cwd, end;

	process__facts(p, f);
	buf__reset(&r->text);
	if (f->exe && put_text(r, f->exe, f->exe_len, false, HOW_TEXT, NULL))
		f->hidden |= PROCESS_HIDDEN_EXE;
	argv = r->text.len;
	if (f->argv && put_argv(r, f->argv, f->argv_len))
		f->hidden |= PROCESS_HIDDEN_ARGV;
	cwd = r->text.len;
	if (f->cwd && put_text(r, f->cwd, f->cwd_len, false, HOW_TEXT, NULL))
		f->hidden |= PROCESS_HIDDEN_CWD;
	end = r->text.len;
	if (!f->hidden || r->text.failed)
		return r->text.failed;
	if (f->exe) {
		f->exe = r->text.data;
		f->exe_len = argv;
	}
	if (f->argv) {
		f->argv = r->text.data + argv;
		f->argv_len = cwd - argv;
	}
	if (f->cwd) {
		f->cwd = r->text.data + cwd;
		f->cwd_len = end - cwd;
	}
	return true;
}

static const char *keep(char **pos, const char *s, size_t len)
{
	char *at = *pos;

	if (!s)
		return NULL;
	memcpy(at, s, len);
	at[len] = '\0';
	*pos += len + 1;
	return at;
}

/* A copy of p with the texts of f; all in one piece of memory. NULL: there is none. */
static struct process *make(const struct process *p, const struct process_facts *f, size_t *bytes)
{
	struct buf json = BUF_INIT, python = BUF_INIT;
	struct process *out = NULL;
	char *pos;

	process_json__make(&json, p, f);
	process_json__python(&python, f);
	if (!json.failed && !python.failed)
		*bytes = sizeof(*out) + f->exe_len + f->argv_len + f->cwd_len + json.len +
		         python.len + 5;
	if (*bytes)
		out = malloc(*bytes);
	if (out) {
		pos = (char *)(out + 1);
		*out = *p;
		out->hidden = NULL;
		out->generation = p->generation | HIDDEN;
		out->exe = keep(&pos, f->exe, f->exe_len);
		out->argv = keep(&pos, f->argv, f->argv_len);
		out->argv_len = f->argv_len;
		out->cwd = keep(&pos, f->cwd, f->cwd_len);
		out->json_len = json.len;
		out->json = keep(&pos, json.data ? json.data : "", json.len);
		out->python_json_len = python.len;
		out->python_json = keep(&pos, python.data ? python.data : "", python.len);
	}
	buf__free(&json);
	buf__free(&python);
	return out;
}

/* Nothing but who it is: there was no memory for more. */
static const struct process *bare(struct redact *r, const struct process *p)
{
	r->bare = (struct process){
		.pid = p->pid,
		.start_ns = p->start_ns,
		.generation = p->generation | BARE,
		.partial = true,
	};
	memcpy(r->bare.entity_id, p->entity_id, sizeof(r->bare.entity_id));
	r->bare.json = r->bare_json;
	r->bare.json_len = (size_t)snprintf(r->bare_json, sizeof(r->bare_json), "\"start_ns\":%llu",
	                                    (unsigned long long)p->start_ns);
	r->bare.python_json = "";
	return &r->bare;
}

const struct process *redact__process(struct redact *r, const struct process *p)
{
	struct process *hidden = NULL;
	struct process_facts f;
	size_t bytes = 0;

	if (p->hidden_made)
		return p->hidden ? p->hidden : p;
	if (!hide_facts(r, p, &f)) {
		process__set_hidden(p, NULL, 0);
		return p;
	}
	if (!r->text.failed)
		hidden = make(p, &f, &bytes);
	if (!hidden)
		return bare(r, p);
	process__set_hidden(p, hidden, bytes);
	r->count++;
	return p->hidden;
}
