/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "frame_values.h"

const struct value value_unknown;

void frame_values__init(struct frame_values *s, uint64_t function, int sp)
{
	*s = (struct frame_values){.pc = function};
	for (int i = 0; i < FRAME_REGS; i++)
		s->regs[i] = (struct value){ENTRY, i};
	s->regs[sp] = (struct value){FRAME, 0};
}

static void forget(struct frame_values *s, int64_t offset, uint32_t size)
{
	for (size_t i = 0; i < s->slots_cnt;) {
		const struct frame_slot *slot = &s->slots[i];

		if (slot->offset < offset + size && offset < slot->offset + slot->size)
			s->slots[i] = s->slots[--s->slots_cnt];
		else
			i++;
	}
}

void frame_values__store(struct frame_values *s, int64_t offset, uint32_t size, struct value value)
{
	forget(s, offset, size);
	if (value.kind != UNKNOWN && s->slots_cnt < FRAME_SLOTS)
		s->slots[s->slots_cnt++] = (struct frame_slot){offset, size, value};
}

struct value frame_values__load(const struct frame_values *s, int64_t offset, uint32_t size)
{
	for (size_t i = 0; i < s->slots_cnt; i++) {
		const struct frame_slot *slot = &s->slots[i];
		int64_t into = offset - slot->offset;

		if (slot->offset == offset && slot->size == size)
			return slot->value;
		/* A part of a constant: both halves of a va_list's first word are stored at
		 * once. */
		if (slot->value.kind == CONST && size == 4 && into >= 0 && into + 4 <= slot->size)
			return (struct value){CONST,
			                      (int64_t)(uint32_t)(slot->value.n >> (8 * into))};
	}
	/* two constants side by side: what a vector register copies at once */
	if (size == 8) {
		struct value low = frame_values__load(s, offset, 4);
		struct value high = frame_values__load(s, offset + 4, 4);

		if (low.kind == CONST && high.kind == CONST)
			return (struct value){CONST,
			                      (int64_t)((uint64_t)high.n << 32 | (uint32_t)low.n)};
	}
	return value_unknown;
}

void frame_values__add(struct frame_values *s, int reg, int64_t n)
{
	if (s->regs[reg].kind == FRAME && n >= -(1 << 24) && n <= 1 << 24)
		s->regs[reg].n += n;
	else
		s->regs[reg] = value_unknown;
}

bool value__is(struct value value, enum value_kind kind, int64_t n)
{
	return value.kind == kind && value.n == n;
}

bool frame_values__saved_at(const struct frame_values *s, int reg, int64_t *offset)
{
	for (size_t i = 0; i < s->slots_cnt; i++)
		if (value__is(s->slots[i].value, ENTRY, reg) && s->slots[i].size == 8) {
			*offset = s->slots[i].offset;
			return true;
		}
	return false;
}
