/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * An extension module that raises audit events with every code of a Py_BuildValue() format, for
 * test_uprobe_calls.py. The events of calls() are what an audit hook sees as well; those of odd()
 * are not, or not in the same way.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <limits.h>
#include <math.h>
#include <wchar.h>

/* By the stable ABI, with the headers of another version: what that leaves out is declared here. */
#ifdef VERSION
int PySys_Audit(const char *event, const char *format, ...);
int PySys_AuditTuple(const char *event, PyObject *args);
#else
#define VERSION PY_VERSION_HEX
#endif

#define LONG 5000 /* more than the default --max-string */

#define AUDIT(...)                            \
	do {                                  \
		if (PySys_Audit(__VA_ARGS__)) \
			return -1;            \
	} while (0)

#define GROUP static __attribute__((noinline)) int

static PyObject *tuple, *list, *text, *number;
static char long_text[LONG + 1], binary[300];
static wchar_t long_wide[LONG + 1];

static int objects(void)
{
	static int done;
	int i;

	if (done++)
		return 0;
	for (i = 0; i < LONG; i++) {
		long_text[i] = (char)('a' + i % 26);
		long_wide[i] = i % 2 ? 0x1f600 : L'a';
	}
	for (i = 0; i < (int)sizeof(binary); i++)
		binary[i] = (char)i;
	tuple = Py_BuildValue("(iss)", 1, "two", "three");
	list = Py_BuildValue("[iO]", 1, tuple);
	text = PyUnicode_FromString("text \xe2\x82\xac");
	number = PyLong_FromString("123456789012345678901234567890", NULL, 10);
	return tuple && list && text && number ? 0 : -1;
}

GROUP call_objects(void)
{
	AUDIT("calls.none", NULL);
	AUDIT("calls.empty", "");
	AUDIT("calls.tuple", "O", tuple);
	AUDIT("calls.tuple.in", "(O)", tuple);
	AUDIT("calls.tuple.two", "OO", tuple, tuple);
	AUDIT("calls.list", "O", list);
	AUDIT("calls.object", "O", text);
	AUDIT("calls.number", "O", number);
	AUDIT("calls.None", "O", Py_None);
	AUDIT("calls.bools", "OO", Py_True, Py_False);
	AUDIT("calls.S", "S", text);
	AUDIT("calls.S.tuple", "S", tuple);
	AUDIT("calls.OS", "OSO", text, list, number);
	AUDIT("calls.type", "O", (PyObject *)&PyType_Type);
	AUDIT("calls.many", "OOOOOOOOOO", text, list, tuple, number, Py_None, Py_True, text, list,
	      tuple, number);
	return 0;
}

GROUP call_strings(void)
{
	const char *null = NULL;

	AUDIT("calls.s", "s", "text");
	AUDIT("calls.s.empty", "s", "");
	AUDIT("calls.s.utf8", "s", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
	AUDIT("calls.s.null", "s", null);
	AUDIT("calls.z", "zz", "text", null);
	AUDIT("calls.U", "UU", "text", null);
	AUDIT("calls.y", "yyy", "bytes \xff", "", null);
	AUDIT("calls.s#", "s#s#", "a\0b", (Py_ssize_t)3, "", (Py_ssize_t)0);
	AUDIT("calls.s#.utf8", "s#", "\xe2\x82\xac\0\xf0\x9f\x98\x80", (Py_ssize_t)8);
	AUDIT("calls.s#.strlen", "s#i", "text", (Py_ssize_t)-1, 5);
	AUDIT("calls.z#", "z#z#i", "a\0b", (Py_ssize_t)3, null, (Py_ssize_t)7, 5);
	AUDIT("calls.U#", "U#i", "text", (Py_ssize_t)2, 5);
	AUDIT("calls.y#", "y#", binary, (Py_ssize_t)sizeof(binary));
	AUDIT("calls.y#.more", "y#y#iy#y#", binary, (Py_ssize_t)7, null, (Py_ssize_t)7, 5,
	      binary + 7, (Py_ssize_t)8, "x", (Py_ssize_t)0);
	AUDIT("calls.stack", "s#s#s#s#s#", "1", (Py_ssize_t)1, "22", (Py_ssize_t)2, "333",
	      (Py_ssize_t)3, "4444", (Py_ssize_t)4, "55555", (Py_ssize_t)5);
	AUDIT("calls.y.long", "y", long_text);
	AUDIT("calls.y.4096", "y", long_text + LONG - 4096);
	AUDIT("calls.y.4095", "yi", long_text + LONG - 4095, 5);
	AUDIT("calls.s.4096", "si", long_text + LONG - 4096, 5);
	AUDIT("calls.s.4095", "si", long_text + LONG - 4095, 5);
	AUDIT("calls.y#.long", "y#i", long_text, (Py_ssize_t)LONG, 5);
	return 0;
}

GROUP call_wide(void)
{
	const wchar_t *null = NULL;

	AUDIT("calls.u", "u", L"text");
	AUDIT("calls.u.empty", "ui", L"", 5);
	AUDIT("calls.u.null", "ui", null, 5);
	AUDIT("calls.u.wide", "u", L"\u00e9 \u20ac \U0001f600 \U0010fffd");
	AUDIT("calls.u#", "u#u#i", L"a\0b", (Py_ssize_t)3, L"\u20ac", (Py_ssize_t)0, 5);
	AUDIT("calls.u#.strlen", "u#i", L"\u20ac\u20ac", (Py_ssize_t)-1, 5);
	AUDIT("calls.u#.null", "u#i", null, (Py_ssize_t)3, 5);
	AUDIT("calls.u.63", "u", long_wide + LONG - 63);
	AUDIT("calls.u.64", "u", long_wide + LONG - 64);
	AUDIT("calls.u.65", "u", long_wide + LONG - 65);
	AUDIT("calls.u.1000", "ui", long_wide + LONG - 1000, 5);
	AUDIT("calls.u.1024", "ui", long_wide + LONG - 1024, 5);
	AUDIT("calls.u#.long", "u#i", long_wide, (Py_ssize_t)LONG, 5);
	AUDIT("calls.C", "CCCCC", 'a', 0xe9, 0x20ac, 0x1f600, 0x10ffff);
	AUDIT("calls.C.stack", "OOOOOC", text, text, text, text, text, 0x1f600);
	return 0;
}

GROUP call_numbers(void)
{
	AUDIT("calls.bBhHi", "bBhHi", -1, 255, -32768, 65535, -2147483647 - 1);
	AUDIT("calls.b", "bbBBhhHH", 127, -128, 0, 128, 32767, -1, 32768, 0);
	AUDIT("calls.iI", "iIiI", -1, 0xffffffffu, INT_MAX, 0x80000000u);
	AUDIT("calls.iI.stack", "OOOOiIiI", text, text, text, text, -1, 0xffffffffu, INT_MIN,
	      0x80000000u);
	AUDIT("calls.lk", "lklk", -1L, ULONG_MAX, LONG_MIN, 0x8000000000000000ul);
	AUDIT("calls.LK", "LKLK", -1LL, ULLONG_MAX, LLONG_MIN, 0x8000000000000000ull);
	AUDIT("calls.n", "nnn", (Py_ssize_t)-1, PY_SSIZE_T_MAX, PY_SSIZE_T_MIN);
	AUDIT("calls.k.stack", "kkkkkkkk", 0ul, 1ul, 2ul, 1ul << 30, 1ul << 60, 1ul << 63,
	      ULONG_MAX, ULONG_MAX - 1);
	AUDIT("calls.c", "ccc", 'a', 0, 255);
	AUDIT("calls.ones", "iiiiiiiiiiiiiiii", 0, -1, 2, -3, 4, -5, 6, -7, 8, -9, 10, -11, 12, -13,
	      14, -15);
#if VERSION >= 0x030e0000
	AUDIT("calls.p", "ppp", 0, 1, -1);
#endif
	return 0;
}

GROUP call_doubles(void)
{
	AUDIT("calls.d", "ddd", 1.5, -0.0, 1e300);
	AUDIT("calls.f", "fdf", 0.25, 0.1, (double)3.5f);
	AUDIT("calls.d.special", "ddd", HUGE_VAL, -HUGE_VAL, HUGE_VAL - HUGE_VAL);
	AUDIT("calls.d.many", "dddddddddddd", 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0,
	      11.0, 12.0);
	AUDIT("calls.id", "idididididididididid", 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7,
	      7.5, 8, 8.5, 9, 9.5, 10, 10.5);
	AUDIT("calls.sd", "s#ds#ds#d", "a", (Py_ssize_t)1, 1.5, "b", (Py_ssize_t)1, 2.5, "c",
	      (Py_ssize_t)1, 3.5);
	AUDIT("calls.d.nested", "(i[d{s:(dd)}]())", 1, 2.5, "key", 1.5, 2.5);
	return 0;
}

GROUP call_containers(void)
{
	AUDIT("calls.()", "()");
	AUDIT("calls.(i)", "(i)", 5);
	AUDIT("calls.((i))", "((i))", 5);
	AUDIT("calls.[]", "[]");
	AUDIT("calls.[i]", "[i]", 5);
	AUDIT("calls.{}", "{}");
	AUDIT("calls.{s}", "{s:i,s:s}", "a", 1, "b", "two");
	AUDIT("calls.{i}", "{i:i,O:O}", 1, 2, text, tuple);
	AUDIT("calls.()()", "()()");
	AUDIT("calls.(ii)i", "(ii)i", 1, 2, 3);
	AUDIT("calls.nested", "(i[s{s:(ii)}]())", 1, "two", "key", 3, 4);
	AUDIT("calls.deep", "([{s:[(i)]}])", "key", 5);
	AUDIT("calls.mixed", "i[s#,O](y#{s:O})O", 1, "ab", (Py_ssize_t)2, list, "cd", (Py_ssize_t)2,
	      "key", tuple, text);
	AUDIT("calls.separators", " i , i : i\ti", 1, 2, 3, 4);
	AUDIT("calls.separators.one", " i", 1);
	AUDIT("calls.separators.tuple", "O,", tuple);
	AUDIT("calls.separators.in", "( i , [ i])", 1, 2);
	AUDIT("calls.separators.only", " ,");
	AUDIT("calls.format.63", "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii",
	      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
	      25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45,
	      46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63);
	return 0;
}

GROUP call_names(void)
{
	AUDIT("calls.\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "i", 1);
	AUDIT("", "i", 1);
	AUDIT("calls.a name of 63 bytes, the last that the kernel filters by...", "i", 1);
	AUDIT("calls.a name of 64 bytes, the first that it does not filter by..", "i", 1);
	AUDIT(long_text + LONG - 1023, "i", 1);
	AUDIT(long_text + LONG - 1024, "i", 1);
	return 0;
}

GROUP call_tuples(void)
{
#if VERSION >= 0x030d0000
	PyObject *none = PyTuple_New(0);

	if (!none || PySys_AuditTuple("calls.AuditTuple", tuple) ||
	    PySys_AuditTuple("calls.AuditTuple.empty", none) ||
	    PySys_AuditTuple("calls.AuditTuple.null", NULL))
		return -1;
	Py_DECREF(none);
#endif
	return 0;
}

static PyObject *calls(PyObject *module, PyObject *unused)
{
	if (objects() || call_objects() || call_strings() || call_wide() || call_numbers() ||
	    call_containers() || call_names() || call_tuples())
		return NULL;
	Py_RETURN_NONE;
}

/* Those in registers are not there at a probe of PySys_Audit() itself (3.8). */
static PyObject *doubles(PyObject *module, PyObject *unused)
{
	if (objects() || call_doubles())
		return NULL;
	Py_RETURN_NONE;
}

static PyObject *convert(void *value)
{
	return PyLong_FromLong(*(int *)value);
}

/* What fails in Py_BuildValue() is an event to an entry probe only, and its exception is not
 * wanted. */
#define FAILING(...)                      \
	do {                              \
		PySys_Audit(__VA_ARGS__); \
		PyErr_Clear();            \
	} while (0)

static PyObject *odd(PyObject *module, PyObject *unused)
{
	int value = 42;
	double complex[2] = {1, 2}; /* Py_complex */

	if (objects() || PySys_Audit("odd.converter", "iO&i", 1, convert, &value, 2) ||
	    PySys_Audit("odd.converter.alone", "O&", convert, &value) ||
	    PySys_Audit("odd.complex", "iDi", 1, complex, 2) ||
	    PySys_Audit("odd.s.long", "si", long_text, 5) ||
	    PySys_Audit("odd.u.long", "ui", long_wide, 5) || PySys_Audit("odd.name", "i", 1) ||
	    PySys_Audit(long_text + LONG - 1025, "i", 1))
		return NULL;
	FAILING("odd.fails.utf8", "s", "\xff\xfe");
	FAILING("odd.fails.null", "iO", 1, NULL);
	FAILING("odd.fails.code", "i!i", 1, 2);
	FAILING("odd.fails.separator", "ii ", 1, 2);
	FAILING("odd.fails.bracket", "(i", 1);
	FAILING("odd.fails.close", "i)i", 1, 2);
	Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
	{"calls", calls, METH_NOARGS, NULL},
	{"doubles", doubles, METH_NOARGS, NULL},
	{"odd", odd, METH_NOARGS, NULL},
	{NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
	PyModuleDef_HEAD_INIT, "auditcalls", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_auditcalls(void)
{
	return PyModule_Create(&definition);
}
