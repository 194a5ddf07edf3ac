// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What libelf.a of elfutils 0.192 (Debian 13) lacks, and only a static link with it takes from
 * here: its search trees are in a library that is not installed (sourceware bug 32293, mended in
 * 0.193). The root is the first member (lib/eu-search.h); the lock behind it stays unused, as it
 * does in Debian's builds, which are without thread safety.
 */
#include <search.h>
#include <stddef.h>

struct search_tree {
	void *root;
};

typedef int (*search_compare_fn)(const void *, const void *);

void eu_search_tree_init(struct search_tree *tree);
void eu_search_tree_fini(struct search_tree *tree, void (*free_node)(void *));
void *eu_tsearch(const void *key, struct search_tree *tree, search_compare_fn compare);
void *eu_tdelete(const void *key, struct search_tree *tree, search_compare_fn compare);

void eu_search_tree_init(struct search_tree *tree)
{
	tree->root = NULL;
}

void eu_search_tree_fini(struct search_tree *tree, void (*free_node)(void *))
{
	tdestroy(tree->root, free_node);
	tree->root = NULL;
}

void *eu_tsearch(const void *key, struct search_tree *tree, search_compare_fn compare)
{
	return tsearch(key, &tree->root, compare);
}

void *eu_tdelete(const void *key, struct search_tree *tree, search_compare_fn compare)
{
	return tdelete(key, &tree->root, compare);
}
