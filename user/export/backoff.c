// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "backoff.h"

#include <sys/random.h>

#include "../util/clock.h"

void backoff__init(struct backoff *b, double min, double max)
{
	*b = (struct backoff){.min = min, .max = max < min ? min : max};
	if (getrandom(&b->random, sizeof(b->random), GRND_NONBLOCK) != sizeof(b->random))
		b->random = clock__monotonic();
	b->random |= 1;
}

double backoff__next(struct backoff *b)
{
	double top = b->min;

	for (unsigned i = 0; i < b->attempts && top < b->max; i++)
		top *= 2;
	b->attempts++;
	b->random ^= b->random << 13;
	b->random ^= b->random >> 7;
	b->random ^= b->random << 17;
	return (top < b->max ? top : b->max) * (double)(b->random >> 11) / (double)(1ull << 53);
}
