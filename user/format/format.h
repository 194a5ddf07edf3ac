/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Formats: pure functions from a record to bytes. To add one: a file here and a row in format.c. */
#ifndef PYTRAIL_FORMAT_H
#define PYTRAIL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../reader.h"

struct buf;
struct host_facts;

/* What a rendering depends on beside the record. */
struct format_context {
	int64_t realtime_offset_ns; /* CLOCK_REALTIME minus CLOCK_MONOTONIC */
	char instance[40]; /* first part of "id": hash of boot id and start of this collector */
	bool color;        /* text only */
	unsigned width;    /* text only: columns, 0: do not fit */
	const struct host_facts *host; /* NULL: not known */
	/* Techniques of ATT&CK are said of events with at least this severity; 0: as if it were
	 * 4. */
	unsigned attack_severity;
	/* What format.stream appended with the rest of this, once; NULL: nothing. */
	const char *stream;
	size_t stream_len;
};

#define FORMAT_ATTACK_SEVERITY 4
#define FORMAT_ATTACK_NEVER    6
/* Of a collector that started at instance_ns (CLOCK_REALTIME), for no terminal. */
struct format_context format_context__of(const char *boot_id, uint64_t instance_ns,
                                         int64_t realtime_offset_ns);

/* What pytrail says of its own doings, in the stream. */
struct alert {
	int64_t time_ns;            /* CLOCK_REALTIME */
	const char *alert;          /* a word that stays: "output_held" */
	const char *output;         /* name of the output it is about, NULL: none */
	const char *message;        /* for people; any bytes: a peer may have had its say in it */
	int64_t since_ns;           /* when what is told began, 0: not told */
	const struct pt_task *task; /* pid and comm of the process it is about, NULL: none */
};

struct format {
	const char *name;
	/* Each appends one whole record, its newline included, to out. */
	void (*event)(struct buf *out, const struct event *ev, const struct format_context *ctx);
	/*
	 * what: "exec", "exit", "attach" or "detach", the last two for a record that
	 * reader__attach() accepts; facts are never NULL, but may be partial
	 */
	void (*process)(struct buf *out, const struct pt_rec *rec, const char *what,
	                const struct process *facts, uint64_t seq, const struct format_context *ctx);
	void (*lost)(struct buf *out, const struct pt_lost *lost, uint64_t seq,
	             const struct format_context *ctx);
	/* NULL, or appends what is the same in all records of a stream: the host, this program. */
	void (*stream)(struct buf *out, const struct format_context *ctx);
	/* NULL: the format cannot say it, and does not */
	void (*alert)(struct buf *out, const struct alert *alert, uint64_t seq,
	              const struct format_context *ctx);
};

static inline bool format__says_attack(const struct format_context *ctx, unsigned severity)
{
	return severity >= (ctx->attack_severity ? ctx->attack_severity : FORMAT_ATTACK_SEVERITY);
}

/* --attack: "high", "all", "none". 0, or -EINVAL with the reason said. */
int format__take_attack(const char *text, unsigned *severity);

/* NULL: no such format. */
const struct format *format__find(const char *name, size_t len);
/* Why a process is seen no more (enum pt_detach_reason): "exit", "exec", "file", "end";
 * "unknown". */
const char *detach_reason__name(uint8_t reason);
/* "usdt" or "uprobe". */
const char *probe__name(uint8_t probe);

/* "text, json", for error messages. */
const char *format__names(void);

extern const struct format format_json, format_text, format_ecs, format_ocsf, format_cef, format_leef;

/*
 * Appends only the JSON object of the arguments, `{"path":"/","mode":"r"}`, and, to `notes` when it
 * is not NULL, `,"truncated":{…},"unreadable":[…]` where there is anything to say. The hot path of
 * every JSON-based format, and what the decoder's tests call.
 */
void json__args(struct buf *out, struct buf *notes, const struct event *ev);

/* A JSON string, quotes included, of bytes that should be UTF-8: bad bytes become \udcXX escapes
 * (as Python's surrogateescape), controls are escaped, so is DEL. */
void json__string(struct buf *out, const char *s, size_t len);

/* The JSON schema of the `json` format, as `pytrail events --json-schema` prints it. */
extern const char json_schema[];

#endif
