/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What audit_walk.c has to know of an architecture. */
#ifndef PYTRAIL_WALK_ARCH_H
#define PYTRAIL_WALK_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf_image.h"
#include "frame_values.h"

enum walk_flow {
	WALK_ON,
	WALK_CALL,
	WALK_CONDITIONAL,
	WALK_JUMP, /* also whatever else ends the way: no target then */
};

struct walk_step {
	enum walk_flow flow;
	bool has_target; /* it is a direct branch */
	uint64_t target;
};

struct walk_arch {
	uint8_t sp;
	const uint8_t *args; /* registers of integer arguments, in order */
	size_t args_cnt;
	/* Takes the instruction at s->pc: its effect, unless it is a branch, and s->pc behind it.
	 * False: not understood. */
	bool (*step)(const struct elf_image *image, struct frame_values *s, struct walk_step *out);
	/* What a call may change; the frame is not known to the callee. */
	void (*forget_call)(struct frame_values *s);
	/* Whether the second to fourth argument are (event, format, va_list) of a function with
	 * that many parameters. */
	bool (*passes_arguments)(const struct frame_values *s, unsigned first_vararg);
};

extern const struct walk_arch walk_x86, walk_a64;

#endif
