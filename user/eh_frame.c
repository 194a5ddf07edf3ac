/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <string.h>

#include "eh_frame.h"

/* DW_EH_PE_*: format in the low four bits, what it is relative to in the next three. */
#define ENC_UDATA4         0x03
#define ENC_PCREL_SDATA4   0x1b
#define ENC_DATAREL_SDATA4 0x3b
#define ENC_FORMAT         0x0f
#define ENC_OMIT           0xff

/* bytes of an entry of the table: start and FDE, both relative to the header */
#define ENTRY 8

static bool read_s32(const struct elf_image *image, uint64_t address, int32_t *out)
{
	const uint8_t *p;
	size_t len;

	p = elf_image__at(image, address, &len);
	if (!p || len < sizeof(*out))
		return false;
	memcpy(out, p, sizeof(*out));
	return true;
}

bool eh_frame__open(const struct elf_image *image, struct eh_frame *out)
{
	const uint8_t *p;
	uint32_t cnt;
	size_t len;

	*out = (struct eh_frame){.image = image, .header = elf_image__eh_frame_hdr(image)};
	if (!out->header)
		return false;
	/* version 1, encoding of the pointer to .eh_frame, of the count, of the table; then the
	 * three */
	p = elf_image__at(image, out->header, &len);
	if (!p || len < 12 || p[0] != 1 || p[1] != ENC_PCREL_SDATA4 || p[2] != ENC_UDATA4 ||
	    p[3] != ENC_DATAREL_SDATA4)
		return false;
	memcpy(&cnt, p + 8, sizeof(cnt));
	if (cnt > (len - 12) / ENTRY)
		return false;
	out->table = out->header + 12;
	out->cnt = cnt;
	return cnt > 0;
}

static bool read_uleb(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
	unsigned shift = 0;

	for (*out = 0; *p < end && shift < 63; shift += 7) {
		uint8_t byte = *(*p)++;

		*out |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static size_t format_size(uint8_t encoding)
{
	switch (encoding & ENC_FORMAT) {
	case 0x02: /* udata2, sdata2 */
	case 0x0a:
		return 2;
	case 0x03: /* udata4, sdata4 */
	case 0x0b:
		return 4;
	case 0x00: /* absptr, udata8, sdata8 */
	case 0x04:
	case 0x0c:
		return 8;
	}
	return 0;
}

/* "zPLR" and some more letters; an entry of nothing else must not be searched for its end each
 * time. */
#define AUGMENTATION_MAX 16

/* How a CIE's FDEs give addresses; 0 (absolute) when it does not say, ENC_OMIT: not understood. */
static uint8_t cie_encoding(const uint8_t *cie, size_t len)
{
	const uint8_t *p = cie + 9, *end = cie + len;
	const char *augmentation = (const char *)p;
	uint64_t skip;

	/* length, id, version, augmentation, alignments, return column, the augmentation's data */
	if (len < 16 || (cie[8] != 1 && cie[8] != 3))
		return ENC_OMIT;
	p = memchr(p, '\0', end - p < AUGMENTATION_MAX ? (size_t)(end - p) : AUGMENTATION_MAX);
	if (!p)
		return ENC_OMIT;
	p++;
	if (augmentation[0] != 'z')
		return augmentation[0] ? ENC_OMIT : 0;
	if (!read_uleb(&p, end, &skip) || !read_uleb(&p, end, &skip) ||
	    !read_uleb(&p, end, &skip) || !read_uleb(&p, end, &skip))
		return ENC_OMIT;
	for (const char *a = augmentation + 1; *a; a++) {
		size_t size;

		if (p >= end)
			return ENC_OMIT;
		switch (*a) {
		case 'R':
			return *p;
		case 'L':
			p++;
			break;
		case 'P':
			size = format_size(*p);
			if (!size || (size_t)(end - p) < 1 + size)
				return ENC_OMIT;
			p += 1 + size;
			break;
		case 'S':
		case 'B':
			break;
		default:
			return ENC_OMIT;
		}
	}
	return 0;
}

/* The whole entry (CIE or FDE) at an address; entries of 4 GB and more are not looked at. */
static const uint8_t *entry_at(const struct elf_image *image, uint64_t address, size_t *len)
{
	const uint8_t *p;
	uint32_t n;
	size_t all;

	p = elf_image__at(image, address, &all);
	if (!p || all < 8)
		return NULL;
	memcpy(&n, p, sizeof(n));
	if (n < 4 || n == 0xffffffff || n > all - 4)
		return NULL;
	*len = n + 4;
	return p;
}

/* The length of the range of the FDE at an address, 0: not understood. */
static uint64_t fde_range(const struct elf_image *image, uint64_t address)
{
	const uint8_t *fde, *cie;
	size_t len, cie_len, size;
	uint64_t range = 0;
	uint8_t encoding;
	uint32_t back;

	fde = entry_at(image, address, &len);
	if (!fde)
		return 0;
	memcpy(&back, fde + 4, sizeof(back)); /* from this field back to the CIE */
	if (!back)
		return 0;
	cie = entry_at(image, address + 4 - back, &cie_len);
	if (!cie)
		return 0;
	encoding = cie_encoding(cie, cie_len);
	size = encoding == ENC_OMIT ? 0 : format_size(encoding);
	if (!size || len < 8 + 2 * size)
		return 0;
	memcpy(&range, fde + 8 + size, size);
	return range;
}

bool eh_frame__find(const struct eh_frame *f, uint64_t address, uint64_t *start, uint64_t *end)
{
	uint64_t low = 0, high = f->cnt;
	int32_t offset, fde;

	/* The last entry that begins at or before the address. */
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (!read_s32(f->image, f->table + middle * ENTRY, &offset))
			return false;
		if (f->header + (uint64_t)(int64_t)offset <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || !read_s32(f->image, f->table + (low - 1) * ENTRY, &offset) ||
	    !read_s32(f->image, f->table + (low - 1) * ENTRY + 4, &fde))
		return false;
	*start = f->header + (uint64_t)(int64_t)offset;
	if (__builtin_add_overflow(*start, fde_range(f->image, f->header + (uint64_t)(int64_t)fde),
	                           end))
		return false;
	return address >= *start && address < *end;
}
