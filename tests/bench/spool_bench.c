// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* spool_bench DIR [ITEMS]: fills a spool with items of 900 bytes, for an output "bench", and reads
 * them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spool/reader.h"
#include "spool/spool.h"
#include "util/buf.h"
#include "util/clock.h"

#define FLUSH 64 /* items between flushes: about what a sweep of the ring brings */

static double seconds_since(uint64_t began)
{
	return (double)(clock__monotonic() - began) / 1e9;
}

static void __attribute__((noreturn)) fail(const struct buf *why)
{
	fprintf(stderr, "spool_bench: %.*s\n", (int)why->len, why->data);
	exit(1);
}

static void fill(struct spool *s, uint64_t cnt)
{
	char body[900], id[32];
	struct item it = {
		.kind = ITEM_AUDIT,
		.time_ns = (int64_t)clock__realtime(),
		.stream = {"json", 4},
		.entity = {"d261cd6b14c67eeadc15855464d47687", 32},
		.event = {"open", 4},
		.category = {"file", 4},
		.body = {body, sizeof(body)},
	};

	memset(body, 'x', sizeof(body));
	for (uint64_t i = 0; i < cnt; i++) {
		it.seq = i;
		it.severity = (uint8_t)(1 + i % 3);
		it.id = (struct item_text){id,
		                           (size_t)snprintf(id, sizeof(id), "97722cece2fcc057-%llu",
		                                            (unsigned long long)i)};
		spool__append(s, &it);
		if (i % FLUSH == FLUSH - 1)
			spool__flush(s);
	}
	spool__flush(s);
}

int main(int argc, char **argv)
{
	struct spool_options o = {.cursor_uid = (uid_t)-1, .gid = (gid_t)-1, .sync_interval = 1};
	struct spool_output output = {"bench", "json"};
	struct spool_reader_options ro = {.output = "bench", .stream = "json", .read_only = true};
	uint64_t cnt = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000, read = 0, began;
	struct buf why = BUF_INIT;
	struct spool_reader *r;
	struct spool_entry e;
	double in, out;
	struct spool *s;

	if (argc < 2) {
		fprintf(stderr, "usage: spool_bench DIR [ITEMS]\n");
		return 2;
	}
	o.dir = ro.dir = argv[1];
	o.max_bytes = cnt * 1200 + (1 << 20);
	if (spool__open(&o, &s, &why))
		fail(&why);
	if (spool__set_outputs(s, &output, 1))
		return 1;
	began = clock__monotonic();
	fill(s, cnt);
	in = seconds_since(began);
	began = clock__monotonic();
	if (spool_reader__open(&ro, &r, &why))
		fail(&why);
	while (spool_reader__next(r, &e) > 0)
		read += e.what == SPOOL_ITEM;
	out = seconds_since(began);
	printf("%llu items of 900 bytes: append %.0f/s, read %.0f/s\n", (unsigned long long)read,
	       (double)cnt / in, (double)read / out);
	spool_reader__close(r);
	spool__close(s);
	return read == cnt ? 0 : 1;
}
