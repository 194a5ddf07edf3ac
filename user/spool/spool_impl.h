/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the parts of the spool's writer share: spool.c (items in), spool_segment.c (bytes to files,
 * room), spool_recover.c (the start), spool_tend.c (the thread that syncs and removes). */
#ifndef PYTRAIL_SPOOL_IMPL_H
#define PYTRAIL_SPOOL_IMPL_H

#include <pthread.h>

#include "control.h"
#include "segment.h"
#include "spool.h"
#include "../util/buf.h"

/* A file. */
struct seg {
	unsigned lane;        /* 1 to SPOOL_LANES */
	uint64_t first, last; /* seq; last 0: no record in it */
	uint64_t bytes, items;
};

struct lane {
	/* What has gathered, as it will be in the file, but for the checksums' seed. */
	struct buf buf;
	uint64_t buf_items, buf_first, buf_last;
	/* The segment that is written to; fd -1: none. */
	int fd;
	uint64_t off, first;
	uint32_t salt;
	bool dirty; /* written since the last sync */
};

/* A whole segment that is to be synced still. */
struct sealed {
	unsigned lane;
	uint64_t first;
	int fd;
};

#define SEALED_MAX 64 /* as many as a spool has segments, mostly */

struct spool {
	struct spool_options opts;
	char *dir;
	int dirfd, control_fd;
	struct control_file *control;
	/* The collector's thread only. */
	uint64_t next_seq;
	struct lane lanes[SPOOL_LANES + 1]; /* by severity; [0] is not used */
	size_t buffered;
	size_t threshold;   /* bytes that gather before they are written in any case */
	size_t last_stream; /* the last item's: a guess for the next one */
	bool streams_changed;
	bool said_streams;
	/* Of both threads, under `lock`. */
	pthread_mutex_t lock;
	pthread_cond_t cond;
	pthread_t tender;
	bool tender_runs, stop, parked;
	bool dir_dirty; /* a file has come since the last sync */
	struct sealed sealed[SEALED_MAX];
	size_t sealed_cnt;
	struct control_state state;
	/* while `changing`: the outputs that there were */
	struct control_output before[SPOOL_OUTPUTS_MAX];
	bool changing;
	struct seg *segs; /* in the order of `first` in each lane */
	size_t segs_cnt, segs_cap;
	uint64_t files; /* struct control_live */
	struct spool_stats stats;
	uint64_t disk_error_ns;          /* of the last write that failed */
	uint64_t acknowledged;           /* every output is beyond this seq */
	bool refused[SPOOL_OUTPUTS_MAX]; /* a cursor that cannot be true was said */
};

/* spool_segment.c; all under `lock` */
/* Writes what has gathered in a lane, or counts it as lost. */
void spool__write_lane(struct spool *s, unsigned lane);
/* Closes the lane's segment, if one is open: it is whole. What waits for the disk is left to the
 * tender. */
void spool__seal(struct spool *s, unsigned lane);
/* Opens a new segment for the lane. 0 or -errno. */
int spool__new_segment(struct spool *s, unsigned lane, uint64_t first);
/* spool__hand_over(); not fatal: who cannot read it waits, and says so. */
void spool__hand_over_segment(const struct spool *s, int fd, const char *name);
/* Takes a segment off the list, without removing its file. */
void spool__forget(struct spool *s, size_t i);
int spool__add_seg(struct spool *s, const struct seg *seg);
int spool__sync_lane(struct spool *s, unsigned lane);

/* spool.c; under `lock`: the state into the control file. */
void spool__store(struct spool *s);
/* Lets the group that reads the spool read a file, whatever the umask took away as it was made. 0
 * or -errno. */
int spool__hand_over(const struct spool *s, int fd);

/* spool_recover.c: reads what is there. 0 or -errno with a sentence in `why`. */
int spool__recover(struct spool *s, struct buf *why);

/* spool_tend.c */
int spool__start_tender(struct spool *s);
void spool__stop_tender(struct spool *s);
void spool__wake_tender(struct spool *s); /* under `lock` */
/* Reads the cursors and removes what all outputs have acknowledged. Without `lock`. */
void spool__tend(struct spool *s);

#endif
