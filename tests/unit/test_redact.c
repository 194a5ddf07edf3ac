// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Redaction of events and processes: what comes out, in each format; and that no secret ever
 * does. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "records.h"
#include "user/catalog.h"
#include "user/enrich/process.h"
#include "user/format/format.h"
#include "user/redact/redact.h"
#include "user/util/base64.h"
#include "user/util/buf.h"
#include "user/util/log.h"

#define SECRET "hunter2-S3CRET"

static struct rb b;
static struct buf out, notes;
static struct redact *r;
static const uint8_t key[MARK_KEY_BYTES];

static void swallow(void *ctx, const char *line, size_t len)
{
}

static void use(const char *list)
{
	struct redact_rules rules = REDACT_RULES_DEFAULT;

	redact__free(r);
	if (list)
		assert_int_equal(redact_rules__add(&rules, "--redact", list), 0);
	r = redact__new(&rules, key);
	assert_non_null(r);
}

static void begin(const char *event, uint64_t nargs)
{
	rb__audit(&b, event);
	rb__u64(&b, PT_K_TUPLE, 0, nargs);
}

static const char *terminated(struct buf *t)
{
	buf__char(t, '\0');
	assert_false(t->failed);
	return t->data;
}

static const struct event *read_event(struct event *ev)
{
	assert_int_equal(reader__audit(&b, b.size, ev), 0);
	return redact__event(r, ev);
}

static void check(const char *args, const char *said)
{
	struct event ev;

	buf__reset(&out);
	buf__reset(&notes);
	json__args(&out, &notes, read_event(&ev));
	assert_string_equal(terminated(&out), args);
	assert_string_equal(terminated(&notes), said);
}

/* HMAC-SHA-256 under 32 zero bytes, by Python's hmac. */
#define HIDDEN(hash, len) "{\"$redacted\":\"hmac-sha256-128:" hash "\",\"length\":" #len "}"
#define MARK(hash, len)   "<redacted:hmac-sha256-128:" hash ":" #len ">"
#define HASH              "b9a178f477de1ee5a9580e9d51f090fa"
#define HASH_E_ACUTE      "821a91cd509c47fafaf38613147a0f56"

static void test_whole_values(void **state)
{
	use(NULL);
	begin("builtins.input/result", 1);
	rb__str(&b, SECRET);
	rb__end(&b);
	check("{\"result\":" HIDDEN(HASH, 14) "}", "");

	/* the same text has the same hash, however it is stored */
	static const uint32_t wide[] = {0xe9, 'x'};
	static const char *const want = "{\"result\":" HIDDEN(HASH_E_ACUTE, 2) "}";

	begin("builtins.input/result", 1);
	rb__str(&b, "\xe9x");
	rb__end(&b);
	check(want, "");
	begin("builtins.input/result", 1);
	rb__wide(&b, PT_K_STR2, wide, 2);
	rb__end(&b);
	check(want, "");
	begin("builtins.input/result", 1);
	rb__wide(&b, PT_K_STR4, wide, 2);
	rb__end(&b);
	check(want, "");
	begin("builtins.input/result", 1);
	rb__text(&b, PT_K_UTF8, "\xc3\xa9x");
	rb__end(&b);
	check("{\"result\":" HIDDEN(HASH_E_ACUTE, 3) "}", "");

	/* its full length, and that it was cut */
	begin("http.client.send", 2);
	rb__object(&b, 16, "HTTPConnection");
	rb__cut(&b, PT_K_BYTES, 5000, SECRET, 14);
	rb__end(&b);
	check("{\"self\":{\"$object\":\"HTTPConnection\",\"address\":\"0x10\"},\"data\":" HIDDEN(
		      HASH, 5000) "}",
	      ",\"truncated\":{\"args.data\":{\"length\":5000}}");

	/* what hides nothing stays */
	begin("urllib.Request", 4);
	rb__str(&b, "https://example.org/");
	rb__node(&b, PT_K_NONE, 0, NULL, 0);
	rb__u64(&b, PT_K_DICT, 0, 2);
	rb__str(&b, "Accept");
	rb__str(&b, "text/html");
	rb__str(&b, "Authorization");
	rb__str(&b, SECRET);
	rb__end(&b);
	rb__str(&b, "GET");
	rb__end(&b);
	check("{\"fullurl\":\"https://example.org/\",\"data\":null,\"headers\":{\"Accept\":\"text/"
	      "html\",\"Authorization\":" HIDDEN(HASH, 14) "},\"method\":\"GET\"}",
	      "");
}

static void test_environments(void **state)
{
	use(NULL);
	begin("subprocess.Popen", 4);
	rb__str(&b, "id");
	rb__u64(&b, PT_K_LIST, 0, 1);
	rb__str(&b, "id");
	rb__end(&b);
	rb__node(&b, PT_K_NONE, 0, NULL, 0);
	rb__u64(&b, PT_K_DICT, 0, 1);
	rb__str(&b, "NAME");
	rb__str(&b, SECRET);
	rb__end(&b);
	rb__end(&b);
	check("{\"executable\":\"id\",\"args\":[\"id\"],\"cwd\":null,\"env\":{\"NAME\":" HIDDEN(
		      HASH, 14) "}}",
	      "");
	begin("_posixsubprocess.fork_exec", 3);
	rb__u64(&b, PT_K_TUPLE, 0, 0);
	rb__end(&b);
	rb__u64(&b, PT_K_LIST, 0, 0);
	rb__end(&b);
	rb__u64(&b, PT_K_LIST, 0, 2);
	rb__str(&b, "NAME=" SECRET);
	rb__str(&b, "EMPTY=");
	rb__end(&b);
	rb__end(&b);
	check("{\"exec_list\":[],\"args\":[],\"env\":[\"NAME=" MARK(HASH, 14) "\",\"EMPTY=\"]}",
	      ",\"redacted\":[\"args.env[0]\"]");
	begin("os.putenv", 2);
	rb__text(&b, PT_K_BYTES, "NAME");
	rb__text(&b, PT_K_BYTES, SECRET);
	rb__end(&b);
	check("{\"key\":{\"$bytes\":\"TkFNRQ==\"},\"value\":" HIDDEN(HASH, 14) "}", "");
}

static void test_parts(void **state)
{
	uint32_t wide[64];
	size_t cnt = 0;

	use(NULL);
	begin("subprocess.Popen", 4);
	rb__str(&b, "mysql");
	rb__u64(&b, PT_K_TUPLE, 0, 4);
	rb__str(&b, "mysql");
	rb__str(&b, "-p" SECRET);
	rb__str(&b, "--token");
	rb__text(&b, PT_K_UTF8, SECRET);
	rb__end(&b);
	rb__node(&b, PT_K_NONE, 0, NULL, 0);
	rb__node(&b, PT_K_NONE, 0, NULL, 0);
	rb__end(&b);
	check("{\"executable\":\"mysql\",\"args\":[\"mysql\",\"-p" MARK(
		      HASH, 14) "\",\"--token\",\"" MARK(HASH, 14) "\"],\"cwd\":null,\"env\":null}",
	      ",\"redacted\":[\"args.args[1]\",\"args.args[3]\"]");

	/* anywhere, in characters of any width */
	begin("open", 3);
	for (const char *p = "ftp://\xe9:" SECRET "@h"; *p; p++)
		wide[cnt++] = (uint8_t)*p == 0xe9 ? 0x20ac : (uint8_t)*p;
	rb__wide(&b, PT_K_STR2, wide, cnt);
	rb__node(&b, PT_K_NONE, 0, NULL, 0);
	rb__u64(&b, PT_K_INT, 0, 0);
	rb__end(&b);
	check("{\"path\":\"ftp://\xe2\x82\xac:" MARK(HASH, 14) "@h\",\"mode\":null,\"flags\":0}",
	      ",\"redacted\":[\"args.path\"]");

	begin("ftplib.sendcmd", 2);
	rb__node(&b, PT_K_NONE, 0, NULL, 0);
	rb__str(&b, "PASS " SECRET);
	rb__end(&b);
	check("{\"self\":null,\"cmd\":\"PASS " MARK(HASH, 14) "\"}",
	      ",\"redacted\":[\"args.cmd\"]");
	begin("ftplib.sendcmd", 2);
	rb__node(&b, PT_K_NONE, 0, NULL, 0);
	rb__str(&b, "STOR file");
	rb__end(&b);
	check("{\"self\":null,\"cmd\":\"STOR file\"}", "");
}

/* Nothing to hide: the event itself, not a copy. */
static void test_untouched(void **state)
{
	struct event ev;

	use(NULL);
	begin("open", 3);
	rb__str(&b, "/etc/passwd");
	rb__str(&b, "r");
	rb__u64(&b, PT_K_INT, 0, 0);
	rb__end(&b);
	assert_ptr_equal(read_event(&ev), &ev);
	assert_int_equal(redact__count(r), 0);
}

/* An event of secrets in a form that the table does not know is hidden as a whole; so is one
 * without a name. */
static void test_unknown_form(void **state)
{
	use(NULL);
	begin("http.client.send", 3);
	rb__object(&b, 16, "X");
	rb__str(&b, SECRET);
	rb__str(&b, SECRET);
	rb__end(&b);
	check("{\"arg0\":{\"$object\":\"X\",\"address\":\"0x10\"},\"arg1\":" HIDDEN(
		      HASH, 14) ",\"arg2\":" HIDDEN(HASH, 14) "}",
	      "");
	begin("", 1);
	b.audit.flags = PT_AUDIT_NAME_UNREADABLE;
	rb__str(&b, SECRET);
	rb__end(&b);
	check("{\"arg0\":" HIDDEN(HASH, 14) "}", ",\"unreadable\":[\"event\"]");
}

static void test_rules(void **state)
{
	struct redact_rules rules = REDACT_RULES_DEFAULT;

	use("!input");
	begin("builtins.input/result", 1);
	rb__str(&b, SECRET);
	rb__end(&b);
	check("{\"result\":\"" SECRET "\"}", "");
	use("none,open:path,my.*:arg1");
	check("{\"result\":\"" SECRET "\"}", "");
	begin("open", 3);
	rb__str(&b, SECRET);
	rb__node(&b, PT_K_NONE, 0, NULL, 0);
	rb__u64(&b, PT_K_INT, 0, 0);
	rb__end(&b);
	check("{\"path\":" HIDDEN(HASH, 14) ",\"mode\":null,\"flags\":0}", "");
	begin("my.event", 2);
	rb__str(&b, "a");
	rb__u64(&b, PT_K_LIST, 0, 1);
	rb__str(&b, SECRET);
	rb__end(&b);
	rb__end(&b);
	check("{\"arg0\":\"a\",\"arg1\":[" HIDDEN(HASH, 14) "]}", "");
	use("!os.putenv:value,name=*session*");
	begin("os.putenv", 2);
	rb__str(&b, "A");
	rb__str(&b, SECRET);
	rb__end(&b);
	check("{\"key\":\"A\",\"value\":\"" SECRET "\"}", "");
	begin("x", 1);
	rb__u64(&b, PT_K_DICT, 0, 1);
	rb__str(&b, "MySession");
	rb__str(&b, SECRET);
	rb__end(&b);
	rb__end(&b);
	check("{\"arg0\":{\"MySession\":" HIDDEN(HASH, 14) "}}", "");

	log__divert(swallow, NULL);
	assert_int_equal(redact_rules__add(&rules, "--redact", "envs"), -EINVAL);
	assert_int_equal(redact_rules__add(&rules, "--redact", "a:b:c"), -EINVAL);
	assert_int_equal(redact_rules__add(&rules, "--redact", "name="), -EINVAL);
	assert_int_equal(redact_rules__add(&rules, "--redact", ""), -EINVAL);
	log__divert(NULL, NULL);
	redact_rules__free(&rules);
}

/* --- no secret ever --------------------------------------------------------------------------- */

static bool has(const void *data, size_t len, const char *text)
{
	return memmem(data, len, text, strlen(text));
}

/* In every format, bare and as Base64 would have it. */
static void check_absent(const char *text)
{
	char names[128], *rest = names, *name;
	struct format_context ctx = {.instance = "0"};
	struct buf coded = BUF_INIT;
	struct event ev;
	const struct event *hidden = read_event(&ev);

	snprintf(names, sizeof(names), "%s", format__names());
	while ((name = strsep(&rest, ", "))) {
		if (!*name)
			continue;
		buf__reset(&out);
		format__find(name, strlen(name))->event(&out, hidden, &ctx);
		assert_false(out.failed);
		assert_false(has(out.data, out.len, text));
		/* each alignment of it in Base64, its first and last characters apart */
		for (size_t skip = 0; skip < 3; skip++) {
			buf__reset(&coded);
			base64__append(&coded, text + skip, (strlen(text) - skip) / 3 * 3);
			buf__char(&coded, '\0');
			assert_false(has(out.data, out.len, coded.data));
		}
	}
	buf__free(&coded);
}

static void put_text(uint8_t kind, bool cut, const char *s)
{
	uint32_t wide[256];
	size_t len = strlen(s);

	if (cut) {
		if (kind == PT_K_STR2 || kind == PT_K_STR4)
			kind = PT_K_STR;
		rb__cut(&b, kind, 100000, s, len);
		return;
	}
	for (size_t i = 0; i < len; i++)
		wide[i] = (uint8_t)s[i];
	if (kind == PT_K_STR2 || kind == PT_K_STR4)
		rb__wide(&b, kind, wide, len);
	else
		rb__text(&b, kind, s);
}

/* `text` as an argument, in containers of `container`, `depth` of them. */
static void put_nested(uint8_t container, int depth, uint8_t kind, bool cut, const char *text)
{
	for (int i = 0; i < depth; i++) {
		rb__u64(&b, container, 0, 1);
		if (container == PT_K_DICT)
			rb__str(&b, "k");
	}
	put_text(kind, cut, text);
	for (int i = 0; i < depth; i++)
		rb__end(&b);
}

static const uint8_t kinds[] = {PT_K_STR,  PT_K_STR2,  PT_K_STR4,
                                PT_K_UTF8, PT_K_BYTES, PT_K_BYTEARRAY};
static const uint8_t containers[] = {PT_K_LIST, PT_K_TUPLE, PT_K_DICT, PT_K_SET, PT_K_FROZENSET};

/* One argument of an event in every form. */
static void check_argument(const struct catalog_event *e, const struct catalog_signature *sig,
                           size_t arg, const char *text)
{
	for (size_t form = 0; form < sizeof(kinds) * sizeof(containers) * 3 * 2; form++) {
		size_t rest = form;
		uint8_t kind = kinds[rest % sizeof(kinds)];
		uint8_t container = containers[(rest /= sizeof(kinds)) % sizeof(containers)];
		int depth = (int)((rest /= sizeof(containers)) % 3);
		bool cut = rest / 3;

		if (!depth && container != PT_K_LIST)
			continue;
		begin(e->name, sig->nargs);
		for (size_t i = 0; i < sig->nargs; i++)
			if (i == arg)
				put_nested(container, depth, kind, cut, text);
			else
				rb__node(&b, PT_K_NONE, 0, NULL, 0);
		rb__end(&b);
		check_absent(SECRET);
	}
}

/* Secrets as a whole, of events that the table has. */
static void test_never_values(void **state)
{
	static const struct {
		const char *event, *argument;
	} rows[] = {
		{"builtins.input/result", "result"},
		{"http.client.send", "data"},
		{"imaplib.send", "data"},
		{"os.putenv", "value"},
		{"smtplib.send", "data"},
		{"telnetlib.Telnet.write", "buffer"},
		{"urllib.Request", "data"},
	};

	use(NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct catalog_event *e = catalog__find(rows[i].event, strlen(rows[i].event));
		const struct catalog_signature *sig = &e->signatures[0];

		for (size_t arg = 0; arg < sig->nargs; arg++)
			if (!strcmp(sig->names[arg], rows[i].argument))
				check_argument(e, sig, arg, SECRET);
	}
}

/* URLs in every argument of every event. */
static void test_never_urls(void **state)
{
	static const char *const urls[] = {
		"https://user:" SECRET "@example.org/x",
		"https://example.org/x?a=b&access_token=" SECRET,
	};

	use(NULL);
	for (size_t i = 0; i < catalog__count(); i++) {
		const struct catalog_event *e = catalog__at(i);

		for (size_t s = 0; s < e->signatures_cnt; s++)
			for (size_t arg = 0; arg < e->signatures[s].nargs; arg++)
				check_argument(e, &e->signatures[s], arg, urls[(i + arg) % 2]);
	}
}

/* --- processes -------------------------------------------------------------------------------- */

static const struct process *process_of(struct process_table *t, const char *argv, size_t len)
{
	static const char exe[] = "/usr/bin/python3", cwd[] = "/srv";

	rb__header(&b, PT_REC_PROCESS, sizeof(struct pt_process));
	b.process.exe_len = sizeof(exe) - 1;
	b.process.argv_len = (uint32_t)len;
	b.process.cwd_len = sizeof(cwd) - 1;
	b.process.container_len = b.process.cgroup_len = PT_UNKNOWN_LEN;
	b.process.ancestry_len = b.process.venv_len = PT_UNKNOWN_LEN;
	memcpy(b.bytes + b.size, exe, sizeof(exe) - 1);
	memcpy(b.bytes + b.size + sizeof(exe) - 1, argv, len);
	memcpy(b.bytes + b.size + sizeof(exe) - 1 + len, cwd, sizeof(cwd) - 1);
	b.size += (sizeof(exe) - 1 + len + sizeof(cwd) - 1 + 7) & ~(size_t)7;
	b.rec.size = (uint32_t)b.size;
	assert_int_equal(process_table__put_record(t, &b, b.size), 0);
	return process_table__get(t, &b.rec.task, false, NULL);
}

static void test_process(void **state)
{
	static const char argv[] = "python3\0-c\0connect(password='" SECRET "')\0--token\0" SECRET;
	static const char harmless[] = "python3\0app.py";
	struct process_table *t = process_table__new("boot", 4);
	const struct process *p, *hidden;

	use(NULL);
	p = process_of(t, argv, sizeof(argv) - 1);
	hidden = redact__process(r, p);
	assert_ptr_not_equal(hidden, p);
	assert_ptr_equal(redact__process(r, p), hidden);
	assert_false(has(hidden->json, hidden->json_len, SECRET));
	assert_false(has(hidden->argv, hidden->argv_len, SECRET));
	assert_false(has(hidden->python_json, hidden->python_json_len, SECRET));
	assert_true(has(hidden->json, hidden->json_len,
	                "\"argv\":[\"python3\",\"-c\",\"connect(password='" MARK(
				HASH, 14) "')\",\"--token\",\"" MARK(HASH, 14) "\"]"));
	assert_true(has(hidden->json, hidden->json_len, "\"redacted\":[\"argv\"]"));
	assert_true(has(hidden->python_json, hidden->python_json_len, MARK(HASH, 14)));
	assert_string_equal(hidden->entity_id, p->entity_id);
	/* it is not the one that is kept for --record */
	assert_true(has(p->argv, p->argv_len, SECRET));

	p = process_of(t, harmless, sizeof(harmless) - 1);
	assert_ptr_equal(redact__process(r, p), p);
	process_table__free(t);
}

/* `mysql -p1 -p1 …`, a mark for each; the last word is a secret of another kind. */
static const struct process *process_of_secrets(struct process_table *t, size_t len)
{
	static const char program[] = "mysql", last[] = "\0--password=" SECRET;
	char *argv = malloc(len);
	const struct process *p;

	assert_non_null(argv);
	memcpy(argv, program, sizeof(program));
	for (size_t i = sizeof(program); i < len; i++)
		argv[i] = "-p1"[(i - sizeof(program)) % 4];
	memcpy(argv + len - sizeof(last), last, sizeof(last));
	p = process_of(t, argv, len - 1);
	free(argv);
	return p;
}

/* Nobody can blow a process up by its secrets; and the marks do not make a command line one that
 * was cut. */
static void test_process_of_many_secrets(void **state)
{
	static const char one[] = "\0-p1", truncated[] = "\"argv_truncated\"";
	struct process_table *t = process_table__new("boot", 4);
	const struct process *p, *hidden;
	const char *rest;

	use(NULL);
	p = process_of_secrets(t, 4000);
	hidden = redact__process(r, p);
	assert_true(hidden->argv_len > 32 * 1024);
	assert_false(memmem(hidden->argv, hidden->argv_len, one, sizeof(one)));
	assert_false(has(hidden->argv, hidden->argv_len, SECRET));
	assert_true(has(hidden->argv, hidden->argv_len, MARK(HASH, 14)));
	assert_false(has(hidden->json, hidden->json_len, truncated));

	/* this one was cut; the rest of it is one mark */
	p = process_of_secrets(t, 32 * 1024);
	hidden = redact__process(r, p);
	assert_true(hidden->argv_len < 66 * 1024);
	assert_false(memmem(hidden->argv, hidden->argv_len, one, sizeof(one)));
	assert_false(has(hidden->argv, hidden->argv_len, SECRET));
	assert_true(has(hidden->json, hidden->json_len, truncated));
	rest = memrchr(hidden->argv, '\0', hidden->argv_len);
	assert_non_null(rest);
	assert_memory_equal(rest + 1, "<redacted:", 10);
	process_table__free(t);
}

/* --- the key ---------------------------------------------------------------------------------- */

static void test_key(void **state)
{
	char dir[] = "/tmp/pytrail-key-XXXXXX", path[64], other[64];
	uint8_t one[MARK_KEY_BYTES], two[MARK_KEY_BYTES];
	struct stat st;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/key", dir);
	snprintf(other, sizeof(other), "%s/link", dir);
	assert_int_equal(mark_key__load(path, one), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(mark_key__load(path, two), 0);
	assert_memory_equal(one, two, sizeof(one));

	log__divert(swallow, NULL);
	assert_int_equal(symlink(path, other), 0);
	assert_int_not_equal(mark_key__load(other, two), 0);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(mark_key__load(path, two), -EINVAL);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, 8), 0);
	assert_int_equal(mark_key__load(path, two), -EINVAL);
	assert_int_equal(mark_key__load(dir, two), -EINVAL);
	log__divert(NULL, NULL);
	unlink(other);
	unlink(path);
	rmdir(dir);
}

static int finish(void **state)
{
	redact__free(r);
	buf__free(&out);
	buf__free(&notes);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_values), cmocka_unit_test(test_environments),
		cmocka_unit_test(test_parts),        cmocka_unit_test(test_untouched),
		cmocka_unit_test(test_unknown_form), cmocka_unit_test(test_rules),
		cmocka_unit_test(test_never_values), cmocka_unit_test(test_never_urls),
		cmocka_unit_test(test_process),      cmocka_unit_test(test_process_of_many_secrets),
		cmocka_unit_test(test_key),
	};

	return cmocka_run_group_tests(tests, NULL, finish);
}
