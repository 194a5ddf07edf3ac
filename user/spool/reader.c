// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "../../bpf/wire.h"
#include "../util/buf.h"
#include "../util/clock.h"
#include "../util/log.h"
#include "control.h"
#include "cursor.h"
#include "spool_lane.h"

/* A loss among many items is told of when so many came behind it, or so much time, or at the end of
 * what there is. */
#define UNSAID_ITEMS 1000
#define UNSAID_NS    1000000000u

struct spool_reader {
	char *output, *stream;
	int dirfd, control_fd, cursor_fd;
	struct control_file *control;
	struct control_live live; /* the snapshot that is read up to */
	uint32_t word;            /* taken before it */
	int stream_index;         /* -1: the writer does not know it yet */
	struct spool_lane lanes[SPOOL_LANES];
	struct spool_mark mark; /* ordinal 0: not known yet */
	struct cursor cursor;   /* as on disk, or as it would be */
	uint64_t generation;
	uint64_t since_loss, unsaid_ns; /* items and when, since mark.unsaid began */
	bool read_only, said_back, said_error;
};

static void snapshot(struct spool_reader *r)
{
	struct control_live live;

	r->word = control__word(r->control);
	control__snapshot(r->control, &live);
	if (live.run)
		r->live = live;
}

static void find_stream(struct spool_reader *r)
{
	struct control_state st;

	if (r->stream_index < 0 && control__load(r->control, &st))
		r->stream_index = control__stream(&st, r->stream, strlen(r->stream));
}

static int open_cursor(struct spool_reader *r, struct buf *why)
{
	int err = 0;

	r->cursor_fd = cursor__open(r->dirfd, r->output, !r->read_only);
	if (r->cursor_fd == -ENOENT && r->read_only)
		return 0;
	if (r->cursor_fd < 0)
		err = r->cursor_fd;
	else if (!r->read_only && flock(r->cursor_fd, LOCK_EX | LOCK_NB))
		err = errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (err == -EBUSY)
		buf__printf(why, "the output '%s' is read by another process", r->output);
	else if (err)
		buf__printf(why, "cannot open the cursor of the output '%s': %s", r->output,
		            strerror(-err));
	return err;
}

/* From the cursor, from where the writer says that the output begins, or with what there is. */
static void find_place(struct spool_reader *r)
{
	struct control_state st = {0};
	const struct control_output *o;
	struct cursor c;
	int err = r->cursor_fd < 0 ? -ENOENT : cursor__read(r->cursor_fd, &c, &r->generation);

	control__load(r->control, &st);
	snapshot(r);
	o = control__output(&st, r->output);
	if (!err && (c.spool_id != r->control->spool_id || strcmp(c.stream, r->stream)))
		err = -ENOENT;
	if (!err && (c.run > st.run || (c.run == r->live.run && c.mark.seq > r->live.published)))
		err = -EBADMSG;
	if (err && err != -ENOENT)
		log__warn(
			"the cursor of the output '%s' is damaged or ahead of the spool: what the "
			"spool has is sent again",
			r->output);
	if (!err) {
		uint64_t seq = control__clamp(&st, c.run, c.mark.seq);

		if (seq != c.mark.seq) {
			log__warn(
				"items that the output '%s' had delivered did not survive on this "
				"disk; it goes on with those that came then",
				r->output);
			c.mark.ordinal = 0;
		}
		c.mark.seq = seq;
		r->mark = c.mark;
		r->cursor.tally = c.tally;
	}
	if (o && (err == -ENOENT || (!err && r->mark.seq + 1 < o->since_seq))) {
		r->mark = (struct spool_mark){.seq = o->since_seq - 1, .ordinal = o->since_ordinal};
		r->cursor.tally = (struct spool_tally){0};
	}
	r->cursor.mark = r->mark;
	r->unsaid_ns = clock__monotonic();
}

static int start(struct spool_reader *r, const char *dir, struct buf *why)
{
	int err;

	r->dirfd = open(dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (r->dirfd < 0) {
		err = -errno;
		buf__printf(why, "cannot open the spool '%s': %s%s", dir, strerror(-err),
		            err == -EACCES
		                    ? " (each directory above it must let the user who sends "
		                      "pass: chmod o+x)"
		                    : "");
		return err;
	}
	err = control__map(r->dirfd, dir, false, &r->control_fd, &r->control, why);
	if (!err)
		err = open_cursor(r, why);
	if (err)
		return err;
	find_place(r);
	find_stream(r);
	for (unsigned i = 0; i < SPOOL_LANES; i++)
		spool_lane__init(&r->lanes[i], i + 1, r->dirfd, r->control->spool_id, r->mark.seq);
	r->cursor.spool_id = r->control->spool_id;
	memcpy(r->cursor.stream, r->stream, strlen(r->stream));
	return 0;
}

int spool_reader__open(const struct spool_reader_options *opts, struct spool_reader **out,
                       struct buf *why)
{
	struct spool_reader *r = calloc(1, sizeof(*r));
	int err = -ENOMEM;

	if (r) {
		r->dirfd = r->control_fd = r->cursor_fd = r->stream_index = -1;
		r->read_only = opts->read_only;
		r->output = strdup(opts->output);
		r->stream = strndup(opts->stream, ITEM_STREAM_MAX);
		for (unsigned i = 0; i < SPOOL_LANES; i++)
			r->lanes[i].rs.fd = -1;
	}
	if (!r || !r->output || !r->stream)
		buf__printf(why, "out of memory");
	else
		err = start(r, opts->dir, why);
	if (err) {
		spool_reader__close(r);
		return err;
	}
	*out = r;
	return 0;
}

void spool_reader__close(struct spool_reader *r)
{
	if (!r)
		return;
	for (unsigned i = 0; i < SPOOL_LANES; i++)
		spool_lane__free(&r->lanes[i]);
	control__unmap(r->control);
	if (r->cursor_fd >= 0)
		close(r->cursor_fd);
	if (r->control_fd >= 0)
		close(r->control_fd);
	if (r->dirfd >= 0)
		close(r->dirfd);
	free(r->output);
	free(r->stream);
	free(r);
}

/* The lane whose record is next, NULL: there is none up to r->live. */
static struct spool_lane *first_lane(struct spool_reader *r, int *err)
{
	struct spool_lane *best = NULL;

	*err = 0;
	for (unsigned i = 0; r->stream_index >= 0 && i < SPOOL_LANES; i++) {
		struct spool_lane *l = &r->lanes[i];
		int n = spool_lane__peek(l, &r->live, (unsigned)r->stream_index, r->stream);

		if (n < 0) {
			*err = n;
			return NULL;
		}
		if (n && (!best || l->head.seq < best->head.seq))
			best = l;
	}
	return best;
}

static uint32_t find_cause(const struct spool_reader *r, uint64_t from, uint64_t to)
{
	for (unsigned i = 0; i < SPOOL_LANES; i++) {
		const struct spool_lane *l = &r->lanes[i];

		if (l->bad_before && l->bad_after < to && l->bad_before > from)
			return PT_LOST_SPOOL_ERROR;
	}
	return control__cause(r->control, from, to);
}

/* The stream's numbers up to `next` are not there; nor is anything of it up to seq. False: what was
 * lost before, by another cause, is to be told of first. */
static bool note_loss(struct spool_reader *r, uint64_t next, uint64_t seq, int64_t until_ns)
{
	struct spool_loss *l = &r->mark.unsaid;
	uint32_t cause = find_cause(r, r->mark.seq + 1, seq);

	if (l->count && l->cause != cause)
		return false;
	if (!l->count) {
		l->first = r->mark.ordinal;
		l->first_ns = r->mark.time_ns ? r->mark.time_ns : until_ns;
		l->cause = cause;
		r->unsaid_ns = clock__monotonic();
		r->since_loss = 0;
	}
	l->count += next - r->mark.ordinal;
	l->last = next - 1;
	l->last_ns = until_ns;
	r->mark.seq = seq;
	r->mark.ordinal = next;
	return true;
}

static int say_loss(struct spool_reader *r, struct spool_entry *out)
{
	out->what = SPOOL_LOSS;
	out->loss = r->mark.unsaid;
	memset(&r->mark.unsaid, 0, sizeof(r->mark.unsaid));
	out->mark = r->mark;
	return 1;
}

static void put_item(struct spool_reader *r, struct spool_lane *l, struct spool_entry *out)
{
	if (l->head.ordinal < r->mark.ordinal && !r->said_back) {
		log__warn("the numbers of the stream '%s' in the spool have gone back from %llu to "
		          "%llu",
		          r->stream, (unsigned long long)r->mark.ordinal,
		          (unsigned long long)l->head.ordinal);
		r->said_back = true;
	}
	l->have = false;
	out->what = SPOOL_ITEM;
	out->item = l->item;
	r->mark.seq = l->head.seq;
	r->mark.ordinal = l->head.ordinal + 1;
	r->mark.time_ns = l->item.time_ns;
	r->since_loss++;
	out->mark = r->mark;
}

/* All up to r->live has been read. False as note_loss(). */
static bool at_end(struct spool_reader *r)
{
	uint64_t next = r->stream_index < 0 ? 0 : r->live.next[r->stream_index];

	if (r->mark.ordinal && next > r->mark.ordinal)
		return note_loss(r, next, r->live.published, (int64_t)clock__realtime());
	if (!r->mark.ordinal)
		r->mark.ordinal = next;
	if (r->live.published > r->mark.seq)
		r->mark.seq = r->live.published;
	return true;
}

static int fail(struct spool_reader *r, int err)
{
	if (!r->said_error)
		log__error("cannot read the spool for the output '%s': %s", r->output,
		           strerror(-err));
	r->said_error = true;
	return err;
}

int spool_reader__next(struct spool_reader *r, struct spool_entry *out)
{
	for (;;) {
		uint64_t run = r->live.run, published = r->live.published;
		struct spool_lane *l;
		bool more;
		int err;

		l = first_lane(r, &err);
		if (err)
			return fail(r, err);
		if (r->mark.unsaid.count && (r->since_loss >= UNSAID_ITEMS ||
		                             clock__monotonic() - r->unsaid_ns >= UNSAID_NS))
			return say_loss(r, out);
		if (l && r->mark.ordinal && l->head.ordinal > r->mark.ordinal &&
		    !note_loss(r, l->head.ordinal, l->head.seq - 1, l->item.time_ns))
			return say_loss(r, out);
		if (l) {
			put_item(r, l, out);
			return 1;
		}
		if (!at_end(r))
			return say_loss(r, out);
		snapshot(r);
		find_stream(r);
		more = r->live.run != run || r->live.published != published;
		if (!more && r->mark.unsaid.count)
			return say_loss(r, out);
		if (!more)
			return 0;
	}
}

struct spool_mark spool_reader__mark(const struct spool_reader *r)
{
	return r->mark;
}

int spool_reader__ack(struct spool_reader *r, const struct spool_mark *mark,
                      const struct spool_tally *tally)
{
	if (r->read_only)
		return -EROFS;
	r->cursor.run = r->live.run;
	r->cursor.mark = *mark;
	r->cursor.tally = *tally;
	return cursor__write(r->cursor_fd, &r->cursor, &r->generation);
}

struct spool_mark spool_reader__cursor(const struct spool_reader *r)
{
	return r->cursor.mark;
}

struct spool_tally spool_reader__tally(const struct spool_reader *r)
{
	return r->cursor.tally;
}

uint64_t spool_reader__pending(struct spool_reader *r)
{
	struct control_live live;
	uint64_t next;

	control__snapshot(r->control, &live);
	next = r->stream_index < 0 ? 0 : live.next[r->stream_index];
	return r->cursor.mark.ordinal && next > r->cursor.mark.ordinal ? next - r->cursor.mark.ordinal
	                                                               : 0;
}

void spool_reader__wait(struct spool_reader *r, double seconds)
{
	control__wait(r->control, r->word, seconds);
}

void spool_reader__wake(struct spool_reader *r)
{
	control__wake(r->control, false);
}
