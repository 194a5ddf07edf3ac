/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What probe_site.c has to know of an architecture. */
#ifndef PYTRAIL_PROBE_SITE_ARCH_H
#define PYTRAIL_PROBE_SITE_ARCH_H

#include <stdbool.h>

#include "probe_site.h"

struct probe_site_arch {
	const uint8_t *args;  /* registers of integer arguments, in order */
	const uint8_t *dwarf; /* the same by DWARF's numbers */
	unsigned args_cnt;
	/* mask of registers that must be whole at the site whatever the function is */
	uint32_t also;
	/* Moves out->address, the entry, to a cheap site and sets stack_moved; needed: mask of
	 * registers. False: why is set. */
	bool (*find_cheap)(const uint8_t *code, size_t len, uint32_t needed, struct probe_site *out);
	/* Whether the entry can be probed at all. False: why is set. */
	bool (*can_be_stepped)(const uint8_t *code, size_t len, struct probe_site *out);
};

extern const struct probe_site_arch probe_site_x86, probe_site_a64;

/* Sets why; false. */
__attribute__((format(printf, 2, 3))) bool probe_site__refuse(struct probe_site *out,
                                                              const char *format, ...);

#endif
