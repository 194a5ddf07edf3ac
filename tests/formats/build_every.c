// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * build_every FILE: writes a record file with every event of the table, each of its signatures with
 * arguments of many kinds, plausible ones and hostile ones; and records of every other kind. Always
 * the same bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/records.h"
#include "user/catalog.h"
#include "user/mapping.h"
#include "user/record.h"

static struct record_writer *out;
static struct rb b;
static uint64_t now = 5000000123;

enum flavour {
	PLAUSIBLE,
	PLAUSIBLE_IPV6,
	BYTE_PATHS,
	LATIN1,
	WIDE,
	BROKEN_UTF8,
	NONE,
	NUMBERS,
	NEGATIVE,
	LISTS,
	TUPLES,
	CUT,
	UNREADABLE,
	OBJECTS,
	LONG,
	FLAVOURS
};

static void put(void)
{
	b.rec.time_ns = now;
	now += 1000000;
	if (record_writer__write(out, b.bytes, b.size))
		exit(1);
}

static void number(int64_t v)
{
	rb__u64(&b, PT_K_INT, 0, (uint64_t)v);
}

static void none(void)
{
	rb__node(&b, PT_K_NONE, 0, NULL, 0);
}

static void list(uint8_t kind, const char *const *items, size_t cnt)
{
	rb__u64(&b, kind, 0, cnt);
	for (size_t i = 0; i < cnt; i++)
		rb__str(&b, items[i]);
	rb__end(&b);
}

static void address(const char *host, int64_t port, bool is_ipv6)
{
	rb__u64(&b, PT_K_TUPLE, 0, is_ipv6 ? 4 : 2);
	rb__str(&b, host);
	number(port);
	if (is_ipv6) {
		number(0);
		number(2);
	}
	rb__end(&b);
}

static void code(void)
{
	rb__u64(&b, PT_K_CODE, 0, 7);
	rb__str(&b, "Thing.method");
	rb__str(&b, "/srv/app/thing.py");
	rb__end(&b);
}

/* What such an argument is in a program that means no harm. */
static void plausible(uint8_t role, bool is_ipv6)
{
	static const char *const argv[] = {"id", "-u", "a b"};

	switch (role) {
	case ROLE_FILE:
	case ROLE_DLL:
	case ROLE_SCRIPT:
		rb__str(&b, "/srv/app/lib.tar.gz");
		break;
	case ROLE_FROM:
	case ROLE_TARGET:
	case ROLE_CWD:
		rb__str(&b, "/srv/old");
		break;
	case ROLE_EXECUTABLE:
		rb__str(&b, "/usr/bin/id");
		break;
	case ROLE_EXECUTABLES:
	case ROLE_ARGV:
		list(PT_K_LIST, argv, 3);
		break;
	case ROLE_REMOTE:
	case ROLE_LOCAL:
		address(is_ipv6 ? "fe80::1%eth0" : "192.0.2.7", 443, is_ipv6);
		break;
	case ROLE_HOST:
	case ROLE_QUERY:
		rb__str(&b, is_ipv6 ? "2001:db8::1" : "www.example.org");
		break;
	case ROLE_PORT:
		if (is_ipv6)
			rb__str(&b, "8080");
		else
			number(80);
		break;
	case ROLE_URL:
		rb__str(&b, is_ipv6 ? "https://[2001:db8::1]:8443/a?b=c#d"
		                    : "https://www.example.org/a/b?c=d");
		break;
	case ROLE_METHOD:
		if (is_ipv6)
			none();
		else
			rb__str(&b, "POST");
		break;
	case ROLE_BODY:
		none();
		break;
	case ROLE_MODE:
		number(0644);
		break;
	case ROLE_OPEN_FLAGS:
		number(is_ipv6 ? 0x80241 : 0x80000);
		break;
	case ROLE_CODE:
		code();
		break;
	case ROLE_PID:
	case ROLE_SIGNAL:
		number(9);
		break;
	case ROLE_UID:
	case ROLE_GID:
		number(1000);
		break;
	default:
		rb__str(&b, "name");
		break;
	}
}

static void latin1(void)
{
	char all[256];

	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	rb__node(&b, PT_K_STR, 0, all, sizeof(all));
}

static void wide(uint8_t kind)
{
	static const uint32_t cps[] = {'/', 0xd800, 0xdc80, '/',
	                               'a', 0x2028, 0x202e, 0x1f600 & 0xffff,
	                               0,   '\n',   '=',    '|',
	                               '"', '.',    0xdfff};

	rb__wide(&b, kind, cps, sizeof(cps) / sizeof(cps[0]));
}

static void objects(uint32_t i)
{
	switch (i % 6) {
	case 0:
		rb__object(&b, 0x7f1234567890, "socket\n|=\\\"");
		break;
	case 1:
		code();
		break;
	case 2:
		rb__u64(&b, PT_K_DICT, 0, 1);
		rb__str(&b, "a.b");
		none();
		rb__end(&b);
		break;
	case 3:
		rb__float(&b, 0.5);
		break;
	case 4:
		rb__node(&b, PT_K_FUNCTION, 0, NULL, 0);
		rb__str(&b, "f");
		rb__str(&b, "m");
		rb__end(&b);
		break;
	default:
		rb__node(&b, PT_K_CLASS, 0, "type", 4);
		break;
	}
}

static void nested(uint8_t kind)
{
	rb__u64(&b, kind, 0, 5);
	latin1();
	number(70000);
	wide(PT_K_STR2);
	rb__u64(&b, PT_K_TUPLE, 0, 1);
	none();
	rb__end(&b);
	rb__str(&b, "");
	rb__end(&b);
}

static void text_of(size_t len, bool is_cut)
{
	char *text = malloc(len);

	memset(text, '/', len);
	for (size_t i = 0; i < len; i += 7)
		text[i] = "\n\"\\=|\t\xff"[i / 7 % 7];
	if (is_cut)
		rb__cut(&b, PT_K_UTF8, 10 * len, text, len);
	else
		rb__node(&b, PT_K_UTF8, 0, text, len);
	free(text);
}

static void argument(uint8_t role, enum flavour flavour, uint32_t i, uint32_t nargs)
{
	switch (flavour) {
	case PLAUSIBLE:
	case PLAUSIBLE_IPV6:
		plausible(role, flavour == PLAUSIBLE_IPV6);
		break;
	case BYTE_PATHS:
		rb__node(&b, PT_K_BYTES, 0, "/tmp/\xff.so", 9);
		break;
	case LATIN1:
		latin1();
		break;
	case WIDE:
		wide(i % 2 ? PT_K_STR2 : PT_K_STR4);
		break;
	case BROKEN_UTF8:
		rb__text(&b, PT_K_UTF8, "a\xc3(\xed\xa0\x80\xf4\x90\x80\x80/\xfe.x\r\n\tCEF:0|a=b");
		break;
	case NONE:
		none();
		break;
	case NUMBERS:
		number(INT64_MAX);
		break;
	case NEGATIVE:
		rb__node(&b, PT_K_BIGINT, PT_F_NEG, (uint32_t[]){1, 0, 8}, 12);
		break;
	case LISTS:
	case TUPLES:
		nested(flavour == LISTS ? PT_K_LIST : PT_K_TUPLE);
		break;
	case CUT:
		text_of(40, true);
		break;
	case UNREADABLE:
		rb__u64(&b, i % 2 ? PT_K_UNREADABLE : PT_K_INT, 0, 4096);
		break;
	case OBJECTS:
		objects(i);
		break;
	default:
		text_of(60000 / nargs, false);
		break;
	}
}

static void event(const struct catalog_event *ev, uint32_t at, enum flavour flavour)
{
	const struct catalog_signature *sig = &ev->signatures[at];
	const uint8_t *roles = mapping__of(ev)->roles[at];

	rb__audit(&b, ev->name);
	rb__u64(&b, PT_K_TUPLE, 0, sig->nargs);
	for (uint32_t i = 0; i < sig->nargs; i++)
		argument(roles[i], flavour, i, sig->nargs);
	rb__end(&b);
	put();
}

static void with_flags(const char *name, uint8_t flags, uint8_t probe)
{
	rb__audit(&b, name);
	b.audit.flags = flags;
	b.audit.probe = probe;
	b.rec.task.euid = 0;
	b.rec.task.egid = 0;
	b.rec.task.ns_pid = 7;
	b.rec.task.loginuid = 1000;
	b.rec.task.session_id = 3;
	b.rec.task.cgroup_id = UINT64_MAX;
	memcpy(b.rec.task.comm, "\xff\n\"=|\\\t\x1b[31mab", 14);
	put();
}

/* Names that nobody knows, arguments that nobody decoded. */
static void others(void)
{
	with_flags("open", PT_AUDIT_UNDECODED, PT_PROBE_USDT);
	with_flags("no|such=\\event\n\xff", PT_AUDIT_UNDECODED | PT_AUDIT_FREE_THREADED,
	           PT_PROBE_UPROBE);
	with_flags("", PT_AUDIT_UNDECODED | PT_AUDIT_NAME_UNREADABLE, PT_PROBE_UPROBE);
	rb__audit(&b, "app.event");
	b.audit.flags = PT_AUDIT_CUT;
	rb__u64(&b, PT_K_TUPLE, 0, 2);
	latin1();
	code();
	put(); /* its end is missing */
	rb__audit(&b, "open");
	rb__u64(&b, PT_K_TUPLE, 0, 12);
	for (uint32_t i = 0; i < 12; i++)
		objects(i);
	rb__end(&b);
	put();
	rb__audit(&b, "os.exec");
	rb__u64(&b, PT_K_UNREADABLE, 0, 0);
	put();
}

static void process(uint32_t pid, const char *exe, const char *argv, size_t argv_len,
                    const char *cgroup)
{
	static const char ancestry[] = "4000\0sh \"\n\0/bin/sh\0"
				       "1\0in|t=\0\0";
	char texts[1024], *p = texts;

	rb__header(&b, PT_REC_PROCESS, sizeof(struct pt_process));
	b.rec.task.pid = pid;
	p = stpcpy(p, exe);
	p = mempcpy(p, argv, argv_len);
	p = stpcpy(p, "/srv/\xff");
	p = stpcpy(p, "0123456789abcdef");
	p = stpcpy(p, cgroup);
	p = mempcpy(p, ancestry, sizeof(ancestry) - 1);
	p = stpcpy(p, "/srv/venv");
	p = mempcpy(p, "web\0img:1\0pod-1\0shop", 20);
	rb__raw(&b, texts, (size_t)(p - texts));
	b.process.exe_len = (uint32_t)strlen(exe);
	b.process.argv_len = (uint32_t)argv_len;
	b.process.cwd_len = 6;
	b.process.container_len = 16;
	b.process.cgroup_len = (uint32_t)strlen(cgroup);
	b.process.ancestry_len = sizeof(ancestry) - 1;
	b.process.venv_len = 9;
	b.process.names_len = 20;
	put();
}

static void lost(uint32_t pid, uint32_t cause, uint64_t count)
{
	rb__header(&b, PT_REC_LOST, sizeof(struct pt_lost));
	b.rec.task.pid = pid;
	b.lost.cause = cause;
	b.lost.count = count;
	b.lost.first_ns = now - 500;
	b.lost.last_ns = now;
	put();
}

static void attach(uint16_t kind, uint8_t reason)
{
	rb__header(&b, kind, sizeof(struct pt_attach));
	b.attach.late_ns = 12;
	b.attach.py_version = 0x030b02f0;
	b.attach.probe = PT_PROBE_UPROBE;
	b.attach.flags = kind == PT_REC_ATTACH ? PT_ATTACH_LATE : 0;
	b.attach.reason = reason;
	rb__raw(&b, "/usr/lib/libpython\xff", 19);
	b.attach.file_len = 19;
	put();
}

int main(int argc, char **argv)
{
	struct record_header header = {
		.realtime_offset_ns = 1769850000000000000 - 5000000000,
		.instance_ns = 1769850000000000000,
		.boot_id = "6a1f0d3e-0000-4000-8000-0123456789ab",
	};
	static const char args[] = "/srv/venv/bin/python3\0-m\0app\0a|b=c\\ d\n\xff\0";

	if (argc != 2)
		return 2;
	if (record_writer__open(argv[1], &header, &out))
		return 1;
	process(4242, "/srv/venv/bin/python3", args, sizeof(args) - 2,
	        "/kubepods/besteffort/pod01234567-89ab-cdef-0123-456789abcdef/x");
	for (size_t i = 0; i < catalog__count(); i++)
		for (uint32_t at = 0; at < catalog__at(i)->signatures_cnt; at++)
			for (int flavour = 0; flavour < FLAVOURS; flavour++)
				if (flavour == PLAUSIBLE || (catalog__at(i)->signatures[at].nargs &&
				                             (flavour != LONG || i % 8 == 0)))
					event(catalog__at(i), at, flavour);
	others();
	lost(0, PT_LOST_RING_FULL, UINT64_MAX);
	lost(4242, PT_LOST_SCRATCH, 1);
	lost(4242, 77, 2);
	attach(PT_REC_ATTACH, PT_DETACH_NONE);
	attach(PT_REC_DETACH, PT_DETACH_EXEC);
	rb__header(&b, PT_REC_EXEC, sizeof(struct pt_rec));
	put();
	rb__header(&b, PT_REC_EXIT, sizeof(struct pt_rec));
	put();
	return record_writer__close(out) ? 1 : 0;
}
