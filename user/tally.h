/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Counts by key, bounded: when it is full, the row that has not been counted for longest goes, and
 * its count goes to that of the others. Figures for people are those of the last tally__tick().
 */
#ifndef PYTRAIL_TALLY_H
#define PYTRAIL_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TALLY_KEY_MAX       1024 /* bytes; a longer key is cut */
#define TALLY_NAME_MAX      512
#define TALLY_CONTAINER_MAX 64

struct tally;

struct tally_row {
	uint64_t total; /* now */
	uint64_t shown; /* at the last tick */
	double rate;    /* a second, between the last two ticks */
	bool fresh;     /* just made: the caller fills in what follows */
	bool stale;     /* the caller's: to be filled in anew */
	uint32_t pid, uid;
	uint32_t py_version; /* PY_VERSION_HEX */
	uint8_t probe;       /* enum pt_probe */
	uint8_t severity;
	const char *category; /* static, or NULL */
	uint64_t processes;
	char *name;      /* any bytes, terminated; owned; NULL: key is the name */
	char *container; /* id, the same; NULL: none */
	char *container_name;
	/* tally.c's own */
	struct tally_row *next, *newer, *older;
	uint64_t hash;
	size_t key_len;
	char key[]; /* terminated */
};

/* NULL: no memory. */
struct tally *tally__new(size_t max_rows);
void tally__free(struct tally *t);

/* Counts one event; the row is valid until the next call. NULL: no memory, it is counted as
 * another's. */
struct tally_row *tally__count(struct tally *t, const void *key, size_t len);
/* The row, NULL: there is none. Counts nothing. */
struct tally_row *tally__find(struct tally *t, const void *key, size_t len);
/* Copies text, cut to its limit; NULL: none. Without memory there is none either. */
void tally_row__set_name(struct tally_row *r, const char *text, size_t len);
void tally_row__set_container(struct tally_row *r, const char *id, const char *name);

/* seconds: since the last one. */
void tally__tick(struct tally *t, double seconds);

/*
 * The rows that the last tick saw and that are still there, in no order. The array is the tally's,
 * as are the rows: both valid until the next call of any function here.
 */
size_t tally__rows(struct tally *t, struct tally_row ***out);

/* Rows dropped for want of room, and the events that they had counted. */
uint64_t tally__dropped(const struct tally *t, uint64_t *events);

#endif
