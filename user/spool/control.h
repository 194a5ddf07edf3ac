/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * DIR/control: how far the writer is, for readers in other processes that map the file. The writer
 * alone writes; what changes at each flush is under a sequence lock, what must survive a loss of
 * power is in two slots with checksums, one of which is always whole.
 */
#ifndef PYTRAIL_SPOOL_CONTROL_H
#define PYTRAIL_SPOOL_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "spool.h"

struct buf;

#define CONTROL_NAME    "control"
#define CONTROL_MAGIC   0x4c4f4f505354594cull
#define CONTROL_VERSION 1
#define CONTROL_RUNS    16
#define CONTROL_NOTES   256

/* A snapshot of the writer: every item with a seq up to `published` is on disk, or lost. */
struct control_live {
	uint64_t run;
	uint64_t published; /* 0: nothing yet */
	uint64_t files;     /* changes when a segment comes */
	/* `first` of the segment that a lane is written to, 0: none */
	uint64_t active[SPOOL_LANES];
	uint64_t next[SPOOL_STREAMS_MAX]; /* ordinals: the first that is beyond `published` */
};

struct control_stream {
	char name[ITEM_STREAM_MAX + 1]; /* "": free */
	uint64_t next;                  /* ordinal, at least */
};

struct control_run {
	uint64_t run, first; /* seq */
};

struct control_output {
	char name[SPOOL_NAME_MAX + 1];     /* "": free */
	uint64_t since_seq, since_ordinal; /* what it begins with */
	uint32_t stream;
	uint32_t reserved;
};

struct control_state {
	uint32_t crc; /* of what follows */
	uint32_t reserved;
	uint64_t generation;
	uint64_t run, next_seq;
	struct control_run runs[CONTROL_RUNS]; /* the last ones, newest first; run 0: none */
	struct control_stream streams[SPOOL_STREAMS_MAX];
	struct control_output outputs[SPOOL_OUTPUTS_MAX];
};

/* Items in [first, last] are lost, some or all of them. */
struct control_note {
	uint64_t first, last; /* seq */
	uint64_t cause;       /* enum pt_lost_cause */
};

struct control_file {
	uint64_t magic;
	uint32_t version;
	uint32_t size;
	uint64_t spool_id; /* random; changes when the directory is made anew */
	uint32_t lock;     /* of `live`: odd while it is written */
	uint32_t wake;     /* a futex: changes with each flush */
	struct control_live live;
	uint64_t notes_cnt; /* ever written; they go round */
	struct control_note notes[CONTROL_NOTES];
	struct {
		_Alignas(4096) struct control_state state;
	} slots[2];
};

_Static_assert(sizeof(struct control_file) == 16384, "on disk");

/* Maps it. The writer locks it and makes it if need be. 0 and *out, or -errno with a sentence in
 * `why`. */
int control__map(int dirfd, const char *dir, bool writer, int *fd, struct control_file **out,
                 struct buf *why);
void control__unmap(struct control_file *c);

void control__publish(struct control_file *c, const struct control_live *live);
void control__snapshot(const struct control_file *c, struct control_live *out);
/* Wakes all that wait; without a change of the word when it is not the writer. */
void control__wake(struct control_file *c, bool writer);
uint32_t control__word(const struct control_file *c);
/* Until the word is not `seen` any more, or for seconds (below 0: without end); may return
 * early. */
void control__wait(const struct control_file *c, uint32_t seen, double seconds);

/* The newest whole state; false: none is. */
bool control__load(const struct control_file *c, struct control_state *out);
/* Into the slot of the older one; sets generation and crc. */
void control__store(struct control_file *c, struct control_state *st);

void control__note(struct control_file *c, uint64_t first, uint64_t last, uint32_t cause);
/* Why items between these seqs are not there: what a note says, else PT_LOST_SPOOL_ERROR. */
uint32_t control__cause(const struct control_file *c, uint64_t first, uint64_t last);

/*
 * What a position of an earlier run is worth now: seq, or less when that run's last items did not
 * survive a loss of power and their numbers came again.
 */
uint64_t control__clamp(const struct control_state *st, uint64_t run, uint64_t seq);

/* Index of a stream, -1: not known. */
int control__stream(const struct control_state *st, const char *name, size_t len);
const struct control_output *control__output(const struct control_state *st, const char *name);

#endif
