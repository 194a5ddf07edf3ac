/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The notes that <sys/sdt.h> leaves in section .note.stapsdt, one for each probe site, and the text
 * in them that says where the arguments are. Their form is that of SystemTap's wiki page
 * "UserSpaceProbeImplementation". Works on bytes in memory, trusts none of them.
 */
#ifndef PYTRAIL_USDT_NOTE_H
#define PYTRAIL_USDT_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../bpf/wire.h"

struct usdt_note {
	uint64_t location;    /* link-time addresses, before any prelinking */
	uint64_t base;        /* of section .stapsdt.base; 0: not known */
	uint64_t semaphore;   /* 0: none */
	const char *provider; /* terminated, as name and args; they lie in the section's bytes */
	const char *name;
	const char *args;
};

struct usdt_iter {
	const uint8_t *data; /* the section's bytes, borrowed */
	size_t len;
	size_t pos;
};

/* The next stapsdt note; others are skipped. False at the end and at the first note that lies about
 * its size (there is no way to find the one behind it). */
bool usdt_iter__next(struct usdt_iter *it, struct usdt_note *out);

/*
 * Where the arguments are: "8@%rbx -4@-8(%rbp) 8@$5" (machine EM_X86_64) or "8@x0 -4@[sp, 16] 8@5"
 * (EM_AARCH64). Fills up to max entries of out and returns how many there are. One that struct
 * pt_arg cannot express (an indexed address, a float register, a symbol) has kind PT_ARG_NONE.
 */
size_t usdt__parse_args(unsigned machine, const char *text, struct pt_arg *out, size_t max);

#endif
