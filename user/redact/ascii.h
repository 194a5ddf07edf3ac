/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Characters as URLs and command lines have them, whatever the locale. */
#ifndef PYTRAIL_ASCII_H
#define PYTRAIL_ASCII_H

#include <stdbool.h>
#include <stdint.h>

static inline bool ascii__is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static inline bool ascii__is_upper(uint8_t c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool ascii__is_lower(uint8_t c)
{
	return c >= 'a' && c <= 'z';
}

static inline bool ascii__is_letter(uint8_t c)
{
	return ascii__is_upper(c) || ascii__is_lower(c);
}

static inline bool ascii__is_alnum(uint8_t c)
{
	return ascii__is_letter(c) || ascii__is_digit(c);
}

#endif
