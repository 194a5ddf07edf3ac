/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How a terminal shows a character. As wcwidth(3), but the same in every locale: what is traced
 * does not speak the locale of who looks on.
 */
#ifndef PYTRAIL_COLUMNS_H
#define PYTRAIL_COLUMNS_H

#include <stdint.h>

/*
 * Columns that the character takes: 1, 2 (East Asian wide, emoji), 0 (combining), or -1 when it
 * must not reach a terminal as it is: controls, what reorders or hides text (bidi and other format
 * characters), separators that look like a space, surrogates, private use, no characters.
 */
int columns__of(uint32_t cp);

/* UTF-8 of a character that is no surrogate; returns the bytes written, at most 4. */
unsigned columns__utf8(char *out, uint32_t cp);

#endif
