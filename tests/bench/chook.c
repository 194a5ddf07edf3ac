// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * A peer of the benchmark: an audit hook in C, inside the process, that writes one JSON line an
 * event to a buffered file. Loaded with ctypes.PyDLL; the few functions of CPython's stable
 * interface that it needs are declared here (Include/object.h, sysmodule.h, unicodeobject.h, …), so
 * that it builds without CPython's headers.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

typedef struct py_object PyObject;
typedef long py_ssize;

/* By address: what these are made of is no part of the interface. */
extern char _Py_NoneStruct, _Py_TrueStruct, _Py_FalseStruct;
extern char PyUnicode_Type, PyLong_Type, PyTuple_Type, PyList_Type, PyDict_Type;

extern int PySys_AddAuditHook(int (*hook)(const char *, PyObject *, void *), void *data);
extern PyObject *PyObject_Type(PyObject *o);
extern PyObject *PyObject_Repr(PyObject *o);
extern void Py_DecRef(PyObject *o);
extern const char *PyUnicode_AsUTF8AndSize(PyObject *o, py_ssize *size);
extern long long PyLong_AsLongLongAndOverflow(PyObject *o, int *overflow);
extern py_ssize PyTuple_Size(PyObject *o);
extern PyObject *PyTuple_GetItem(PyObject *o, py_ssize i);
extern py_ssize PyList_Size(PyObject *o);
extern PyObject *PyList_GetItem(PyObject *o, py_ssize i);
extern int PyDict_Next(PyObject *o, py_ssize *at, PyObject **key, PyObject **value);
extern void PyErr_Clear(void);

int bench_hook__install(const char *path);

static FILE *out;
static pid_t pid;

static void put_string(const char *s, py_ssize n)
{
	py_ssize i;

	putc_unlocked('"', out);
	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < 0x20) {
			fprintf(out, "\\u%04x", c);
			continue;
		}
		if (c == '"' || c == '\\')
			putc_unlocked('\\', out);
		putc_unlocked(c, out);
	}
	putc_unlocked('"', out);
}

static void put_text(PyObject *o)
{
	py_ssize n = 0;
	const char *s = PyUnicode_AsUTF8AndSize(o, &n);

	if (!s)
		PyErr_Clear();
	put_string(s ? s : "", s ? n : 0);
}

static void put_number(long long v)
{
	char digits[24], *at = digits + sizeof(digits);
	unsigned long long u = v < 0 ? 0ull - (unsigned long long)v : (unsigned long long)v;

	do {
		*--at = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	if (v < 0)
		*--at = '-';
	fwrite_unlocked(at, 1, (size_t)(digits + sizeof(digits) - at), out);
}

static void put_repr(PyObject *o)
{
	PyObject *text = PyObject_Repr(o);

	if (!text) {
		PyErr_Clear();
		fputs_unlocked("null", out);
		return;
	}
	put_text(text);
	Py_DecRef(text);
}

static void put_value(PyObject *o, int depth);

static void put_dict(PyObject *o, int depth)
{
	PyObject *key, *value;
	py_ssize at = 0;
	int first = 1;

	putc_unlocked('{', out);
	while (PyDict_Next(o, &at, &key, &value)) {
		PyObject *type = PyObject_Type(key);

		if (!first)
			putc_unlocked(',', out);
		first = 0;
		if ((void *)type == &PyUnicode_Type)
			put_text(key);
		else
			put_repr(key);
		Py_DecRef(type);
		putc_unlocked(':', out);
		put_value(value, depth + 1);
	}
	putc_unlocked('}', out);
}

static void put_items(PyObject *o, py_ssize n, PyObject *(*item)(PyObject *, py_ssize), int depth)
{
	py_ssize i;

	putc_unlocked('[', out);
	for (i = 0; i < n; i++) {
		if (i)
			putc_unlocked(',', out);
		put_value(item(o, i), depth + 1);
	}
	putc_unlocked(']', out);
}

static void put_long(PyObject *o)
{
	int overflow = 0;
	long long v = PyLong_AsLongLongAndOverflow(o, &overflow);

	if (overflow)
		put_repr(o);
	else
		put_number(v);
}

static void put_value(PyObject *o, int depth)
{
	void *type;

	if ((void *)o == &_Py_NoneStruct) {
		fputs_unlocked("null", out);
		return;
	}
	if ((void *)o == &_Py_TrueStruct || (void *)o == &_Py_FalseStruct) {
		fputs_unlocked((void *)o == &_Py_TrueStruct ? "true" : "false", out);
		return;
	}
	type = PyObject_Type(o);
	if (type == &PyUnicode_Type)
		put_text(o);
	else if (type == &PyLong_Type)
		put_long(o);
	else if (type == &PyTuple_Type && depth < 4)
		put_items(o, PyTuple_Size(o), PyTuple_GetItem, depth);
	else if (type == &PyList_Type && depth < 4)
		put_items(o, PyList_Size(o), PyList_GetItem, depth);
	else if (type == &PyDict_Type && depth < 4)
		put_dict(o, depth);
	else
		put_repr(o);
	Py_DecRef(type);
}

static int hook(const char *event, PyObject *args, void *data)
{
	static __thread int inside; /* repr() of an argument may raise events itself */
	struct timespec now;
	const char *end = event;

	if (inside)
		return 0;
	inside = 1;
	while (*end)
		end++;
	clock_gettime(CLOCK_REALTIME, &now);
	fputs_unlocked("{\"time_ns\":", out);
	put_number(now.tv_sec * 1000000000ll + now.tv_nsec);
	fputs_unlocked(",\"pid\":", out);
	put_number(pid);
	fputs_unlocked(",\"event\":", out);
	put_string(event, end - event);
	fputs_unlocked(",\"args\":", out);
	put_items(args, PyTuple_Size(args), PyTuple_GetItem, 0);
	fputs_unlocked("}\n", out);
	inside = 0;
	return 0;
}

/* Adds the hook; it stays for good. Returns 0, or -1 when the file cannot be opened. */
int bench_hook__install(const char *path)
{
	out = fopen(path, "w");
	if (!out)
		return -1;
	setvbuf(out, NULL, _IOFBF, 1 << 16);
	pid = getpid();
	return PySys_AddAuditHook(hook, NULL);
}
