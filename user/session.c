// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "again.h"
#include "catalog.h"
#include "entry_program.h"
#include "feature.h"
#include "lockdown.h"
#include "losses.h"
#include "pattern.h"
#include "selection.h"
#include "ring.h"
#include "run_stats.h"
#include "site_programs.h"
#include "util/buf.h"
#include "uprobe_multi.h"
#include "util/clock.h"
#include "util/log.h"

#include "pytrail.skel.h"

struct session {
	struct pytrail_bpf *skel;
	struct ring *ring;
	struct again *again;
	struct attach *attach;
	struct entry_program *entry_program; /* or NULL: not in this mode, or: */
	struct site_programs *copies;        /* or NULL: this kernel needs none */
	struct losses *losses;
	bool multi;   /* files are attached by links of many uprobes */
	int stats_fd; /* while it is open the kernel measures run times; or -1 */
	session_record_fn fn;
	void *ctx;
};

/* A producer that never pauses must not keep the collector from its signals and timers, nor one
 * whose records are dear. */
#define DRAIN_MAX 65536
#define DRAIN_NS  50000000u

/* Bytes of what one read of the iterator may give (8 pages, kernel/bpf/bpf_iter.c). */
#define TASKS_ROOM 32768

static int libbpf_print(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char line[1024];

	if (log__level() < LOG_DEBUG && !(level == LIBBPF_WARN && log__level() >= LOG_VERBOSE))
		return 0;
	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	log__debug("%s", line);
	return 0;
}

/* Scratch slots: several times what can run at once, for programs that sleep hold theirs. */
static __u32 slots_wanted(void)
{
	int cpus = libbpf_num_possible_cpus();
	__u32 n = 64;

	while (cpus > 0 && n < (__u32)cpus * 4 && n < 1024)
		n *= 2;
	return n;
}

static void session__configure_users(struct pytrail_bpf *skel, const struct selection *selection)
{
	uint32_t uid;
	bool exclude;
	size_t i;

	skel->rodata->cfg_select = selection__needs_facts(selection);
	for (i = 0; selection__uid(selection, i, &uid, &exclude); i++) {
		skel->rodata->cfg_users = true;
		if (!exclude)
			skel->rodata->cfg_users_only = true;
	}
}

/* By a link of many uprobes a child of a process that the kernel filters by would go on paying. */
static bool is_multi(const struct session_options *o)
{
	return !o->kernel_pid && feature__has(FEATURE_UPROBE_MULTI);
}

/* May wait for a page of the process watched: only where no other process waits with it. */
static bool may_sleep(const struct session_options *o)
{
	return feature__has(FEATURE_SLEEPABLE_UPROBE) &&
	       (is_multi(o) || feature__has(FEATURE_UNLOCKED_PERF_UPROBE));
}

static int session__configure(struct session *s, const struct session_options *o)
{
	struct pytrail_bpf *skel = s->skel;
	bool copies = site_programs__needed();
	bool sleepable = !copies && may_sleep(o);
	bool usdt = o->probe != PROBE_UPROBE;
	int err;

	skel->rodata->cfg_max_string = o->max_string;
	skel->rodata->cfg_max_items = o->max_items;
	skel->rodata->cfg_max_depth = o->max_depth;
	if (o->max_rate) {
		skel->rodata->cfg_rate_interval_ns = 1000000000u / o->max_rate;
		skel->rodata->cfg_rate_burst_ns = 1000000000u - skel->rodata->cfg_rate_interval_ns;
	}
	skel->rodata->cfg_selected = o->selected;
	skel->rodata->cfg_filter_processes = o->selected && !o->kernel_pid;
	session__configure_users(skel, o->selection);
	skel->rodata->cfg_filter_events = o->patterns && !pattern_list__empty(o->patterns);
	skel->rodata->cfg_drop_unknown = skel->rodata->cfg_filter_events &&
	                                 pattern_list__only_names(o->patterns);
	skel->rodata->cfg_sleepable = sleepable;
	skel->rodata->cfg_slots = slots_wanted();
	skel->rodata->cfg_wake_bytes = o->ring_size / 4;
	bpf_program__set_autoload(skel->progs.audit_sleepable, usdt && sleepable);
	bpf_program__set_autoload(skel->progs.audit_plain, usdt && !sleepable && !copies);
	bpf_program__set_autoload(skel->progs.entry_sleepable, false);
	bpf_program__set_autoload(skel->progs.entry_plain, false);
	bpf_program__set_autoload(skel->progs.audit_old, false);
	bpf_program__set_autoload(skel->progs.entry_old, false);
	bpf_program__set_autoload(skel->progs.follow_fork, o->follow);
	bpf_program__set_autoload(skel->progs.watch_map, feature__has(FEATURE_TP_MMAP));
	bpf_program__set_autoload(skel->progs.each_task, o->tasks && feature__has(FEATURE_TASK_ITER));
	err = bpf_map__set_max_entries(skel->maps.slots, skel->rodata->cfg_slots);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.slot_counters, skel->rodata->cfg_slots);
	/* twice as many as can be: a hash map may refuse the last few */
	if (!err && o->patterns)
		err = bpf_map__set_max_entries(
			skel->maps.filter,
			2 * (__u32)(catalog__count() + pattern_list__count(o->patterns)));
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.ring, o->ring_size);
	return err;
}

static int session__put_verdict(struct session *s, const struct pattern_list *patterns,
                                const char *name, size_t len)
{
	__u32 verdict = pattern_list__match(patterns, name, len) ? PT_VERDICT_EMIT : PT_VERDICT_DROP;
	char key[PT_FILTER_NAME] = {0};

	if (len >= sizeof(key))
		return 0;
	memcpy(key, name, len);
	return bpf_map_update_elem(bpf_map__fd(s->skel->maps.filter), key, &verdict, BPF_ANY);
}

/* The verdict of each event of the table and of each name asked for, so that the kernel decides all
 * that it can. */
static int session__fill_filter(struct session *s, const struct pattern_list *patterns)
{
	const char *name;
	size_t i;
	int err = 0;

	for (i = 0; i < catalog__count() && !err; i++) {
		const struct catalog_event *e = catalog__at(i);

		err = session__put_verdict(s, patterns, e->name, e->name_len);
	}
	for (i = 0; i < pattern_list__count(patterns) && !err; i++) {
		name = pattern_list__name(patterns, i);
		if (name)
			err = session__put_verdict(s, patterns, name, strlen(name));
	}
	return err;
}

static int session__fill_users(struct session *s, const struct selection *selection)
{
	uint32_t uid, verdict;
	bool exclude;
	int err = 0;
	size_t i;

	for (i = 0; selection__uid(selection, i, &uid, &exclude) && !err; i++) {
		verdict = exclude ? PT_VERDICT_DROP : PT_VERDICT_EMIT;
		/* one that is both is excluded */
		err = bpf_map_update_elem(bpf_map__fd(s->skel->maps.users), &uid, &verdict,
		                          exclude ? BPF_ANY : BPF_NOEXIST);
		if (err == -EEXIST)
			err = 0;
	}
	return err;
}

void session__track(struct session *s, pid_t pid)
{
	__u32 key = (__u32)pid, one = 1;

	bpf_map_update_elem(bpf_map__fd(s->skel->maps.tracked), &key, &one, BPF_ANY);
}

void session__unwanted(struct session *s, const struct pt_task *task)
{
	const struct pt_unwanted u = {
		.start_ns = task->start_ns, .cgroup_id = task->cgroup_id, .exec_id = task->exec_id};

	/* without it user space decides on each event */
	bpf_map_update_elem(bpf_map__fd(s->skel->maps.unwanted), &task->pid, &u, BPF_ANY);
}

static void say_cannot_load(int err)
{
	if (lockdown__read(LOCKDOWN_DIR) == LOCKDOWN_CONFIDENTIALITY)
		log__error("the kernel refused to load the BPF programs (%s): lockdown is %s",
		           strerror(-err), lockdown__note(LOCKDOWN_CONFIDENTIALITY));
	else if (err == -EPERM || err == -EACCES)
		log__error("the kernel refused to load the BPF programs (%s): run as root, and see "
		           "'pytrail check' for what else it needs",
		           strerror(-err));
	else if (err == -ESRCH || (err == -ENOENT && access("/sys/kernel/btf/vmlinux", R_OK)))
		log__error(
			"this kernel has no BTF (/sys/kernel/btf/vmlinux is missing): it must be "
			"built with CONFIG_DEBUG_INFO_BTF");
	else
		log__error("cannot load the BPF programs: %s; 'pytrail check' tells what this host "
		           "lacks, "
		           "'-vv' what the kernel said",
		           strerror(-err));
}

/* Whether loading can work at all, for a sentence better than the kernel's. */
static int session__check(void)
{
	if (geteuid() != 0 && !feature__has(FEATURE_PRIVILEGES)) {
		log__error("tracing needs root: run it with sudo");
		return -EPERM;
	}
	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		say_cannot_load(-ENOENT);
		return -ENOENT;
	}
	return 0;
}

static struct attach *session__attach_new(struct session *s, const struct session_options *o)
{
	struct pytrail_bpf *skel = s->skel;
	bool sleepable = skel->rodata->cfg_sleepable;
	const struct attach_options opts = {
		.usdt = sleepable ? skel->progs.audit_sleepable : skel->progs.audit_plain,
		.entry_program = s->entry_program,
		.sites = skel->maps.sites,
		.mode = o->probe,
		.multi = is_multi(o),
		.early = o->early,
		.copies = s->copies,
	};

	s->multi = opts.multi;
	return attach__new(&opts);
}

static void session__configure_links(struct pytrail_bpf *skel, const struct session_options *o)
{
	struct bpf_program *programs[] = {skel->progs.audit_sleepable, skel->progs.audit_plain};
	size_t i;

	for (i = 0; i < sizeof(programs) / sizeof(programs[0]) && is_multi(o); i++)
		bpf_program__set_expected_attach_type(
			programs[i], (enum bpf_attach_type)UPROBE_MULTI_ATTACH_TYPE);
}

/* What is on the side of the object's own programs. */
static int session__load_more(struct session *s, const struct session_options *o)
{
	if (site_programs__needed()) {
		s->copies = site_programs__new(s->skel);
		return s->copies ? 0 : -ENOMEM;
	}
	if (o->probe == PROBE_USDT)
		return 0;
	s->entry_program = entry_program__new(s->skel, is_multi(o));
	if (!s->entry_program)
		return -ENOMEM;
	if (o->probe == PROBE_UPROBE)
		return entry_program__get(s->entry_program) ? 0 : -errno;
	/* of processes that are there their files tell whether it is needed */
	if (!o->selected || o->follow)
		entry_program__start(s->entry_program);
	return 0;
}

static int session__load(struct session *s, const struct session_options *opts)
{
	int err;

	s->skel = pytrail_bpf__open();
	if (!s->skel)
		return -errno;
	session__configure_links(s->skel, opts);
	err = session__configure(s, opts);
	if (err)
		return err;
	err = pytrail_bpf__load(s->skel);
	if (err)
		return err;
	if (opts->patterns && !pattern_list__empty(opts->patterns)) {
		err = session__fill_filter(s, opts->patterns);
		if (err)
			return err;
	}
	err = session__fill_users(s, opts->selection);
	if (err)
		return err;
	err = ring__open(bpf_map__fd(s->skel->maps.ring), opts->ring_size, &s->ring);
	if (err)
		return err;
	s->losses = losses__new(bpf_map__fd(s->skel->maps.losses),
	                        bpf_map__max_entries(s->skel->maps.losses));
	err = session__load_more(s, opts);
	if (err)
		return err;
	s->attach = session__attach_new(s, opts);
	s->again = again__new(s->skel->rodata->cfg_slots);
	if (!s->losses || !s->attach || !s->again)
		return -ENOMEM;
	if (opts->names_only)
		attach__names_only(s->attach);
	/* only now: the tracepoints' programs; the audit program is attached file by file */
	s->skel->links.watch_exec = bpf_program__attach(s->skel->progs.watch_exec);
	s->skel->links.watch_exit = bpf_program__attach(s->skel->progs.watch_exit);
	if (!s->skel->links.watch_exec || !s->skel->links.watch_exit)
		return -errno;
	/* without it the rescan is left */
	if (bpf_program__fd(s->skel->progs.watch_map) >= 0) {
		s->skel->links.watch_map = bpf_program__attach(s->skel->progs.watch_map);
		if (!s->skel->links.watch_map)
			return -errno;
	}
	/* without it processes are told at their first event */
	if (bpf_program__fd(s->skel->progs.each_task) >= 0)
		s->skel->links.each_task = bpf_program__attach_iter(s->skel->progs.each_task, NULL);
	if (opts->follow) {
		s->skel->links.follow_fork = bpf_program__attach(s->skel->progs.follow_fork);
		if (!s->skel->links.follow_fork)
			return -errno;
	}
	return 0;
}

/* Each file and each of its sites is a descriptor: as many as the hard limit allows. */
static void raise_files_limit(void)
{
	struct rlimit files;

	if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

int session__open(const struct session_options *opts, session_record_fn fn, void *ctx,
                  struct session **out)
{
	struct session *s;
	int err;

	err = session__check();
	if (err)
		return err;
	s = calloc(1, sizeof(*s));
	if (!s) {
		log__error("out of memory");
		return -ENOMEM;
	}
	s->fn = fn;
	s->ctx = ctx;
	s->stats_fd = opts->measure_runs ? run_stats__start() : -1;
	libbpf_set_print(libbpf_print);
	raise_files_limit();
	err = session__load(s, opts);
	if (err) {
		say_cannot_load(err);
		session__close(s);
		return err;
	}
	*out = s;
	return 0;
}

void session__detach(struct session *s)
{
	/* tracing ends here, for all files at once */
	s->skel->bss->stopped = 1;
	attach__detach(s->attach);
}

void session__close(struct session *s)
{
	if (!s)
		return;
	attach__free(s->attach);
	entry_program__free(s->entry_program);
	site_programs__free(s->copies);
	ring__close(s->ring);
	again__free(s->again);
	losses__free(s->losses);
	if (s->stats_fd >= 0)
		close(s->stats_fd);
	pytrail_bpf__destroy(s->skel);
	free(s);
}

struct attach *session__attach(struct session *s)
{
	return s->attach;
}

int session__loading_fd(const struct session *s)
{
	return s->entry_program ? entry_program__fd(s->entry_program) : -1;
}

bool session__is_multi(const struct session *s)
{
	return s->multi;
}

bool session__loads_later(const struct session *s)
{
	/* by perf events libbpf tries what the kernel can do, by loading */
	return s->copies || !s->multi ||
	       (s->entry_program && entry_program__pending(s->entry_program));
}

int session__select(struct session *s, pid_t pid)
{
	__u32 key = (__u32)pid, one = 1;
	int err = bpf_map_update_elem(bpf_map__fd(s->skel->maps.processes), &key, &one, BPF_ANY);

	return err < 0 ? err : 0;
}

void session__deselect(struct session *s, pid_t pid)
{
	__u32 key = (__u32)pid;

	bpf_map_delete_elem(bpf_map__fd(s->skel->maps.processes), &key);
}

bool session__selects(const struct session *s, pid_t pid)
{
	__u32 key = (__u32)pid, value;

	return !bpf_map_lookup_elem(bpf_map__fd(s->skel->maps.processes), &key, &value);
}

/* More than the map holds: an iteration that entries come and go under may start over. */
#define SELECTED_MAX (1u << 20)

void session__each_selected(struct session *s, bool (*fn)(void *ctx, pid_t pid), void *ctx)
{
	int fd = bpf_map__fd(s->skel->maps.processes);
	__u32 key, next;
	bool more = !bpf_map_get_next_key(fd, NULL, &key);
	size_t n = 0;

	while (more && n++ < SELECTED_MAX) {
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (!fn(ctx, (pid_t)key))
			session__deselect(s, (pid_t)key);
		key = next;
	}
}

static bool count_one(void *ctx, pid_t pid)
{
	(*(size_t *)ctx)++;
	return true;
}

size_t session__selected(struct session *s)
{
	size_t n = 0;

	session__each_selected(s, count_one, &n);
	return n;
}

int session__tasks(void *session, struct buf *out)
{
	struct session *s = session;
	ssize_t n = 0;
	int fd, err;

	if (!s->skel->links.each_task)
		return -EOPNOTSUPP;
	fd = bpf_iter_create(bpf_link__fd(s->skel->links.each_task));
	if (fd < 0)
		return fd;
	while (buf__reserve(out, TASKS_ROOM)) {
		n = read(fd, out->data + out->len, out->cap - out->len);
		if (n <= 0)
			break;
		out->len += (size_t)n;
	}
	err = out->failed ? -ENOMEM : n < 0 ? -errno : 0;
	close(fd);
	return err;
}

int session__fd(const struct session *s)
{
	return bpf_map__fd(s->skel->maps.ring);
}

static int on_ring(void *ctx, const void *record, size_t size)
{
	struct session *s = ctx;

	record = again__whole(s->again, record, &size);
	return s->fn(s->ctx, record, size);
}

int session__drain(struct session *s)
{
	return ring__drain(s->ring, on_ring, s, DRAIN_MAX, clock__monotonic() + DRAIN_NS);
}

struct session_pressure session__pressure(const struct session *s)
{
	return (struct session_pressure){
		.unfollowed = s->skel->bss->forks_unfollowed +
	                      run_stats__missed(s->skel->progs.follow_fork),
		.news_lost = s->skel->bss->news_lost,
		.news_left_out = run_stats__missed(s->skel->progs.watch_exec) +
	                         run_stats__missed(s->skel->progs.watch_exit) +
	                         run_stats__missed(s->skel->progs.watch_map),
	};
}

/* What the slots' owners have counted. */
static void session__add_slots(const struct session *s, struct pt_counters *sum)
{
	__u32 cnt = s->skel->rodata->cfg_slots, last;
	struct pt_slot_counters *each = calloc(cnt, sizeof(*each));
	__u32 *keys = calloc(cnt, sizeof(*keys)), i;

	if (each && keys &&
	    !bpf_map_lookup_batch(bpf_map__fd(s->skel->maps.slot_counters), NULL, &last, keys, each,
	                          &cnt, NULL)) {
		for (i = 0; i < cnt; i++) {
			sum->seen += each[i].seen;
			sum->emitted += each[i].emitted;
			sum->emitted_bytes += each[i].emitted_bytes;
		}
	}
	free(each);
	free(keys);
}

struct pt_counters session__counters(const struct session *s)
{
	struct pt_counters sum = {0}, *each;
	int cpus = libbpf_num_possible_cpus();
	size_t words = sizeof(sum) / sizeof(__u64), i;
	__u32 zero = 0;
	int c;

	each = cpus > 0 ? calloc((size_t)cpus, sizeof(*each)) : NULL;
	if (!each)
		return sum;
	if (!bpf_map_lookup_elem(bpf_map__fd(s->skel->maps.counters), &zero, each)) {
		for (c = 0; c < cpus; c++) {
			for (i = 0; i < words; i++)
				((__u64 *)&sum)[i] += ((__u64 *)&each[c])[i];
		}
	}
	free(each);
	session__add_slots(s, &sum);
	return sum;
}

size_t session__runs(const struct session *s, struct run_stats *out, size_t max)
{
	const struct bpf_object *entry;
	size_t n;

	if (s->stats_fd < 0)
		return 0;
	n = run_stats__each(s->skel->obj, out, max);
	entry = s->entry_program ? entry_program__object(s->entry_program) : NULL;
	if (entry)
		n += run_stats__each(entry, out + n, max - n);
	return s->copies ? n + site_programs__runs(s->copies, out + n, max - n) : n;
}

int session__losses(struct session *s)
{
	struct pt_counters c = session__counters(s);

	return losses__report(s->losses, c.lost, s->fn, s->ctx);
}
