// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Where secrets are in texts. In the tables `«` and `»` stand around what is to be found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "user/redact/scan.h"
#include "user/redact/secret_name.h"

enum scan_by { URLS, LINE, WORDS, LOGIN, VARIABLE };

/* Appends s, marks around the places found. */
static void put_marked(char *out, const struct scan *sc)
{
	size_t from = 0;

	out += strlen(out);
	for (unsigned i = 0; i < sc->cnt; i++) {
		assert_true(sc->spans[i].start < sc->spans[i].end && sc->spans[i].end <= sc->len &&
		            sc->spans[i].start >= from);
		out += sprintf(out, "%.*s«%.*s»", (int)(sc->spans[i].start - from), sc->s + from,
		               (int)(sc->spans[i].end - sc->spans[i].start),
		               sc->s + sc->spans[i].start);
		from = sc->spans[i].end;
	}
	sprintf(out, "%.*s", (int)(sc->len - from), sc->s + from);
}

/* The text without the marks. */
static void unmark(char *out, const char *s)
{
	while (*s)
		if (!strncmp(s, "«", 2) || !strncmp(s, "»", 2))
			s += 2;
		else
			*out++ = *s++;
	*out = '\0';
}

static void run(enum scan_by by, struct scan *sc, struct command *c)
{
	switch (by) {
	case URLS:
		scan__urls(sc);
		break;
	case LINE:
		scan__command_line(sc);
		break;
	case WORDS:
		scan__command_word(sc, c);
		break;
	case LOGIN:
		scan__login(sc);
		break;
	case VARIABLE:
		scan__variable(sc);
		break;
	}
	scan__finish(sc);
}

/* WORDS: the words are separated by `~`. */
static void check(enum scan_by by, const char *want, bool cut)
{
	char plain[1024], got[1024] = "", *word = plain, *tilde;
	struct command c = {0};

	assert_true(strlen(want) < sizeof(plain));
	unmark(plain, want);
	for (;;) {
		struct scan sc;

		tilde = by == WORDS ? strchr(word, '~') : NULL;
		if (tilde)
			*tilde = '\0';
		/* of its own memory, so that nothing behind it is read unseen */
		uint8_t *copy = malloc(strlen(word) + 1);

		memcpy(copy, word, strlen(word));
		sc = scan__of(copy, strlen(word), cut);
		run(by, &sc, &c);
		put_marked(got, &sc);
		free(copy);
		if (!tilde)
			break;
		strcat(got, "~");
		word = tilde + 1;
	}
	assert_string_equal(got, want);
}

static void check_all(enum scan_by by, const char *const *texts, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		check(by, texts[i], false);
}

#define ALL(by, texts) check_all(by, texts, sizeof(texts) / sizeof((texts)[0]))

static void test_urls(void **state)
{
	static const char *const texts[] = {
		"",
		"no url at all: user:password@host",
		"https://example.org/path?x=1#top",
		"http://host:8080/a@b",
		"http://[::1]:8080/x@y",
		"ssh://git@github.com/x.git",
		"https://user:«secret»@example.org/",
		"https://:«secret»@example.org/",
		"postgresql+psycopg2://u:«p»@db:5432/x",
		"redis://:«hunter2»@cache/0",
		"https://user:«p@ss»@host/",
		"https://user:«pa/ss?w#d»@host/x",
		"mongodb://u:«p»@a:1,b:2/x?authSource=admin",
		"https://«ghp_0123456789abcdef0123456789abcdef0123»@github.com/x",
		"https://«0123456789abcdef0123»@host/",
		"https://«ghp_0123456789abcdef0123»:«x-oauth-basic»@github.com/x",
		"https://h/?access_token=«abc»&x=1",
		"https://h/p?a=b&client_secret=«c d»&key=«e»#x",
		"https://h/cb#access_token=«abc»&expires_in=3600",
		"https://s3/x?X-Amz-Signature=«ab12»&X-Amz-Expires=60&X-Amz-Security-Token=«t»",
		"https://h/?token_type=x&password_file=y&page_token=«z»",
		"see 'https://u:«pw»@h/x' and <ftp://a:«b»@c>, or https://h?sig=«q» then",
		"x='https://u:«pw»@h' y=\"amqp://v:«qw»@h\"",
		"://u:p@h",
		"https://",
		"https://u:@h",
		/* URLs in URLs: what is new in each */
		"a://h?k=b://i?key=«x»&l=c://j?sig=«y»;token=«z»#m?code=n",
		"see a://h?a://h??key=«x?a://h?sig=y» a://h?&key=«z»",
		"https://h/?x=1&key=«a b://v:c@i/?sig=d»#e f://g",
		"see a://b:«c/d://e:f»@g and h://i:80/j://k:«l/m»@n and o://p/q@r",
		"x a://b?key=«c://d:e@f»&sig=«g»' h://i:«j»@k?key=«l»",
		"a://b:«c<d://e?key=f>g://h:i@j»",
		"x a://b:c<d://e?key=«f»>g://h:«i»@j",
	};

	ALL(URLS, texts);
}

/* What a cut may have taken away. */
static void test_cut_urls(void **state)
{
	check(URLS, "https://user:«secr»", true);
	check(URLS, "https://user:«12»", true);
	check(URLS, "https://user:«pa/ss»", true);
	check(URLS, "https://host:80/pa", true);
	check(URLS, "https://example.org/", true);
	check(URLS, "https://h/?token=«ab»", true);
	check(URLS, "https://«0123456789abcdef01234»", true);
}

static void test_words(void **state)
{
	static const char *const texts[] = {
		"prog~--verbose~file",
		"prog~--password=«hunter2»~x",
		"prog~--password~«hunter2»~x",
		"prog~-password~«-x»",
		"prog~--db-password=«a b=c;d»",
		"prog~--no-password~x",
		"prog~--password-file~/etc/pw",
		"prog~--password-stdin~x",
		"prog~API_TOKEN=«abc»",
		"prog~--set~db.password=«x,y=z»",
		"mysql~-uroot~-p«hunter2»~db",
		"/usr/bin/mysqldump~-p~db",
		"mysql~--port=3306",
		"curl~-u~user:«pw»~https://h/",
		"curl~-uuser:«pw»~--user~me",
		"curl~-H~Authorization: «Bearer abc.def»",
		"curl~-H~X-Api-Key: «abc»~-H~Accept: x",
		"curl~-H~Cookie: «a=b; c=d»",
		"sshpass~-p~«pw»~ssh~host~-p~22",
		"docker~run~-p~80:80~x",
		"docker~login~-u~me~-p~«pw»~reg",
		"openssl~enc~-pass~«pass:pw»",
		"sudo~redis-cli~-a~«pw»",
		"sh~-c~mysql -p«pw» db && echo ok",
		"sh~-c~PGPASSWORD=«x» psql -h db",
		"sh~-c~curl -H 'Authorization: «Bearer abc»' https://h",
		"sh~-c~curl -H Authorization:«Bearer abc» https://h",
		"sh~-c~prog --token «abc»; prog --page 1",
		"sh~-c~prog --token '«a b c»' x",
		"python3~-c~connect(host='h', password='«x y»', port=1)",
		"python3~-c~d = {'password': '«x»', \"api_key\": \"«y»\", 'user': 'z'}",
		"python3~-c~os.environ['DB_PASSWORD'] = '«x»'",
		"python3~-c~import os; print(1)",
		"python3~-c~if password == other: pass",
		"prog~«ghp_0123456789abcdef0123456789abcdef0123»",
		"prog~--x=«eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc»",
		"task-sk-learn~sk-learn",
		"xfreerdp~/u:me~/p:«pw»~/v:h",
		"smbclient~//h/s~-U~me%«pw»",
		"lftp~-u~me,«pw»~h",
	};

	ALL(WORDS, texts);
}

static void test_lines(void **state)
{
	static const char *const texts[] = {
		"",
		"ls -l | sort",
		"mysql -u root -p«hunter2» db",
		"mysql -u root -p db; prog -pfoo",
		"PASSWORD=«x» ./run --token «y» --name z",
		"echo '{\"password\": \"«a\\\"b»\", \"user\": \"x\"}' | curl -d @- h",
		"curl -u 'me:«p w»' h",
		"sudo sshpass -p '«p w»' ssh h",
		/* values that end together, and not */
		"pw=«pw=pw=a» pw=«b»;pw=«pw=»'«c»' d='pw=«pw=e f»' pw=\"«g»",
		"'pw=«a\\'pw=b\\\\»' \"pw=«'pw=c\" pw=»'«d pw=e»' `pw=«f'»` pw=«g»",
		"pw=«Bearer pw=a» pw=«Bearer pw=Basic b»",
	};

	ALL(LINE, texts);
}

static void test_login(void **state)
{
	static const char *const texts[] = {
		"USER me\r\n",
		"PASS «hunter2\r»\nNOOP",
		"pass «x»",
		"RETR a file.txt",
		"AUTHINFO PASS«»",
		"AUTH «PLAIN AGEAYg==»",
		"STOR x\r\n",
		"«AGEAYg==»",
		"APOP «me c4c9334bac560ecc»",
		"NLST\r\nPASS «x»",
		"PASS\n\n \n«x y»\n\nPASS \r\nPASS  «z»\n ",
	};
	char text[] = "AUTHINFO «PASS x»";

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!strstr(texts[i], "«»"))
			check(LOGIN, texts[i], false);
	check(LOGIN, text, false);
}

static void test_variable(void **state)
{
	check(VARIABLE, "PATH=«/bin»", false);
	check(VARIABLE, "X=", false);
	check(VARIABLE, "A=«b=c»", false);
	check(VARIABLE, "«no equals sign»", false);
}

/* More secrets than there are places: what has no place is hidden with the rest. */
static void test_many(void **state)
{
	char text[64 * SPANS_MAX] = "";
	struct scan sc;

	for (int i = 0; i < 2 * SPANS_MAX; i++)
		strcat(text, "password=hunter2 ");
	sc = scan__of((uint8_t *)text, strlen(text), false);
	scan__command_line(&sc);
	scan__finish(&sc);
	for (char *at = text; (at = strstr(at, "hunter2")); at++) {
		size_t pos = (size_t)(at - text);
		bool found = false;

		for (unsigned i = 0; i < sc.cnt; i++)
			found |= sc.spans[i].start <= pos && sc.spans[i].end >= pos + 7;
		assert_true(found);
	}
}

/* Texts in which much begins that ends only once: a scan that looked for each end anew took minutes
 * and more. */
static void test_linear(void **state)
{
	static const struct {
		enum scan_by by;
		const char *head, *unit;
	} texts[] = {
		{URLS, "", "a://"},        {URLS, "x ", "a://"},
		{URLS, "x ", "a://?"},     {URLS, "x ", "a://?&k="},
		{URLS, "x ", "a://#?k"},   {URLS, "x ", "a://b:c?"},
		{URLS, "x ", "a://b:c/ "}, {LINE, "", "pw="},
		{LINE, "", "pw: "},        {LINE, "", "pw=Bearer "},
		{LINE, "", "'pw=\\"},      {LINE, "", "'pw=\\\"pw=\\`pw=\\"},
		{LINE, "", "'x \"y `z"},   {LINE, "x ", "sk-sk_live_"},
		{WORDS, "", "pw="},        {WORDS, "", "'pw=\\"},
		{WORDS, "", " \t\n"},      {LOGIN, "", "\n"},
		{LOGIN, "", "PASS\n"},     {LOGIN, "", " \r"},
	};
	static const char end[] = "\nhttps://u:hunter2@h --password=hunter2\nPASS hunter2";
	const size_t len = 1 << 20, n = sizeof(end) - 1, secret = strlen("hunter2");
	uint8_t *s = malloc(len);

	assert_non_null(s);
	memcpy(s + len - n, end, n);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t head = strlen(texts[i].head), unit = strlen(texts[i].unit);
		const char *last = texts[i].by == URLS    ? "hunter2@"
		                   : texts[i].by == LOGIN ? "hunter2"
		                                          : "hunter2\n";
		struct scan sc = scan__of(s, len, false);
		struct command c = {0};
		size_t at;

		memcpy(s, texts[i].head, head);
		for (size_t k = head; k < len - n; k++)
			s[k] = (uint8_t)texts[i].unit[(k - head) % unit];
		run(texts[i].by, &sc, &c);
		/* nothing was given up: the secret at the end is found */
		at = len;
		while (at && (len - at < strlen(last) || memcmp(s + at, last, strlen(last))))
			at--;
		assert_true(sc.cnt);
		assert_true(sc.spans[sc.cnt - 1].end >= at + secret);
		assert_true(sc.spans[sc.cnt - 1].start <= at);
	}
	free(s);
}

static void test_names(void **state)
{
	static const char *const secret[] = {
		"password",
		"PASSWORD",
		"--db-password",
		"DB_PASS",
		"X-Api-Key",
		"apiKey",
		"token",
		"authToken",
		"Authorization",
		"Cookie",
		"Set-Cookie",
		"client_secret",
		"pwd",
		"aws_secret_access_key",
		"sessionid",
		"clientSecret",
		"proxy-authorization",
	};
	static const char *const harmless[] = {
		"",
		"path",
		"user",
		"password_file",
		"token-type",
		"no-password",
		"ask-pass",
		"bypass",
		"keyboard",
		"monkey",
		"password-stdin",
		"passenger",
		"author",
		"compass",
		"key",
		"aws_access_key_id",
	};
	char glob[] = "*session*";
	struct secret_names own = {.cnt = 1, .globs = {glob}};

	for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++)
		assert_true(secret_name__is((const uint8_t *)secret[i], strlen(secret[i]), false,
		                            NULL));
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		assert_false(secret_name__is((const uint8_t *)harmless[i], strlen(harmless[i]),
		                             false, NULL));
	assert_true(secret_name__is((const uint8_t *)"key", 3, true, NULL));
	assert_false(secret_name__is((const uint8_t *)"my-session", 10, false, NULL));
	assert_true(secret_name__is((const uint8_t *)"my-session", 10, false, &own));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),  cmocka_unit_test(test_cut_urls),
		cmocka_unit_test(test_words), cmocka_unit_test(test_lines),
		cmocka_unit_test(test_login), cmocka_unit_test(test_variable),
		cmocka_unit_test(test_many),  cmocka_unit_test(test_linear),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
