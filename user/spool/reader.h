/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One output's view of the spool: the items of its stream in the order in which they were appended,
 * from its cursor on. The cursor (DIR/cursors/NAME.cur) moves only by spool_reader__ack(). Every
 * number of the stream is accounted for: it is an item, or part of a loss. Nothing on disk is
 * trusted: lengths, checksums, names and the cursor itself are checked. Of one thread, but for
 * spool_reader__wake().
 */
#ifndef PYTRAIL_SPOOL_READER_H
#define PYTRAIL_SPOOL_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "item.h"

struct buf;
struct spool_reader;

/* Items of the stream that are not there (any more). Several gaps with items between are told of as
 * one. */
struct spool_loss {
	uint64_t count;
	uint64_t first, last; /* ordinals: they lie between, both included */
	/* of the items before and after, CLOCK_REALTIME: it lies between */
	int64_t first_ns, last_ns;
	uint32_t cause; /* enum pt_lost_cause: PT_LOST_SPOOL_FULL, PT_LOST_SPOOL_ERROR */
	uint32_t reserved;
};

/* A place in the stream: behind an item or a loss. */
struct spool_mark {
	uint64_t seq;             /* of the spool: all up to here is done */
	uint64_t ordinal;         /* of the stream: the next one that is expected */
	int64_t time_ns;          /* of the item before, CLOCK_REALTIME; 0: none */
	struct spool_loss unsaid; /* losses before it that will be told of later; count 0: none */
};

/* What became of the stream's numbers up to the cursor, since the output began; kept in the cursor.
 * With mark.unsaid.count it is all of them. */
struct spool_tally {
	uint64_t delivered, filtered, dead, lost;
};

enum spool_what { SPOOL_ITEM, SPOOL_LOSS };

struct spool_entry {
	enum spool_what what;
	struct item item;       /* SPOOL_ITEM; valid until the next call of spool_reader__next() */
	struct spool_loss loss; /* SPOOL_LOSS */
	struct spool_mark mark; /* behind it */
};

struct spool_reader_options {
	const char *dir;
	const char *output; /* its name: whose cursor it is */
	const char *stream;
	bool read_only; /* the cursor is read and never written: for looking on */
};

/*
 * 0; -ENOENT: there is no spool (yet); -EINVAL: not one, or of another version; -EBUSY: another
 * reader has this cursor; or -errno; a sentence is appended to `why` then. A cursor that cannot be
 * true (ahead of the end, damaged) is refused, which is said with log__warn(), and reading starts
 * with the oldest item there is.
 */
int spool_reader__open(const struct spool_reader_options *opts, struct spool_reader **out,
                       struct buf *why);
void spool_reader__close(struct spool_reader *r);

/* 1 and *out; 0: there is nothing more now; -errno: it cannot be read (said once with
 * log__error()). */
int spool_reader__next(struct spool_reader *r, struct spool_entry *out);

/* Where spool_reader__next() stands: also beyond items of other streams. To be acknowledged when
 * all before it is. */
struct spool_mark spool_reader__mark(const struct spool_reader *r);

/* Moves the cursor. Survives the death of this process at once; a loss of power may set it back. 0
 * or -errno. */
int spool_reader__ack(struct spool_reader *r, const struct spool_mark *mark,
                      const struct spool_tally *tally);
struct spool_mark spool_reader__cursor(const struct spool_reader *r);
struct spool_tally spool_reader__tally(const struct spool_reader *r);

/* Items of the stream behind the cursor, those that are lost included. From any thread that
 * excludes spool_reader__ack(). */
uint64_t spool_reader__pending(struct spool_reader *r);

/*
 * Waits until the writer has flushed something since the last call of spool_reader__next(), or for
 * `seconds` (below 0: without end), or until spool_reader__wake(). No polling. May return early.
 */
void spool_reader__wait(struct spool_reader *r, double seconds);
/* From any thread: ends a wait of any reader of this spool. One that is about to wait can miss it:
 * call again until the thread has seen what it is to see. */
void spool_reader__wake(struct spool_reader *r);

#endif
