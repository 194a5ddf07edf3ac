/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a kind of sink is made of. */
#ifndef PYTRAIL_SINK_IMPL_H
#define PYTRAIL_SINK_IMPL_H

#include <stdbool.h>
#include <stddef.h>

struct sink;

struct sink_ops {
	int (*write)(struct sink *s, const char *data, size_t len);
	int (*flush)(struct sink *s);
	int (*close)(struct sink *s); /* frees s */
	unsigned (*columns)(const struct sink *s);
	int (*reopen)(struct sink *s);
};

/* The first member of each kind's own struct. */
struct sink {
	const struct sink_ops *ops;
};

/* file.c: standard output or a file; as sink__open(). */
int sink_file__open(const char *dest, struct sink **out);

#endif
