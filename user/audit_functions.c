/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit_functions.h"
#include "audit_method.h"
#include "audit_symbols.h"
#include "audit_walk.h"
#include "code_insn.h"
#include "code_scan.h"
#include "probe_site.h"

#define PY_3_9        0x03090000
#define FUNCTIONS_MAX (AUDIT_COPIES_MAX + 1)
#define STRINGS_MAX   256
#define LOAD_TO_CALL  48    /* bytes from the load of an event's name to the call, at most */
#define HITS_MAX      4096  /* of all scans; interpreters have less than 300 */
#define FUNCTION_MAX  65536 /* bytes */

/* Events that CPython raises by _PySys_Audit: sysmodule.c, pystate.c, import.c, bltinmodule.c. */
static const char *const own_events[] = {
	"sys.addaudithook",
	"sys.settrace",
	"sys.setprofile",
	"sys._getframe",
	"sys._getframemodulename",
	"sys._current_frames",
	"sys._current_exceptions",
	"sys.excepthook",
	"sys.unraisablehook",
	"sys.set_asyncgen_hook_firstiter",
	"sys.set_asyncgen_hook_finalizer",
	"cpython._PySys_ClearAuditHooks",
	"cpython.PyInterpreterState_New",
	"cpython.PyInterpreterState_Clear",
	"import",
	"exec",
};

/* PySys_Audit or a copy of _PySys_Audit. */
struct function {
	uint64_t address;
	unsigned first_vararg;
	bool handed_on; /* proven: all that it gets goes on to callee */
	uint64_t callee;
	bool calls_tstate; /* somewhere in it */
	struct code_range range;
};

struct finder {
	struct elf_file *e;
	struct binary *b;
	struct elf_image *image;
	struct audit_symbols symbols;
	struct function functions[FUNCTIONS_MAX];
	size_t functions_cnt;
	uint64_t tstate;  /* sys_audit_tstate, 0: not proven */
	uint64_t builtin; /* sys_audit, 0: not found */
	unsigned hits;
	bool incomplete; /* a scan of the code was given up */
};

__attribute__((format(printf, 2, 3))) static void miss(struct binary *b, const char *format, ...)
{
	size_t used = strlen(b->missing);
	va_list ap;

	if (used && used + 2 < sizeof(b->missing)) {
		memcpy(b->missing + used, "; ", 3);
		used += 2;
	}
	va_start(ap, format);
	vsnprintf(b->missing + used, sizeof(b->missing) - used, format, ap);
	va_end(ap);
}

static struct code_range range_of(const struct finder *f, uint64_t address)
{
	struct code_range range;

	if (!audit_symbols__function(&f->symbols, address, &range))
		range = (struct code_range){address, code_scan__function_end(f->image, address)};
	return range;
}

static void add_function(struct finder *f, uint64_t address, unsigned first_vararg)
{
	struct function *function = &f->functions[f->functions_cnt];

	for (size_t i = 0; i < f->functions_cnt; i++)
		if (f->functions[i].address == address)
			return;
	if (f->functions_cnt == FUNCTIONS_MAX) {
		miss(f->b, "events of some copies of _PySys_Audit: there are too many");
		return;
	}
	*function = (struct function){
		.address = address,
		.first_vararg = first_vararg,
		.range = range_of(f, address),
	};
	function->handed_on = audit_walk__callee(f->image, address, first_vararg, &function->callee);
	f->functions_cnt++;
}

static void add_if_copy(struct finder *f, uint64_t address)
{
	if (!audit_symbols__is_exported(&f->symbols, address) &&
	    audit_walk__first_vararg(f->image, address) == 3)
		add_function(f, address, 3);
}

/* A hit costs more than the scan to it: a file made of nothing else must not keep us busy. */
static bool is_over(struct finder *f)
{
	return ++f->hits > HITS_MAX;
}

/* What calls sys_audit_tstate is a copy of _PySys_Audit, whatever its name. */
static bool on_caller(void *ctx, uint64_t from, uint64_t target, bool is_call)
{
	struct finder *f = ctx;
	struct code_range range;

	if (audit_symbols__function(&f->symbols, from, &range))
		add_if_copy(f, range.start);
	for (size_t i = 0; i < f->functions_cnt; i++) {
		struct function *function = &f->functions[i];

		if (from >= function->range.start && from < function->range.end)
			function->calls_tstate = true;
	}
	return !is_over(f);
}

/* Any variadic function can show where and how sys_audit_tstate is called; then all that call it
 * are known. */
static void find_tstate(struct finder *f)
{
	struct code_range entry;

	for (size_t i = 0; i < f->functions_cnt && !f->tstate; i++)
		if (!audit_walk__callee(f->image, f->functions[i].address,
		                        f->functions[i].first_vararg, &f->tstate))
			f->tstate = 0;
	if (!f->tstate)
		return;
	entry = (struct code_range){f->tstate, f->tstate + 1};
	f->incomplete |= !code_scan__branches(f->image, &entry, 1, false, on_caller, f);
}

/* The first call behind the load of an event's name. */
static bool on_load(void *ctx, uint64_t from, uint64_t address)
{
	struct finder *f = ctx;
	struct code_insn insn;

	for (uint64_t at = from; at - from < LOAD_TO_CALL && code_insn__at(f->image, at, &insn);
	     at = insn.next) {
		if (insn.flow == CODE_CALL) {
			if (insn.has_target)
				add_if_copy(f, code_scan__through_plt(f->image, insn.target));
			break;
		}
		if (insn.flow != CODE_ON && insn.flow != CODE_CONDITIONAL)
			break;
	}
	return !is_over(f);
}

struct parents {
	struct finder *finder;
	struct code_range ranges[BINARY_SITES_MAX];
	size_t cnt;
};

/* A jump into a part of a function that has been split off: from the function itself. */
static bool on_jump(void *ctx, uint64_t from, uint64_t target, bool is_call)
{
	struct parents *parents = ctx;
	struct code_range range;

	for (size_t i = 0; i < parents->cnt && !is_call; i++) {
		const struct code_range *part = &parents->ranges[i];

		if (target >= part->start && target < part->end &&
		    (from < part->start || from >= part->end) &&
		    audit_symbols__function(&parents->finder->symbols, from, &range))
			add_if_copy(parents->finder, range.start);
	}
	return !is_over(parents->finder);
}

/* Each python:audit site is in a copy of sys_audit_tstate's code: in it, or inlined into a copy of
 * _PySys_Audit. */
static void find_by_usdt(struct finder *f)
{
	struct parents parents = {.finder = f};

	for (size_t i = 0; i < f->b->sites_cnt; i++) {
		struct code_range range;

		if (!audit_symbols__function(&f->symbols, f->b->sites[i].address, &range))
			continue;
		if (range.start == f->tstate)
			continue;
		add_if_copy(f, range.start);
		parents.ranges[parents.cnt++] = range;
	}
	if (parents.cnt)
		f->incomplete |= !code_scan__branches(f->image, parents.ranges, parents.cnt, true,
		                                      on_jump, &parents);
}

static void find_by_events(struct finder *f)
{
	uint64_t strings[STRINGS_MAX], callee;
	size_t cnt;

	if (f->builtin && audit_method__variadic(f->image, &f->symbols, f->builtin, &callee))
		add_if_copy(f, callee);
	cnt = code_scan__strings(f->image, own_events, sizeof(own_events) / sizeof(own_events[0]),
	                         strings, STRINGS_MAX);
	f->incomplete |= !code_scan__loads(f->image, strings, cnt, on_load, f);
}

static int compare(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

/* Which copies there are is known from local symbols, and from USDT: there is a site in each. From
 * the events only those are known that raise one of them. */
static void say_what_is_missing(struct finder *f)
{
	struct binary *b = f->b;

	for (size_t i = 1; i < f->functions_cnt && !f->symbols.complete && !b->sites_cnt; i++)
		if (!f->functions[i].handed_on) {
			miss(b,
			     "events of further copies of _PySys_Audit, if the compiler made any");
			break;
		}
	if (f->incomplete)
		miss(b, "events of copies of _PySys_Audit: too much code refers to it");
	if (f->functions_cnt < 2 && (!b->py_version || b->py_version >= PY_3_9))
		miss(b, "events that the interpreter raises itself (import, exec, sys.*): "
		        "_PySys_Audit was not found");
}

static void find_functions(struct finder *f)
{
	const struct binary *b = f->b;

	if (f->symbols.pysys_audit)
		add_function(f, f->symbols.pysys_audit, 2);
	else
		miss(f->b, "all events raised by C code: PySys_Audit was not found");
	for (size_t i = 0; i < f->symbols.copies_cnt; i++)
		add_function(f, f->symbols.copies[i], 3);
	if (!f->symbols.complete && !b->sites_cnt && (!b->py_version || b->py_version >= PY_3_9))
		find_by_events(f);
	find_tstate(f);
	find_by_usdt(f);
	if (f->functions_cnt > 2)
		qsort(f->functions + 1, f->functions_cnt - 1, sizeof(f->functions[0]), compare);
	for (size_t i = 0; i < f->functions_cnt; i++)
		f->functions[i].handed_on =
			audit_walk__reaches(f->image, f->functions[i].address, f->tstate);
	say_what_is_missing(f);
}

/* Whether a probe of sys_audit_tstate sees all that this function gets, or nothing of it. */
static bool is_clear(const struct finder *f, const struct function *function)
{
	return function->handed_on || !function->calls_tstate;
}

static int fill_entry(const struct finder *f, uint64_t function, enum pt_entry kind,
                      unsigned first_vararg, const char *name, struct binary_entry *out)
{
	struct code_range range = range_of(f, function);
	struct probe_site site;
	const uint8_t *code;
	size_t len;
	int err;

	*out = (struct binary_entry){.kind = kind, .first_vararg = first_vararg};
	snprintf(out->function, sizeof(out->function), "%s", name);
	/* Of a range that begins earlier (a compiler's padding) only the rest is the function. */
	code = elf_image__code(f->image, function, &len);
	if (!code) {
		snprintf(out->why, sizeof(out->why), "its code is not in the file");
		return -ENOEXEC;
	}
	if (range.end - function < len)
		len = range.end - function;
	if (len > FUNCTION_MAX)
		len = FUNCTION_MAX;
	err = probe_site__choose(elf_image__machine(f->image), code, len, function, kind,
	                         first_vararg, &site);
	out->address = site.address;
	out->stack_moved = site.stack_moved;
	out->single_stepped = site.price == PROBE_SINGLE_STEPPED;
	memcpy(out->why, site.why, sizeof(out->why));
	if (!err && !elf_file__address_to_offset(f->e, out->address, &out->offset))
		err = -ENOEXEC;
	return err;
}

/* False: there is no such site. */
static bool add_entry(struct finder *f, uint64_t function, enum pt_entry kind,
                      unsigned first_vararg, const char *name)
{
	struct binary *b = f->b;
	struct binary_entry entry;

	if (fill_entry(f, function, kind, first_vararg, name, &entry)) {
		miss(b, "events raised through %s: %s", name, entry.why);
		return false;
	}
	if (b->entries_cnt == BINARY_ENTRIES_MAX) {
		miss(b, "events raised through %s at %#llx: too many entries", name,
		     (unsigned long long)function);
		return false;
	}
	b->entries[b->entries_cnt++] = entry;
	return true;
}

static void plan(struct finder *f)
{
	struct binary_entry tstate, variadic;
	/* The va_list of arm64 does not say where its variadic function will return to: who
	 * called. */
	bool use = f->tstate != 0 && elf_image__machine(f->image) != EM_AARCH64, cheaper = true;

	for (size_t i = 0; i < f->functions_cnt; i++)
		use = use && is_clear(f, &f->functions[i]);
	if (use && fill_entry(f, f->tstate, PT_ENTRY_VA_LIST, 0, "", &tstate))
		use = false;
	/* One dear probe in place of several cheap ones is no gain. */
	for (size_t i = 0; use && tstate.single_stepped && i < f->functions_cnt; i++)
		if (fill_entry(f, f->functions[i].address, PT_ENTRY_VARIADIC,
		               f->functions[i].first_vararg, "", &variadic) ||
		    variadic.single_stepped)
			cheaper = false;
	if (use && tstate.single_stepped && cheaper)
		use = false;
	if (use)
		add_entry(f, f->tstate, PT_ENTRY_VA_LIST, 0, "sys_audit_tstate");
	for (size_t i = 0; i < f->functions_cnt; i++) {
		const struct function *function = &f->functions[i];

		if (use && function->handed_on)
			continue;
		add_entry(f, function->address, PT_ENTRY_VARIADIC, function->first_vararg,
		          function->first_vararg == 2 ? "PySys_Audit" : "_PySys_Audit");
	}
}

/*
 * The part of the builtin from which it calls the audit functions: their return address tells a
 * call that its own probe has reported.
 */
static void find_builtin_range(struct finder *f)
{
	uint64_t callees[FUNCTIONS_MAX + 1];
	struct code_range range;
	size_t cnt = 0, places;

	for (; cnt < f->functions_cnt; cnt++)
		callees[cnt] = f->functions[cnt].address;
	if (f->tstate)
		callees[cnt++] = f->tstate;
	places = audit_method__calls_on(f->image, &f->symbols, f->builtin, callees, cnt, &range);
	f->b->builtin_start = range.start;
	f->b->builtin_end = range.end;
	if (places != 1)
		miss(f->b, "events of sys.audit() may be seen twice while a hook is installed: %s",
		     places ? "it calls on from several places" : "where it calls on was not found");
}

static void add_builtin(struct finder *f)
{
	if (!f->builtin)
		miss(f->b, "events raised by sys.audit() from Python code: "
		           "the sys.audit builtin was not found");
	else if (add_entry(f, f->builtin, PT_ENTRY_BUILTIN, 0, "sys.audit"))
		find_builtin_range(f);
}

int audit_functions__find(struct elf_file *e, struct binary *b)
{
	struct finder f = {.e = e, .b = b};
	int err;

	b->entries_cnt = 0;
	b->missing[0] = '\0';
	b->builtin_start = b->builtin_end = 0;
	if (!code_insn__can_decode(elf_file__header(e)->e_machine)) {
		miss(b,
		     "all events without USDT: pytrail was built without an instruction decoder");
		return -ENOTSUP;
	}
	err = elf_image__load(e, &f.image);
	if (!err)
		err = audit_symbols__load(e, f.image, &f.symbols);
	if (err) {
		miss(b, "all events without USDT: the file cannot be analysed");
	} else {
		if (!audit_method__find(f.image, &f.builtin))
			f.builtin = f.symbols.builtin;
		find_functions(&f);
		plan(&f);
		add_builtin(&f);
	}
	audit_symbols__free(&f.symbols);
	elf_image__free(f.image);
	return err;
}
