/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A file that holds a CPython interpreter (executable or libpython), analysed from its ELF bytes.
 * The file may be the attacker's: every offset and length is checked.
 */
#ifndef PYTRAIL_BINARY_H
#define PYTRAIL_BINARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../bpf/wire.h"

#define BINARY_SITES_MAX 32

struct binary_site {
	uint64_t address;           /* link-time address, adjusted for prelink by the note's base */
	uint64_t offset;            /* in the file: what a uprobe is attached to */
	uint64_t semaphore;         /* offset in the file of its semaphore, 0: none */
	uint64_t semaphore_address; /* link-time */
	struct pt_arg args[2];      /* event name, argument tuple */
};

/* What a uprobe is put on where there is no USDT: an instruction of a function that audit events
 * pass. */
struct binary_entry {
	uint64_t address;     /* link-time address of the instruction */
	uint64_t offset;      /* in the file */
	uint32_t stack_moved; /* as in struct pt_site, like the two below */
	uint8_t kind;         /* enum pt_entry */
	uint8_t first_vararg;
	bool single_stepped; /* a hit costs about 10 us, rather than half of one */
	char function[24];   /* "sys_audit_tstate", for people */
	char why[96];        /* single_stepped: why there is no cheap instruction; otherwise "" */
};

#define BINARY_ENTRIES_MAX 16

/* A PT_LOAD with code in it: file offset, bytes in the file, link-time address. */
struct binary_segment {
	uint64_t offset;
	uint64_t size;
	uint64_t address;
};

#define BINARY_SEGMENTS_MAX 8

struct binary {
	dev_t dev;
	ino_t ino;
	int fd;            /* kept open, O_RDONLY|O_CLOEXEC: pins the inode; owned */
	char *path;        /* for people; as seen in maps or given; owned */
	char build_id[41]; /* lower-case hexadecimal, "" when there is none */
	uint16_t machine;  /* EM_X86_64, EM_AARCH64 */
	/* PY_VERSION_HEX; micro and level 0 when only major.minor is known; 0: none */
	uint32_t py_version;
	char py_version_text[32]; /* "3.11.2", "3.13" when no more is known, "" */
	bool free_threaded;
	bool shared;                  /* a libpython rather than an executable */
	uint64_t known[PT_KNOWN_MAX]; /* link-time addresses, 0: not found */
	uint64_t runtime;             /* link-time address of _PyRuntime, 0: not found */
	uint64_t runtime_size;        /* bytes, as its symbol says */
	struct pt_singletons singletons;
	size_t sites_cnt; /* python:audit USDT sites */
	struct binary_site sites[BINARY_SITES_MAX];
	size_t entries_cnt; /* by uprobe: all of them together see each event once */
	struct binary_entry entries[BINARY_ENTRIES_MAX];
	uint64_t builtin_start; /* as in struct pt_site */
	uint64_t builtin_end;
	char missing[256];       /* what uprobes cannot see in this file, for people; "": nothing */
	uint64_t attached_ns;    /* attach__binary()'s: when, CLOCK_MONOTONIC */
	int said;                /* the caller's: the -errno that was said of it last */
	unsigned int generation; /* the caller's: of the last look that found a process of it */
	size_t segments_cnt;     /* executable ones */
	struct binary_segment segments[BINARY_SEGMENTS_MAX];
};

/*
 * Analyses the file behind fd (taken over, also on error). 0 and *out (free with binary__free);
 * -ENOEXEC: not an ELF file of this machine or no interpreter in it (no PySys_Audit); -errno.
 * Nothing is said: the caller knows whether it matters.
 */
int binary__open(int fd, const char *path, struct binary **out);
/* The same for a machine (EM_X86_64, EM_AARCH64) that this need not be: nothing can be attached to
 * it then. */
int binary__open_for(uint16_t machine, int fd, const char *path, struct binary **out);
void binary__free(struct binary *b);

/* From now on entries are not looked for in files that have sites: who prefers USDT does not want
 * them, and they take 10 ms of the time of binary__open(), all the rest less than one. */
void binary__prefer_usdt(void);

/* Cheap test, before binary__open(), whether a mapped file can hold an interpreter, by its name or
 * by its dynamic symbols: used to skip the libc of the world. */
bool binary__is_candidate(int fd);

/* Fills the part of a site that comes from the file: address, args, known, versions. Not the
 * layout. */
void binary__fill_site(const struct binary *b, size_t index, struct pt_site *out);

/* The same for entries[index]. */
void binary__fill_entry(const struct binary *b, size_t index, struct pt_site *out);

/* Run-time minus link-time address in a process that has the file's bytes from `offset` on mapped,
 * executable, at `start`. False: that is not how the system would load this file. */
bool binary__bias(const struct binary *b, uint64_t start, uint64_t offset, uint64_t *bias);

#endif
