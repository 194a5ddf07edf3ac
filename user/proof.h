/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A layout is proven on known objects of a live process: the types by their names, True as 1, then
 * the table of modules, found in the interpreter's state, and in it a module, a function, its code,
 * a tuple, a list, an int. A row of events/layouts.tsv that does not fit (a build with other
 * options, a version that is not released yet) is found out here; its events then go without
 * arguments.
 */
#ifndef PYTRAIL_PROOF_H
#define PYTRAIL_PROOF_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "binary.h"

struct proof;
struct attach;
struct pt_audit;

enum proof_result {
	PROOF_REFUTED = -1, /* a built-in type is not what the layout makes of it */
	PROOF_OPEN = 0,     /* not far enough yet, gone, or its modules are not CPython's own */
	PROOF_DONE = 1,
};

/* One process: reason (up to size bytes) says what did not fit, if anything. */
enum proof_result proof__process(pid_t pid, const struct binary *b, uint64_t bias, char *reason,
                                 size_t size);

/*
 * Proofs of all files while they are traced: each once, on the first process that can give it. A
 * file whose built-in types do not fit, or whose processes contradict the layout for seconds on
 * end, is warned of and decoded no more, until another process of it proves the layout after all.
 * NULL: no memory; every call takes that.
 */
struct proof *proof__new(struct attach *a);
void proof__free(struct proof *p);

/* A live process was found, its file is about to be attached, or is: tried at once, when that is
 * open. */
void proof__found(struct proof *p, pid_t pid, const struct binary *b, uint64_t bias);
/* The file has just been attached: carries out what proof__found() found out. */
void proof__attached(struct proof *p, const struct binary *b);
/* An event has come: its process is a candidate, when its file is still to be proven. Cheap. */
void proof__see(struct proof *p, const struct pt_audit *audit);
/* A file is about to be detached. */
void proof__forget(struct proof *p, const struct binary *b);
/* Tries those that are still open. now: CLOCK_MONOTONIC, nanoseconds. */
void proof__retry(struct proof *p, uint64_t now);

#endif
