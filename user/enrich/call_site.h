/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where an event was raised: the return address that an entry probe saw, as module, function and
 * offset. Resolved once for each (process, address), from the process's mappings and the files'
 * symbols, or taken from the PT_REC_CALL_SITE records of a file; bounded in memory, and in the time
 * that one process can make it spend.
 */
#ifndef PYTRAIL_CALL_SITE_H
#define PYTRAIL_CALL_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../bpf/wire.h"

struct buf;
struct call_sites;

#define CALL_SITE_NO_OFFSET UINT64_MAX

struct call_site {
	uint64_t address; /* as the process saw it */
	/* base name of the mapped file, any bytes, terminated; NULL: memory of no file */
	const char *module;
	const char *symbol; /* function that the call is in, the same; NULL: not known */
	/* How far into the function the call returns; without one, its link-time address in the
	 * file, or CALL_SITE_NO_OFFSET: the file could not be read. */
	uint64_t offset;
	/* Rendered once: `,"call_site":{"module":"…","symbol":"…","offset":12}`; for memory of no
	 * file `,"call_site":{"address":"0x…"}`. */
	const char *json;
	size_t json_len;
};

/* How many processes are remembered, and bytes of memory for them, without those of files' symbols.
 * NULL: no memory. */
struct call_sites *call_sites__new(size_t max_processes, size_t max_bytes);
void call_sites__free(struct call_sites *c);

/*
 * The call site at an address, not 0, of the task's process; NULL: not known. With `live`, one not
 * seen before is resolved: if the process is there no more, or gave too much work lately, it is not
 * known. *fresh, when given, says that this one was not handed out before. Valid until the next
 * call.
 */
const struct call_site *call_sites__get(struct call_sites *c, const struct pt_task *task,
                                        uint64_t address, bool live, bool *fresh);

/* The file that a probe is in, as the kernel found it mapped: known without the process. */
struct call_site_file {
	int fd;
	const char *path;
	uint64_t bias; /* run-time minus link-time address */
};

/* The same for a live record, whose call may well be in the probed file itself: then it is known
 * even when the process is gone. probed NULL: as above. */
const struct call_site *call_sites__get_probed(struct call_sites *c, const struct pt_task *task,
                                               uint64_t address,
                                               const struct call_site_file *probed, bool *fresh);

/* Puts a PT_REC_CALL_SITE record in. 0, -EBADMSG, -ENOMEM. */
int call_sites__put_record(struct call_sites *c, const void *record, size_t size);

/* Appends the record of a call site to b (8-byte padded), for --record. */
void call_site__to_record(const struct call_site *s, const struct pt_rec *like, struct buf *b);

/* The process executed another file: nothing is where it was. */
void call_sites__exec(struct call_sites *c, const struct pt_task *task);
/* It exited: the first to go when room is needed. */
void call_sites__exit(struct call_sites *c, const struct pt_task *task);

/* What it took so far. */
struct call_sites_stats {
	uint64_t reads; /* of a process's mappings */
	uint64_t files; /* read */
	size_t processes;
	size_t sites;
	size_t bytes;
};
struct call_sites_stats call_sites__stats(const struct call_sites *c);

#endif
