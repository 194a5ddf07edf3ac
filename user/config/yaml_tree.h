/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A YAML file as a tree whose every node knows where it stands. One document, no tags; aliases are
 * copies of what they name. Bounded: bytes, nodes after aliases are resolved, and depth.
 */
#ifndef PYTRAIL_YAML_TREE_H
#define PYTRAIL_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "../util/buf.h"

#define YAML_TREE_MAX_BYTES (1u << 20)
#define YAML_TREE_MAX_NODES 20000
#define YAML_TREE_MAX_DEPTH 16

/* Of a character, from 1; line 0: of the file as a whole. */
struct place {
	const char *file;
	unsigned line, column;
};

enum tree_kind { TREE_SCALAR, TREE_SEQUENCE, TREE_MAPPING };

struct tree {
	enum tree_kind kind;
	struct place place;
	char *text;  /* of a scalar: UTF-8 without a NUL, terminated */
	bool quoted; /* not a plain scalar: "" is a text, not nothing */
	/* of a sequence; of a mapping keys and values in turn, keys are scalars */
	struct tree *items;
	size_t cnt;
};

/* Sentences, each with its place before it, a line each. */
struct complaints {
	struct buf text;
	unsigned cnt;
};

void complain(struct complaints *c, const struct place *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Says them all as errors, and frees. */
void complaints__say(struct complaints *c);

/*
 * Parses `len` bytes; `file` is their name, kept by pointer in every place. NULL with a complaint.
 * A file without anything in it is an empty mapping.
 */
struct tree *yaml_tree__parse(const char *file, const void *data, size_t len, struct complaints *c);
/* Reads a file first; one that others than root or its reader can write is refused. */
struct tree *yaml_tree__load(const char *file, struct complaints *c);
void yaml_tree__free(struct tree *t);

#endif
