/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <string.h>

#include "audit_method.h"

#define METHOD_SIZE   32
#define METH_FASTCALL 0x80

static bool is_string(const struct elf_image *image, uint64_t address, const char *text, size_t n)
{
	const uint8_t *p;
	size_t len;

	p = elf_image__at(image, address, &len);
	return p && len >= n && !memcmp(p, text, n);
}

/* The doc string comes from Argument Clinic: it begins with the signature. A build without doc strings
 * has "" there. */
static bool is_audit(const struct elf_image *image, const uint8_t *method, uint64_t *function)
{
	uint64_t name, meth, doc;
	uint32_t flags;
	size_t len;

	memcpy(&name, method, 8);
	if (!name || !is_string(image, name, "audit", 6))
		return false;
	memcpy(&meth, method + 8, 8);
	memcpy(&flags, method + 16, 4);
	memcpy(&doc, method + 24, 8);
	if (flags != METH_FASTCALL || !elf_image__code(image, meth, &len))
		return false;
	if (!is_string(image, doc, "audit(", 6) && !is_string(image, doc, "", 1))
		return false;
	*function = meth;
	return true;
}

bool audit_method__find(const struct elf_image *image, uint64_t *function)
{
	const struct elf_image_segment *s;
	uint64_t found = 0;
	size_t cnt;

	s = elf_image__segments(image, &cnt);
	for (size_t i = 0; i < cnt; i++)
		for (size_t pos = -s[i].address & 7;
		     s[i].writable && s[i].len >= METHOD_SIZE && pos <= s[i].len - METHOD_SIZE;
		     pos += 8) {
			uint64_t one;

			if (!is_audit(image, s[i].bytes + pos, &one))
				continue;
			if (found && one != found)
				return false;
			found = one;
		}
	*function = found;
	return found != 0;
}
