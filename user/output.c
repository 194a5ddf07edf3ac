// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "branch.h"
#include "catalog.h"
#include "enrich/call_site.h"
#include "enrich/host_facts.h"
#include "enrich/process.h"
#include "format/format.h"
#include "pattern.h"
#include "reader.h"
#include "record.h"
#include "redact/redact.h"
#include "redact/redact_options.h"
#include "selection.h"
#include "util/buf.h"
#include "util/log.h"

/* Processes whose facts are kept. */
#define PROCESSES_MAX 16384
/* Those whose call sites are, and bytes for these. */
#define CALLERS_MAX       4096
#define CALLERS_MAX_BYTES (48u << 20)

struct output {
	struct output_options opts;
	struct output_stats stats;
	struct host_facts host;
	struct process_table *processes;
	struct call_sites *call_sites;
	output_probed_fn probed;
	void *probed_ctx;
	struct branch **branches;
	size_t branches_cnt;
	struct buf scratch;
	struct redact *redact; /* owned; opts.redact may be another */
	uint64_t seq;
	int err; /* an output failed for good */
};

/* Found once: the table is small, but looked at for each event. */
static struct {
	const char *names[OUTPUT_CATEGORIES_MAX];
	size_t cnt;
	uint8_t of_event[1024]; /* by catalog_event.id */
} categories;

static void find_categories(void)
{
	if (categories.cnt)
		return;
	categories.names[categories.cnt++] = "other";
	for (size_t i = 0; i < catalog__count(); i++) {
		const struct catalog_event *e = catalog__at(i);
		size_t c = 0;

		while (c < categories.cnt && strcmp(categories.names[c], e->category) != 0)
			c++;
		if (c == OUTPUT_CATEGORIES_MAX)
			c = 0;
		else if (c == categories.cnt)
			categories.names[categories.cnt++] = e->category;
		if (e->id < sizeof(categories.of_event))
			categories.of_event[e->id] = (uint8_t)c;
	}
}

size_t output_categories_cnt(void)
{
	find_categories();
	return categories.cnt;
}

const char *output_category(size_t i)
{
	find_categories();
	return categories.names[i];
}

static size_t category_of(const struct catalog_event *e)
{
	return e && e->id < sizeof(categories.of_event) ? categories.of_event[e->id] : 0;
}

static void free_branches(struct branch **branches, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		branch__free(branches[i]);
	free(branches);
}

/* A target that is to be redacted is, though nobody said how: by all rules and a key of this
 * run. */
static int need_redact(struct output *o)
{
	struct redact_options all = REDACT_OPTIONS_DEFAULT;
	int err;

	if (o->opts.redact)
		return 0;
	err = redact_options__open(&all, &o->redact);
	o->opts.redact = o->redact;
	return err;
}

int output__set_targets(struct output *o, const struct branch_target *targets, size_t cnt)
{
	struct branch **branches = calloc(cnt ? cnt : 1, sizeof(struct branch *));
	struct format_context ctx =
		format_context__of(o->opts.boot_id, o->opts.instance_ns, o->opts.realtime_offset_ns);
	int err = 0;

	ctx.host = &o->host;
	ctx.attack_severity = o->opts.attack_severity;
	if (!branches) {
		log__error("out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; i < cnt && !err; i++) {
		if (targets[i].redact)
			err = need_redact(o);
		if (!err)
			err = branch__open(&targets[i], &ctx, &branches[i]);
	}
	if (err) {
		free_branches(branches, cnt);
		return err;
	}
	output__flush(o);
	free_branches(o->branches, o->branches_cnt);
	o->branches = branches;
	o->branches_cnt = cnt;
	return 0;
}

/* The targets of -o. */
static int open_specs(struct output *o)
{
	const char *fallback = isatty(STDOUT_FILENO) ? "text" : "json";
	size_t cnt = o->opts.specs_cnt ? o->opts.specs_cnt : 1;
	struct branch_target *targets = calloc(cnt, sizeof(*targets));
	int err = targets ? 0 : -ENOMEM;

	for (size_t i = 0; i < cnt && !err; i++) {
		err = branch_target__parse(o->opts.specs_cnt ? o->opts.specs[i] : fallback,
		                           &targets[i]);
		targets[i].redact = o->opts.redact != NULL;
	}
	if (!err)
		err = output__set_targets(o, targets, cnt);
	free(targets);
	return err;
}

int output__new(const struct output_options *opts, struct output **out)
{
	struct output *o = calloc(1, sizeof(*o));
	int err = -ENOMEM;

	if (!o) {
		log__error("out of memory");
		goto fail;
	}
	find_categories();
	o->opts = *opts;
	if (!o->opts.boot_id)
		o->opts.boot_id = "";
	host_facts__read(&o->host, o->opts.boot_id, o->opts.live);
	o->processes = process_table__new(o->opts.boot_id, PROCESSES_MAX);
	o->call_sites = call_sites__new(CALLERS_MAX, CALLERS_MAX_BYTES);
	if (!o->processes || !o->call_sites) {
		log__error("out of memory");
		goto fail;
	}
	err = opts->targets ? output__set_targets(o, opts->targets, opts->targets_cnt)
	                    : open_specs(o);
	if (err)
		goto fail;
	*out = o;
	return 0;
fail:
	output__free(o);
	return err;
}

void output__free(struct output *o)
{
	if (!o)
		return;
	free_branches(o->branches, o->branches_cnt);
	process_table__free(o->processes);
	call_sites__free(o->call_sites);
	redact__free(o->redact);
	buf__free(&o->scratch);
	free(o);
}

/* A destination that failed is the output's end. */
static int keep(struct output *o, int err)
{
	if (err && !o->err)
		o->err = err;
	return err;
}

static int to_record_file(struct output *o, const void *record, size_t size)
{
	int err = o->opts.record ? record_writer__write(o->opts.record, record, size) : 0;

	if (err && !o->err)
		o->err = err;
	return err;
}

static int output__lost(struct output *o, const struct pt_lost *lost)
{
	uint64_t seq = o->seq++;

	for (size_t i = 0; i < o->branches_cnt; i++)
		if (keep(o, branch__lost(o->branches[i], lost, seq)))
			return o->err;
	return 0;
}

/* A record that the reader refused is a loss, and the stream says so. */
static int output__malformed(struct output *o, const struct pt_rec *rec)
{
	struct pt_lost lost = {.count = 1, .cause = PT_LOST_READER};

	if (!o->stats.malformed++)
		log__warn("a malformed record was refused");
	if (rec) {
		lost.rec.task = rec->task;
		lost.first_ns = lost.last_ns = rec->time_ns;
	}
	lost.rec.kind = PT_REC_LOST;
	lost.rec.version = PT_WIRE_VERSION;
	lost.rec.size = sizeof(lost);
	lost.rec.time_ns = lost.last_ns;
	if (to_record_file(o, &lost, sizeof(lost)))
		return o->err;
	return output__lost(o, &lost);
}

/* A process's facts go to the record file before its first event. */
static int record_process(struct output *o, const struct process *p, const struct pt_rec *like)
{
	buf__reset(&o->scratch);
	process__to_record(p, like, &o->scratch);
	if (o->scratch.failed)
		return 0; /* the replay shows the event without them */
	return to_record_file(o, o->scratch.data, o->scratch.len);
}

void output__set_probed(struct output *o, output_probed_fn fn, void *ctx)
{
	o->probed = fn;
	o->probed_ctx = ctx;
}

static const struct call_site *find_call_site(struct output *o, const struct pt_audit *a, bool *fresh)
{
	struct call_site_file file = {.bias = a->bias};
	const struct call_site *site;
	bool probed;

	site = call_sites__get(o->call_sites, &a->rec.task, a->call_site, false, fresh);
	if (site || !o->opts.live)
		return site;
	probed = o->probed && !o->probed(o->probed_ctx, a->site, &file);
	return call_sites__get_probed(o->call_sites, &a->rec.task, a->call_site,
	                              probed ? &file : NULL, fresh);
}

static void track(struct output *o, const struct process *p, const struct pt_task *task)
{
	if (o->opts.processes && o->opts.track && p && process__track(p))
		o->opts.track(o->opts.track_ctx, task);
}

/* Sets what user space adds to an event, the record file included. */
static int enrich(struct output *o, struct event *ev)
{
	const struct pt_audit *a = ev->audit;
	bool fresh;

	ev->process = process_table__get(o->processes, &a->rec.task, o->opts.live, &fresh);
	track(o, ev->process, &a->rec.task);
	if (fresh && o->opts.record && record_process(o, ev->process, &a->rec))
		return o->err;
	if (!a->call_site)
		return 0;
	ev->call_site = find_call_site(o, a, &fresh);
	if (!fresh || !o->opts.record)
		return 0;
	buf__reset(&o->scratch);
	call_site__to_record(ev->call_site, &a->rec, &o->scratch);
	return o->scratch.failed ? 0 : to_record_file(o, o->scratch.data, o->scratch.len);
}

/* The first event of a process since its exec decides on all of them. */
static bool is_selected(struct output *o, const struct process *p, const struct pt_task *task)
{
	if (!p || !selection__needs_facts(o->opts.selection))
		return true;
	if (!p->wanted) {
		process__decide(p, selection__wants(o->opts.selection, p));
		if (p->wanted < 0 && o->opts.unwanted)
			o->opts.unwanted(o->opts.unwanted_ctx, task);
	}
	return p->wanted > 0;
}

/* The same of an event's process. */
static bool is_audit_selected(struct output *o, const struct pt_task *task)
{
	if (!selection__needs_facts(o->opts.selection))
		return true;
	return is_selected(o, process_table__get(o->processes, task, o->opts.live, NULL), task);
}

/* The event as a branch may show it. *hidden: NULL, then the redacted one, made once for all
 * branches. */
static const struct event *as_shown(struct output *o, const struct branch *b,
                                    const struct event *ev, const struct event **hidden)
{
	if (!branch__redacts(b))
		return ev;
	if (!*hidden)
		*hidden = redact__event(o->opts.redact, ev);
	return *hidden;
}

static int output__audit(struct output *o, const void *record, size_t size)
{
	const struct pt_rec *rec = record;
	const struct pt_audit *a = record;
	const struct event *hidden = NULL;
	struct event ev;

	if (reader__audit(record, size, &ev))
		return output__malformed(o, rec);
	if (o->opts.patterns && !pattern_list__match(o->opts.patterns, ev.name, ev.name_len)) {
		o->stats.filtered++;
		return 0;
	}
	if (!is_audit_selected(o, &a->rec.task)) {
		o->stats.unselected++;
		return 0;
	}
	if (enrich(o, &ev) || to_record_file(o, record, size))
		return o->err;
	ev.seq = o->seq++;
	for (size_t i = 0; i < o->branches_cnt; i++)
		if (keep(o, branch__event(o->branches[i], as_shown(o, o->branches[i], &ev, &hidden))))
			return o->err;
	o->stats.events++;
	o->stats.by_category[category_of(ev.known)][ev.known ? ev.known->severity : 2]++;
	return o->opts.max_events && o->stats.events >= o->opts.max_events;
}

static int no_memory(struct output *o)
{
	log__error("out of memory for a record of a process");
	return keep(o, -ENOMEM);
}

/* What has become of a process, with its facts. */
static int put_process(struct output *o, const struct pt_rec *rec, const char *what)
{
	const struct process *p;
	uint64_t seq;
	bool fresh;

	if (!selection__wants_uid(o->opts.selection, rec->task.uid))
		return 0;
	/* what is in a file was known then, though perhaps nothing could be read of it */
	if ((rec->kind == PT_REC_ATTACH || !o->opts.live) &&
	    process_table__meet(o->processes, &rec->task))
		return no_memory(o);
	p = process_table__known(
		o->processes, &rec->task,
		o->opts.live && (rec->kind == PT_REC_EXEC || rec->kind == PT_REC_ATTACH), &fresh);
	if (!p && process_table__met(o->processes, &rec->task))
		return no_memory(o);
	if (!p || !is_selected(o, p, &rec->task))
		return 0;
	track(o, p, &rec->task);
	if ((fresh && o->opts.record && record_process(o, p, rec)) ||
	    to_record_file(o, rec, rec->size))
		return o->err;
	seq = o->seq++;
	for (size_t i = 0; i < o->branches_cnt; i++) {
		struct branch *b = o->branches[i];

		if (keep(o, branch__process(b, rec, what,
		                            branch__redacts(b) ? redact__process(o->opts.redact, p) : p,
		                            seq)))
			return o->err;
	}
	return 0;
}

static int output__exec(struct output *o, const struct pt_rec *rec)
{
	process_table__exec(o->processes, &rec->task, o->opts.live);
	call_sites__exec(o->call_sites, &rec->task);
	return o->opts.processes ? put_process(o, rec, "exec") : 0;
}

static int output__exit(struct output *o, const struct pt_rec *rec)
{
	int err = o->opts.processes ? put_process(o, rec, "exit") : 0;

	process_table__exit(o->processes, &rec->task);
	call_sites__exit(o->call_sites, &rec->task);
	return err;
}

static int output__attach(struct output *o, const struct pt_rec *rec, size_t size)
{
	const char *file;

	if (!reader__attach(rec, size, &file))
		return output__malformed(o, rec);
	if (!o->opts.processes)
		return 0;
	return put_process(o, rec, rec->kind == PT_REC_ATTACH ? "attach" : "detach");
}

int output__record(struct output *o, const void *record, size_t size)
{
	const struct pt_rec *rec = reader__header(record, size);
	const struct pt_lost *lost;

	if (o->err)
		return o->err;
	if (!rec)
		return output__malformed(o, NULL);
	switch (rec->kind) {
	case PT_REC_AUDIT:
		return output__audit(o, record, size);
	case PT_REC_LOST:
		lost = reader__lost(record, size);
		if (!lost)
			return output__malformed(o, rec);
		o->stats.lost += lost->count;
		if (to_record_file(o, record, size))
			return o->err;
		return output__lost(o, lost);
	case PT_REC_PROCESS:
		if (process_table__put_record(o->processes, record, size) == -EBADMSG)
			return output__malformed(o, rec);
		break;
	case PT_REC_CALL_SITE:
		if (call_sites__put_record(o->call_sites, record, size) == -EBADMSG)
			return output__malformed(o, rec);
		break;
	case PT_REC_EXEC:
		return output__exec(o, rec);
	case PT_REC_EXIT:
		return output__exit(o, rec);
	case PT_REC_ATTACH:
	case PT_REC_DETACH:
		return output__attach(o, rec, size);
	case PT_REC_FORK:
		if (o->opts.live)
			process_table__fork(o->processes, &rec->task);
		return 0;
	default:
		return output__malformed(o, rec);
	}
	return to_record_file(o, record, size);
}

int output__alert(struct output *o, const struct alert *alert)
{
	uint64_t seq = o->seq++;

	for (size_t i = 0; i < o->branches_cnt; i++)
		if (keep(o, branch__alert(o->branches[i], alert, seq)))
			return o->err;
	return 0;
}

int output__flush(struct output *o)
{
	for (size_t i = 0; i < o->branches_cnt; i++)
		keep(o, branch__flush(o->branches[i]));
	return o->err;
}

size_t output__reopen(struct output *o)
{
	size_t cnt = 0;

	for (size_t i = 0; i < o->branches_cnt; i++)
		cnt += branch__reopen(o->branches[i]) != -ENOTSUP;
	return cnt;
}

const struct output_stats *output__stats(const struct output *o)
{
	((struct output *)o)->stats.processes = process_table__count(o->processes);
	((struct output *)o)->stats.forgotten = process_table__evicted(o->processes);
	return &o->stats;
}
