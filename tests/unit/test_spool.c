// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The spool: what goes in comes out, in order; crashes, damage, room, cursors. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "bpf/wire.h"
#include "spool/cursor.h"
#include "spool/spool_impl.h"
#include "spool/spool_lane.h"
#include "spool_kit.h"
#include "util/crc32c.h"
#include "util/log.h"

static const struct spool_tally none;

/* Reads on: every item must be the next of from, from + 1, …; losses are summed up. Returns the
 * number of items. */
static uint64_t read_on(struct spool_reader *r, uint64_t *next, uint64_t *lost, uint32_t *cause)
{
	struct spool_entry e;
	uint64_t cnt = 0;
	int n;

	while ((n = spool_reader__next(r, &e)) > 0) {
		if (e.what == SPOOL_LOSS) {
			*lost += e.loss.count;
			*cause = e.loss.cause;
			assert_true(e.loss.first_ns <= e.loss.last_ns);
			continue;
		}
		assert_true(e.item.seq >= *next);
		assert_int_equal(strtoull(e.item.body.s, NULL, 10), e.item.seq);
		assert_int_equal(e.item.body.len, 900);
		*next = e.item.seq + 1;
		cnt++;
	}
	assert_int_equal(n, 0);
	return cnt;
}

static void expect(struct spool_reader *r, uint64_t next, uint64_t cnt, uint64_t want_lost)
{
	uint64_t lost = 0;
	uint32_t cause = 0;

	assert_int_equal(read_on(r, &next, &lost, &cause), cnt);
	assert_int_equal(lost, want_lost);
}

static void ack_all(struct spool_reader *r)
{
	struct spool_mark m = spool_reader__mark(r);

	assert_int_equal(spool_reader__ack(r, &m, &none), 0);
}

static void the_checksum_is_castagnolis(void **state)
{
	char data[64];

	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	for (size_t i = 0; i < sizeof(data); i++) {
		assert_int_equal(crc32c(5, data, i), crc32c__portable(5, data, i));
		assert_int_equal(crc32c(crc32c(5, data, i), data + i, sizeof(data) - i),
		                 crc32c(5, data, sizeof(data)));
	}
}

static void names_are_strict(void **state)
{
	unsigned lane;
	uint64_t first;

	assert_true(segment__parse_name("3-00000000000000a1.seg", &lane, &first));
	assert_int_equal(lane, 3);
	assert_int_equal(first, 0xa1);
	assert_false(segment__parse_name("3-00000000000000A1.seg", &lane, &first));
	assert_false(segment__parse_name("0-00000000000000a1.seg", &lane, &first));
	assert_false(segment__parse_name("6-00000000000000a1.seg", &lane, &first));
	assert_false(segment__parse_name("3-+0000000000000a1.seg", &lane, &first));
	assert_false(segment__parse_name("3-00000000000000a1.seg.damaged", &lane, &first));
	assert_true(spool__is_name("splunk-1.eu"));
	assert_false(spool__is_name(""));
	assert_false(spool__is_name(".."));
	assert_false(spool__is_name("a/b"));
}

static void what_goes_in_comes_out_in_order(void **state)
{
	struct spool *s = kit__open(0, 0);
	struct spool_reader *r, *other;

	kit__outputs(s, "a", "b");
	r = kit__reader("a", "json");
	expect(r, 0, 0, 0);
	for (uint64_t i = 0; i < 5000; i++)
		kit__append(s, i, 1 + i % 5);
	spool__flush(s);
	expect(r, 0, 5000, 0);
	assert_int_equal(spool_reader__pending(r), 5000);
	ack_all(r);
	assert_int_equal(spool_reader__pending(r), 0);
	for (uint64_t i = 5000; i < 5010; i++)
		kit__append(s, i, 5 - i % 5);
	spool__flush(s);
	expect(r, 5000, 10, 0);
	/* Not acknowledged: they come again. */
	spool_reader__close(r);
	r = kit__reader("a", "json");
	expect(r, 5000, 10, 0);
	other = kit__reader("b", "json");
	expect(other, 0, 5010, 0);
	spool_reader__close(other);
	spool_reader__close(r);
	spool__close(s);
}

/* A segment that has come since a reader looked at the control file, and has no record yet. */
static void a_segment_newer_than_the_snapshot_is_not_closed(void **state)
{
	struct control_live before = {.run = 1, .files = 1}, after = before;
	struct item it = {.kind = ITEM_AUDIT, .severity = 2, .stream = {"json", 4}};
	struct record_head h = {.lane = 2, .seq = 1, .ordinal = 1};
	int dir = open(kit_dir, O_DIRECTORY | O_RDONLY), fd;
	struct buf b = BUF_INIT;
	struct segment_head head;
	struct spool_lane l;
	char name[SEGMENT_NAME_SIZE];

	segment__make_head(&head, 7, 1, 1, 2);
	segment__name(name, 2, 1);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_APPEND, 0600);
	assert_int_equal(write(fd, &head, sizeof(head)), sizeof(head));
	spool_lane__init(&l, 2, dir, 7, 0);
	assert_int_equal(spool_lane__peek(&l, &before, 0, "json"), 0);
	buf__append(&b, &h, sizeof(h));
	assert_int_equal(item__encode(&it, &b), 0);
	((struct record_head *)(void *)b.data)->len = (uint32_t)(b.len - sizeof(h));
	record__seal((struct record_head *)(void *)b.data, head.salt);
	assert_int_equal(write(fd, b.data, b.len), b.len);
	after.files = 2;
	after.published = 1;
	after.active[1] = 1;
	assert_int_equal(spool_lane__peek(&l, &after, 0, "json"), 1);
	spool_lane__free(&l);
	buf__free(&b);
	close(fd);
	close(dir);
}

static void streams_are_apart(void **state)
{
	struct spool *s = kit__open(0, 0);
	struct spool_output o[] = {{"a", "json"}, {"b", "ecs+raw"}};
	struct spool_reader *a, *b;

	assert_int_equal(spool__set_outputs(s, o, 2), 0);
	for (uint64_t i = 0; i < 100; i++) {
		kit__append_to(s, "json", i, 1);
		if (i % 10 == 0)
			kit__append_to(s, "ecs+raw", i, 2);
	}
	spool__flush(s);
	a = kit__reader("a", "json");
	b = kit__reader("b", "ecs+raw");
	expect(a, 0, 100, 0);
	expect(b, 0, 10, 0);
	spool_reader__close(a);
	spool_reader__close(b);
	spool__close(s);
}

static void a_second_writer_or_reader_is_refused(void **state)
{
	struct spool_options o = {.dir = kit_dir, .cursor_uid = (uid_t)-1, .gid = (gid_t)-1};
	struct spool_reader_options ro = {.dir = kit_dir, .output = "a", .stream = "json"};
	struct spool *s = kit__open(0, 0), *t;
	struct spool_reader *r, *q;
	struct buf why = BUF_INIT;

	kit__outputs(s, "a", NULL);
	assert_int_equal(spool__open(&o, &t, &why), -EBUSY);
	assert_true(why.len > 0);
	r = kit__reader("a", "json");
	assert_int_equal(spool_reader__open(&ro, &q, &why), -EBUSY);
	spool_reader__close(r);
	spool__close(s);
	buf__free(&why);
}

static void numbers_go_on_after_a_restart(void **state)
{
	struct spool *s = kit__open(0, 0);
	struct spool_reader *r;

	kit__outputs(s, "a", NULL);
	for (uint64_t i = 0; i < 10; i++)
		kit__append(s, i, 2);
	spool__close(s);
	s = kit__open(0, 0);
	assert_int_equal(spool__stats(s).recovered, 10);
	kit__outputs(s, "a", NULL);
	for (uint64_t i = 10; i < 20; i++)
		kit__append(s, i, 3);
	spool__flush(s);
	r = kit__reader("a", "json");
	expect(r, 0, 20, 0);
	ack_all(r);
	/* All is acknowledged, all files go with a restart but the numbers stay. */
	spool__close(s);
	s = kit__open(0, 0);
	kit__append(s, 20, 1);
	spool__flush(s);
	expect(r, 20, 1, 0);
	spool_reader__close(r);
	spool__close(s);
}

/* Every length that a crash can leave the last segment with. */
static void every_torn_tail_is_cut(void **state)
{
	struct spool *s = kit__open(0, 0);
	char path[512], *whole;
	uint64_t record;
	struct stat st;
	int fd;

	kit__outputs(s, "a", NULL);
	for (uint64_t i = 0; i < 3; i++)
		kit__append(s, i, 2);
	spool__close(s);
	kit__segment(path, sizeof(path), 2);
	assert_int_equal(stat(path, &st), 0);
	record = ((uint64_t)st.st_size - 64) / 3;
	whole = malloc((size_t)st.st_size);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, whole, (size_t)st.st_size), st.st_size);
	close(fd);
	for (off_t len = st.st_size - 1; len >= 0; len--) {
		uint64_t left = len < 64 ? 0 : ((uint64_t)len - 64) / record;
		struct spool_reader *r;

		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
		assert_int_equal(write(fd, whole, (size_t)len), len);
		close(fd);
		s = kit__open(0, 0);
		assert_int_equal(spool__stats(s).recovered, left);
		if (left)
			assert_int_equal(spool__stats(s).torn_bytes, ((uint64_t)len - 64) % record);
		r = kit__reader("a", "json");
		/* The writer had told of three: those that are gone are said. */
		expect(r, 0, left, 3 - left);
		spool_reader__close(r);
		spool__close(s);
	}
	free(whole);
}

/* One bit of a segment's records at a time: exactly one record is lost, and that is said. */
static void flipped_bits_cost_one_record(void **state)
{
	struct spool *s = kit__open(0, 0);
	char path[512];
	struct stat st;
	int fd;

	kit__outputs(s, "a", NULL);
	for (uint64_t i = 0; i < 3; i++)
		kit__append(s, i, 2);
	spool__close(s);
	kit__segment(path, sizeof(path), 2);
	assert_int_equal(stat(path, &st), 0);
	fd = open(path, O_RDWR);
	for (off_t at = 64; at < st.st_size; at += at % 7 + 1) {
		struct spool_reader *r = kit__reader("a", "json");
		uint64_t next = 0, lost = 0;
		uint32_t cause = 0;
		char c;

		assert_int_equal(pread(fd, &c, 1, at), 1);
		c = (char)(c ^ 1 << at % 8);
		assert_int_equal(pwrite(fd, &c, 1, at), 1);
		assert_int_equal(read_on(r, &next, &lost, &cause), 2);
		assert_int_equal(lost, 1);
		assert_int_equal(cause, PT_LOST_SPOOL_ERROR);
		c = (char)(c ^ 1 << at % 8);
		assert_int_equal(pwrite(fd, &c, 1, at), 1);
		spool_reader__close(r);
	}
	close(fd);
}

static void bytes_in_an_item_are_never_taken_for_a_record(void **state)
{
	struct spool *s = kit__open(0, 0);
	char fake[1024] = {0}, path[512];
	struct record_head *h = (struct record_head *)(void *)fake;
	struct item it = {
		.kind = ITEM_AUDIT, .severity = 2, .stream = {"json", 4}, .id = {"12345678", 8}};
	struct spool_reader *r;
	int fd;

	/* A whole record without the salt, at a multiple of 8 in the body. */
	*h = (struct record_head){.len = 64, .lane = 2, .seq = 2, .ordinal = 2};
	record__seal(h, 0);
	it.body = (struct item_text){fake, sizeof(fake)};
	kit__outputs(s, "a", NULL);
	for (size_t i = 0; i < 8; i++) {
		it.id.len = i + 1;
		spool__append(s, &it);
	}
	spool__close(s);
	kit__segment(path, sizeof(path), 2);
	fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, "?", 1, 64), 1);
	close(fd);
	r = kit__reader("a", "json");
	{
		struct spool_entry e;
		uint64_t cnt = 0, lost = 0;

		while (spool_reader__next(r, &e) > 0)
			if (e.what == SPOOL_LOSS)
				lost += e.loss.count;
			else
				cnt++;
		assert_int_equal(cnt, 7);
		assert_int_equal(lost, 1);
	}
	spool_reader__close(r);
}

/* A lane between others is gone: told of as one loss, which a reader that is killed does not
 * forget. */
static void many_gaps_are_one_loss(void **state)
{
	struct spool *s = kit__open(0, 0);
	struct spool_reader *r;
	struct spool_entry e;
	char path[512];

	kit__outputs(s, "a", NULL);
	for (uint64_t i = 0; i < 300; i++)
		kit__append(s, i, 1 + i % 3);
	spool__flush(s);
	kit__segment(path, sizeof(path), 2);
	assert_int_equal(unlink(path), 0);
	r = kit__reader("a", "json");
	for (uint64_t i = 0; i < 50; i++) {
		assert_int_equal(spool_reader__next(r, &e), 1);
		assert_int_equal(e.what, SPOOL_ITEM);
	}
	assert_int_equal(e.mark.unsaid.count, 25);
	assert_int_equal(spool_reader__ack(r, &e.mark, &none), 0);
	spool_reader__close(r);
	r = kit__reader("a", "json");
	for (uint64_t i = 50; i < 200; i++) {
		assert_int_equal(spool_reader__next(r, &e), 1);
		assert_int_equal(e.what, SPOOL_ITEM);
	}
	assert_int_equal(spool_reader__next(r, &e), 1);
	assert_int_equal(e.what, SPOOL_LOSS);
	assert_int_equal(e.loss.count, 100);
	assert_int_equal(e.loss.first, 2);
	assert_int_equal(e.loss.last, 299);
	assert_int_equal(spool_reader__next(r, &e), 0);
	spool_reader__close(r);
	spool__close(s);
}

static void the_lowest_severity_goes_first(void **state)
{
	struct spool *s = kit__open(1 << 20, 64 << 10);
	struct spool_reader *r;
	uint64_t next = 0, lost = 0, cnt, i;
	uint32_t cause = 0;

	kit__outputs(s, "a", NULL);
	for (i = 0; i < 200; i++)
		kit__append(s, i, 5);
	for (; i < 5000; i++)
		kit__append(s, i, 1 + i % 2);
	spool__flush(s);
	assert_true(spool__stats(s).bytes <= 1 << 20);
	assert_true(spool__stats(s).evicted > 0);
	r = kit__reader("a", "json");
	cnt = read_on(r, &next, &lost, &cause);
	assert_int_equal(cnt + lost, 5000);
	assert_int_equal(cause, PT_LOST_SPOOL_FULL);
	assert_int_equal(lost, spool__stats(s).evicted + spool__stats(s).lost_full);
	spool_reader__close(r);
	/* All 200 of the highest are there. */
	r = kit__reader("a", "json");
	{
		struct spool_entry e;

		for (i = 0; i < 200; i++) {
			assert_int_equal(spool_reader__next(r, &e), 1);
			assert_int_equal(e.what, SPOOL_ITEM);
			assert_int_equal(e.item.seq, i);
		}
	}
	spool_reader__close(r);
	spool__close(s);
}

/* Who writes does not wait for the disk for what is evicted before its time to be synced comes; the
 * rest is synced at the end at the latest. */
static void what_is_evicted_is_not_synced(void **state)
{
	struct spool *s = kit__open_synced(512 << 10, 16 << 10, 3600);
	struct spool_stats st;

	for (uint64_t i = 0; i < 20000; i++)
		kit__append(s, i, 1);
	spool__flush(s);
	st = spool__stats(s);
	assert_true(st.evicted_segments > 1000);
	assert_true(st.syncs < st.evicted_segments / 2);
	assert_int_equal(st.sync_errors, 0);
	spool__close(s);
}

/* Nothing of a higher severity goes for something lower. */
static void what_is_low_does_not_push_out_what_is_high(void **state)
{
	struct spool *s = kit__open(1 << 20, 64 << 10);
	struct spool_reader *r;
	uint64_t i;

	kit__outputs(s, "a", NULL);
	for (i = 0; i < 1000; i++)
		kit__append(s, i, 4);
	for (; i < 1500; i++)
		kit__append(s, i, 1);
	spool__flush(s);
	assert_true(spool__stats(s).evicted < 1000);
	assert_true(spool__stats(s).lost_full > 400);
	r = kit__reader("a", "json");
	{
		uint64_t next = 0, lost = 0, cnt;
		uint32_t cause;

		cnt = read_on(r, &next, &lost, &cause);
		assert_int_equal(cnt + lost, 1500);
		assert_int_equal(cause, PT_LOST_SPOOL_FULL);
	}
	spool_reader__close(r);
	spool__close(s);
}

static void wait_for_segments(struct spool *s, uint64_t at_most)
{
	while (spool__stats(s).segments > at_most)
		usleep(10000);
}

static void what_all_have_acknowledged_goes(void **state)
{
	struct spool *s = kit__open(8 << 20, 64 << 10);
	struct spool_reader *a, *b;

	kit__outputs(s, "a", "b");
	for (uint64_t i = 0; i < 2000; i++)
		kit__append(s, i, 3);
	spool__flush(s);
	assert_true(kit__count_segments(3) > 20);
	a = kit__reader("a", "json");
	b = kit__reader("b", "json");
	expect(a, 0, 2000, 0);
	ack_all(a);
	/* The slower one: half way. */
	{
		struct spool_entry e;

		for (uint64_t i = 0; i < 1000; i++)
			assert_int_equal(spool_reader__next(b, &e), 1);
		assert_int_equal(spool_reader__ack(b, &e.mark, &none), 0);
	}
	wait_for_segments(s, 20);
	spool_reader__close(b);
	b = kit__reader("b", "json");
	expect(b, 1000, 1000, 0);
	ack_all(b);
	wait_for_segments(s, 1);
	assert_int_equal(spool__stats(s).evicted, 0);
	kit__append(s, 2000, 3);
	spool__flush(s);
	expect(a, 2000, 1, 0);
	expect(b, 2000, 1, 0);
	spool_reader__close(a);
	spool_reader__close(b);
	spool__close(s);
}

static void a_vanished_output_holds_nothing(void **state)
{
	struct spool *s = kit__open(8 << 20, 64 << 10);
	struct spool_reader *a, *b;

	kit__outputs(s, "a", "b");
	b = kit__reader("b", "json");
	ack_all(b);
	spool_reader__close(b);
	for (uint64_t i = 0; i < 1000; i++)
		kit__append(s, i, 3);
	spool__flush(s);
	a = kit__reader("a", "json");
	expect(a, 0, 1000, 0);
	ack_all(a);
	kit__outputs(s, "a", NULL);
	wait_for_segments(s, 1);
	/* It comes back: it begins with what comes then, and misses nothing. */
	kit__outputs(s, "a", "b");
	kit__append(s, 1000, 3);
	spool__flush(s);
	b = kit__reader("b", "json");
	expect(b, 1000, 1, 0);
	spool_reader__close(a);
	spool_reader__close(b);
	spool__close(s);
}

static void write_cursor(const char *name, const struct cursor *c)
{
	int dir = open(kit_dir, O_DIRECTORY | O_RDONLY), fd = cursor__open(dir, name, true);
	uint64_t generation = 0;

	assert_true(fd >= 0);
	assert_int_equal(cursor__write(fd, c, &generation), 0);
	close(fd);
	close(dir);
}

static void a_cursor_ahead_of_the_end_is_refused(void **state)
{
	struct spool *s = kit__open(8 << 20, 64 << 10);
	struct spool_reader *r;
	struct cursor c;
	uint64_t generation;
	int dir = open(kit_dir, O_DIRECTORY | O_RDONLY), fd;

	kit__outputs(s, "a", NULL);
	for (uint64_t i = 0; i < 500; i++)
		kit__append(s, i, 3);
	spool__flush(s);
	r = kit__reader("a", "json");
	expect(r, 0, 500, 0);
	{
		struct spool_entry e;
		struct spool_mark m = spool_reader__mark(r);

		assert_int_equal(spool_reader__next(r, &e), 0);
		assert_int_equal(spool_reader__ack(r, &m, &none), 0);
	}
	spool_reader__close(r);
	fd = cursor__open(dir, "a", false);
	assert_int_equal(cursor__read(fd, &c, &generation), 0);
	close(fd);
	c.mark.seq = UINT64_MAX;
	fd = cursor__open(dir, "a", true);
	assert_int_equal(ftruncate(fd, 0), 0);
	close(fd);
	write_cursor("a", &c);
	kit__append(s, 500, 3);
	spool__flush(s);
	r = kit__reader("a", "json");
	/* From the oldest on, whatever that is by now, to the very last. */
	{
		uint64_t next = 0, lost = 0;
		uint32_t cause;

		assert_true(read_on(r, &next, &lost, &cause) >= 1);
		assert_int_equal(next, 501);
	}
	spool_reader__close(r);
	close(dir);
	spool__close(s);
}

static void a_link_in_place_of_a_cursor_is_not_followed(void **state)
{
	struct spool *s = kit__open(0, 0);
	struct spool_reader_options o = {.dir = kit_dir, .output = "a", .stream = "json"};
	struct spool_reader *r;
	struct buf why = BUF_INIT;
	char path[512], target[512];

	kit__outputs(s, "a", NULL);
	snprintf(path, sizeof(path), "%s/cursors/a.cur", kit_dir);
	snprintf(target, sizeof(target), "%s/target", kit_dir);
	assert_int_equal(symlink(target, path), 0);
	assert_true(spool_reader__open(&o, &r, &why) < 0);
	assert_int_equal(access(target, F_OK), -1);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_true(spool_reader__open(&o, &r, &why) < 0);
	for (uint64_t i = 0; i < 10; i++)
		kit__append(s, i, 1);
	spool__close(s); /* the writer is not held up by the FIFO either */
	buf__free(&why);
}

static void every_torn_cursor_has_a_whole_slot(void **state)
{
	struct spool *s = kit__open(0, 0);
	struct cursor c = {.run = 1, .stream = "json"}, out;
	int dir, fd;
	uint64_t generation = 0, got;
	char whole[1024], torn[1024];

	spool__close(s);
	dir = open(kit_dir, O_DIRECTORY | O_RDONLY);
	fd = cursor__open(dir, "a", true);
	assert_int_equal(cursor__read(fd, &out, &got), -ENOENT);
	for (c.mark.seq = 1; c.mark.seq <= 4; c.mark.seq++)
		assert_int_equal(cursor__write(fd, &c, &generation), 0);
	assert_int_equal(pread(fd, whole, sizeof(whole), 0), sizeof(whole));
	for (size_t i = 0; i < sizeof(whole); i++) {
		memcpy(torn, whole, sizeof(torn));
		torn[i] = (char)~torn[i];
		assert_int_equal(pwrite(fd, torn, sizeof(torn), 0), sizeof(torn));
		assert_int_equal(cursor__read(fd, &out, &got), 0);
		assert_true(out.mark.seq == 4 || out.mark.seq == 3);
	}
	memset(torn, 0xff, sizeof(torn));
	assert_int_equal(pwrite(fd, torn, sizeof(torn), 0), sizeof(torn));
	assert_int_equal(cursor__read(fd, &out, &got), -EBADMSG);
	close(fd);
	close(dir);
}

/* The machine lost power: what was told to be written is not there, and its numbers come again. */
static void numbers_that_come_again_are_read(void **state)
{
	struct spool *s = kit__open(0, 0);
	struct spool_reader *r;
	char path[512];
	struct stat st;
	int fd;

	kit__outputs(s, "a", NULL);
	for (uint64_t i = 0; i < 10; i++)
		kit__append(s, i, 2);
	spool__flush(s);
	r = kit__reader("a", "json");
	expect(r, 0, 10, 0);
	ack_all(r);
	spool_reader__close(r);
	spool__close(s);
	/* Five records are gone from the segment, and all of the control file's news. */
	kit__segment(path, sizeof(path), 2);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, 64 + (st.st_size - 64) / 2), 0);
	snprintf(path, sizeof(path), "%s/control", kit_dir);
	fd = open(path, O_RDWR);
	{
		static char zero[16384 - 32];

		assert_int_equal(pwrite(fd, zero, sizeof(zero), 32), sizeof(zero));
	}
	close(fd);
	s = kit__open(0, 0);
	assert_int_equal(spool__stats(s).recovered, 5);
	for (uint64_t i = 100; i < 110; i++)
		kit__append(s, i, 2);
	spool__flush(s);
	r = kit__reader("a", "json");
	expect(r, 100, 10, 0);
	spool_reader__close(r);
	spool__close(s);
}

/* Whoever can write to the directory above can put another one in its place, or a link. */
static void a_directory_that_others_can_replace_is_refused(void **state)
{
	char dir[300], link_path[300];
	struct spool_options o = {.dir = dir, .cursor_uid = (uid_t)-1, .gid = (gid_t)-1};
	struct buf why = BUF_INIT;
	struct spool *s;
	struct stat st;

	snprintf(dir, sizeof(dir), "%s/spool/", kit_dir);
	assert_int_equal(chmod(kit_dir, 0777), 0);
	assert_int_not_equal(spool__open(&o, &s, &why), 0);
	assert_non_null(strstr(why.data, "can be written to by all"));
	buf__reset(&why);
	assert_int_equal(chmod(kit_dir, 01777), 0);
	assert_int_equal(spool__open(&o, &s, &why), 0);
	spool__close(s);
	/* made for itself alone */
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	snprintf(link_path, sizeof(link_path), "%s/link", kit_dir);
	assert_int_equal(symlink("spool", link_path), 0);
	o.dir = link_path;
	assert_int_not_equal(spool__open(&o, &s, &why), 0);
	if (!geteuid() && !lchown(link_path, 65534, 65534)) {
		snprintf(dir, sizeof(dir), "%s/link/other", kit_dir);
		o.dir = dir;
		buf__reset(&why);
		assert_int_not_equal(spool__open(&o, &s, &why), 0);
		assert_non_null(strstr(why.data, "a symbolic link"));
	}
	buf__free(&why);
	chmod(kit_dir, 0700);
}

static void a_directory_that_others_can_write_to_is_refused(void **state)
{
	struct spool_options o = {.dir = kit_dir, .cursor_uid = (uid_t)-1, .gid = (gid_t)-1};
	struct buf why = BUF_INIT;
	struct spool *s;

	assert_int_equal(chmod(kit_dir, 0770), 0);
	assert_int_equal(spool__open(&o, &s, &why), -EPERM);
	assert_true(why.len > 0);
	buf__free(&why);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

/* As in the unit for systemd, and in many a root's shell. */
static void a_umask_hides_nothing_from_the_exporter(void **state)
{
	struct spool_options o = {.dir = kit_dir, .max_bytes = 1 << 20, .segment_bytes = 1 << 16};
	struct buf why = BUF_INIT;
	struct spool *s;
	mode_t before = umask(0077);
	char path[512];

	o.cursor_uid = geteuid();
	o.gid = getegid();
	assert_int_equal(spool__open(&o, &s, &why), 0);
	kit__append(s, 0, 1);
	spool__flush(s);
	umask(before);
	assert_int_equal(mode_of(kit_dir), 0750);
	kit__segment(path, sizeof(path), 1);
	assert_int_equal(mode_of(path), 0640);
	snprintf(path, sizeof(path), "%s/control", kit_dir);
	assert_int_equal(mode_of(path), 0640);
	spool__close(s);
	/* neither does what is there already, of a user or a version before */
	kit__segment(path, sizeof(path), 1);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(spool__open(&o, &s, &why), 0);
	assert_int_equal(mode_of(path), 0640);
	spool__close(s);
	buf__free(&why);
}

/* The spool of an exporter that is that user. */
static struct spool *open_for(uid_t uid)
{
	struct spool_options o = {
		.dir = kit_dir,
		.max_bytes = 1 << 20,
		.segment_bytes = 1 << 16,
		.sync_interval = -1,
		.cursor_uid = uid,
		.gid = uid,
	};
	struct buf why = BUF_INIT;
	struct spool *s = NULL;

	assert_int_equal(spool__open(&o, &s, &why), 0);
	buf__free(&why);
	return s;
}

/* This thread: the spool's own has given its rights up. */
static void become(uid_t uid)
{
	/* back to root first: it alone may become anybody */
	assert_int_equal(syscall(SYS_setresuid, -1, 0, -1), 0);
	assert_int_equal(syscall(SYS_setresgid, -1, uid, -1), 0);
	assert_int_equal(syscall(SYS_setresuid, -1, uid, -1), 0);
}

/* As when a segment of before an upgrade is handed to the exporter's group a moment later. */
static void what_may_not_be_read_yet_is_waited_for(void **state)
{
	struct spool_entry entry;
	struct spool_reader *r;
	struct spool *s;
	char path[512];

	if (geteuid())
		skip();
	s = open_for(65534);
	kit__outputs(s, "a", NULL);
	kit__append(s, 0, 1);
	spool__flush(s);
	kit__segment(path, sizeof(path), 1);
	assert_int_equal(chmod(path, 0600), 0);
	become(65534);
	r = kit__reader("a", "json");
	assert_int_equal(spool_reader__next(r, &entry), -EACCES);
	assert_int_equal(spool_reader__next(r, &entry), -EACCES);
	become(0);
	assert_int_equal(chmod(path, 0640), 0);
	become(65534);
	assert_int_equal(spool_reader__next(r, &entry), 1);
	assert_int_equal(entry.what, SPOOL_ITEM);
	assert_int_equal(entry.item.seq, 0);
	spool_reader__close(r);
	become(0);
	spool__close(s);
}

static uid_t owner_of(const char *name)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", kit_dir, name);
	assert_int_equal(lstat(path, &st), 0);
	return st.st_uid;
}

/* Of whom the exporter was before; not what a user of before has put in their place. */
static void cursors_are_handed_to_the_exporter(void **state)
{
	struct spool_entry entry;
	struct spool_reader *r;
	char path[512], other[512];
	struct spool *s;

	if (geteuid())
		skip();
	s = open_for(65533);
	kit__outputs(s, "a", NULL);
	kit__append(s, 0, 1);
	kit__append(s, 1, 1);
	spool__flush(s);
	become(65533);
	r = kit__reader("a", "json");
	assert_int_equal(spool_reader__next(r, &entry), 1);
	assert_int_equal(spool_reader__ack(r, &entry.mark, &(struct spool_tally){.delivered = 1}), 0);
	spool_reader__close(r);
	snprintf(path, sizeof(path), "%s/cursors/link.cur", kit_dir);
	assert_int_equal(symlink("../control", path), 0);
	become(0);
	snprintf(other, sizeof(other), "%s/of-root", kit_dir);
	close(open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	snprintf(path, sizeof(path), "%s/cursors/hard.cur", kit_dir);
	assert_int_equal(link(other, path), 0);
	spool__close(s);
	assert_int_equal(owner_of("cursors/a.cur"), 65533);

	s = open_for(65534);
	assert_int_equal(owner_of("cursors/a.cur"), 65534);
	assert_int_equal(owner_of("control"), 0);
	assert_int_equal(owner_of("of-root"), 0);
	become(65534);
	r = kit__reader("a", "json");
	assert_int_equal(spool_reader__next(r, &entry), 1);
	assert_int_equal(entry.item.seq, 1); /* where the other one was */
	spool_reader__close(r);
	become(0);
	spool__close(s);
}

/* Outputs that are changed and changed back, since the rest of the change did not work. */
static void a_change_of_outputs_is_taken_back(void **state)
{
	struct spool *s = kit__open(1 << 20, 1 << 12);
	struct spool_reader *r;

	kit__outputs(s, "a", "b");
	for (uint64_t i = 0; i < 100; i++)
		kit__append(s, i, 1);
	spool__begin_change(s);
	kit__outputs(s, "c", NULL);
	spool__tend(s); /* nobody else wants any of it */
	spool__end_change(s, false);
	kit__outputs(s, "a", "b");
	r = kit__reader("a", "json");
	expect(r, 0, 100, 0);
	spool_reader__close(r);
	/* one that stays changed is */
	spool__begin_change(s);
	kit__outputs(s, "b", NULL);
	spool__end_change(s, true);
	kit__outputs(s, "a", "b");
	kit__append(s, 100, 1);
	spool__flush(s);
	r = kit__reader("a", "json");
	expect(r, 100, 1, 0);
	spool_reader__close(r);
	spool__close(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit__setup, kit__teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_checksum_is_castagnolis),
		cmocka_unit_test(names_are_strict),
		TEST(what_goes_in_comes_out_in_order),
		TEST(a_segment_newer_than_the_snapshot_is_not_closed),
		TEST(streams_are_apart),
		TEST(a_second_writer_or_reader_is_refused),
		TEST(numbers_go_on_after_a_restart),
		TEST(every_torn_tail_is_cut),
		TEST(flipped_bits_cost_one_record),
		TEST(bytes_in_an_item_are_never_taken_for_a_record),
		TEST(many_gaps_are_one_loss),
		TEST(the_lowest_severity_goes_first),
		TEST(what_is_evicted_is_not_synced),
		TEST(what_is_low_does_not_push_out_what_is_high),
		TEST(what_all_have_acknowledged_goes),
		TEST(a_vanished_output_holds_nothing),
		TEST(a_cursor_ahead_of_the_end_is_refused),
		TEST(a_link_in_place_of_a_cursor_is_not_followed),
		TEST(every_torn_cursor_has_a_whole_slot),
		TEST(numbers_that_come_again_are_read),
		TEST(a_directory_that_others_can_replace_is_refused),
		TEST(a_directory_that_others_can_write_to_is_refused),
		TEST(a_umask_hides_nothing_from_the_exporter),
		TEST(what_may_not_be_read_yet_is_waited_for),
		TEST(cursors_are_handed_to_the_exporter),
		TEST(a_change_of_outputs_is_taken_back),
	};

	log__set_level(LOG_QUIET);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
