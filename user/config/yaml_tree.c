// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "yaml_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <yaml.h>

#include "../util/log.h"

/* What an alias may name: the nodes with an anchor that are complete. */
#define ANCHORS_MAX 64

struct parse {
	yaml_parser_t parser;
	const char *file;
	struct complaints *complaints;
	size_t nodes;
	struct {
		char *name;
		const struct tree *node; /* a copy of its own */
	} anchors[ANCHORS_MAX];
	size_t anchors_cnt;
};

void complain(struct complaints *c, const struct place *at, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	c->cnt++;
	if (!at || !at->file)
		buf__printf(&c->text, "%s\n", text);
	else if (!at->line)
		buf__printf(&c->text, "%s: %s\n", at->file, text);
	else
		buf__printf(&c->text, "%s:%u:%u: %s\n", at->file, at->line, at->column, text);
}

void complaints__say(struct complaints *c)
{
	size_t at = 0;

	while (at < c->text.len) {
		const char *line = c->text.data + at;
		const char *end = memchr(line, '\n', c->text.len - at);
		size_t len = end ? (size_t)(end - line) : c->text.len - at;

		log__error("%.*s", (int)len, line);
		at += len + 1;
	}
	buf__free(&c->text);
}

static void clear(struct tree *t)
{
	for (size_t i = 0; i < t->cnt; i++)
		clear(&t->items[i]);
	free(t->items);
	free(t->text);
	memset(t, 0, sizeof(*t));
}

void yaml_tree__free(struct tree *t)
{
	if (t)
		clear(t);
	free(t);
}

static struct place place_of(const struct parse *p, yaml_mark_t mark)
{
	return (struct place){p->file, (unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

static int fail(struct parse *p, struct place at, const char *what)
{
	complain(p->complaints, &at, "%s", what);
	return -EINVAL;
}

static int no_memory(struct parse *p)
{
	return fail(p, (struct place){.file = p->file}, "out of memory");
}

static int count(struct parse *p, struct place at)
{
	if (++p->nodes > YAML_TREE_MAX_NODES)
		return fail(p, at, "there are more than 20000 values, those of aliases included");
	return 0;
}

/* The next event; the caller deletes it. */
static int next(struct parse *p, yaml_event_t *event)
{
	struct place at;

	if (yaml_parser_parse(&p->parser, event))
		return 0;
	at = place_of(p, p->parser.problem_mark);
	complain(p->complaints, &at, "this is not YAML: %s%s%s",
	         p->parser.problem ? p->parser.problem : "out of memory",
	         p->parser.context ? " " : "", p->parser.context ? p->parser.context : "");
	return -EINVAL;
}

static struct tree *add(struct parse *p, struct tree *to)
{
	/* doubled at powers of two */
	if (!(to->cnt & (to->cnt - 1))) {
		struct tree *items =
			reallocarray(to->items, to->cnt ? to->cnt * 2 : 1, sizeof(*items));

		if (!items) {
			no_memory(p);
			return NULL;
		}
		to->items = items;
	}
	memset(&to->items[to->cnt], 0, sizeof(*to->items));
	return &to->items[to->cnt++];
}

/* A copy of what an alias names, at the alias's place; its parts keep theirs. */
static int copy(struct parse *p, const struct tree *from, struct tree *to)
{
	int err = count(p, from->place);

	if (err)
		return err;
	to->kind = from->kind;
	to->place = from->place;
	to->quoted = from->quoted;
	if (from->text && !(to->text = strdup(from->text)))
		return no_memory(p);
	for (size_t i = 0; i < from->cnt && !err; i++) {
		struct tree *item = add(p, to);

		err = item ? copy(p, &from->items[i], item) : -ENOMEM;
	}
	return err;
}

static int resolve(struct parse *p, const char *name, struct place at, struct tree *out)
{
	for (size_t i = p->anchors_cnt; i-- > 0;)
		if (!strcmp(p->anchors[i].name, name)) {
			int err = copy(p, p->anchors[i].node, out);

			out->place = at;
			return err;
		}
	complain(p->complaints, &at, "there is no anchor '%s' before this alias", name);
	return -EINVAL;
}

static int keep_anchor(struct parse *p, const char *name, const struct tree *node)
{
	struct tree *kept;

	if (p->anchors_cnt == ANCHORS_MAX)
		return fail(p, node->place, "there are more than 64 anchors");
	kept = calloc(1, sizeof(*kept));
	p->anchors[p->anchors_cnt].node = kept;
	p->anchors[p->anchors_cnt].name = strdup(name);
	if (!kept || !p->anchors[p->anchors_cnt++].name)
		return no_memory(p);
	return copy(p, node, kept);
}

static int take_scalar(struct parse *p, const yaml_event_t *e, struct tree *out)
{
	const char *value = (const char *)e->data.scalar.value;
	size_t len = e->data.scalar.length;

	if (memchr(value, '\0', len))
		return fail(p, out->place, "a NUL cannot be part of a value");
	out->kind = TREE_SCALAR;
	out->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	out->text = strndup(value, len);
	return out->text ? 0 : no_memory(p);
}

static int take(struct parse *p, yaml_event_t *e, struct tree *out, unsigned depth);

static int take_items(struct parse *p, yaml_event_type_t end, struct tree *out, unsigned depth)
{
	for (;;) {
		bool is_key = out->kind == TREE_MAPPING && !(out->cnt & 1);
		struct tree *item;
		yaml_event_t e;
		int err = next(p, &e);

		if (err)
			return err;
		if (e.type == end) {
			yaml_event_delete(&e);
			return 0;
		}
		item = add(p, out);
		err = item ? take(p, &e, item, depth + 1) : -ENOMEM;
		yaml_event_delete(&e);
		if (!err && is_key && item->kind != TREE_SCALAR)
			err = fail(p, item->place, "a key is one word");
		if (err)
			return err;
	}
}

static const yaml_char_t *anchor_of(const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return e->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return e->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT:
		return e->data.mapping_start.anchor;
	default:
		return NULL;
	}
}

static bool has_tag(const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return e->data.scalar.tag;
	case YAML_SEQUENCE_START_EVENT:
		return e->data.sequence_start.tag;
	case YAML_MAPPING_START_EVENT:
		return e->data.mapping_start.tag;
	default:
		return false;
	}
}

/* The node that an event begins. */
static int take(struct parse *p, yaml_event_t *e, struct tree *out, unsigned depth)
{
	const yaml_char_t *anchor = anchor_of(e);
	int err;

	out->place = place_of(p, e->start_mark);
	if (depth > YAML_TREE_MAX_DEPTH)
		return fail(p, out->place, "this is nested too deep");
	if (has_tag(e))
		return fail(p, out->place, "tags are not understood");
	if (e->type == YAML_ALIAS_EVENT)
		return resolve(p, (const char *)e->data.alias.anchor, out->place, out);
	err = count(p, out->place);
	if (err)
		return err;
	if (e->type == YAML_SCALAR_EVENT) {
		err = take_scalar(p, e, out);
	} else if (e->type == YAML_SEQUENCE_START_EVENT) {
		out->kind = TREE_SEQUENCE;
		err = take_items(p, YAML_SEQUENCE_END_EVENT, out, depth);
	} else {
		out->kind = TREE_MAPPING;
		err = take_items(p, YAML_MAPPING_END_EVENT, out, depth);
	}
	if (!err && anchor)
		err = keep_anchor(p, (const char *)anchor, out);
	return err;
}

static bool is_nothing(const struct tree *t)
{
	return t->kind == TREE_SCALAR && !t->quoted && !*t->text;
}

/* From the stream's first event to its last. */
static int take_stream(struct parse *p, struct tree *root)
{
	bool have = false;
	int err = 0, done = 0;

	root->kind = TREE_MAPPING;
	root->place.file = p->file;
	while (!done && !err) {
		yaml_event_t e;

		err = next(p, &e);
		if (err)
			break;
		switch (e.type) {
		case YAML_STREAM_END_EVENT:
			done = 1;
			break;
		case YAML_SCALAR_EVENT:
		case YAML_SEQUENCE_START_EVENT:
		case YAML_MAPPING_START_EVENT:
		case YAML_ALIAS_EVENT:
			if (have)
				err = fail(p, place_of(p, e.start_mark),
				           "there is a second document: one file has one");
			else
				err = take(p, &e, root, 0);
			have = true;
			break;
		default:
			break;
		}
		yaml_event_delete(&e);
	}
	if (!err && have && is_nothing(root)) {
		clear(root);
		root->kind = TREE_MAPPING;
		root->place.file = p->file;
	}
	return err;
}

struct tree *yaml_tree__parse(const char *file, const void *data, size_t len, struct complaints *c)
{
	struct parse p = {.file = file, .complaints = c};
	struct tree *root = calloc(1, sizeof(*root));
	int err;

	if (!root || !yaml_parser_initialize(&p.parser)) {
		no_memory(&p);
		free(root);
		return NULL;
	}
	yaml_parser_set_input_string(&p.parser, data, len);
	err = take_stream(&p, root);
	yaml_parser_delete(&p.parser);
	for (size_t i = 0; i < p.anchors_cnt; i++) {
		free(p.anchors[i].name);
		yaml_tree__free((struct tree *)p.anchors[i].node);
	}
	if (err) {
		yaml_tree__free(root);
		return NULL;
	}
	return root;
}

static int read_all(int fd, char **out, size_t *len)
{
	char *data = malloc(YAML_TREE_MAX_BYTES + 1);
	ssize_t n = 1;
	int err = 0;

	*len = 0;
	while (data && n && *len <= YAML_TREE_MAX_BYTES) {
		n = read(fd, data + *len, YAML_TREE_MAX_BYTES + 1 - *len);
		if (n < 0 && errno != EINTR) {
			err = -errno;
			break;
		}
		if (n > 0)
			*len += (size_t)n;
	}
	*out = data;
	if (!data)
		return -ENOMEM;
	return err ? err : *len > YAML_TREE_MAX_BYTES ? -EFBIG : 0;
}

/* What decides what root does must not be anybody's to change. */
static bool is_guarded(const struct stat *st)
{
	return !(st->st_mode & S_IWOTH) && (!st->st_uid || st->st_uid == geteuid());
}

struct tree *yaml_tree__load(const char *file, struct complaints *c)
{
	struct place at = {.file = file};
	struct tree *t = NULL;
	char *data = NULL;
	struct stat st;
	size_t len;
	int fd, err;

	fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st)) {
		complain(c, &at, "cannot be read: %s", strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		complain(c, &at, "this is not a file");
	} else if (!is_guarded(&st)) {
		complain(c, &at, "others can change this file: chown it to root and chmod o-w");
	} else {
		err = read_all(fd, &data, &len);
		if (err == -EFBIG)
			complain(c, &at, "this is larger than 1M");
		else if (err)
			complain(c, &at, "cannot be read: %s", strerror(-err));
		else
			t = yaml_tree__parse(file, data, len, c);
	}
	free(data);
	if (fd >= 0)
		close(fd);
	return t;
}
