// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "spool_lane.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../util/log.h"

void spool_lane__init(struct spool_lane *l, unsigned lane, int dirfd, uint64_t spool_id,
                      uint64_t after)
{
	*l = (struct spool_lane){
		.lane = lane,
		.dirfd = dirfd,
		.spool_id = spool_id,
		.after = after,
		.rs.fd = -1,
	};
}

void spool_lane__free(struct spool_lane *l)
{
	record_stream__free(&l->rs);
}

/*
 * The segment to go on with: the next one; at the start the last that can hold what comes behind
 * `after`, or the first there is. 0: there is none. One that begins beyond `published` has come
 * after the snapshot, which cannot tell whether it is still written to.
 */
static int find_segment(const struct spool_lane *l, uint64_t published, uint64_t *out)
{
	int fd = openat(l->dirfd, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	uint64_t next = 0, holds = 0, first;
	struct dirent *entry;
	unsigned lane;

	if (!dir) {
		int err = -errno;

		if (fd >= 0)
			close(fd);
		return err;
	}
	while ((entry = readdir(dir))) {
		if (!segment__parse_name(entry->d_name, &lane, &first) || lane != l->lane ||
		    first <= l->first || first > published)
			continue;
		if (!next || first < next)
			next = first;
		if (!l->first && first <= l->after + 1 && first > holds)
			holds = first;
	}
	closedir(dir);
	*out = holds ? holds : next;
	return 0;
}

/* 1: one is open; 0: there is none; -errno. */
static int open_next(struct spool_lane *l, const struct control_live *live)
{
	char name[SEGMENT_NAME_SIZE];
	uint64_t first = 0;
	int err;

	if (l->listed == live->files)
		return 0;
	for (;;) {
		err = find_segment(l, live->published, &first);
		if (err || !first) {
			l->listed = err ? 0 : live->files;
			return err;
		}
		segment__name(name, l->lane, first);
		err = record_stream__open(&l->rs, l->dirfd, name);
		if (err == -ENOENT)
			continue; /* evicted just now: what is there instead? */
		if (err == -EACCES)
			return err; /* nothing is wrong with it: until it may be read */
		l->first = first;
		if (!err && l->rs.head.spool_id == l->spool_id && l->rs.head.first == first &&
		    l->rs.head.lane == l->lane)
			return 1;
		record_stream__close(&l->rs);
		log__warn("the spool's segment '%s' cannot be read: %s", name,
		          err && err != -EBADMSG ? strerror(-err) : "it is damaged");
	}
}

static bool decode(struct spool_lane *l, const void *payload, const char *stream_name)
{
	return item__decode(payload, l->head.len, &l->item) == (long)l->head.len &&
	       l->item.stream.len == strlen(stream_name) &&
	       !memcmp(l->item.stream.s, stream_name, l->item.stream.len);
}

/* 1: the next record of the stream in the open segment; 0: none so far; 2: nor will there be;
 * -errno. */
static int next_record(struct spool_lane *l, const struct control_live *live, unsigned stream,
                       const char *stream_name)
{
	bool final = live->active[l->lane - 1] != l->first;
	const void *payload;

	for (;;) {
		uint64_t off = record_stream__offset(&l->rs), last = l->rs.last_seq;
		uint64_t bad = l->rs.bad_bytes;
		int n = record_stream__next(&l->rs, final, &l->head, &payload);

		if (n > 0 && l->head.seq > live->published) {
			/* Not told to be whole: the writer may still take it back. */
			record_stream__unread(&l->rs, off, last);
			return 0;
		}
		if (l->rs.bad_bytes > bad) {
			log__warn("the spool's segment %u-%016llx is damaged at byte %llu", l->lane,
			          (unsigned long long)l->first, (unsigned long long)l->rs.bad_at);
			l->bad_after = last ? last : l->first - 1;
			l->bad_before = n > 0 ? l->head.seq : UINT64_MAX;
		}
		if (n <= 0)
			return n < 0 ? n : final ? 2 : 0;
		if (l->head.seq <= l->after || l->head.stream != stream)
			continue;
		if (decode(l, payload, stream_name))
			return 1;
		l->bad_after = l->head.seq - 1;
		l->bad_before = l->head.seq + 1;
	}
}

int spool_lane__peek(struct spool_lane *l, const struct control_live *live, unsigned stream,
                     const char *stream_name)
{
	while (!l->have) {
		int n = l->rs.fd < 0 ? open_next(l, live) : 1;

		if (n > 0)
			n = next_record(l, live, stream, stream_name);
		if (n <= 0)
			return n;
		if (n == 2)
			record_stream__close(&l->rs);
		else
			l->have = true;
	}
	return 1;
}
