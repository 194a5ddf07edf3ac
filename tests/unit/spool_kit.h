/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the tests of the spool share: a directory of its own, items that tell who they are. Include
 * after cmocka. */
#ifndef PYTRAIL_SPOOL_KIT_H
#define PYTRAIL_SPOOL_KIT_H

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/reader.h"
#include "spool/segment.h"
#include "spool/spool.h"
#include "util/buf.h"
#include "util/clock.h"

static char kit_dir[256];

static inline int kit__remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static inline int kit__setup(void **state)
{
	/* In memory: each open of a spool syncs. */
	snprintf(kit_dir, sizeof(kit_dir), "%s/test-spool-XXXXXX",
	         access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	return mkdtemp(kit_dir) ? 0 : -1;
}

static inline int kit__teardown(void **state)
{
	return nftw(kit_dir, kit__remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline struct spool *kit__open_synced(uint64_t max_bytes, uint64_t segment_bytes,
                                             double interval)
{
	struct spool_options o = {
		.dir = kit_dir,
		.max_bytes = max_bytes,
		.segment_bytes = segment_bytes,
		.sync_interval = interval,
		.cursor_uid = (uid_t)-1,
		.gid = (gid_t)-1,
	};
	struct spool *s = NULL;
	struct buf why = BUF_INIT;
	int err = spool__open(&o, &s, &why);

	if (err)
		fail_msg("spool__open: %d %.*s", err, (int)why.len, why.data);
	buf__free(&why);
	return s;
}

static inline struct spool *kit__open(uint64_t max_bytes, uint64_t segment_bytes)
{
	return kit__open_synced(max_bytes, segment_bytes, -1);
}

static inline void kit__outputs(struct spool *s, const char *a, const char *b)
{
	struct spool_output o[] = {{a, "json"}, {b, "json"}};

	assert_int_equal(spool__set_outputs(s, o, b ? 2 : 1), 0);
}

/* Item number n of a stream: its id is "t-n", its body 900 bytes that begin with n. */
static inline void kit__append_to(struct spool *s, const char *stream, uint64_t n, unsigned severity)
{
	char id[32], body[900];
	struct item it = {
		.kind = ITEM_AUDIT,
		.severity = (uint8_t)severity,
		.time_ns = (int64_t)clock__realtime(),
		.seq = n,
		.stream = {stream, strlen(stream)},
		.event = {"open", 4},
		.entity = {"e", 1},
		.category = {"file", 4},
	};

	memset(body, 'x', sizeof(body));
	body[snprintf(body, sizeof(body), "%llu ", (unsigned long long)n)] = 'x';
	it.id = (struct item_text){id, (size_t)snprintf(id, sizeof(id), "t-%llu",
	                                                (unsigned long long)n)};
	it.body = (struct item_text){body, sizeof(body)};
	spool__append(s, &it);
}

static inline void kit__append(struct spool *s, uint64_t n, unsigned severity)
{
	kit__append_to(s, "json", n, severity);
}

static inline struct spool_reader *kit__reader(const char *output, const char *stream)
{
	struct spool_reader_options o = {.dir = kit_dir, .output = output, .stream = stream};
	struct spool_reader *r = NULL;
	struct buf why = BUF_INIT;
	int err = spool_reader__open(&o, &r, &why);

	if (err)
		fail_msg("spool_reader__open: %d %.*s", err, (int)why.len, why.data);
	buf__free(&why);
	return r;
}

/* The only segment of a lane, or the last one: its path. */
static inline void kit__segment(char *out, size_t size, unsigned lane)
{
	DIR *d = opendir(kit_dir);
	uint64_t first, last = 0;
	struct dirent *e;
	unsigned l;

	while ((e = readdir(d)))
		if (segment__parse_name(e->d_name, &l, &first) && l == lane && first > last) {
			snprintf(out, size, "%s/%s", kit_dir, e->d_name);
			last = first;
		}
	closedir(d);
	assert_true(last > 0);
}

static inline size_t kit__count_segments(unsigned lane)
{
	DIR *d = opendir(kit_dir);
	struct dirent *e;
	uint64_t first;
	size_t cnt = 0;
	unsigned l;

	while ((e = readdir(d)))
		cnt += segment__parse_name(e->d_name, &l, &first) && l == lane;
	closedir(d);
	return cnt;
}

#endif
