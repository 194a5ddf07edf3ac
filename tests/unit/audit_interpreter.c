/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * No interpreter, but functions and tables of the shapes that CPython's sysmodule.c has, for
 * test_audit_functions.c to build in many ways. It is never run.
 *
 *	-DINLINED   sys_audit_tstate is in the body of both variadic functions, as in 3.8
 *	-DGUARDED   sys_audit_tstate is only called under a condition
 *	-DNO_METHOD without the table of methods
 *	-DTHREAD_LOCAL the current thread's state is in a thread-local variable, as from 3.13 on
 *	-DCOLD      sys.audit calls on from a block that the compiler takes for a cold one
 *	-DIN_CALLEE sys.audit calls on from a function that it calls
 */
#include <stdarg.h>
#include <stddef.h>

#define EXPORT __attribute__((visibility("default")))

typedef void *(*function_t)(void *, void *const *, long);

struct method {
	const char *name;
	function_t function;
	int flags;
	const char *doc;
};

#ifdef __clang__
#define ALONE static __attribute__((noinline))
#else
#define ALONE static __attribute__((noinline, noclone))
#endif

#ifdef INLINED
#define TSTATE static inline __attribute__((always_inline))
#else
#define TSTATE ALONE
#endif

EXPORT const unsigned long Py_Version = 0x030c01f0;
EXPORT void *volatile hooks;
#ifdef THREAD_LOCAL
EXPORT __thread void *volatile current;
#else
EXPORT void *volatile current;
#endif
EXPORT int sum;

ALONE int call_hooks(const char *event, const char *format, va_list list)
{
	while (format && *format)
		sum += *format++ == 'i' ? va_arg(list, int) : !va_arg(list, void *);
	return event[0];
}

TSTATE int sys_audit_tstate(void *tstate, const char *event, const char *format, va_list list)
{
	if (!tstate || !hooks)
		return 0;
	for (int i = 0; i < 10 && !sum; i++)
		sum += call_hooks(event, format, list);
	return sum ? -1 : 0;
}

EXPORT int PySys_Audit(const char *event, const char *format, ...)
{
	void *tstate = current;
	va_list list;
	int ret;

#ifdef GUARDED
	if (!hooks)
		return 0;
#endif
	va_start(list, format);
	ret = sys_audit_tstate(tstate, event, format, list);
	va_end(list);
	return ret;
}

ALONE int _PySys_Audit(void *tstate, const char *event, const char *format, ...)
{
	va_list list;
	int ret;

	va_start(list, format);
	ret = sys_audit_tstate(tstate, event, format, list);
	va_end(list);
	return ret;
}

#ifdef COLD
__attribute__((cold, noinline)) static void rarely(void)
{
	sum++;
}
#endif

#ifdef IN_CALLEE
__attribute__((noinline, noclone))
#endif
static void *
sys_audit_impl(void *tstate, const char *event, void *const *args, long nargs)
{
#ifdef COLD
	if (nargs > 7) {
		rarely();
		return _PySys_Audit(tstate, event, "O", args[1]) ? NULL : current;
	}
	return current;
#else
	return _PySys_Audit(tstate, event, "O", args[1]) ? NULL : current;
#endif
}

static void *sys_audit(void *module, void *const *args, long nargs)
{
	if (nargs < 1 || !hooks)
		return NULL;
	return sys_audit_impl(current, args[0], args, nargs);
}

static void *sys_addaudithook(void *module, void *const *args, long nargs)
{
	return _PySys_Audit(current, "sys.addaudithook", NULL) ? NULL : args[0];
}

static void *sys_getframe(void *module, void *const *args, long nargs)
{
	return _PySys_Audit(current, "sys._getframe", "Oi", args[0], (int)nargs) ? NULL : args[0];
}

static void *other_audit(void *module, void *const *args, long nargs)
{
	return args[0];
}

EXPORT struct method methods[] = {
	{"addaudithook", sys_addaudithook, 0x80, "addaudithook($module, /, hook)\n--\n\n"},
	{"_getframe", sys_getframe, 0x80, ""},
#ifndef NO_METHOD
	{"audit", sys_audit, 0x80, "audit($module, event, /, *args)\n--\n\n"},
#else
	{"audits", sys_audit, 0x80, "audit($module, event, /, *args)\n--\n\n"},
#endif
	/* Others of that name. */
	{"audit", other_audit, 0x1, "audit($module, event, /, *args)\n--\n\n"},
	{"audit", other_audit, 0x80, "audits(everything)"},
	{NULL, NULL, 0, NULL},
};

EXPORT int main(int argc, char **argv)
{
	return PySys_Audit("main", "Oi", argv, argc);
}
