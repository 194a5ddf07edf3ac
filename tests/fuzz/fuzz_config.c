// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Any bytes as a configuration file: a tree within its bounds, or complaints. */
#include <stdlib.h>

#include "user/config/yaml_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(const struct tree *t, unsigned depth)
{
	size_t n = 1;

	if (t->kind == TREE_MAPPING && t->cnt % 2)
		abort();
	for (size_t i = 0; i < t->cnt; i++)
		n += count(&t->items[i], depth + 1);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct complaints c = {0};
	struct tree *t = yaml_tree__parse("f", data, size, &c);

	if (!t != !!c.cnt || (t && count(t, 0) > YAML_TREE_MAX_NODES + 1))
		abort();
	yaml_tree__free(t);
	buf__free(&c.text);
	return 0;
}
