/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The spool, as its writer sees it: items on disk between the collector and the outputs, in a
 * directory of segment files. Each item gets two numbers that never come back: `seq`, counted over
 * the whole spool, and `ordinal`, counted in its stream; both without gaps, restarts included.
 * Whatever becomes of an item after that (evicted for want of room, not written, corrupt on disk),
 * a reader of the stream sees the gap in the ordinals and so knows exactly what it lost; the reader
 * says it in-band (reader.h, lost_item.h).
 *
 * Segments are kept by severity (lanes): when the bound is reached, or the disk is full, the oldest
 * segment of the lowest severity goes. Those that every output has acknowledged go at once.
 *
 *	DIR/control                    what readers must know: see control.h        0640
 *	DIR/3-00000000000000a1.seg     lane 3, its first seq is 0xa1 or later       0640
 *	DIR/cursors/NAME.cur           of the output NAME, written by the exporter: the only thing there that
 *	                               is not the writer's, and nothing that the writer trusts
 *
 * One writer at a time (a lock on `control`). Of one thread, but for spool__stats().
 */
#ifndef PYTRAIL_SPOOL_H
#define PYTRAIL_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "item.h"

struct buf;
struct spool;

#define SPOOL_DIR         "/var/lib/pytrail/spool"
#define SPOOL_LANES       5 /* one for each severity */
#define SPOOL_STREAMS_MAX 16
#define SPOOL_OUTPUTS_MAX 32
#define SPOOL_NAME_MAX    47 /* bytes of an output's name: letters, digits, '_', '-', '.' */

struct spool_options {
	const char *dir;        /* made with mode 0750 if it is not there; its parent must be */
	uint64_t max_bytes;     /* of all segments, at least 1 MiB; 0: 1 GiB */
	uint64_t segment_bytes; /* of one, 0: a 64th of max_bytes, 16 MiB at most */
	/* seconds between fdatasync(2)s; 0: each flush waits for one; below 0: never */
	double sync_interval;
	uid_t cursor_uid; /* the exporter's user, which owns DIR/cursors; (uid_t)-1: ours */
	gid_t gid;        /* the exporter's group, which may read; (gid_t)-1: ours */
};

/* An output that reads the spool: items that it has not acknowledged are kept. */
struct spool_output {
	const char *name;
	const char *stream; /* as in struct item */
};

/* Since spool__open(), but for bytes and segments. */
struct spool_stats {
	/* items that got a number: = written + lost_full + lost_error + in memory */
	uint64_t appended;
	uint64_t written;
	uint64_t written_bytes;
	uint64_t lost_full; /* never written: no room, and nothing of lower severity to evict */
	/* never written: an error of the disk or of memory, or larger than an item may be */
	uint64_t lost_error;
	uint64_t evicted; /* written and evicted before every output had acknowledged them */
	uint64_t evicted_segments;
	uint64_t acknowledged_segments; /* removed because every output had acknowledged them */
	uint64_t recovered;             /* items found at the start */
	uint64_t torn_bytes;            /* cut off at the start */
	uint64_t corrupt_bytes;         /* skipped at the start */
	uint64_t syncs, sync_errors;
	uint64_t bytes;    /* on disk now */
	uint64_t segments; /* now */
	int disk_error;    /* errno of the last write that failed, 0 once none has for 10 s */
};

/*
 * Opens the spool, or makes it; repairs what a crash has left. 0 and *out; -EBUSY: another writer
 * has it; -EINVAL: not a spool, or of another version; or -errno; a sentence is appended to `why`
 * then.
 */
int spool__open(const struct spool_options *opts, struct spool **out, struct buf *why);

/* Flushes, syncs, frees. */
void spool__close(struct spool *s);

/*
 * Says which outputs there are; may be called again. A new one (or one that comes back) begins with
 * what is appended from now on; what only outputs that are gone have not acknowledged is not kept
 * for them. 0, -E2BIG: more than SPOOL_OUTPUTS_MAX, or SPOOL_STREAMS_MAX streams; -EINVAL: a bad
 * name.
 */
int spool__set_outputs(struct spool *s, const struct spool_output *outputs, size_t cnt);
bool spool__is_name(const char *name);

/*
 * A change of outputs that may be taken back: between these nothing is removed because no output
 * wants it. Unless it is kept the outputs are then those that there were, with all that they have
 * not acknowledged.
 */
void spool__begin_change(struct spool *s);
void spool__end_change(struct spool *s, bool keep);

/*
 * Takes a copy; no system call unless much has gathered. What cannot be taken is counted and its
 * readers will say so: there is nothing for the caller to do.
 */
void spool__append(struct spool *s, const struct item *it);

/* Writes what has gathered and wakes the readers. From here on it survives the death of this
 * process. */
void spool__flush(struct spool *s);

/* From any thread. */
struct spool_stats spool__stats(struct spool *s);

#endif
