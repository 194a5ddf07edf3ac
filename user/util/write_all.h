/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef PYTRAIL_WRITE_ALL_H
#define PYTRAIL_WRITE_ALL_H

#include <stddef.h>

/* write(2) until all is written, interrupted or not; of a descriptor that blocks. 0 or -errno. */
int write_all(int fd, const void *data, size_t len);

#endif
