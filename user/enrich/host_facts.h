/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is known of the host that records come from; read once for each stream. */
#ifndef PYTRAIL_HOST_FACTS_H
#define PYTRAIL_HOST_FACTS_H

#include <stdbool.h>
#include <stdint.h>

struct host_facts {
	/* "" when not known, any bytes */
	char boot_id[40]; /* /proc/sys/kernel/random/boot_id */
	char id[40];      /* /etc/machine-id */
	char name[256];   /* as the kernel has it */
	char kernel[128]; /* "6.1.0-18-amd64" */
	char arch[66];    /* "x86_64" */
	char os_id[64];   /* os-release(5): ID, NAME, VERSION_ID, PRETTY_NAME */
	char os_name[128];
	char os_version[64];
	char os_pretty[128];
	/* CLOCK_REALTIME minus CLOCK_BOOTTIME; known of the live host only, as a record file does
	 * not say for how long its host was suspended */
	bool has_boottime_offset;
	int64_t boottime_offset_ns;
};

/*
 * Facts of the host with this boot id (NULL: not known). Those of this host when it is the one, in
 * this boot; else the boot id only. live: the records are of now.
 */
void host_facts__read(struct host_facts *h, const char *boot_id, bool live);

/* Takes os_id and so on from the text of an os-release(5) file. */
void host_facts__os_release(struct host_facts *h, const char *text);

#endif
