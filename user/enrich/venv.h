/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The virtual environment that an interpreter runs in. */
#ifndef PYTRAIL_VENV_H
#define PYTRAIL_VENV_H

#include <stdbool.h>
#include <stddef.h>

struct process_facts;

/*
 * As the interpreter finds it (PEP 405, Modules/getpath.py): a pyvenv.cfg beside the executable as
 * it was called, or in the directory above. The name it was called by is argv[0]; without a slash
 * it was found in PATH, and the process's VIRTUAL_ENV says where, if that environment has a program
 * of that name.
 *
 * dir: of /proc/PID; facts: exe, argv and cwd; room: for the environment's text; out: PATH_MAX
 * bytes. Files are looked for in the process's own root, and never opened. False: in none, or not
 * known.
 */
bool venv__read(int dir, const struct process_facts *facts, char *room, size_t size, char *out);

#endif
