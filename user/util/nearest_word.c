// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "nearest_word.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

unsigned word__distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	uint8_t rows[3][WORD_DISTANCE_MAX + 1], *before = rows[0], *last = rows[1], *row = rows[2],
						*free_row;
	size_t i, j;
	int best;

	for (j = 0; j <= b_len; j++)
		last[j] = (uint8_t)j;
	for (i = 1; i <= a_len; i++) {
		row[0] = (uint8_t)i;
		for (j = 1; j <= b_len; j++) {
			/* ASCII only: 0x20 is the case of a letter, and near enough for the
			 * rest. */
			bool same = (a[i - 1] | 0x20) == (b[j - 1] | 0x20);

			best = last[j - 1] + !same;
			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = (uint8_t)best;
		}
		free_row = before;
		before = last;
		last = row;
		row = free_row;
	}
	return last[b_len];
}

/* How far away a word may be and still be meant: further away it is another one. */
static unsigned limit(size_t len)
{
	return len < 3 ? 0 : len < 6 ? 2 : 3;
}

void nearest_word__offer(struct nearest_word *n, const char *word)
{
	size_t wanted_len = strlen(n->wanted), len = strlen(word);
	unsigned d;

	if (!wanted_len || wanted_len > WORD_DISTANCE_MAX || len > WORD_DISTANCE_MAX)
		return;
	d = word__distance(n->wanted, wanted_len, word, len);
	if (d > limit(len) || (n->best && d >= n->distance))
		return;
	n->best = word;
	n->distance = d;
}
