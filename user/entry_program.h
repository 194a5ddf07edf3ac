/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The program on audit functions, beside that on USDT sites. The verifier takes longer for it than
 * for all else together, and most hosts have no interpreter that needs it: so it is loaded on the
 * side, by a thread, while the session traces already.
 */
#ifndef PYTRAIL_ENTRY_PROGRAM_H
#define PYTRAIL_ENTRY_PROGRAM_H

#include <stdbool.h>

struct bpf_object;
struct bpf_program;
struct entry_program;
struct pytrail_bpf;

/* from: the session's object, loaded, to live longer. multi: for multi-uprobe links. NULL: no
 * memory. */
struct entry_program *entry_program__new(const struct pytrail_bpf *from, bool multi);
/* Frees it and unloads the program, within milliseconds even while it is being loaded. NULL is
 * fine. */
void entry_program__free(struct entry_program *p);

/* Starts the thread. When there can be none the program is loaded when it is asked for. */
void entry_program__start(struct entry_program *p);

/* A descriptor that becomes readable, and stays so, as the thread is done; -1: there is no
 * thread. */
int entry_program__fd(const struct entry_program *p);

/* Whether the thread is at work. p may be NULL. */
bool entry_program__loading(const struct entry_program *p);

/* Whether it is still being loaded, or may be later. */
bool entry_program__pending(const struct entry_program *p);

/* What it was loaded in, NULL: it is not. */
const struct bpf_object *entry_program__object(const struct entry_program *p);

/* The program, waited for or loaded now. NULL: errno says why, the first time and each time
 * after. */
struct bpf_program *entry_program__get(struct entry_program *p);

#endif
