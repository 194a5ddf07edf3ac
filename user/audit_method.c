/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <string.h>

#include "audit_method.h"
#include "code_insn.h"

#define METHOD_SIZE   32
#define METH_FASTCALL 0x80

static bool is_string(const struct elf_image *image, uint64_t address, const char *text, size_t n)
{
	const uint8_t *p;
	size_t len;

	p = elf_image__at(image, address, &len);
	return p && len >= n && !memcmp(p, text, n);
}

/* The doc string comes from Argument Clinic: it begins with the signature. A build without doc
 * strings has "" there. */
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

#define PARTS_MAX    16
#define FUNCTION_MAX 65536 /* bytes of a part that are looked at */

struct search {
	const struct elf_image *image;
	const struct audit_symbols *symbols;
	const uint64_t *callees;
	size_t callees_cnt;
	struct code_range parts[PARTS_MAX]; /* of other functions or of the same, split off */
	size_t parts_cnt;
};

static bool is_callee(const struct search *s, uint64_t address)
{
	address = code_scan__through_plt(s->image, address);
	for (size_t i = 0; i < s->callees_cnt; i++)
		if (s->callees[i] == address)
			return true;
	return false;
}

static void add_part(struct search *s, const struct code_range *from, uint64_t target)
{
	struct code_range part;

	if ((target >= from->start && target < from->end) || s->parts_cnt == PARTS_MAX ||
	    !audit_symbols__function(s->symbols, target, &part))
		return;
	for (size_t i = 0; i < s->parts_cnt; i++)
		if (s->parts[i].start == part.start)
			return;
	s->parts[s->parts_cnt++] = part;
}

enum follow { NOTHING, JUMPS, CALLS };

/* The end of what is looked at of a part. */
static uint64_t part_end(const struct code_range *part)
{
	return part->end - part->start < FUNCTION_MAX ? part->end : part->start + FUNCTION_MAX;
}

/* Whether there is a call of a callee in this part, and where the first one is; notes where the
 * jumps or calls in it lead to. */
static bool search_part(struct search *s, const struct code_range *part, enum follow follow,
                        struct code_range *call)
{
	struct code_insn insn;
	bool found = false;

	for (uint64_t at = part->start; at < part_end(part); at = insn.next) {
		if (!code_insn__at(s->image, at, &insn))
			break;
		if (!insn.has_target)
			continue;
		if (insn.flow == CODE_CALL && !found && is_callee(s, insn.target)) {
			*call = (struct code_range){insn.address, insn.next + 1};
			found = true;
		}
		if (follow == (insn.flow == CODE_CALL ? CALLS : JUMPS))
			add_part(s, part, insn.target);
	}
	return found;
}

/* The callee of the first call whose third argument is the format "O". */
static bool search_variadic(struct search *s, const struct code_range *part, uint64_t *callee)
{
	struct code_values values = {0};
	struct code_insn insn;
	uint64_t format;

	for (uint64_t at = part->start; at < part_end(part); at = insn.next) {
		if (!code_insn__at(s->image, at, &insn))
			return false;
		code_values__step(&values, s->image, at);
		if (insn.flow != CODE_CALL)
			continue;
		*callee = insn.target;
		if (insn.has_target && code_values__argument(&values, s->image, 2, &format) &&
		    is_string(s->image, format, "O", 2))
			return true;
		values.known = 0;
	}
	return false;
}

bool audit_method__variadic(const struct elf_image *image, const struct audit_symbols *symbols,
                            uint64_t function, uint64_t *callee)
{
	struct search s = {.image = image, .symbols = symbols};
	struct code_range call, own;

	if (!audit_symbols__function(symbols, function, &own))
		own.end = code_scan__function_end(image, function);
	own.start = function;
	if (search_variadic(&s, &own, callee))
		return true;
	search_part(&s, &own, JUMPS, &call);
	for (size_t i = 0; i < s.parts_cnt; i++)
		if (search_variadic(&s, &s.parts[i], callee))
			return true;
	return false;
}

size_t audit_method__calls_on(const struct elf_image *image, const struct audit_symbols *symbols,
                              uint64_t function, const uint64_t *callees, size_t cnt,
                              struct code_range *out)
{
	struct search s = {.image = image, .symbols = symbols, .callees = callees, .callees_cnt = cnt};
	struct code_range call, own;
	size_t found = 0;

	if (!audit_symbols__function(symbols, function, &own)) {
		own = (struct code_range){function, code_scan__function_end(image, function)};
		*out = own;
		return search_part(&s, &own, NOTHING, out);
	}
	own.start = function;
	*out = own;
	if (search_part(&s, &own, JUMPS, &call))
		found++;
	for (int again = 0; !found && again < 2; again++) {
		if (again) {
			s.parts_cnt = 0;
			search_part(&s, &own, CALLS, &call);
		}
		for (size_t i = 0; i < s.parts_cnt; i++)
			if (search_part(&s, &s.parts[i], NOTHING, &call)) {
				*out = s.parts[i];
				found++;
			}
	}
	return found;
}
