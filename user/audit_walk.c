/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "audit_walk.h"
#include "walk_arch.h"

#define STEPS_MAX 512
#define PATHS_MAX 16

static const struct walk_arch *arch_of(const struct elf_image *image)
{
	return elf_image__machine(image) == EM_AARCH64 ? &walk_a64 : &walk_x86;
}

/* Whether this call is the one that is looked for; *callee is 0 as long as any one will do. */
static bool is_wanted(const struct walk_arch *arch, const struct frame_values *s,
                      const struct walk_step *step, unsigned first_vararg, uint64_t *callee)
{
	if (!step->has_target || (*callee && step->target != *callee))
		return false;
	if (first_vararg && !arch->passes_arguments(s, first_vararg))
		return false;
	*callee = step->target;
	return true;
}

/* Follows every way through the function to the first call that is wanted. */
static bool walk(const struct elf_image *image, uint64_t function, unsigned first_vararg,
                 uint64_t *callee)
{
	const struct walk_arch *arch = arch_of(image);
	struct frame_values paths[PATHS_MAX];
	struct walk_step step;
	size_t paths_cnt = 1;

	frame_values__init(&paths[0], function, arch->sp);
	for (int n = 0; paths_cnt && n < STEPS_MAX; n++) {
		struct frame_values *s = &paths[paths_cnt - 1];

		if (!arch->step(image, s, &step))
			return false;
		switch (step.flow) {
		case WALK_ON:
			break;
		case WALK_CALL:
			if (is_wanted(arch, s, &step, first_vararg, callee))
				paths_cnt--;
			else
				arch->forget_call(s);
			break;
		case WALK_CONDITIONAL:
			if (!step.has_target || paths_cnt == PATHS_MAX)
				return false;
			paths[paths_cnt] = *s;
			paths[paths_cnt++].pc = step.target;
			break;
		case WALK_JUMP:
			if (!step.has_target)
				return false;
			s->pc = step.target;
			break;
		}
	}
	return !paths_cnt;
}

bool audit_walk__callee(const struct elf_image *image, uint64_t function, unsigned first_vararg,
                        uint64_t *callee)
{
	*callee = 0;
	return first_vararg >= 2 && first_vararg <= 3 && walk(image, function, first_vararg, callee);
}

bool audit_walk__reaches(const struct elf_image *image, uint64_t function, uint64_t callee)
{
	return callee && walk(image, function, 0, &callee);
}

int audit_walk__first_vararg(const struct elf_image *image, uint64_t function)
{
	const struct walk_arch *arch = arch_of(image);
	int end = (int)arch->args_cnt, first = end - 1;
	struct frame_values s;
	struct walk_step step;
	int64_t last, at;

	frame_values__init(&s, function, arch->sp);
	for (int n = 0; n < 64; n++) {
		if (!arch->step(image, &s, &step))
			return -1;
		if (step.flow != WALK_ON && step.flow != WALK_CONDITIONAL)
			break;
	}
	if (!s.vectors || !frame_values__saved_at(&s, arch->args[first], &last))
		return -1;
	while (first && frame_values__saved_at(&s, arch->args[first - 1], &at) &&
	       at == last - 8 * (end - first))
		first--;
	return first;
}
