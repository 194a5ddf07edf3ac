// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The delivery worker with a receiver that does what the test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "bpf/wire.h"
#include "export/backoff.h"
#include "export/batch.h"
#include "export/worker.h"
#include "format/format.h"
#include "pattern.h"
#include "spool_kit.h"
#include "util/log.h"

#define ITEMS_MAX 20000

/* What the receiver does; what it has got. */
struct fake {
	struct driver driver;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	enum delivery_status fail_with;
	unsigned fail_times; /* calls that fail first */
	double retry_after;
	size_t max_items; /* of a batch, more is too large */
	uint64_t bad;     /* an item with a number that is a multiple of it is rejected; 0: none */
	uint64_t too_large; /* this item always is; 0: none */
	bool per_item;
	bool flaky;   /* per item: every third one is told to be tried again, once */
	size_t drops; /* that many of each batch, without saying which */
	bool stuck;   /* waits until interrupted */
	bool interrupted;
	unsigned calls;
	uint64_t got[ITEMS_MAX];
	size_t got_cnt;
	size_t losses;
	unsigned char seen[ITEMS_MAX];
	char last_loss[4096];
	unsigned alarms, releases;
};

static enum delivery_status judge(struct fake *f, const struct item *it, size_t cnt)
{
	uint64_t n = strtoull(it->body.s, NULL, 10);

	if (it->kind == ITEM_LOST)
		return DELIVERY_OK;
	if (f->too_large && n == f->too_large)
		return DELIVERY_TOO_LARGE;
	if (f->bad && n % f->bad == 0)
		return DELIVERY_REJECTED;
	if (f->flaky && n % 3 == 0 && !f->seen[n]++)
		return DELIVERY_RETRY;
	return DELIVERY_OK;
}

static void take(struct fake *f, const struct item *it)
{
	if (it->kind == ITEM_LOST) {
		f->losses++;
		snprintf(f->last_loss, sizeof(f->last_loss), "%.*s", (int)it->body.len, it->body.s);
	} else {
		f->got[f->got_cnt++] = strtoull(it->body.s, NULL, 10);
	}
}

static void answer(struct fake *f, const struct item *items, size_t cnt, struct delivery *out)
{
	if (f->fail_times) {
		f->fail_times--;
		out->status = f->fail_with;
		out->retry_after = f->retry_after;
		out->code = 503;
		strcpy(out->reason, "not now");
		return;
	}
	if (f->max_items && cnt > f->max_items) {
		out->status = DELIVERY_TOO_LARGE;
		return;
	}
	out->per_item = f->per_item;
	for (size_t i = 0; i < cnt; i++) {
		enum delivery_status s = judge(f, &items[i], cnt);

		if (f->per_item) {
			out->items[i] = (uint8_t)s;
		} else if (s) {
			out->status = s;
			out->code = 400;
			strcpy(out->reason, "what is \x1b[31mthis\n");
			return; /* nothing of it is taken */
		}
	}
	for (size_t i = 0; i < cnt; i++)
		if (!f->per_item || out->items[i] == DELIVERY_OK)
			take(f, &items[i]);
	out->bytes_sent = cnt;
	if (f->drops) {
		out->dropped = f->drops;
		strcpy(out->reason, "too old");
	}
}

static void fake_send(struct driver *d, const struct item *items, size_t cnt, struct delivery *out)
{
	struct fake *f = (struct fake *)d;

	pthread_mutex_lock(&f->lock);
	f->calls++;
	pthread_cond_broadcast(&f->cond);
	while (f->stuck && !f->interrupted)
		pthread_cond_wait(&f->cond, &f->lock);
	if (f->interrupted)
		out->status = DELIVERY_RETRY;
	else
		answer(f, items, cnt, out);
	pthread_cond_broadcast(&f->cond);
	pthread_mutex_unlock(&f->lock);
}

static void fake_interrupt(struct driver *d)
{
	struct fake *f = (struct fake *)d;

	pthread_mutex_lock(&f->lock);
	f->interrupted = true;
	pthread_cond_broadcast(&f->cond);
	pthread_mutex_unlock(&f->lock);
}

static const struct driver_ops fake_ops = {
	.name = "fake", .send = fake_send, .interrupt = fake_interrupt, .batch_items = 100};

static void alarm_rings(void *ctx, const char *output, bool held, const char *reason)
{
	struct fake *f = ctx;

	assert_string_equal(output, "a");
	if (held)
		f->alarms++;
	else
		f->releases++;
}

struct fixture {
	struct fake fake;
	struct spool *spool;
	struct settings *settings;
	struct worker *worker;
	struct worker_config cfg;
	char dead[300];
};

static void set(struct settings *s, const char *name, const char *value)
{
	struct buf why = BUF_INIT;

	assert_int_equal(settings__set(s, name, value, &why), 0);
	buf__free(&why);
}

static int setup(void **state)
{
	static const struct setting *const tables[] = {driver_settings, NULL};
	static const struct format_context ctx = {.instance = "i"};
	struct fixture *x = calloc(1, sizeof(*x));

	kit__setup(state);
	snprintf(x->dead, sizeof(x->dead), "%s/dead.json", kit_dir);
	pthread_mutex_init(&x->fake.lock, NULL);
	pthread_cond_init(&x->fake.cond, NULL);
	x->fake.driver.ops = &fake_ops;
	x->settings = settings__new(tables);
	set(x->settings, "batch_wait", "0");
	set(x->settings, "retry_min", "10ms");
	set(x->settings, "retry_max", "20ms");
	x->cfg = (struct worker_config){
		.output = "a",
		.dir = kit_dir,
		.stream = "json",
		.driver = &x->fake.driver,
		.settings = x->settings,
		.format = &ctx,
		.dead_letter = x->dead,
		.alarm = alarm_rings,
		.alarm_ctx = &x->fake,
	};
	x->spool = kit__open(1 << 20, 64 << 10);
	kit__outputs(x->spool, "a", NULL);
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	worker__stop(x->worker, 0);
	spool__close(x->spool);
	settings__free(x->settings);
	free(x);
	return kit__teardown(state);
}

static void begin(struct fixture *x)
{
	struct buf why = BUF_INIT;

	assert_int_equal(worker__start(&x->cfg, &x->worker, &why), 0);
	buf__free(&why);
}

static void put(struct fixture *x, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++)
		kit__append(x->spool, i, 1 + i % 5);
	spool__flush(x->spool);
}

/* Until the receiver has that many. */
static void wait_got(struct fixture *x, size_t cnt)
{
	pthread_mutex_lock(&x->fake.lock);
	while (x->fake.got_cnt < cnt)
		pthread_cond_wait(&x->fake.cond, &x->fake.lock);
	pthread_mutex_unlock(&x->fake.lock);
}

static struct worker_figures wait_done(struct fixture *x, uint64_t numbers)
{
	struct worker_figures f;

	do {
		usleep(1000);
		worker__figures(x->worker, &f);
	} while (f.delivered + f.dead + f.filtered + f.lost < numbers);
	assert_int_equal(f.delivered + f.dead + f.filtered + f.lost, numbers);
	return f;
}

static void assert_in_order(const struct fake *f, uint64_t first, size_t cnt)
{
	assert_int_equal(f->got_cnt, cnt);
	for (size_t i = 0; i < cnt; i++)
		assert_int_equal(f->got[i], first + i);
}

static void all_arrive_in_order(void **state)
{
	struct fixture *x = *state;
	struct worker_figures f;

	begin(x);
	put(x, 0, 500);
	wait_got(x, 500);
	put(x, 500, 510);
	f = wait_done(x, 510);
	assert_in_order(&x->fake, 0, 510);
	assert_int_equal(f.delivered, 510);
	assert_int_equal(f.pending, 0);
	assert_int_equal(f.retries, 0);
	assert_int_equal(f.bytes_sent, 510);
	assert_true(f.last_ok_ns > 0);
	assert_true(f.latency_sum > 0);
}

static void a_failure_is_tried_again_until_it_works(void **state)
{
	struct fixture *x = *state;
	struct worker_figures f;

	x->fake.fail_with = DELIVERY_RETRY;
	x->fake.fail_times = 15; /* opens the circuit on the way */
	begin(x);
	put(x, 0, 50);
	f = wait_done(x, 50);
	assert_in_order(&x->fake, 0, 50);
	assert_int_equal(f.failures[DELIVERY_RETRY], 15);
	assert_int_equal(f.retries, 15);
	assert_int_equal(f.last_reason[0], '\0');
}

static void what_the_receiver_asks_for_is_waited(void **state)
{
	struct fixture *x = *state;
	struct worker_figures f;

	x->fake.fail_with = DELIVERY_RETRY;
	x->fake.fail_times = 1;
	x->fake.retry_after = 1e30; /* at most an hour is believed */
	begin(x);
	put(x, 0, 5);
	do {
		usleep(1000);
		worker__figures(x->worker, &f);
	} while (!f.retry_in);
	assert_true(f.retry_in > 3000 && f.retry_in <= 3600);
	assert_int_equal(f.state, WORKER_RETRYING);
	assert_string_equal(f.last_reason, "not now");
	assert_int_equal(f.last_code, 503);
	assert_int_equal(f.pending, 5);
	assert_true(f.oldest_age > 0);
	worker__nudge(x->worker);
	wait_done(x, 5);
}

static void one_that_is_refused_is_held_and_rings_once(void **state)
{
	struct fixture *x = *state;
	struct worker_figures f;

	x->fake.fail_with = DELIVERY_DENIED;
	x->fake.fail_times = 5;
	begin(x);
	put(x, 0, 50);
	f = wait_done(x, 50);
	assert_in_order(&x->fake, 0, 50);
	assert_int_equal(f.failures[DELIVERY_DENIED], 5);
	assert_int_equal(x->fake.alarms, 1);
	assert_int_equal(x->fake.releases, 1);
}

static void what_is_too_large_is_split(void **state)
{
	struct fixture *x = *state;
	struct worker_figures f;

	x->fake.max_items = 7;
	put(x, 0, 300);
	begin(x);
	f = wait_done(x, 300);
	assert_in_order(&x->fake, 0, 300);
	assert_int_equal(f.dead, 0);
	/* It has learnt: not each batch finds it out anew. */
	assert_true(f.failures[DELIVERY_TOO_LARGE] < 10);
}

static size_t count_lines(const char *path, const char *needle)
{
	FILE *file = fopen(path, "r");
	char line[8192];
	size_t cnt = 0;

	while (file && fgets(line, sizeof(line), file))
		cnt += strstr(line, needle) != NULL;
	if (file)
		fclose(file);
	return cnt;
}

static void what_is_rejected_is_found_and_buried(void **state)
{
	struct fixture *x = *state;
	struct worker_figures f;
	struct stat st;

	x->fake.bad = 50;
	put(x, 1, 301);
	begin(x);
	f = wait_done(x, 300);
	assert_int_equal(f.dead, 6);
	assert_int_equal(f.delivered, 294);
	assert_int_equal(x->fake.got_cnt, 294);
	for (size_t i = 1; i < 294; i++)
		assert_true(x->fake.got[i] > x->fake.got[i - 1]);
	assert_int_equal(count_lines(x->dead, "\"status\":\"rejected\",\"code\":400"), 6);
	assert_int_equal(count_lines(x->dead, "\x1b"), 0);
	assert_int_equal(count_lines(x->dead, "\"id\":\"t-300\""), 1);
	assert_int_equal(stat(x->dead, &st), 0);
	assert_int_equal(st.st_mode & 07, 0);
}

static void what_is_dropped_without_saying_which_is_counted(void **state)
{
	struct fixture *x = *state;
	struct worker_figures f;

	x->fake.drops = 3;
	put(x, 0, 100); /* one batch */
	begin(x);
	f = wait_done(x, 100);
	assert_int_equal(x->fake.calls, 1);
	assert_int_equal(f.delivered, 97);
	assert_int_equal(f.dead, 3);
	assert_int_equal(f.failures[DELIVERY_REJECTED], 3);
	assert_string_equal(f.last_reason, "too old");
	pthread_mutex_lock(&x->fake.lock);
	x->fake.drops = 0;
	pthread_mutex_unlock(&x->fake.lock);
	put(x, 100, 150);
	f = wait_done(x, 150);
	assert_int_equal(f.delivered, 147);
	assert_int_equal(f.dead, 3);
	assert_int_equal(f.failures[DELIVERY_REJECTED], 3);
	assert_string_equal(f.last_reason, "");
	assert_int_equal(count_lines(x->dead, ""), 0);
}

/* More than were sent, and a batch that tells of a loss, too. */
static void what_is_said_to_be_dropped_is_not_believed_without_end(void **state)
{
	struct fixture *x = *state;
	struct worker_figures f;

	for (uint64_t i = 0; i < 3000; i++)
		kit__append(x->spool, i, 1);
	spool__flush(x->spool);
	x->fake.drops = SIZE_MAX;
	begin(x);
	f = wait_done(x, 3000);
	assert_int_equal(f.losses_said, 1);
	assert_int_equal(f.delivered, 0);
	assert_int_equal(f.dead + f.lost, 3000);
	assert_int_equal(f.failures[DELIVERY_REJECTED], f.dead + 1);
}

static void a_single_item_that_is_too_large_is_buried(void **state)
{
	struct fixture *x = *state;
	struct worker_figures f;

	x->fake.too_large = 40;
	put(x, 1, 101);
	begin(x);
	f = wait_done(x, 100);
	assert_int_equal(f.dead, 1);
	assert_int_equal(count_lines(x->dead, "\"status\":\"too_large\""), 1);
}

static void only_what_failed_is_sent_again(void **state)
{
	struct fixture *x = *state;
	struct worker_figures f;
	unsigned char times[301] = {0};

	x->fake.per_item = true;
	x->fake.flaky = true;
	x->fake.bad = 100;
	put(x, 1, 301);
	begin(x);
	f = wait_done(x, 300);
	assert_int_equal(f.dead, 3);
	assert_int_equal(f.delivered, 297);
	assert_int_equal(x->fake.got_cnt, 297);
	for (size_t i = 0; i < 297; i++)
		assert_int_equal(times[x->fake.got[i]]++, 0);
}

static void what_is_not_wanted_is_counted(void **state)
{
	struct fixture *x = *state;
	struct worker_figures f;

	x->cfg.min_severity = 4;
	begin(x);
	put(x, 0, 100);
	f = wait_done(x, 100);
	assert_int_equal(f.filtered, 60);
	assert_int_equal(x->fake.got_cnt, 40);
}

static void names_are_filtered(void **state)
{
	struct fixture *x = *state;
	struct pattern_list *l = pattern_list__new();
	struct worker_figures f;

	assert_int_equal(pattern_list__add(l, "!open"), 0);
	x->cfg.patterns = l;
	begin(x);
	put(x, 0, 100);
	f = wait_done(x, 100);
	assert_int_equal(f.filtered, 100);
	assert_int_equal(x->fake.got_cnt, 0);
	worker__stop(x->worker, 0);
	x->worker = NULL;
	pattern_list__free(l);
}

static void losses_are_said_in_band(void **state)
{
	struct fixture *x = *state;
	struct worker_figures f;

	for (uint64_t i = 0; i < 3000; i++)
		kit__append(x->spool, i, 1);
	spool__flush(x->spool);
	begin(x);
	f = wait_done(x, 3000);
	assert_true(f.lost > 0);
	assert_int_equal(f.lost, spool__stats(x->spool).evicted);
	assert_int_equal(x->fake.losses, 1);
	assert_int_equal(f.losses_said, 1);
	assert_non_null(strstr(x->fake.last_loss, "\"type\":\"lost\""));
	assert_non_null(strstr(x->fake.last_loss, "\"cause\":\"spool_full\""));
	{
		char want[64];

		snprintf(want, sizeof(want), "\"count\":%llu", (unsigned long long)f.lost);
		assert_non_null(strstr(x->fake.last_loss, want));
	}
	assert_int_equal(x->fake.got_cnt, f.delivered);
}

static void a_stuck_receiver_does_not_hold_up_the_end(void **state)
{
	struct fixture *x = *state;

	x->fake.stuck = true;
	begin(x);
	put(x, 0, 10);
	pthread_mutex_lock(&x->fake.lock);
	while (!x->fake.calls)
		pthread_cond_wait(&x->fake.cond, &x->fake.lock);
	pthread_mutex_unlock(&x->fake.lock);
	worker__stop(x->worker, 0.05);
	x->worker = NULL;
	assert_true(x->fake.interrupted);
	/* Nothing was acknowledged: all is there for the next one. */
	x->fake.stuck = x->fake.interrupted = false;
	begin(x);
	wait_done(x, 10);
	assert_in_order(&x->fake, 0, 10);
}

static void what_is_pending_is_sent_before_the_end(void **state)
{
	struct fixture *x = *state;

	put(x, 0, 1000);
	begin(x);
	worker__stop(x->worker, 60);
	x->worker = NULL;
	assert_in_order(&x->fake, 0, 1000);
}

static void an_idle_worker_ends_at_once(void **state)
{
	struct fixture *x = *state;
	struct worker_figures f;

	begin(x);
	put(x, 0, 1);
	do
		worker__figures(x->worker, &f);
	while (f.state != WORKER_IDLE);
	worker__stop(x->worker, 3600);
	x->worker = NULL;
}

static void a_restarted_worker_goes_on_with_its_counts(void **state)
{
	struct fixture *x = *state;
	struct worker_figures f;

	begin(x);
	put(x, 0, 100);
	wait_done(x, 100);
	worker__stop(x->worker, 0);
	put(x, 100, 150);
	begin(x);
	f = wait_done(x, 150);
	assert_int_equal(f.delivered, 150);
	assert_in_order(&x->fake, 0, 150);
}

static void dead_letters_are_bounded(void **state)
{
	struct fixture *x = *state;
	char old[320];
	struct stat st;

	x->fake.bad = 1;
	x->cfg.dead_letter_max = 8192;
	put(x, 1, 101);
	begin(x);
	assert_int_equal(wait_done(x, 100).dead, 100);
	assert_int_equal(stat(x->dead, &st), 0);
	assert_true(st.st_size <= 8192);
	snprintf(old, sizeof(old), "%s.1", x->dead);
	assert_int_equal(stat(old, &st), 0);
	assert_true(st.st_size <= 8192);
}

static void a_link_in_place_of_dead_letters_is_not_followed(void **state)
{
	struct fixture *x = *state;
	char target[320];

	snprintf(target, sizeof(target), "%s/target", kit_dir);
	assert_int_equal(symlink(target, x->dead), 0);
	x->fake.bad = 1;
	put(x, 1, 11);
	begin(x);
	assert_int_equal(wait_done(x, 10).dead, 10);
	assert_int_equal(access(target, F_OK), -1);
}

static void back_off_has_full_jitter(void **state)
{
	struct backoff b;
	double sum = 0, top = 1;

	backoff__init(&b, 1, 60);
	for (int i = 0; i < 12; i++) {
		double s = backoff__next(&b);

		assert_true(s >= 0 && s <= (top < 60 ? top : 60));
		top *= 2;
	}
	for (int i = 0; i < 1000; i++) {
		double s = backoff__next(&b);

		assert_true(s >= 0 && s < 60);
		sum += s;
	}
	assert_true(sum / 1000 > 25 && sum / 1000 < 35);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_arrive_in_order),
		TEST(a_failure_is_tried_again_until_it_works),
		TEST(what_the_receiver_asks_for_is_waited),
		TEST(one_that_is_refused_is_held_and_rings_once),
		TEST(what_is_too_large_is_split),
		TEST(what_is_rejected_is_found_and_buried),
		TEST(what_is_dropped_without_saying_which_is_counted),
		TEST(what_is_said_to_be_dropped_is_not_believed_without_end),
		TEST(a_single_item_that_is_too_large_is_buried),
		TEST(only_what_failed_is_sent_again),
		TEST(what_is_not_wanted_is_counted),
		TEST(names_are_filtered),
		TEST(losses_are_said_in_band),
		TEST(a_stuck_receiver_does_not_hold_up_the_end),
		TEST(what_is_pending_is_sent_before_the_end),
		TEST(an_idle_worker_ends_at_once),
		TEST(a_restarted_worker_goes_on_with_its_counts),
		TEST(dead_letters_are_bounded),
		TEST(a_link_in_place_of_dead_letters_is_not_followed),
		cmocka_unit_test(back_off_has_full_jitter),
	};

	log__set_level(LOG_QUIET);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
