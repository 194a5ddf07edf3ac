/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* CRC-32C (Castagnoli), as RFC 3720 appendix B.4 defines it; by the CPU's instruction where it has
 * one. */
#ifndef PYTRAIL_CRC32C_H
#define PYTRAIL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of data behind what gave `crc`; 0 at the start. A seed other than 0 gives another checksum of the
 * same data. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);
/* The same without the instruction, for tests. */
uint32_t crc32c__portable(uint32_t crc, const void *data, size_t len);

#endif
