/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <stdlib.h>
#include <string.h>

#include "a64_insn.h"
#include "code_insn.h"
#include "code_scan.h"

#define FUNCTION_MAX 16384 /* bytes */
#define STRINGS_MAX  64
/* Bytes that begin like what is looked for, of all code; the largest interpreters have a
 * million. */
#define PLACES_MAX (4u << 20)
/* Terminators behind a byte that one of the strings ends in. */
#define ENDS_MAX (2u << 20)

static bool in_ranges(const struct code_range *ranges, size_t cnt, uint64_t address)
{
	for (size_t i = 0; i < cnt; i++)
		if (address - ranges[i].start < ranges[i].end - ranges[i].start)
			return true;
	return false;
}

static int32_t read_s32(const uint8_t *p)
{
	int32_t n;

	memcpy(&n, p, sizeof(n));
	return n;
}

/* One opcode at a time: memchr() looks at many bytes at once. */
static bool scan_opcode(const struct elf_image_segment *s, uint8_t opcode,
                        const struct code_range *ranges, size_t cnt, size_t *places, branch_cb cb,
                        void *ctx)
{
	const uint8_t *end = s->bytes + s->len, *p = s->bytes;

	for (; end - p >= 6 && (p = memchr(p, opcode, end - p - 5)); p++) {
		size_t len = opcode == 0x0f ? 6 : 5;
		uint64_t from = s->address + (p - s->bytes), target;

		if (++*places > PLACES_MAX)
			return false;
		if (opcode == 0x0f && (p[1] & 0xf0) != 0x80)
			continue;
		target = from + len + (uint64_t)(int64_t)read_s32(p + len - 4);
		if (!in_ranges(ranges, cnt, target))
			continue;
		if (!cb(ctx, from, target, opcode == 0xe8))
			return false;
	}
	return true;
}

static bool scan_x86(const struct elf_image_segment *s, const struct code_range *ranges, size_t cnt,
                     bool conditional, size_t *places, branch_cb cb, void *ctx)
{
	static const uint8_t opcodes[] = {0xe8, 0xe9, 0x0f};

	for (size_t n = 0; n < (conditional ? 3 : 2); n++)
		if (!scan_opcode(s, opcodes[n], ranges, cnt, places, cb, ctx))
			return false;
	return true;
}

static bool scan_a64(const struct elf_image_segment *s, const struct code_range *ranges, size_t cnt,
                     bool conditional, size_t *places, branch_cb cb, void *ctx)
{
	struct a64_insn insn;

	for (size_t pos = -s->address & 3; pos + 4 <= s->len; pos += 4) {
		if (!a64_insn__decode(s->bytes + pos, s->len - pos, s->address + pos, &insn) ||
		    !insn.has_target || (insn.kind == A64_CONDITIONAL && !conditional))
			continue;
		if (++*places > PLACES_MAX)
			return false;
		if (!in_ranges(ranges, cnt, insn.target))
			continue;
		if (!cb(ctx, insn.address, insn.target, insn.kind == A64_CALL))
			return false;
	}
	return true;
}

bool code_scan__branches(const struct elf_image *image, const struct code_range *ranges, size_t cnt,
                         bool conditional, branch_cb cb, void *ctx)
{
	bool a64 = elf_image__machine(image) == EM_AARCH64;
	const struct elf_image_segment *s;
	size_t segments, places = 0;

	s = elf_image__segments(image, &segments);
	for (size_t i = 0; i < segments; i++)
		if (s[i].executable &&
		    !(a64 ? scan_a64 : scan_x86)(&s[i], ranges, cnt, conditional, &places, cb, ctx))
			return false;
	return true;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

struct loads {
	const uint64_t *addresses;
	size_t cnt;
	bool (*cb)(void *ctx, uint64_t from, uint64_t address);
	void *ctx;
	size_t places;
};

static bool is_wanted(const struct loads *l, uint64_t address)
{
	return address >= l->addresses[0] && address <= l->addresses[l->cnt - 1] &&
	       bsearch(&address, l->addresses, l->cnt, sizeof(address), compare);
}

/* An opcode of so many bytes (the last one is looked for), and the four behind it. */
static bool scan_loads(const struct elf_image_segment *s, const uint8_t *opcode, size_t opcode_len,
                       struct loads *l)
{
	const uint8_t *end = s->bytes + s->len, *p = s->bytes + opcode_len - 1;

	for (; end - p >= 5 && (p = memchr(p, opcode[opcode_len - 1], end - p - 4)); p++) {
		uint64_t from = s->address + (p - s->bytes) - (opcode_len - 1), address;

		if (++l->places > PLACES_MAX)
			return false;
		if (memcmp(p - (opcode_len - 1), opcode, opcode_len))
			continue;
		address = (uint64_t)(int64_t)read_s32(p + 1);
		if (opcode_len > 1) /* relative to the next instruction */
			address += from + opcode_len + 4;
		else
			address = (uint32_t)address;
		if (is_wanted(l, address) && !l->cb(l->ctx, from, address))
			return false;
	}
	return true;
}

static bool scan_loads_x86(const struct elf_image_segment *s, struct loads *l)
{
	static const uint8_t lea[] = {0x48, 0x8d, 0x35}, mov[] = {0xbe}; /* n(%rip) | $n */

	return s->len < sizeof(lea) ||
	       (scan_loads(s, lea, sizeof(lea), l) && scan_loads(s, mov, sizeof(mov), l));
}

/* adr, or adrp and an add: of the page that was last put into the register, wherever that was. */
static bool scan_loads_a64(const struct elf_image_segment *s, struct loads *l)
{
	uint64_t pages[A64_REGS] = {0}, address;
	struct a64_insn insn;

	for (size_t pos = -s->address & 3; pos + 4 <= s->len; pos += 4) {
		if (!a64_insn__decode(s->bytes + pos, s->len - pos, s->address + pos, &insn))
			continue;
		if (a64_insn__is_adr(&insn)) {
			address = pages[insn.rd] = (uint64_t)insn.imm;
		} else if (insn.kind == A64_ADD && insn.wide) {
			address = pages[insn.rn] + (uint64_t)insn.imm;
		} else {
			continue;
		}
		if (insn.rd == 1 && is_wanted(l, address) && !l->cb(l->ctx, insn.address, address))
			return false;
	}
	return true;
}

bool code_scan__loads(const struct elf_image *image, const uint64_t *addresses, size_t cnt,
                      bool (*cb)(void *ctx, uint64_t from, uint64_t address), void *ctx)
{
	bool a64 = elf_image__machine(image) == EM_AARCH64;
	struct loads l = {.addresses = addresses, .cnt = cnt, .cb = cb, .ctx = ctx};
	const struct elf_image_segment *s;
	size_t segments;

	s = elf_image__segments(image, &segments);
	for (size_t i = 0; cnt && i < segments; i++)
		if (s[i].executable && !(a64 ? scan_loads_a64 : scan_loads_x86)(&s[i], &l))
			return false;
	return true;
}

struct string {
	const char *text;
	size_t len;
};

static size_t find_strings(const struct elf_image_segment *s, const struct string *strings,
                           size_t cnt, const bool ends[256], size_t *ends_seen, uint64_t *out,
                           size_t max)
{
	size_t found = 0;

	/* Most bytes are not looked at twice: a terminator, behind the last letter of one of
	 * them. */
	for (size_t end = 1; end < s->len; end++) {
		if (s->bytes[end] || !ends[s->bytes[end - 1]])
			continue;
		if (++*ends_seen > ENDS_MAX)
			break;
		for (size_t n = 0; n < cnt && found < max; n++)
			if (end >= strings[n].len && !memcmp(s->bytes + end - strings[n].len,
			                                     strings[n].text, strings[n].len))
				out[found++] = s->address + end - strings[n].len;
	}
	return found;
}

size_t code_scan__strings(const struct elf_image *image, const char *const *strings, size_t cnt,
                          uint64_t *out, size_t max)
{
	struct string list[STRINGS_MAX];
	const struct elf_image_segment *s;
	size_t segments, found = 0, ends_seen = 0;
	bool ends[256] = {false};

	cnt = cnt < STRINGS_MAX ? cnt : STRINGS_MAX;
	for (size_t n = 0; n < cnt; n++) {
		list[n] = (struct string){strings[n], strlen(strings[n])};
		if (list[n].len)
			ends[(uint8_t)strings[n][list[n].len - 1]] = true;
	}
	s = elf_image__segments(image, &segments);
	for (size_t i = 0; i < segments; i++)
		if (!s[i].writable)
			found += find_strings(&s[i], list, cnt, ends, &ends_seen, out + found,
			                      max - found);
	qsort(out, found, sizeof(*out), compare);
	return found;
}

uint64_t code_scan__function_end(const struct elf_image *image, uint64_t function)
{
	uint64_t at = function, furthest = function;
	bool after_call = false;
	struct code_insn insn;

	while (at - function < FUNCTION_MAX) {
		if (!code_insn__at(image, at, &insn))
			break;
		/* Behind a call that does not return there may be padding only. */
		if (after_call && at > furthest && insn.is_nop)
			break;
		at = insn.next;
		after_call = insn.flow == CODE_CALL;
		if (insn.flow == CODE_ON || after_call)
			continue;
		/* A jump over more than that is to another function, or to a part split off. */
		if (insn.has_target && insn.target > furthest && insn.target - function < FUNCTION_MAX)
			furthest = insn.target;
		if (insn.flow != CODE_CONDITIONAL && at > furthest)
			break;
	}
	return at;
}

uint64_t code_scan__through_plt(const struct elf_image *image, uint64_t address)
{
	uint64_t slot, function;
	size_t len;

	if (code_insn__stub_slot(image, address, &slot) &&
	    elf_image__word(image, slot, &function) && elf_image__code(image, function, &len))
		return function;
	return address;
}
