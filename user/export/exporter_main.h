/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The exporter: the process without privileges that reads the spool and talks to the receivers. */
#ifndef PYTRAIL_EXPORTER_MAIN_H
#define PYTRAIL_EXPORTER_MAIN_H

/* Its main(), with the descriptors of link.h. Returns its exit status. */
int exporter__main(void);

#endif
