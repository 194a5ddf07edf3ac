/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the registers and the frame of a function hold while its code is followed with symbolic
 * values: what came in, addresses in the frame, constants. What is not understood is not known: a
 * proof fails then, no more.
 */
#ifndef PYTRAIL_FRAME_VALUES_H
#define PYTRAIL_FRAME_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_REGS  33 /* of the architecture with most */
#define FRAME_SLOTS 48
#define FRAME_PARTS 32 /* vector registers */

enum value_kind {
	UNKNOWN,
	ENTRY, /* what register n held at the function's entry */
	FRAME, /* the stack pointer at the entry plus n */
	CONST, /* n */
};

struct value {
	enum value_kind kind;
	int64_t n;
};

/* What is stored in the frame, at an offset from the stack pointer at the entry. */
struct frame_slot {
	int64_t offset;
	uint32_t size;
	struct value value;
};

struct frame_values {
	uint64_t pc;
	struct value regs[FRAME_REGS];
	/* of vector registers that words of the frame are copied by */
	struct value halves[FRAME_PARTS][2];
	struct frame_slot slots[FRAME_SLOTS];
	size_t slots_cnt;
	/* it has asked for vector registers with arguments, as variadic functions do */
	bool vectors;
};

extern const struct value value_unknown;

/* At the entry of a function, whose stack pointer is register sp. */
void frame_values__init(struct frame_values *s, uint64_t function, int sp);

/* Words of `size` bytes. One that there is no room for is not known then. */
void frame_values__store(struct frame_values *s, int64_t offset, uint32_t size, struct value value);
struct value frame_values__load(const struct frame_values *s, int64_t offset, uint32_t size);

/* reg += n, of an address in the frame; anything else is not known afterwards. */
void frame_values__add(struct frame_values *s, int reg, int64_t n);

bool value__is(struct value value, enum value_kind kind, int64_t n);

/* Where a register's value at the entry has been saved, all 8 bytes of it. */
bool frame_values__saved_at(const struct frame_values *s, int reg, int64_t *offset);

#endif
