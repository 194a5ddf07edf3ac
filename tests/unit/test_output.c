// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The pipeline: counts, sequence numbers, several outputs, failing ones. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "records.h"
#include "user/branch.h"
#include "user/output.h"
#include "user/pattern.h"
#include "user/record.h"
#include "user/spool/item.h"
#include "user/util/log.h"

static char dir[] = "/tmp/pytrail-test-output-XXXXXX";
static char spec_a[64], spec_b[64], text[1 << 20];
static struct rb b;

static const char *const path_a = spec_a + 5, *const path_b = spec_b + 5;

static struct output *open_output(const struct output_options *opts)
{
	struct output *o = NULL;

	assert_int_equal(output__new(opts, &o), 0);
	return o;
}

static int send(struct output *o, const char *name)
{
	rb__audit(&b, name);
	rb__u64(&b, PT_K_TUPLE, 0, 0);
	rb__end(&b);
	return output__record(o, b.bytes, b.size);
}

static size_t lines_of(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t cnt = 0, len;

	assert_non_null(f);
	len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[len] = '\0';
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		cnt++;
	return cnt;
}

static void test_counts(void **state)
{
	const char *specs[] = {spec_a, spec_b};
	struct pattern_list *patterns = pattern_list__new();
	struct output_options opts = {.specs = specs, .specs_cnt = 2, .patterns = patterns};
	struct output *o;
	const struct output_stats *s;

	assert_int_equal(pattern_list__add(patterns, "open,!my.secret"), 0);
	o = open_output(&opts);
	assert_int_equal(send(o, "open"), 0);
	assert_int_equal(send(o, "my.secret"), 0);
	rb__header(&b, PT_REC_LOST, sizeof(struct pt_lost));
	b.lost.count = 10;
	assert_int_equal(output__record(o, b.bytes, b.size), 0);
	assert_int_equal(output__record(o, b.bytes, 9), 0);
	assert_int_equal(send(o, "open"), 0);
	rb__header(&b, PT_REC_EXIT, sizeof(struct pt_rec));
	assert_int_equal(output__record(o, b.bytes, b.size), 0);
	assert_int_equal(output__flush(o), 0);
	s = output__stats(o);
	assert_int_equal(s->events, 2);
	assert_int_equal(s->filtered, 1);
	assert_int_equal(s->lost, 10);
	assert_int_equal(s->malformed, 1);
	assert_int_equal(s->processes, 1);
	output__free(o);
	pattern_list__free(patterns);
	/* Two events, the loss, and the record that was refused: numbered without gaps. */
	assert_int_equal(lines_of(path_b), 4);
	assert_int_equal(lines_of(path_a), 4);
	assert_non_null(strstr(text, "\"seq\":3"));
	assert_null(strstr(text, "\"seq\":4"));
	assert_non_null(strstr(text, "\"count\":1,\"cause\":\"malformed\""));
}

/* A program that was gone before anything could be read of it: a record file has nothing but its
 * exec. */
static void test_process_records(void **state)
{
	const char *specs[] = {spec_a};
	struct output_options opts = {.specs = specs, .specs_cnt = 1, .processes = true};
	struct output *o;

	unlink(path_a);
	o = open_output(&opts);
	rb__header(&b, PT_REC_EXEC, sizeof(struct pt_rec));
	assert_int_equal(output__record(o, b.bytes, b.size), 0);
	rb__header(&b, PT_REC_EXIT, sizeof(struct pt_rec));
	assert_int_equal(output__record(o, b.bytes, b.size), 0);
	rb__header(&b, PT_REC_ATTACH, sizeof(struct pt_attach));
	b.attach.file_len = 1;
	assert_int_equal(output__record(o, b.bytes, b.size), 0);
	assert_int_equal(output__stats(o)->malformed, 1);
	output__flush(o);
	output__free(o);
	assert_int_equal(lines_of(path_a), 3);
	assert_non_null(strstr(text, "\"action\":\"exec\",\"process\":{\"pid\":4242"));
	assert_non_null(strstr(text, "\"enrichment\":\"partial\""));
}

static void test_max_events(void **state)
{
	const char *specs[] = {spec_a};
	struct output_options opts = {.specs = specs, .specs_cnt = 1, .max_events = 2};
	struct output *o = open_output(&opts);

	assert_int_equal(send(o, "open"), 0);
	assert_int_equal(send(o, "open"), 1);
	output__flush(o);
	output__free(o);
}

/* What --record wrote renders as the live events did. */
static void test_record(void **state)
{
	const char *specs[] = {spec_a}, *again[] = {spec_b};
	struct record_header h = {.boot_id = "boot", .instance_ns = 3, .realtime_offset_ns = 1};
	struct output_options opts = {.specs = specs,
	                              .specs_cnt = 1,
	                              .boot_id = "boot",
	                              .instance_ns = 3,
	                              .realtime_offset_ns = 1,
	                              .live = true};
	struct record_reader *r;
	struct output *o;
	const void *record;
	size_t size, len;
	char file[64], *first;

	snprintf(file, sizeof(file), "%s/rec", dir);
	assert_int_equal(record_writer__open(file, &h, &opts.record), 0);
	o = open_output(&opts);
	for (int i = 0; i < 3; i++) {
		rb__audit(&b, "open");
		rb__u64(&b, PT_K_TUPLE, 0, 0);
		rb__end(&b);
		b.rec.task.pid = (uint32_t)getpid();
		b.rec.task.start_ns = 0; /* any */
		b.audit.call_site = i ? (uint64_t)open_output + 1 : 0;
		assert_int_equal(output__record(o, b.bytes, b.size), 0);
	}
	output__flush(o);
	output__free(o);
	assert_int_equal(record_writer__close(opts.record), 0);

	opts.specs = again;
	opts.record = NULL;
	opts.live = false;
	o = open_output(&opts);
	assert_int_equal(record_reader__open(file, &r), 0);
	for (len = 0; record_reader__next(r, &record, &size) > 0; len++)
		assert_int_equal(output__record(o, record, size), 0);
	assert_int_equal(len, 3 + 2);
	record_reader__close(r);
	output__flush(o);
	output__free(o);
	unlink(file);
	lines_of(path_a);
	first = strdup(text);
	lines_of(path_b);
	assert_string_equal(text, first);
	assert_non_null(strstr(text, "\"exe\":\"/"));
	assert_non_null(strstr(text, "\"probe\":\"usdt\"},\"call_site\":{\"module\":\"test_"
	                             "output\",\"symbol\":\"open_output\",\"offset\":1}}\n"));
	free(first);
}

static void test_specs(void **state)
{
	static const char *const bad[] = {"", "xml", "json:", ":x", "jsonx", "text:"};
	struct output *o = NULL;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct output_options opts = {.specs = &bad[i], .specs_cnt = 1};

		assert_int_equal(output__new(&opts, &o), -EINVAL);
	}
	const char *nowhere = "json:/nonexistent/x";
	struct output_options opts = {.specs = &nowhere, .specs_cnt = 1};

	assert_int_equal(output__new(&opts, &o), -ENOENT);
}

static void test_full_disk(void **state)
{
	const char *specs[] = {"json:/dev/full"};
	struct output_options opts = {.specs = specs, .specs_cnt = 1};
	struct output *o = open_output(&opts);

	assert_int_equal(send(o, "open"), 0);
	assert_int_equal(output__flush(o), -ENOSPC);
	assert_int_equal(output__flush(o), -ENOSPC);
	assert_int_equal(send(o, "open"), -ENOSPC);
	output__free(o);
}

static void test_closed_pipe(void **state)
{
	char spec[64];
	const char *specs[] = {spec};
	struct output_options opts = {.specs = specs, .specs_cnt = 1};
	struct output *o;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	snprintf(spec, sizeof(spec), "json:/proc/self/fd/%d", fds[1]);
	o = open_output(&opts);
	close(fds[0]);
	assert_int_equal(send(o, "open"), 0);
	assert_int_equal(output__flush(o), -EPIPE);
	output__free(o);
	close(fds[1]);
}

static int setup(void **state)
{
	unlink(path_a);
	unlink(path_b);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

/* What a taker was given last. */
struct taken {
	size_t cnt;
	struct item last;
	char id[80], event[64], body[512];
};

static void take(void *ctx, const struct item *it)
{
	struct taken *t = ctx;

	t->cnt++;
	t->last = *it;
	snprintf(t->id, sizeof(t->id), "%.*s", (int)it->id.len, it->id.s);
	snprintf(t->event, sizeof(t->event), "%.*s", (int)it->event.len, it->event.s);
	snprintf(t->body, sizeof(t->body), "%.*s", (int)it->body.len, it->body.s);
}

/* Items for the spool: one a record, without a newline, with what receivers want to know beside. */
static void test_taker(void **state)
{
	struct taken all = {0}, high = {0};
	struct branch_target targets[] = {
		{.format = format__find("json", 4), .take = take, .take_ctx = &all, .stream = "json"},
		{.format = format__find("json", 4),
	         .take = take,
	         .take_ctx = &high,
	         .stream = "json",
	         .min_severity = 5},
	};
	struct output_options opts = {.targets = targets, .targets_cnt = 2, .boot_id = "b"};
	const struct alert alert = {.time_ns = 5, .alert = "reloaded", .message = "x\n"};
	struct output *o = open_output(&opts);

	assert_int_equal(send(o, "open"), 0);
	assert_int_equal(all.cnt, 1);
	assert_int_equal(high.cnt, 0);
	assert_int_equal(all.last.kind, ITEM_AUDIT);
	assert_string_equal(all.event, "open");
	assert_memory_equal(all.body, "{\"type\":\"audit\"", 15);
	assert_int_equal(all.body[all.last.body.len - 1], '}');
	assert_non_null(strstr(all.body, all.id));
	assert_int_equal(send(o, "my\x1b.event\xff"), 0);
	assert_string_equal(all.event, "my?.event?");
	assert_int_equal(all.last.seq, 1);
	assert_int_equal(output__alert(o, &alert), 0);
	assert_int_equal(high.cnt, 1);
	assert_int_equal(high.last.kind, ITEM_ALERT);
	assert_non_null(strstr(high.body, "\"alert\":\"reloaded\",\"message\":\"x\\n\"}"));
	output__free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_counts),
		TEST(test_max_events),
		cmocka_unit_test(test_process_records),
		TEST(test_record),
		TEST(test_specs),
		TEST(test_full_disk),
		TEST(test_closed_pipe),
		cmocka_unit_test(test_taker),
	};
	int rc;

	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(dir))
		return 1;
	snprintf(spec_a, sizeof(spec_a), "json:%s/a", dir);
	snprintf(spec_b, sizeof(spec_b), "json:%s/b", dir);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path_a);
	unlink(path_b);
	rmdir(dir);
	return rc;
}
