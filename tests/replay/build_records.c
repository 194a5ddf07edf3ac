// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * build_records FILE: writes a record file with every kind of record and node and their edges,
 * always the same bytes. Its renderings are in this directory.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/records.h"
#include "user/record.h"

static struct record_writer *out;
static struct rb b;
static uint64_t now = 5000000123;

static void put(void)
{
	b.rec.time_ns = now;
	now += 1000000;
	if (record_writer__write(out, b.bytes, b.size))
		exit(1);
}

static void event(const char *name, uint64_t nargs)
{
	rb__audit(&b, name);
	rb__u64(&b, PT_K_TUPLE, 0, nargs);
}

static void done(void)
{
	rb__end(&b);
	put();
}

static void close_node(void)
{
	rb__end(&b);
}

static void none(void)
{
	rb__node(&b, PT_K_NONE, 0, NULL, 0);
}

static void number(int64_t v)
{
	rb__u64(&b, PT_K_INT, 0, (uint64_t)v);
}

#define UID "01234567-89ab-cdef-0123-456789abcdef"

/* All facts that there are. */
static void contained(void)
{
	static const char exe[] = "/srv/venv/bin/python3", argv[] = "python\0-m\0app";
	static const char cgroup[] = "/kubepods/besteffort/pod" UID "/x";
	static const char ancestry[] = "41\0sh\0/bin/sh\0"
				       "1\0in\"it\0\0",
			  venv[] = "/srv/venv", names[] = "app\0reg/app:2\0pod-\xff\0shop";
	static const char container[] = "fedcba98";
	char texts[320], *p = texts;

	rb__header(&b, PT_REC_PROCESS, sizeof(struct pt_process));
	b.rec.task.pid = 42;
	p = mempcpy(p, exe, sizeof(exe) - 1);
	p = mempcpy(p, argv, sizeof(argv) - 1);
	p = mempcpy(p, container, sizeof(container) - 1);
	p = mempcpy(p, cgroup, sizeof(cgroup) - 1);
	p = mempcpy(p, ancestry, sizeof(ancestry) - 1);
	p = mempcpy(p, venv, sizeof(venv) - 1);
	p = mempcpy(p, names, sizeof(names) - 1);
	rb__raw(&b, texts, (size_t)(p - texts));
	b.process.exe_len = sizeof(exe) - 1;
	b.process.argv_len = sizeof(argv) - 1;
	b.process.cwd_len = PT_UNKNOWN_LEN;
	b.process.container_len = sizeof(container) - 1;
	b.process.cgroup_len = sizeof(cgroup) - 1;
	b.process.ancestry_len = sizeof(ancestry) - 1;
	b.process.venv_len = sizeof(venv) - 1;
	b.process.names_len = sizeof(names) - 1;
	put();
}

static void processes(void)
{
	static const char texts[] = "/usr/bin/python3.11python3\0app.py\0\xff\"/srv0123456789ab";

	rb__header(&b, PT_REC_PROCESS, sizeof(struct pt_process));
	rb__raw(&b, texts, sizeof(texts) - 1);
	b.process.exe_len = 19;
	b.process.argv_len = 17;
	b.process.cwd_len = 4;
	b.process.container_len = 12;
	b.process.cgroup_len = b.process.ancestry_len = b.process.venv_len = PT_UNKNOWN_LEN;
	put();
	contained();
	rb__header(&b, PT_REC_FORK, sizeof(struct pt_rec));
	put();
	rb__header(&b, PT_REC_EXIT, sizeof(struct pt_rec));
	b.rec.task.pid = 99;
	put();
}

static void scalars(void)
{
	const uint32_t max = (1u << 30) - 1;

	event("open", 3);
	rb__str(&b, "/etc/passwd");
	rb__str(&b, "r");
	number(524288);
	done();
	event("test.scalars", 7);
	none();
	rb__node(&b, PT_K_TRUE, 0, NULL, 0);
	rb__node(&b, PT_K_FALSE, 0, NULL, 0);
	number(0);
	number(-1);
	number(INT64_MIN);
	number(INT64_MAX);
	done();
	event("test.big", 5);
	rb__node(&b, PT_K_BIGINT, 0, (uint32_t[]){max, max, 15}, 12);
	rb__node(&b, PT_K_BIGINT, 0, (uint32_t[]){0, 0, 16}, 12);
	rb__node(&b, PT_K_BIGINT, PT_F_NEG, (uint32_t[]){0, 0, 8}, 12);
	rb__node(&b, PT_K_BIGINT, PT_F_NEG, (uint32_t[]){1, 0, 8}, 12);
	rb__cut(&b, PT_K_BIGINT, 1000, (uint32_t[]){5, 6}, 8);
	done();
	event("test.floats", 9);
	rb__float(&b, 1.0);
	rb__float(&b, -0.0);
	rb__float(&b, 0.1);
	rb__float(&b, 1e16);
	rb__float(&b, 5e-324);
	rb__float(&b, 1.7976931348623157e308);
	rb__float(&b, NAN);
	rb__float(&b, INFINITY);
	rb__float(&b, -INFINITY);
	done();
}

static void texts(void)
{
	char all[256];

	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	event("test.latin1", 2);
	rb__str(&b, "");
	rb__node(&b, PT_K_STR, 0, all, sizeof(all));
	done();
	event("test.wide", 3);
	rb__wide(&b, PT_K_STR2,
	         (uint32_t[]){'a', 0x20ac, 0x65e5, 0x672c, 0xd800, 0xdc80, 0x2028, 0x202e, 0x301}, 9);
	rb__wide(&b, PT_K_STR4, (uint32_t[]){0x1f600, 0x110000, 0xd83d, 0xde00, 0x10ffff, 0xe0041},
	         6);
	rb__text(&b, PT_K_UTF8,
	         "gr\u00fc\u00dfe \xff\xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82");
	done();
	event("test.bytes", 3);
	rb__node(&b, PT_K_BYTES, 0, all, sizeof(all));
	rb__node(&b, PT_K_BYTEARRAY, 0, "it's", 4);
	rb__node(&b, PT_K_BYTES, 0, NULL, 0);
	done();
	event("compile", 2);
	rb__cut(&b, PT_K_STR, 10240, "import os\nprint(", 16);
	rb__str(&b, "app.py");
	done();
}

static void dicts(void)
{
	event("test.dict", 7);
	rb__u64(&b, PT_K_DICT, 0, 0);
	close_node();
	rb__u64(&b, PT_K_DICT, 0, 2);
	rb__str(&b, "key");
	number(1);
	rb__str(&b, "");
	rb__u64(&b, PT_K_LIST, 0, 1);
	rb__cut(&b, PT_K_BYTES, 99, "\xff", 1);
	close_node();
	close_node();
	rb__u64(&b, PT_K_DICT, 0, 1);
	number(1);
	rb__str(&b, "one");
	close_node();
	rb__u64(&b, PT_K_DICT, 0, 1);
	rb__str(&b, "$bytes");
	rb__str(&b, "no bytes");
	close_node();
	rb__u64(&b, PT_K_DICT, 0, 2);
	rb__str(&b, "twice");
	number(1);
	rb__str(&b, "twice");
	number(2);
	close_node();
	rb__u64(&b, PT_K_DICT, 0, 1);
	rb__cut(&b, PT_K_STR, 5000, "long key", 8);
	rb__u64(&b, PT_K_UNREADABLE, 0, 0xdeadbeef);
	close_node();
	rb__u64(&b, PT_K_DICT, PT_F_CUT, 300);
	rb__str(&b, "a b");
	rb__u64(&b, PT_K_UNREADABLE, 0, 0xdeadbeef);
	rb__str(&b, "name-longer-than-sixty-four-characters-"
	            "name-longer-than-sixty-four-characters");
	rb__node(&b, PT_K_UNDECODED, 0, NULL, 0);
	close_node();
	done();
}

static void containers(void)
{
	event("test.containers", 8);
	rb__u64(&b, PT_K_TUPLE, 0, 0);
	close_node();
	rb__u64(&b, PT_K_TUPLE, 0, 1);
	number(1);
	close_node();
	rb__u64(&b, PT_K_LIST, PT_F_CUT, 4000);
	number(1);
	number(2);
	close_node();
	rb__u64(&b, PT_K_LIST, PT_F_CUT, 2);
	close_node();
	rb__u64(&b, PT_K_SET, 0, 1);
	rb__str(&b, "x");
	close_node();
	rb__u64(&b, PT_K_FROZENSET, 0, 0);
	close_node();
	rb__u64(&b, PT_K_LIST, PT_F_UNREADABLE, 3);
	number(1);
	close_node();
	for (int i = 0; i < PT_DEPTH_MAX; i++)
		rb__u64(&b, PT_K_TUPLE, i == PT_DEPTH_MAX - 1 ? PT_F_CUT : 0, 1);
	for (int i = 0; i < PT_DEPTH_MAX; i++)
		close_node();
	done();
}

static void objects(void)
{
	event("exec", 1);
	rb__u64(&b, PT_K_CODE, 0, 1);
	rb__str(&b, "<module>");
	rb__str(&b, "/srv/app.py");
	close_node();
	done();
	event("test.objects", 10);
	rb__u64(&b, PT_K_CODE, PT_F_UNREADABLE, (uint64_t)-1);
	rb__u64(&b, PT_K_UNREADABLE, 0, 1);
	close_node();
	rb__node(&b, PT_K_FUNCTION, 0, NULL, 0);
	rb__str(&b, "f.<locals>.g");
	rb__str(&b, "app");
	close_node();
	rb__node(&b, PT_K_METHOD, 0, NULL, 0);
	rb__text(&b, PT_K_CFUNCTION, "connect");
	none();
	close_node();
	close_node();
	rb__text(&b, PT_K_CFUNCTION, "open");
	rb__str(&b, "io");
	close_node();
	rb__node(&b, PT_K_MODULE, 0, NULL, 0);
	rb__str(&b, "os.path");
	close_node();
	rb__text(&b, PT_K_EXCEPTION, "OSError");
	rb__u64(&b, PT_K_TUPLE, 0, 2);
	number(2);
	rb__str(&b, "No such file");
	close_node();
	close_node();
	rb__text(&b, PT_K_CLASS, "collections.OrderedDict");
	rb__object(&b, 0x7f0012345678, "_io.TextIOWrapper");
	rb__u64(&b, PT_K_UNREADABLE, 0, 0x1000);
	rb__node(&b, PT_K_UNDECODED, 0, NULL, 0);
	done();
}

static void odd_events(void)
{
	rb__audit(&b, "test.no\033[31mroot");
	rb__u64(&b, PT_K_UNREADABLE, 0, 0);
	put();
	event("test.cut", 4);
	b.audit.flags = PT_AUDIT_CUT;
	rb__u64(&b, PT_K_LIST, 0, 70);
	rb__u64(&b, PT_K_DICT, 0, 9);
	rb__str(&b, "half");
	put();
	event("test.name", 0);
	b.audit.flags = PT_AUDIT_NAME_CUT;
	done();
	event("", 1);
	b.audit.flags = PT_AUDIT_NAME_UNREADABLE;
	none();
	done();
	rb__audit(&b, "test.undecoded");
	b.audit.flags = PT_AUDIT_UNDECODED | PT_AUDIT_FREE_THREADED;
	b.audit.py_version = 0x031000a1;
	b.audit.probe = PT_PROBE_UPROBE;
	put();
	event("test.stranger", 0);
	b.rec.task.pid = 7;
	b.rec.task.tid = 7;
	b.audit.py_version = 0;
	memcpy(b.rec.task.comm, "\xe6\x97\xa5\n\xff\"\\abcdefghi", 16);
	done();
}

static void losses(void)
{
	for (uint32_t cause = 0; cause < PT_LOST_CAUSES + 1; cause++) {
		rb__header(&b, PT_REC_LOST, sizeof(struct pt_lost));
		b.lost.count = cause + 1;
		b.lost.first_ns = now - 500;
		b.lost.last_ns = now;
		b.lost.cause = cause;
		if (cause == PT_LOST_CAUSES)
			memset(&b.rec.task, 0, sizeof(b.rec.task));
		put();
	}
}

static void called(const char *name, uint64_t address)
{
	event(name, 0);
	b.audit.probe = PT_PROBE_UPROBE;
	b.audit.call_site = address;
	done();
}

static void call_site(uint64_t address, uint64_t offset, const char *module, const char *symbol)
{
	rb__header(&b, PT_REC_CALL_SITE, sizeof(struct pt_call_site));
	b.call_site.address = address;
	b.call_site.offset = offset;
	b.call_site.module_len = module ? (uint32_t)strlen(module) : PT_UNKNOWN_LEN;
	b.call_site.symbol_len = symbol ? (uint32_t)strlen(symbol) : PT_UNKNOWN_LEN;
	if (module) {
		char texts[64];

		rb__raw(&b, texts,
		        (size_t)snprintf(texts, sizeof(texts), "%s%s", module, symbol ? symbol : ""));
	}
	put();
	called("ctypes.dlopen", address);
}

static void entry_probes(void)
{
	static const uint16_t name[] = {'t', 'e', 's', 't', '.', 0x20ac, 0, 0x20ac};

	called("ctypes.dlopen", 0x1000);
	call_site(0x1000, 12, "_ctypes.so", "py_dl_open");
	call_site(0x1001, 0x40c0de, "a\"\n\xff.so", NULL);
	call_site(0x1002, UINT64_MAX, "memfd:x", NULL);
	call_site(0x7f0000001003, UINT64_MAX, NULL, NULL);
	called("ctypes.dlopen", 0x1000);
	rb__header(&b, PT_REC_AUDIT, sizeof(struct pt_audit));
	b.audit.probe = PT_PROBE_UPROBE;
	b.audit.name_kind = 2;
	b.audit.name_len = sizeof(name);
	b.audit.flags = PT_AUDIT_NAME_CUT;
	rb__raw(&b, name, sizeof(name));
	rb__u64(&b, PT_K_TUPLE, 0, 0);
	done();
}

/* What the kernel says of a process in a container, logged in, that has changed its user. */
static void identity(void)
{
	event("test.identity", 0);
	b.rec.task.pid = 42;
	b.rec.task.ns_pid = 7;
	b.rec.task.euid = 0;
	b.rec.task.egid = 0;
	b.rec.task.loginuid = 1001;
	b.rec.task.session_id = 3;
	b.rec.task.cgroup_id = 4711;
	done();
	event("test.identity", 0);
	b.rec.task.ns_pid = b.rec.task.pid;
	b.rec.task.cgroup_id = 1;
	done();
	rb__header(&b, PT_REC_EXEC, sizeof(struct pt_rec));
	b.rec.task.pid = 42;
	put();
	rb__header(&b, PT_REC_EXIT, sizeof(struct pt_rec));
	b.rec.task.pid = 42;
	put();
}

static void attach(uint16_t kind, uint8_t flags, uint8_t reason, const char *file)
{
	rb__header(&b, kind, sizeof(struct pt_attach));
	b.rec.task.tid = b.rec.task.pid;
	b.attach.late_ns = flags & PT_ATTACH_LATE ? 1500000000 : 0;
	b.attach.py_version = flags & PT_ATTACH_FREE_THREADED ? 0x030d00f0 : 0;
	b.attach.probe = flags & PT_ATTACH_FREE_THREADED ? PT_PROBE_UPROBE : PT_PROBE_USDT;
	b.attach.flags = flags;
	b.attach.reason = reason;
	b.attach.file_len = (uint32_t)strlen(file);
	rb__raw(&b, file, strlen(file));
	put();
}

static void presence(void)
{
	attach(PT_REC_ATTACH, PT_ATTACH_LATE, 0, "/usr/bin/python3.11");
	for (unsigned reason = 0; reason <= PT_DETACH_END; reason++)
		attach(PT_REC_DETACH, 0, (uint8_t)reason, "/usr/bin/python3.11");
	attach(PT_REC_ATTACH, PT_ATTACH_FREE_THREADED, 0, "/tmp/\033[31m\n\xff\"/libpython3.13t.so");
	/* of a process that nothing else is known of */
	rb__header(&b, PT_REC_ATTACH, sizeof(struct pt_attach));
	b.rec.task.pid = 99;
	put();
}

int main(int argc, char **argv)
{
	const struct record_header header = {
		.realtime_offset_ns = 1769850000000000000 - 5000000000,
		.instance_ns = 42,
		.boot_id = "6a1f0d3e-0000-4000-8000-0123456789ab",
	};

	if (argc != 2) {
		fprintf(stderr, "usage: build_records FILE\n");
		return 2;
	}
	if (record_writer__open(argv[1], &header, &out))
		return 1;
	processes();
	scalars();
	texts();
	dicts();
	containers();
	objects();
	odd_events();
	entry_probes();
	identity();
	presence();
	losses();
	return record_writer__close(out) ? 1 : 0;
}
