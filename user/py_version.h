/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which CPython a file holds, from what lies in the file. */
#ifndef PYTRAIL_PY_VERSION_H
#define PYTRAIL_PY_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file;

struct py_version {
	/* PY_VERSION_HEX; micro and level 0 when only major.minor is known; 0: none */
	uint32_t hex;
	char text[32]; /* "3.11.2", "3.15.0b1", "3.13" when no more is known, "" */
	bool free_threaded;
};

/* What the symbol tables say. Addresses are link-time ones, 0: not found. */
struct py_version_hints {
	uint64_t version_object; /* Py_Version */
	uint64_t runtime;        /* _PyRuntime */
	bool has_api; /* the symbols of the C API are there, so that absence means something */
	bool has_frame_getcode; /* PyFrame_GetCode: 3.9 */
	bool has_newref;        /* Py_NewRef: 3.10 */
	const char *path;       /* its last part is the last resort */
};

/* In order of trust: Py_Version, the debug offsets in _PyRuntime, the API's functions together with
 * the version string, the SONAME, the file's name. */
void py_version__find(struct elf_file *e, const struct py_version_hints *hints,
                      struct py_version *out);

/* "3.9.18", "3.15.0b1", "3.9.18+" (the whole text) to PY_VERSION_HEX; 0: it is none. */
uint32_t py_version__parse(const char *text);

/* The other way round. Without a release level only major.minor is said. */
void py_version__format(uint32_t hex, char *out, size_t size);

#endif
