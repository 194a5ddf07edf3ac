/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Frames of RELP, the reliable event logging protocol, as librelp's doc/relp.html defines them:
 * "TXNR SP COMMAND SP DATALEN [SP DATA] LF".
 */
#ifndef PYTRAIL_RELP_FRAME_H
#define PYTRAIL_RELP_FRAME_H

#include <stddef.h>
#include <stdint.h>

struct buf;

#define RELP_TXNR_MAX 999999999u
/* Of an answer's data; what a server sends beyond is no answer. */
#define RELP_ANSWER_MAX 65536

struct relp_frame {
	uint32_t txnr; /* 0: a hint of the server that nothing was asked for */
	char command[33];
	const char *data; /* points into what was parsed */
	size_t len;
};

void relp_frame__put(struct buf *out, uint32_t txnr, const char *command, const void *data,
                     size_t len);

/* Bytes of the first frame in data; 0: it is not complete; -EBADMSG: it is no frame of a server. */
long relp_frame__parse(const char *data, size_t len, struct relp_frame *out);

/* The status of an answer ("200 OK"): 200, 500; -EBADMSG. *text: what follows, up to the line's
 * end. */
int relp_frame__status(const struct relp_frame *f, const char **text, size_t *len);

/* Whether an answer to "open" offers a feature: "commands" with "syslog" among its values. */
int relp_frame__offers(const struct relp_frame *f, const char *feature, const char *value);

#endif
