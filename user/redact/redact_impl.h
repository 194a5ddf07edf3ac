/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the files of redaction share. */
#ifndef PYTRAIL_REDACT_IMPL_H
#define PYTRAIL_REDACT_IMPL_H

#include "mark.h"
#include "plan.h"
#include "redact.h"
#include "rules.h"
#include "scan.h"
#include "../enrich/process.h"
#include "../util/buf.h"

struct redact {
	struct redact_rules rules;
	struct plan *plan;
	struct mark mark;
	uint64_t count;
	struct buf nodes; /* the event's, rewritten */
	struct buf view;  /* a text, one byte a character */
	struct buf utf8;  /* to be hashed */
	struct buf text;  /* of a process, rewritten */
	struct scan scan;
	struct event ev;
	struct process bare; /* of a process whose facts found no room */
	char bare_json[64];
};

/* Fills r->scan with the places of secrets in a text, by `how`. c: of HOW_WORD. */
void redact__find(struct redact *r, const uint8_t *s, size_t len, bool cut, uint8_t how,
                  struct command *c);

#endif
