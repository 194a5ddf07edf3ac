// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The promise of the spool, with processes that are killed: a writer that numbers its items and
 * says how far it has flushed, an exporter whose receiver fails in every way, both killed at random
 * moments. Every item that was flushed arrives at least once or is said to be lost; in order; twice
 * only under the same id. And a disk that fills up.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "bpf/wire.h"
#include "export/worker.h"
#include "format/format.h"
#include "spool_kit.h"
#include "util/log.h"

#define ITEMS 40000
#define KILLS 30

/* Shared by all processes: what the writer promises, what the receiver has got. */
struct ledger {
	uint64_t next;    /* number of the next item to be appended */
	uint64_t flushed; /* items below were flushed, but for those in `gone` */
	uint64_t lost;    /* that items told of */
	uint64_t last;
	uint64_t backward; /* items that came after a later one, without having come before */
	uint64_t wrong_id;
	uint32_t got[ITEMS * 2];
	uint8_t promised[ITEMS * 2];
};

static struct ledger *ledger;

static void __attribute__((noreturn)) write_items(uint64_t max_bytes)
{
	struct spool *s;
	uint64_t first;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	s = kit__open(max_bytes, 64 << 10);
	kit__outputs(s, "a", NULL);
	while (ledger->next < ITEMS) {
		first = ledger->next;
		for (int i = 0; i < 50 && ledger->next < ITEMS; i++) {
			uint64_t n = ledger->next++;

			kit__append(s, n, 1 + n % 3);
		}
		spool__flush(s);
		for (uint64_t n = first; n < ledger->next; n++)
			ledger->promised[n] = 1;
		usleep(50);
	}
	spool__close(s);
	_exit(0);
}

static unsigned dice;

static void receive(struct driver *d, const struct item *items, size_t cnt, struct delivery *out)
{
	size_t taken = cnt;

	dice = dice * 1103515245 + 12345;
	switch (dice >> 16 & 15) {
	case 0:
		out->status = DELIVERY_RETRY; /* refused */
		return;
	case 1:
		out->status = DELIVERY_RETRY; /* the answer is lost: some, or all, was taken */
		taken = dice >> 20 & 1 ? cnt : cnt / 2;
		break;
	case 2:
		if (cnt > 3) {
			out->status = DELIVERY_TOO_LARGE;
			return;
		}
		break;
	case 3:
		usleep(3000);
		break;
	}
	for (size_t i = 0; i < taken; i++) {
		uint64_t n = strtoull(items[i].body.s, NULL, 10);
		char id[32];

		if (items[i].kind == ITEM_LOST) {
			const char *count =
				memmem(items[i].body.s, items[i].body.len, "\"count\":", 8);

			/* Said again when it was not acknowledged: counted by the worker's
			 * figures. */
			assert_non_null(count);
			continue;
		}
		snprintf(id, sizeof(id), "t-%llu", (unsigned long long)n);
		ledger->wrong_id += items[i].id.len != strlen(id) ||
		                    memcmp(items[i].id.s, id, strlen(id));
		ledger->backward += !ledger->got[n] && n < ledger->last;
		ledger->got[n]++;
		if (n > ledger->last)
			ledger->last = n;
	}
}

static void interrupt(struct driver *d)
{
}

static const struct driver_ops receiver = {
	.name = "receiver", .send = receive, .interrupt = interrupt, .batch_items = 64};

static struct settings *settings;

static struct worker *start_worker(void)
{
	static const struct setting *const tables[] = {driver_settings, NULL};
	static struct driver driver = {&receiver};
	static const struct format_context ctx = {.instance = "i"};
	struct worker_config cfg = {.output = "a",
	                            .dir = kit_dir,
	                            .stream = "json",
	                            .driver = &driver,
	                            .settings = settings,
	                            .format = &ctx};
	struct buf why = BUF_INIT;
	struct worker *w;

	settings = settings__new(tables);
	cfg.settings = settings;
	settings__set(settings, "batch_wait", "0", &why);
	settings__set(settings, "retry_min", "10ms", &why);
	settings__set(settings, "retry_max", "10ms", &why);
	if (worker__start(&cfg, &w, &why))
		abort();
	return w;
}

static pid_t start(void (*fn)(uint64_t), uint64_t arg)
{
	pid_t pid = fork();

	if (!pid) {
		log__set_level(LOG_QUIET);
		fn(arg);
		_exit(0);
	}
	return pid;
}

static void export_items(uint64_t arg)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dice = (unsigned)getpid();
	start_worker();
	for (;;)
		pause();
}

static void kill_and_wait(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Until all numbers of the stream are accounted for; what became of them. */
static struct worker_figures finish(void)
{
	struct worker_figures f;
	struct worker *w = start_worker();

	do {
		usleep(1000);
		worker__figures(w, &f);
	} while (f.pending || f.state != WORKER_IDLE);
	worker__stop(w, 1);
	settings__free(settings);
	return f;
}

static void run_with_kills(uint64_t max_bytes)
{
	pid_t writer = start(write_items, max_bytes), exporter = start(export_items, 0);
	uint64_t step = ITEMS / (KILLS + 1);

	srand(1);
	/* Each at another moment of its work, by how far the writer is. */
	for (unsigned i = 0; i < KILLS; i++) {
		while (__atomic_load_n(&ledger->next, __ATOMIC_RELAXED) < (i + 1) * step)
			usleep(100);
		usleep((useconds_t)(rand() % 3000));
		if (i % 3) {
			kill_and_wait(exporter);
			exporter = start(export_items, 0);
		} else {
			kill_and_wait(writer);
			writer = start(write_items, max_bytes);
		}
	}
	waitpid(writer, NULL, 0);
	kill_and_wait(exporter);
}

static void every_flushed_item_arrives(void **state)
{
	uint64_t missing = 0, unpromised_missing = 0;
	struct worker_figures f;
	struct spool *s;

	run_with_kills(1 << 30);
	s = kit__open(1 << 30, 0);
	spool__close(s);
	f = finish();
	for (uint64_t n = 0; n < ledger->next; n++) {
		missing += !ledger->got[n] && ledger->promised[n];
		unpromised_missing += !ledger->got[n] && !ledger->promised[n];
	}
	assert_int_equal(ledger->next, ITEMS);
	assert_int_equal(missing, 0);
	assert_int_equal(ledger->backward, 0);
	assert_int_equal(ledger->wrong_id, 0);
	/* What the writer took to its grave: at most what it had in memory, each time. */
	assert_true(unpromised_missing <= 50 * (KILLS / 3 + 1));
	assert_int_equal(f.dead, 0);
	assert_int_equal(f.delivered, ITEMS - unpromised_missing);
	assert_true(f.lost <= unpromised_missing);
}

/* With room for a tenth only: what does not arrive is said, to the last item. */
static void what_does_not_arrive_is_counted(void **state)
{
	uint64_t arrived = 0;
	struct worker_figures f;
	struct spool *s;

	pid_t writer = start(write_items, 4 << 20);

	waitpid(writer, NULL, 0);
	s = kit__open(4 << 20, 0);
	f = finish();
	spool__close(s);
	for (uint64_t n = 0; n < ITEMS; n++)
		arrived += ledger->got[n] != 0;
	assert_true(f.lost > 0);
	assert_int_equal(arrived, f.delivered);
	assert_int_equal(f.delivered + f.lost, ITEMS);
	assert_int_equal(ledger->backward, 0);
}

static void a_full_disk_is_survived(void **state)
{
	uint64_t next = 0, sum = 0, lost = 0;
	struct spool_reader *r;
	struct spool_entry e;
	struct spool *s;
	char filler[300];
	static char junk[1 << 20];
	int fd;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", kit_dir, "tmpfs", 0, "size=4m,mode=0750"))
		skip();
	s = kit__open(1 << 30, 64 << 10);
	kit__outputs(s, "a", NULL);
	r = kit__reader("a", "json");
	for (; next < 2000; next++)
		kit__append(s, next, 2);
	spool__flush(s);
	/* Somebody else fills it. */
	snprintf(filler, sizeof(filler), "%s/filler", kit_dir);
	fd = open(filler, O_CREAT | O_WRONLY, 0600);
	while (write(fd, junk, sizeof(junk)) > 0)
		continue;
	close(fd);
	for (; next < 6000; next++) {
		kit__append(s, next, 1 + next % 5);
		if (next % 10 == 0)
			spool__flush(s);
	}
	spool__flush(s);
	assert_true(spool__stats(s).disk_error == ENOSPC);
	assert_true(spool__stats(s).lost_full > 0);
	assert_int_equal(unlink(filler), 0);
	for (; next < 6100; next++)
		kit__append(s, next, 1);
	spool__flush(s);
	while (spool_reader__next(r, &e) > 0) {
		if (e.what == SPOOL_LOSS) {
			lost += e.loss.count;
			assert_int_equal(e.loss.cause, PT_LOST_SPOOL_FULL);
		} else {
			assert_true(e.item.seq >= sum + lost);
			sum++;
		}
	}
	assert_int_equal(sum + lost, 6100);
	assert_int_equal(lost, spool__stats(s).lost_full + spool__stats(s).evicted);
	/* The last hundred are there: it has recovered. */
	assert_int_equal(e.item.seq, 6099);
	spool_reader__close(r);
	spool__close(s);
	umount(kit_dir);
}

static int setup(void **state)
{
	ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
	              0);
	return ledger == MAP_FAILED ? -1 : kit__setup(state);
}

static int teardown(void **state)
{
	munmap(ledger, sizeof(*ledger));
	return kit__teardown(state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_flushed_item_arrives),
		TEST(what_does_not_arrive_is_counted),
		TEST(a_full_disk_is_survived),
	};

	log__set_level(LOG_QUIET);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
