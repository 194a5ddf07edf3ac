// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* `pytrail spool`: what waits on disk for the outputs, whether it is whole, and a way to get it out
 * by hand. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "format/format.h"
#include "spool/lost_item.h"
#include "spool/reader.h"
#include "spool/survey.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/table.h"

#define FLUSH_BYTES (256u << 10)

struct spool_command {
	const char *dir, *output;
	bool json, ack;
};

static int put(struct buf *b)
{
	int code = EXIT_OK;

	/* an empty one has no memory */
	if (b->failed || (b->len && fwrite(b->data, 1, b->len, stdout) != b->len) || fflush(stdout)) {
		if (b->failed || errno != EPIPE)
			log__error("spool: cannot write to standard output: %s",
			           b->failed ? "out of memory" : strerror(errno));
		code = b->failed || errno != EPIPE ? EXIT_FAIL : EXIT_OK;
	}
	buf__free(b);
	return code;
}

static void cell_u64(struct table *t, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	table__cell(t, text);
}

static const char *place(const struct survey_output *o)
{
	if (o->error == -ENOENT)
		return "not read yet";
	if (o->error)
		return "cursor damaged";
	return o->configured ? "" : "not configured: nothing is kept for it";
}

static void lanes_text(const struct survey *s, struct buf *b)
{
	struct table t;

	table__init(&t, 3);
	table__cell(&t, "severity");
	table__cell(&t, "segments");
	table__cell(&t, "bytes");
	for (unsigned i = SPOOL_LANES; i; i--) {
		cell_u64(&t, i);
		cell_u64(&t, s->lanes[i].segments);
		cell_u64(&t, s->lanes[i].bytes);
	}
	table__render(&t, b);
	table__free(&t);
}

static void outputs_text(const struct survey *s, struct buf *b)
{
	static const char *const heads[] = {"output",   "stream", "pending", "delivered",
	                                    "filtered", "dead",   "lost",    ""};
	struct table t;

	table__init(&t, 8);
	for (size_t i = 0; i < 8; i++)
		table__cell(&t, heads[i]);
	for (size_t i = 0; i < s->outputs_cnt; i++) {
		const struct survey_output *o = &s->outputs[i];

		table__cell(&t, o->name);
		table__cell(&t, o->stream);
		cell_u64(&t, o->pending);
		cell_u64(&t, o->cursor.tally.delivered);
		cell_u64(&t, o->cursor.tally.filtered);
		cell_u64(&t, o->cursor.tally.dead);
		cell_u64(&t, o->cursor.tally.lost);
		table__cell(&t, place(o));
	}
	table__render(&t, b);
	table__free(&t);
}

static void show_json(const struct survey *s, const char *dir, struct buf *b)
{
	buf__lit(b, "{\"dir\":");
	json__string(b, dir, strlen(dir));
	buf__printf(b, ",\"run\":%llu,\"seq\":%llu,\"lanes\":[", (unsigned long long)s->live.run,
	            (unsigned long long)s->live.published);
	for (unsigned i = 1; i <= SPOOL_LANES; i++)
		buf__printf(b, "%s{\"severity\":%u,\"segments\":%llu,\"bytes\":%llu}",
		            i > 1 ? "," : "", i, (unsigned long long)s->lanes[i].segments,
		            (unsigned long long)s->lanes[i].bytes);
	buf__lit(b, "],\"outputs\":[");
	for (size_t i = 0; i < s->outputs_cnt; i++) {
		const struct survey_output *o = &s->outputs[i];
		const struct spool_tally *t = &o->cursor.tally;

		buf__str(b, i ? ",{\"name\":" : "{\"name\":");
		json__string(b, o->name, strlen(o->name));
		buf__lit(b, ",\"stream\":");
		json__string(b, o->stream, strlen(o->stream));
		buf__printf(
			b,
			",\"configured\":%s,\"cursor\":\"%s\",\"pending\":%llu,\"delivered\":%llu,"
			"\"filtered\":%llu,\"dead\":%llu,\"lost\":%llu}",
			o->configured ? "true" : "false",
			!o->error             ? "ok"
			: o->error == -ENOENT ? "none"
					      : "damaged",
			(unsigned long long)o->pending, (unsigned long long)t->delivered,
			(unsigned long long)t->filtered, (unsigned long long)t->dead,
			(unsigned long long)t->lost);
	}
	buf__lit(b, "]}\n");
}

static int show(const struct spool_command *c, struct survey *s)
{
	struct buf b = BUF_INIT;

	if (c->json) {
		show_json(s, c->dir, &b);
	} else {
		lanes_text(s, &b);
		buf__char(&b, '\n');
		outputs_text(s, &b);
	}
	return put(&b);
}

struct verification {
	const struct spool_command *command;
	struct buf out;
	uint64_t segments, items, bad;
};

static void verify_segment(void *ctx, const struct survey_segment *seg)
{
	struct verification *v = ctx;

	v->segments++;
	v->items += seg->items;
	if (!seg->error && !seg->bad_bytes)
		return;
	v->bad++;
	if (v->command->json)
		buf__printf(&v->out,
		            "{\"segment\":\"%s\",\"items\":%llu,\"bad_bytes\":%llu,\"offset\":%llu,"
		            "\"head\":%s}\n",
		            seg->name, (unsigned long long)seg->items,
		            (unsigned long long)seg->bad_bytes, (unsigned long long)seg->bad_at,
		            seg->error ? "false" : "true");
	else if (seg->error)
		buf__printf(&v->out, "%s: cannot be read: %s\n", seg->name,
		            seg->error == -EBADMSG ? "its head is damaged" : strerror(-seg->error));
	else
		buf__printf(&v->out, "%s: %llu bytes are damaged, the last ones at byte %llu\n",
		            seg->name, (unsigned long long)seg->bad_bytes,
		            (unsigned long long)seg->bad_at);
}

static int verify(const struct spool_command *c, struct survey *s)
{
	struct verification v = {.command = c};
	int err = survey__segments(s, verify_segment, &v);
	int code;

	if (err) {
		log__error("spool: cannot read '%s': %s", c->dir, strerror(-err));
		buf__free(&v.out);
		return EXIT_FAIL;
	}
	if (!s->state_whole) {
		v.bad++;
		buf__str(&v.out,
		         c->json ? "{\"control\":false}\n" : "control: its state is damaged\n");
	}
	for (size_t i = 0; i < s->outputs_cnt; i++) {
		if (!s->outputs[i].error || s->outputs[i].error == -ENOENT)
			continue;
		v.bad++;
		buf__printf(&v.out, c->json ? "{\"cursor\":\"%s\"}\n" : "cursors/%s.cur: damaged\n",
		            s->outputs[i].name);
	}
	code = put(&v.out);
	if (v.bad)
		log__error("spool: '%s' is damaged in %llu places", c->dir,
		           (unsigned long long)v.bad);
	else
		log__info("spool: %llu segments with %llu items, all whole",
		          (unsigned long long)v.segments, (unsigned long long)v.items);
	return v.bad ? EXIT_FAIL : code;
}

/* The output that is meant; NULL: said. */
static const struct survey_output *find_output(const struct spool_command *c, const struct survey *s)
{
	for (size_t i = 0; c->output && i < s->outputs_cnt; i++)
		if (!strcmp(s->outputs[i].name, c->output))
			return &s->outputs[i];
	if (c->output)
		log__error("spool: '%s' has no output '%s'; see 'pytrail spool show %s'", c->dir,
		           c->output, c->dir);
	else if (s->outputs_cnt == 1)
		return &s->outputs[0];
	else
		log__error("spool: say which output to drain: --output NAME");
	return NULL;
}

static int print_entry(const struct survey_output *o, const struct spool_entry *e,
                       const struct format_context *ctx, struct buf *mem, struct buf *out,
                       struct spool_tally *tally)
{
	struct item it = e->item;

	if (e->what == SPOOL_LOSS) {
		tally->lost += e->loss.count;
		log__warn("%llu items are not there any more", (unsigned long long)e->loss.count);
		if (lost_item__render(&e->loss, o->name, o->stream, ctx, mem, &it))
			return 0;
	} else {
		tally->delivered++;
	}
	buf__append(out, it.body.s, it.body.len);
	buf__char(out, '\n');
	return out->failed ? -ENOMEM : 0;
}

static int print_all(const struct spool_command *c, const struct survey_output *o,
                     struct spool_reader *r)
{
	struct format_context ctx = {.realtime_offset_ns = clock__realtime_offset()};
	struct spool_tally tally = spool_reader__tally(r);
	struct buf out = BUF_INIT, mem = BUF_INIT;
	struct spool_mark mark;
	struct spool_entry e;
	int n = 0, err = 0, code = EXIT_OK;

	do {
		n = spool_reader__next(r, &e);
		if (n > 0)
			n = print_entry(o, &e, &ctx, &mem, &out, &tally) ? -ENOMEM : 1;
		if (n > 0 && out.len < FLUSH_BYTES)
			continue;
		code = put(&out);
		mark = spool_reader__mark(r);
		if (n >= 0 && code == EXIT_OK && c->ack && !ferror(stdout))
			err = spool_reader__ack(r, &mark, &tally);
		if (err) {
			log__error("spool: cannot move the cursor of '%s': %s", o->name,
			           strerror(-err));
			code = EXIT_FAIL;
		}
	} while (n > 0 && code == EXIT_OK && !ferror(stdout));
	buf__free(&mem);
	return n < 0 ? EXIT_FAIL : code;
}

static int drain(const struct spool_command *c, struct survey *s)
{
	const struct survey_output *o = find_output(c, s);
	struct spool_reader_options ro = {.dir = c->dir, .read_only = !c->ack};
	struct spool_reader *r;
	struct buf why = BUF_INIT;
	int code = EXIT_FAIL;

	if (!o)
		return c->output ? EXIT_FAIL : EXIT_USAGE;
	ro.output = o->name;
	ro.stream = o->stream;
	if (spool_reader__open(&ro, &r, &why)) {
		log__error("spool: %.*s", (int)why.len, why.data);
	} else {
		code = print_all(c, o, r);
		spool_reader__close(r);
	}
	buf__free(&why);
	return code;
}

static int usage(const char *what, const char *word)
{
	log__error("spool: %s '%s'; see 'pytrail help spool'", what, word);
	return EXIT_USAGE;
}

int cmd_spool(int argc, char **argv)
{
	static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
	                                      {"output", required_argument, NULL, 'o'},
	                                      {"ack", no_argument, NULL, 'a'},
	                                      {0}};
	struct spool_command c = {.dir = SPOOL_DIR};
	int (*run)(const struct spool_command *, struct survey *) = show;
	struct buf why = BUF_INIT;
	struct survey s;
	int opt, code;

	optind = 0;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (opt == 'j')
			c.json = true;
		else if (opt == 'a')
			c.ack = true;
		else if (opt == 'o')
			c.output = optarg;
		else
			return usage(opt == ':' ? "a name is missing behind" : "unknown option",
			             argv[optind - 1]);
	}
	if (optind < argc && !strchr(argv[optind], '/')) {
		const char *word = argv[optind++];

		run = !strcmp(word, "show")     ? show
		      : !strcmp(word, "verify") ? verify
		      : !strcmp(word, "drain")  ? drain
		                                : NULL;
		if (!run)
			return usage("there is show, verify and drain, not (a directory has a '/' "
			             "in it)",
			             word);
	}
	if (optind < argc)
		c.dir = argv[optind++];
	if (optind < argc)
		return usage("unexpected argument", argv[optind]);
	if ((c.output || c.ack) && run != drain)
		return usage("only drain takes", c.output ? "--output" : "--ack");
	if (survey__open(c.dir, &s, &why)) {
		log__error("spool: %.*s", (int)why.len, why.data);
		buf__free(&why);
		return EXIT_FAIL;
	}
	code = run(&c, &s);
	survey__close(&s);
	buf__free(&why);
	return code;
}
