/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Prints one row of events/layouts.tsv from the headers of the CPython it is compiled against (with
 * -DHEADER: the row of column names). scripts/dump-layout.sh compiles and runs it; Py_GIL_DISABLED
 * on the command line gives the free-threaded flavour, whose objects have another header.
 *
 * Internal headers are used for what the public ones hide. Where neither has it, the structure is
 * repeated here, and the source file is named.
 */
#define Py_BUILD_CORE 1
#include <Python.h>

#if PY_VERSION_HEX < 0x030a0000 || PY_VERSION_HEX >= 0x030d0000
#include <frameobject.h>
#endif
#if PY_VERSION_HEX >= 0x030b0000
#include <internal/pycore_dict.h>
#include <internal/pycore_moduleobject.h>
#else
/* Objects/moduleobject.c of 3.8, Include/internal/pycore_moduleobject.h since. */
typedef struct {
	PyObject_HEAD PyObject *md_dict;
	struct PyModuleDef *md_def;
	void *md_state;
	PyObject *md_weaklist;
	PyObject *md_name;
} PyModuleObject;
#endif

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define AT(type, field) ((unsigned)offsetof(type, field))

/* The lowest bit that is set in the state of a string after `field` was set to all ones. */
#define STATE_SHIFT(field)                             \
	({                                             \
		PyASCIIObject s;                       \
		unsigned int bits = 0;                 \
		memset(&s, 0, sizeof(s));              \
		s.state.field--;                       \
		memcpy(&bits, &s.state, sizeof(bits)); \
		(unsigned)__builtin_ctz(bits);         \
	})

#ifdef Py_GIL_DISABLED
#define FREE_THREADED 1
#else
#define FREE_THREADED 0
#endif

/* 3.12 removed the legacy strings (PEP 623) and tagged the size of an int. */
#if PY_VERSION_HEX >= 0x030c0000
#define WSTR        0u
#define WSTR_LENGTH 0u
#define INT_SIZE    AT(PyLongObject, long_value.lv_tag)
#define INT_DIGITS  AT(PyLongObject, long_value.ob_digit)
#define INT_TAGGED  1u
#else
#define WSTR        AT(PyASCIIObject, wstr)
#define WSTR_LENGTH AT(PyCompactUnicodeObject, wstr_length)
#define INT_SIZE    AT(PyVarObject, ob_size)
#define INT_DIGITS  AT(PyLongObject, ob_digit)
#define INT_TAGGED  0u
#endif

/* ma_values points at an array of values before 3.11, at a structure that begins with it in 3.11
 * and 3.12, and at one that begins with 4 bytes of its own from 3.13 on. */
#if PY_VERSION_HEX >= 0x030b0000
#define SPLIT_VALUES AT(PyDictValues, values)
#else
#define SPLIT_VALUES 0u
#endif

#if PY_VERSION_HEX >= 0x030b0000
#define CODE_QUALNAME AT(PyCodeObject, co_qualname)
#define DICT_LOG2     1u
#else
#define CODE_QUALNAME AT(PyCodeObject, co_name)
#define DICT_LOG2     0u
#endif

static const struct {
	const char *name;
	unsigned value;
} columns[] = {
	{"ob_type", AT(PyObject, ob_type)},
	{"ob_size", AT(PyVarObject, ob_size)},
	{"tp_name", AT(PyTypeObject, tp_name)},
	{"tp_flags", AT(PyTypeObject, tp_flags)},
	{"tp_base", AT(PyTypeObject, tp_base)},
	{"tuple_items", AT(PyTupleObject, ob_item)},
	{"list_items", AT(PyListObject, ob_item)},
	{"bytes_data", AT(PyBytesObject, ob_sval)},
	{"bytearray_start", AT(PyByteArrayObject, ob_start)},
	{"str_length", AT(PyASCIIObject, length)},
	{"str_state", AT(PyASCIIObject, state)},
	{"str_ascii", sizeof(PyASCIIObject)},
	{"str_compact", sizeof(PyCompactUnicodeObject)},
	{"str_any", AT(PyUnicodeObject, data.any)},
	{"str_wstr", WSTR},
	{"str_wstr_length", WSTR_LENGTH},
	{"float_value", AT(PyFloatObject, ob_fval)},
	{"int_size", INT_SIZE},
	{"int_digits", INT_DIGITS},
	{"dict_used", AT(PyDictObject, ma_used)},
	{"dict_keys", AT(PyDictObject, ma_keys)},
	{"dict_values", AT(PyDictObject, ma_values)},
	{"dict_split_values", SPLIT_VALUES},
	{"set_used", AT(PySetObject, used)},
	{"set_mask", AT(PySetObject, mask)},
	{"set_table", AT(PySetObject, table)},
	{"code_filename", AT(PyCodeObject, co_filename)},
	{"code_qualname", CODE_QUALNAME},
	{"code_firstlineno", AT(PyCodeObject, co_firstlineno)},
	{"func_qualname", AT(PyFunctionObject, func_qualname)},
	{"func_module", AT(PyFunctionObject, func_module)},
	{"cfunc_ml", AT(PyCFunctionObject, m_ml)},
	{"cfunc_module", AT(PyCFunctionObject, m_module)},
	{"method_func", AT(PyMethodObject, im_func)},
	{"module_name", AT(PyModuleObject, md_name)},
	{"exc_args", AT(PyBaseExceptionObject, args)},
	{"str_kind_shift", 0}, /* these three are filled in by main() */
	{"str_compact_shift", 0},
	{"str_ascii_shift", 0},
	{"int_tagged", INT_TAGGED},
	{"dict_log2_keys", DICT_LOG2},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

int main(int argc, char **argv)
{
	unsigned shifts[] = {STATE_SHIFT(kind), STATE_SHIFT(compact), STATE_SHIFT(ascii)};
	size_t i, shift = 0;

	if (argc > 1 && !strcmp(argv[1], "--header")) {
		printf("py_version\tfree_threaded");
		for (i = 0; i < COLUMNS; i++)
			printf("\t%s", columns[i].name);
		printf("\n");
		return 0;
	}
	if (PyLong_SHIFT != 30) {
		fprintf(stderr, "dump-layout: digits of an int have %d bits, not 30\n", PyLong_SHIFT);
		return 1;
	}
	printf("0x%04x\t%u", (unsigned)(PY_VERSION_HEX >> 16), FREE_THREADED);
	for (i = 0; i < COLUMNS; i++) {
		unsigned value = columns[i].value;

		if (strstr(columns[i].name, "_shift"))
			value = shifts[shift++];
		printf("\t%u", value);
	}
	printf("\n");
	return 0;
}
