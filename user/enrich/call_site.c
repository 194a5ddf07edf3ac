// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Two hash tables with chains: call sites by (process, address), which is all that most events
 * need, and processes by (pid, start). A process owns its sites; processes are on a list from the
 * most to the least recently used, whose end goes when there is no room. A site without json is an
 * address that is in no mapping, kept so as not to be looked for again.
 *
 * What is not noticed: that a file was unmapped and another mapped in its place. CPython never
 * unmaps an extension module; between an execve() and the record that tells of it addresses are
 * most often in no mapping, since they are random.
 */
#include "call_site.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../format/format.h"
#include "../format/json.h"
#include "../reader.h"
#include "../util/buf.h"
#include "../util/clock.h"
#include "mappings.h"
#include "modules.h"

#define SITE_CHAINS    (1u << 15)
#define PROCESS_CHAINS (1u << 12)
/* Sites of one process; a program has a few hundred. Beyond it, it starts anew. */
#define SITES_MAX 4096
/* Files whose symbols are kept, and bytes for them. */
#define FILES_MAX       512
#define FILES_MAX_BYTES (64u << 20)

/*
 * Work for a process is booked ahead: each reading of its mappings as READ_NS or as WORK_FACTOR
 * times what it took, whatever is more, each file read for it as the latter. No work is begun that
 * is booked further ahead than AHEAD_NS: enough for the imports at a program's start, and
 * 1/WORK_FACTOR of a CPU in the long run, whatever it maps.
 */
#define READ_NS     100000000ull
#define WORK_FACTOR 16
#define AHEAD_NS    2000000000ull

struct site {
	struct call_site c;
	struct owner *owner;
	struct site *next;  /* in its chain */
	struct site *other; /* of its process */
	size_t bytes;
	bool given; /* handed out before */
	char text[];
};

struct owner {
	uint32_t pid;
	uint64_t start_ns;
	struct mappings *mappings; /* or NULL */
	bool unreadable;           /* gone, most likely */
	uint64_t booked_ns;        /* CLOCK_MONOTONIC */
	struct site *sites;
	size_t sites_cnt;
	size_t bytes;
	struct owner *next; /* in its chain */
	struct owner *newer, *older;
};

struct call_sites {
	size_t max_processes, max_bytes;
	struct site **sites;
	struct owner **owners;
	struct owner *newest, *oldest;
	struct modules *modules;
	struct buf text;
	struct call_sites_stats stats;
};

struct call_sites *call_sites__new(size_t max_processes, size_t max_bytes)
{
	struct call_sites *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->max_processes = max_processes ? max_processes : 1;
	c->max_bytes = max_bytes;
	c->sites = calloc(SITE_CHAINS, sizeof(*c->sites));
	c->owners = calloc(PROCESS_CHAINS, sizeof(*c->owners));
	c->modules = modules__new(FILES_MAX, FILES_MAX_BYTES);
	if (!c->sites || !c->owners || !c->modules) {
		call_sites__free(c);
		return NULL;
	}
	return c;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ b * 0xff51afd7ed558ccdull) * 0x9e3779b97f4a7c15ull;

	return h ^ h >> 32;
}

static struct site **site_chain(struct call_sites *c, uint32_t pid, uint64_t start_ns,
                                uint64_t address)
{
	return &c->sites[mix(start_ns + pid, address) & (SITE_CHAINS - 1)];
}

static struct owner **owner_chain(struct call_sites *c, uint32_t pid, uint64_t start_ns)
{
	return &c->owners[mix(start_ns, pid) & (PROCESS_CHAINS - 1)];
}

static void list__unlink(struct call_sites *c, struct owner *o)
{
	*(o->newer ? &o->newer->older : &c->newest) = o->older;
	*(o->older ? &o->older->newer : &c->oldest) = o->newer;
	o->newer = o->older = NULL;
}

static void list__push_newest(struct call_sites *c, struct owner *o)
{
	o->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = o;
	c->newest = o;
}

static void touch(struct call_sites *c, struct owner *o)
{
	if (c->newest == o)
		return;
	list__unlink(c, o);
	list__push_newest(c, o);
}

static void book_bytes(struct call_sites *c, struct owner *o, size_t more, size_t less)
{
	o->bytes += more - less;
	c->stats.bytes += more - less;
}

/* A site off its chain and its memory; the owner's list is the caller's. */
static void free_site(struct call_sites *c, struct site *s)
{
	struct owner *o = s->owner;
	struct site **at = site_chain(c, o->pid, o->start_ns, s->c.address);

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	book_bytes(c, o, 0, s->bytes);
	o->sites_cnt--;
	c->stats.sites--;
	free(s);
}

static void drop_sites(struct call_sites *c, struct owner *o)
{
	while (o->sites) {
		struct site *s = o->sites;

		o->sites = s->other;
		free_site(c, s);
	}
}

static void set_mappings(struct call_sites *c, struct owner *o, struct mappings *m)
{
	book_bytes(c, o, m ? mappings__bytes(m) : 0, o->mappings ? mappings__bytes(o->mappings) : 0);
	mappings__free(o->mappings);
	o->mappings = m;
}

static void drop_owner(struct call_sites *c, struct owner *o)
{
	struct owner **at = owner_chain(c, o->pid, o->start_ns);

	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	list__unlink(c, o);
	drop_sites(c, o);
	set_mappings(c, o, NULL);
	book_bytes(c, o, 0, sizeof(*o));
	c->stats.processes--;
	free(o);
}

void call_sites__free(struct call_sites *c)
{
	if (!c)
		return;
	while (c->oldest)
		drop_owner(c, c->oldest);
	modules__free(c->modules);
	buf__free(&c->text);
	free(c->sites);
	free(c->owners);
	free(c);
}

static struct site *find_site(struct call_sites *c, uint32_t pid, uint64_t start_ns, uint64_t address)
{
	struct site *s = *site_chain(c, pid, start_ns, address);

	while (s &&
	       (s->c.address != address || s->owner->pid != pid || s->owner->start_ns != start_ns))
		s = s->next;
	return s;
}

static struct owner *find_owner(struct call_sites *c, uint32_t pid, uint64_t start_ns)
{
	struct owner *o = *owner_chain(c, pid, start_ns);

	while (o && (o->pid != pid || o->start_ns != start_ns))
		o = o->next;
	return o;
}

/* Makes room; `keep` is the newest and stays, but its sites may go. */
static void shrink(struct call_sites *c, struct owner *keep)
{
	while (c->oldest != keep &&
	       (c->stats.processes > c->max_processes || c->stats.bytes > c->max_bytes))
		drop_owner(c, c->oldest);
	if (c->stats.bytes > c->max_bytes)
		drop_sites(c, keep);
}

/* The process, made the newest. NULL: no memory. */
static struct owner *get_owner(struct call_sites *c, const struct pt_task *task)
{
	struct owner *o = find_owner(c, task->pid, task->start_ns), **at;

	if (o) {
		touch(c, o);
		return o;
	}
	o = calloc(1, sizeof(*o));
	if (!o)
		return NULL;
	o->pid = task->pid;
	o->start_ns = task->start_ns;
	at = owner_chain(c, o->pid, o->start_ns);
	o->next = *at;
	*at = o;
	list__push_newest(c, o);
	c->stats.processes++;
	book_bytes(c, o, sizeof(*o), 0);
	shrink(c, o);
	return o;
}

static void make_json(struct buf *b, const struct call_site *s)
{
	char hex[24];

	buf__reset(b);
	buf__lit(b, ",\"call_site\":{");
	if (!s->module) {
		buf__lit(b, "\"address\":\"");
		buf__append(b, hex, (size_t)(hex__u64(hex, s->address) - hex));
		buf__lit(b, "\"}");
		return;
	}
	buf__lit(b, "\"module\":");
	json__string(b, s->module, strlen(s->module));
	if (s->symbol) {
		buf__lit(b, ",\"symbol\":");
		json__string(b, s->symbol, strlen(s->symbol));
	}
	if (s->offset != CALL_SITE_NO_OFFSET) {
		buf__lit(b, ",\"offset\":");
		buf__u64(b, s->offset);
	}
	buf__char(b, '}');
}

static const char *keep_text(char **pos, const char *s)
{
	const char *at = *pos;

	if (!s)
		return NULL;
	*pos = stpcpy(*pos, s) + 1;
	return at;
}

/* Puts a site in that is not there yet, as *like says; NULL: one that is none. NULL: no memory. */
static struct site *add_site(struct call_sites *c, struct owner *o, uint64_t address,
                             const struct call_site *like)
{
	size_t bytes = sizeof(struct site);
	struct site *s, **at;
	char *pos;

	buf__reset(&c->text);
	if (like) {
		make_json(&c->text, like);
		bytes += (like->module ? strlen(like->module) + 1 : 0) +
		         (like->symbol ? strlen(like->symbol) + 1 : 0) + c->text.len;
	}
	s = c->text.failed ? NULL : calloc(1, bytes);
	if (!s)
		return NULL;
	s->c.address = address;
	if (like) {
		pos = s->text;
		s->c.offset = like->offset;
		s->c.module = keep_text(&pos, like->module);
		s->c.symbol = keep_text(&pos, like->symbol);
		s->c.json = memcpy(pos, c->text.data, c->text.len);
		s->c.json_len = c->text.len;
	}
	if (o->sites_cnt >= SITES_MAX)
		drop_sites(c, o);
	book_bytes(c, o, bytes, 0);
	shrink(c, o);
	s->bytes = bytes;
	s->owner = o;
	at = site_chain(c, o->pid, o->start_ns, address);
	s->next = *at;
	*at = s;
	s->other = o->sites;
	o->sites = s;
	o->sites_cnt++;
	c->stats.sites++;
	return s;
}

static bool may_work(const struct owner *o, uint64_t now)
{
	return o->booked_ns <= now + AHEAD_NS;
}

/* Books what was begun at `start`, at least as `least`. */
static void book_work(struct owner *o, uint64_t start, uint64_t least)
{
	uint64_t took = (clock__monotonic() - start) * WORK_FACTOR;

	if (o->booked_ns < start)
		o->booked_ns = start;
	o->booked_ns += took > least ? took : least;
}

enum outcome {
	FOUND,
	NOWHERE, /* that address never was in a mapping: no use to look again */
	NOT_NOW, /* another time, or never */
};

static enum outcome find_mapping(struct call_sites *c, struct owner *o, const struct pt_task *task,
                                 uint64_t address, struct mapping **out)
{
	uint64_t now;
	struct mappings *m;
	int err;

	*out = o->mappings ? mappings__find(o->mappings, address) : NULL;
	if (*out)
		return FOUND;
	now = clock__monotonic();
	if (o->unreadable || !may_work(o, now))
		return NOT_NOW;
	err = mappings__read(o->pid, task->tid, o->start_ns, &m);
	book_work(o, now, READ_NS);
	c->stats.reads++;
	if (err) {
		o->unreadable = err != -ENOMEM;
		return NOT_NOW;
	}
	set_mappings(c, o, m);
	shrink(c, o);
	*out = mappings__find(m, address);
	return *out ? FOUND : NOWHERE;
}

/* The mapping's file. FOUND with NULL: it cannot be read. */
static enum outcome find_module(struct call_sites *c, struct owner *o, struct mapping *m,
                                const struct module **out)
{
	uint64_t now;
	int fd;

	*out = NULL;
	if (!m->identified && mapping__identify(m, o->mappings, o->pid, o->start_ns))
		return FOUND;
	*out = modules__find(c->modules, &m->id);
	if (*out)
		return FOUND;
	now = clock__monotonic();
	if (!may_work(o, now))
		return NOT_NOW;
	fd = mapping__open(m, o->mappings);
	if (fd >= 0) {
		*out = modules__load(c->modules, fd);
		close(fd);
		c->stats.files++;
	}
	book_work(o, now, 0);
	return FOUND;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static struct site *resolve(struct call_sites *c, const struct pt_task *task, uint64_t address)
{
	struct call_site s = {.address = address, .offset = CALL_SITE_NO_OFFSET};
	struct owner *o = get_owner(c, task);
	const struct module *file;
	struct mapping *m;
	enum outcome outcome;
	uint64_t linked;

	if (!o)
		return NULL;
	/* The call itself is before the address it returns to, which may be another function's. */
	outcome = find_mapping(c, o, task, address - 1, &m);
	if (outcome != FOUND)
		return outcome == NOWHERE ? add_site(c, o, address, NULL) : NULL;
	if (!m->ino)
		return add_site(c, o, address, &s);
	s.module = base_name(m->path);
	if (!*s.module)
		return add_site(c, o, address, NULL);
	if (find_module(c, o, m, &file) != FOUND)
		return NULL;
	if (file && module__address(file, address - 1 - m->start + m->offset, &linked)) {
		if (!module__symbol(file, linked, &s.symbol, &s.offset))
			s.offset = linked;
		s.offset++;
	}
	return add_site(c, o, address, &s);
}

/* In the probed file: nothing of the process is asked for. */
static struct site *resolve_probed(struct call_sites *c, const struct pt_task *task,
                                   uint64_t address, const struct call_site_file *probed)
{
	struct call_site s = {.address = address};
	uint64_t linked = address - 1 - probed->bias;
	const struct module *file;
	struct file_id id;
	struct owner *o;
	struct stat st;

	if (fstat(probed->fd, &st))
		return NULL;
	id = file_id__of(&st);
	file = modules__find(c->modules, &id);
	if (!file)
		file = modules__load(c->modules, probed->fd);
	if (!file || !module__covers(file, linked))
		return NULL;
	o = get_owner(c, task);
	if (!o)
		return NULL;
	s.module = base_name(probed->path);
	if (!module__symbol(file, linked, &s.symbol, &s.offset))
		s.offset = linked;
	s.offset++;
	return *s.module ? add_site(c, o, address, &s) : NULL;
}

static const struct call_site *hand_out(struct call_sites *c, struct site *s, bool *fresh)
{
	if (fresh)
		*fresh = false;
	if (!s || !s->c.json)
		return NULL;
	if (fresh)
		*fresh = !s->given;
	s->given = true;
	return &s->c;
}

const struct call_site *call_sites__get(struct call_sites *c, const struct pt_task *task,
                                        uint64_t address, bool live, bool *fresh)
{
	struct site *s = find_site(c, task->pid, task->start_ns, address);

	if (s)
		touch(c, s->owner);
	else if (live)
		s = resolve(c, task, address);
	return hand_out(c, s, fresh);
}

const struct call_site *call_sites__get_probed(struct call_sites *c, const struct pt_task *task,
                                               uint64_t address,
                                               const struct call_site_file *probed, bool *fresh)
{
	struct site *s = find_site(c, task->pid, task->start_ns, address);

	if (s)
		touch(c, s->owner);
	else if (probed)
		s = resolve_probed(c, task, address, probed);
	if (!s)
		s = resolve(c, task, address);
	return hand_out(c, s, fresh);
}

static void forget_site(struct call_sites *c, struct owner *o, uint64_t address)
{
	for (struct site **at = &o->sites; *at; at = &(*at)->other) {
		struct site *s = *at;

		if (s->c.address != address)
			continue;
		*at = s->other;
		free_site(c, s);
		return;
	}
}

int call_sites__put_record(struct call_sites *c, const void *record, size_t size)
{
	char module[CALL_SITE_TEXT_MAX + 1], symbol[CALL_SITE_TEXT_MAX + 1];
	const struct pt_call_site *rec = record;
	struct call_site_texts texts;
	struct call_site s = {0};
	struct owner *o;
	int err;

	err = reader__call_site(record, size, &texts);
	if (err)
		return err;
	s.address = rec->address;
	s.offset = rec->offset;
	if (texts.module) {
		*(char *)mempcpy(module, texts.module, texts.module_len) = '\0';
		s.module = module;
	}
	if (texts.symbol) {
		*(char *)mempcpy(symbol, texts.symbol, texts.symbol_len) = '\0';
		s.symbol = symbol;
	}
	o = get_owner(c, &rec->rec.task);
	if (!o)
		return -ENOMEM;
	forget_site(c, o, s.address);
	return add_site(c, o, s.address, &s) ? 0 : -ENOMEM;
}

void call_site__to_record(const struct call_site *s, const struct pt_rec *like, struct buf *b)
{
	size_t module = s->module ? strlen(s->module) : 0, symbol = s->symbol ? strlen(s->symbol) : 0;
	struct pt_call_site r = {
		.rec = *like,
		.address = s->address,
		.offset = s->offset,
		.module_len = s->module ? (uint32_t)module : PT_UNKNOWN_LEN,
		.symbol_len = s->symbol ? (uint32_t)symbol : PT_UNKNOWN_LEN,
	};
	static const char zeros[8];

	r.rec.kind = PT_REC_CALL_SITE;
	r.rec.version = PT_WIRE_VERSION;
	r.rec.size = (uint32_t)((sizeof(r) + module + symbol + 7) & ~(size_t)7);
	buf__append(b, &r, sizeof(r));
	buf__append(b, s->module, module);
	buf__append(b, s->symbol, symbol);
	buf__append(b, zeros, r.rec.size - sizeof(r) - module - symbol);
}

void call_sites__exec(struct call_sites *c, const struct pt_task *task)
{
	struct owner *o = find_owner(c, task->pid, task->start_ns);

	if (!o)
		return;
	drop_sites(c, o);
	set_mappings(c, o, NULL);
	o->unreadable = false;
}

void call_sites__exit(struct call_sites *c, const struct pt_task *task)
{
	struct owner *o = find_owner(c, task->pid, task->start_ns);

	if (!o || c->oldest == o)
		return;
	list__unlink(c, o);
	o->newer = c->oldest;
	c->oldest->older = o;
	c->oldest = o;
}

struct call_sites_stats call_sites__stats(const struct call_sites *c)
{
	return c->stats;
}
