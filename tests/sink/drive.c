// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Sends items by one driver, as a worker does it, and tells what the driver says: for the tests
 * against real receivers.
 *
 *	drive [--format NAME] [--set NAME=VALUE]... [--sigpipe] URL
 *
 * Standard input: an item a line, a JSON object with any of kind, severity, time_ns, seq, id,
 * entity, event, category, and body (or body_hex, for bytes that are no UTF-8; or repeat: so many
 * times body). An empty line sends what came since the last one, as one batch.
 * {"interrupt":SECONDS} interrupts the driver that long after, from another thread; so does
 * SIGUSR1. Standard output: a JSON object for each batch: status, items, reason, code, retry_after,
 * bytes, dropped, seconds. --sigpipe: SIGPIPE kills, as it does unless ignored. Exit status 1 with
 * the driver's sentence when it cannot be opened.
 */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "sink/driver.h"
#include "util/buf.h"
#include "util/clock.h"

static const char *const statuses[] = {
	[DELIVERY_OK] = "ok",
	[DELIVERY_RETRY] = "retry",
	[DELIVERY_DENIED] = "denied",
	[DELIVERY_TOO_LARGE] = "too_large",
	[DELIVERY_REJECTED] = "rejected",
};

struct batch {
	struct item *items;
	json_t **sources; /* hold the items' texts */
	char **bodies;
	size_t cnt;
};

static struct driver *driver;
static double interrupt_after;

static void die(const char *what)
{
	fprintf(stderr, "drive: %s\n", what);
	exit(2);
}

static struct item_text text_of(json_t *o, const char *name, const char *fallback)
{
	json_t *v = json_object_get(o, name);

	if (!v)
		return (struct item_text){fallback, strlen(fallback)};
	return (struct item_text){json_string_value(v), json_string_length(v)};
}

static long long number_of(json_t *o, const char *name, long long fallback)
{
	json_t *v = json_object_get(o, name);

	return v ? (long long)json_integer_value(v) : fallback;
}

static char *body_of(json_t *o, size_t *len)
{
	struct item_text hex = text_of(o, "body_hex", ""), plain = text_of(o, "body", "");
	size_t times = (size_t)number_of(o, "repeat", 1);
	char *out;

	if (!hex.len) {
		*len = plain.len * times;
		out = malloc(*len + 1);
		for (size_t i = 0; i < times; i++)
			memcpy(out + i * plain.len, plain.s, plain.len);
		return out;
	}
	*len = hex.len / 2;
	out = malloc(*len);
	for (size_t i = 0; i < *len; i++) {
		char digits[3] = {hex.s[2 * i], hex.s[2 * i + 1], 0};

		out[i] = (char)strtoul(digits, NULL, 16);
	}
	return out;
}

static void add(struct batch *b, json_t *o, const char *format)
{
	struct item *it;
	size_t len;

	b->items = reallocarray(b->items, b->cnt + 1, sizeof(*b->items));
	b->sources = reallocarray(b->sources, b->cnt + 1, sizeof(*b->sources));
	b->bodies = reallocarray(b->bodies, b->cnt + 1, sizeof(*b->bodies));
	if (!b->items || !b->sources || !b->bodies)
		die("no memory");
	b->sources[b->cnt] = o;
	b->bodies[b->cnt] = body_of(o, &len);
	it = &b->items[b->cnt];
	*it = (struct item){
		.kind = (uint8_t)number_of(o, "kind", ITEM_AUDIT),
		.severity = (uint8_t)number_of(o, "severity", 1),
		.time_ns = number_of(o, "time_ns", 1790000000123456789),
		.seq = (uint64_t)number_of(o, "seq", 0),
		.stream = {format, strlen(format)},
		.id = text_of(o, "id", "0-0"),
		.entity = text_of(o, "entity", ""),
		.event = text_of(o, "event", ""),
		.category = text_of(o, "category", ""),
		.body = {b->bodies[b->cnt], len},
	};
	b->cnt++;
}

static void report(const struct batch *b, const struct delivery *d, double seconds)
{
	json_t *items = json_array(), *out;

	for (size_t i = 0; i < b->cnt; i++)
		json_array_append_new(
			items, json_string(statuses[d->per_item ? d->items[i] : (uint8_t)d->status]));
	out = json_pack("{s:s, s:o, s:i, s:f, s:I, s:I, s:f}", "status", statuses[d->status],
	                "items", items, "code", d->code, "retry_after", d->retry_after, "bytes",
	                (json_int_t)d->bytes_sent, "dropped", (json_int_t)d->dropped, "seconds",
	                seconds);
	/* a reason may have any bytes */
	for (size_t n = strnlen(d->reason, sizeof(d->reason));; n--) {
		json_t *reason = json_stringn(d->reason, n);

		if (!reason && n)
			continue;
		json_object_set_new(out, "reason", reason);
		break;
	}
	json_dumpf(out, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(out);
}

static void send_batch(struct batch *b)
{
	struct delivery d = {0};
	uint64_t begin = clock__monotonic();

	if (!b->cnt)
		return;
	d.items = calloc(b->cnt, 1);
	driver->ops->send(driver, b->items, b->cnt, &d);
	report(b, &d, (double)(clock__monotonic() - begin) / 1e9);
	free(d.items);
	for (size_t i = 0; i < b->cnt; i++) {
		json_decref(b->sources[i]);
		free(b->bodies[i]);
	}
	free(b->items);
	free(b->sources);
	free(b->bodies);
	*b = (struct batch){0};
}

static void *interrupt_later(void *arg)
{
	usleep((useconds_t)(interrupt_after * 1e6));
	driver->ops->interrupt(driver);
	return NULL;
}

static void *interrupt_on_signal(void *set)
{
	int sig;

	while (!sigwait(set, &sig))
		driver->ops->interrupt(driver);
	return NULL;
}

static void take_signals(void)
{
	static sigset_t usr1;
	pthread_t thread;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &usr1, NULL);
	if (pthread_create(&thread, NULL, interrupt_on_signal, &usr1))
		die("no thread");
	pthread_detach(thread);
}

static void drive(const char *format)
{
	struct batch batch = {0};
	pthread_t thread;
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0) {
		json_t *o, *seconds;

		if (!strcmp(line, "\n")) {
			send_batch(&batch);
			continue;
		}
		o = json_loads(line, JSON_ALLOW_NUL, NULL);
		if (!json_is_object(o))
			die("not a JSON object");
		seconds = json_object_get(o, "interrupt");
		if (!seconds) {
			add(&batch, o, format);
			continue;
		}
		interrupt_after = json_number_value(seconds);
		json_decref(o);
		if (pthread_create(&thread, NULL, interrupt_later, NULL))
			die("no thread");
		pthread_detach(thread);
	}
	send_batch(&batch);
	free(line);
}

static void set(struct settings *s, char *pair)
{
	struct buf why = BUF_INIT;
	char *value = strchr(pair, '=');

	if (!value)
		die("--set NAME=VALUE");
	*value++ = '\0';
	if (settings__set(s, pair, value, &why)) {
		fprintf(stderr, "%.*s\n", (int)why.len, why.data);
		exit(1);
	}
	buf__free(&why);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"format", required_argument, NULL, 'f'},
		{"set", required_argument, NULL, 's'},
		{"sigpipe", no_argument, NULL, 'p'},
		{0},
	};
	const struct driver_ops *ops = argc > 1 ? driver__of_url(argv[argc - 1]) : NULL;
	const struct setting *tables[] = {driver_settings, ops ? ops->settings : NULL, NULL};
	struct settings *s = settings__new(tables);
	struct driver_config cfg = {.output = "test",
	                            .settings = s,
	                            .format = ops ? ops->default_format : "",
	                            .host = "testhost",
	                            .boot_id = "b00t",
	                            .version = PYTRAIL_VERSION};
	struct buf why = BUF_INIT;
	int c, status = 0;

	signal(SIGPIPE, SIG_IGN); /* as the exporter does */
	if (!ops)
		die("no driver for this URL");
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'f')
			cfg.format = optarg;
		else if (c == 's')
			set(s, optarg);
		else if (c == 'p')
			signal(SIGPIPE, SIG_DFL);
		else
			exit(2);
	}
	cfg.url = argv[optind];
	if (settings__load_secrets(s, &why) || ops->open(&cfg, &driver, &why)) {
		fprintf(stderr, "%.*s\n", (int)why.len, why.data);
		status = 1;
	} else {
		take_signals();
		drive(cfg.format);
		driver->ops->close(driver);
	}
	settings__free(s);
	buf__free(&why);
	return status;
}
