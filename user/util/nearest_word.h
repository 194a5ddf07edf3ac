/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The word, of a few, that one that was misspelt is nearest to. */
#ifndef PYTRAIL_NEAREST_WORD_H
#define PYTRAIL_NEAREST_WORD_H

#include <stddef.h>

#define WORD_DISTANCE_MAX 64 /* bytes of a word */

/*
 * How many insertions, deletions, replacements and swaps of neighbours make b of a (optimal string
 * alignment), letters compared without case. Neither is longer than WORD_DISTANCE_MAX.
 */
unsigned word__distance(const char *a, size_t a_len, const char *b, size_t b_len);

struct nearest_word {
	const char *wanted;
	const char *best;  /* NULL: none is near */
	unsigned distance; /* of the best */
};

/* Start with {.wanted = word}; words must stay. */
void nearest_word__offer(struct nearest_word *n, const char *word);

#endif
