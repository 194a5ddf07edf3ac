/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The objects that CPython has one of, and keeps in its file since 3.11: the ints from -5 on and
 * the ASCII strs of one character, each kind an array in _PyRuntime
 * (Include/internal/pycore_global_objects.h, struct _Py_static_objects or its like). To know one by
 * its address saves a read of it.
 */
#ifndef PYTRAIL_SINGLETONS_H
#define PYTRAIL_SINGLETONS_H

#include <stdint.h>

#include "../bpf/wire.h"
#include "elf_file.h"

/*
 * Finds them by what they look like in the layout, in the file's bytes from a link-time address on:
 * no offset of a version is needed, and what is found is what it is taken for. Leaves what it does
 * not find as it is.
 */
void singletons__find(struct elf_file *e, uint64_t address, uint64_t size,
                      const struct pt_layout *layout, struct pt_singletons *out);

#endif
