/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Redaction: what must not leave the host is taken out of an event before any format sees it, so
 * that none can forget. A value that is a secret as a whole becomes a node NODE_REDACTED, with its
 * hash and length; one in the middle of a text becomes `<redacted:ALGORITHM:HASH:LENGTH>` there,
 * and the node gets the flag NODE_F_REDACTED. When nothing in an event is to be hidden, nothing is
 * copied.
 *
 * What is decided where: which argument of which event, events/redact.tsv; what a secret looks like
 * in a text, scan.h; which names are those of secrets, secret_name.h; which rules are on, rules.h.
 * A secret that follows none of these is not found: redaction keeps what is known to be secret from
 * leaving, it proves nothing of the rest.
 *
 * Those who are watched choose the texts. Time and size are in proportion to them; what has more
 * secrets than there is room for is hidden with all that follows.
 */
#ifndef PYTRAIL_REDACT_H
#define PYTRAIL_REDACT_H

#include <stdint.h>

#include "mark.h"
#include "rules.h"
#include "../reader.h"

struct process;
struct redact;

/*
 * For one thread. Takes over the rules (and frees them, on failure too). key: of the hashes, the
 * same key for what is to be compared. NULL: no memory.
 */
struct redact *redact__new(struct redact_rules *rules, const uint8_t key[MARK_KEY_BYTES]);
void redact__free(struct redact *r);

/*
 * The event as it may leave the host: ev itself when nothing in it, its process included, is to be
 * hidden; else one that is valid until the next call and as long as ev. Without memory it has no
 * arguments, which is said as truncated.
 */
const struct event *redact__event(struct redact *r, const struct event *ev);

/*
 * The same of a process's facts, which keep what was made for as long as they are as they are. The
 * last words of a command line that would be several times as long with its marks are one mark.
 */
const struct process *redact__process(struct redact *r, const struct process *p);

/* How many values were hidden so far, in whole or in part; those of a process count once. */
uint64_t redact__count(const struct redact *r);

#endif
