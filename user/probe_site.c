/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "probe_site_arch.h"

static const struct probe_site_arch *arch_of(unsigned machine)
{
	return machine == EM_AARCH64 ? &probe_site_a64 : &probe_site_x86;
}

/* Of the function, by number of argument: where the arguments of struct pt_site begin, how many
 * there are, and how many registers must be whole from there on. */
struct needs {
	unsigned first;
	unsigned args;
	unsigned regs;
};

static struct needs needs_of(const struct probe_site_arch *arch, enum pt_entry entry,
                             unsigned first_vararg)
{
	switch (entry) {
	case PT_ENTRY_VA_LIST: /* (tstate, event, format, va_list *) */
		return (struct needs){1, 3, 3};
	case PT_ENTRY_BUILTIN: /* (module, args, nargs) */
		return (struct needs){1, 2, 2};
	case PT_ENTRY_VARIADIC: /* (..., event, format, ...) */
		if (first_vararg >= 2 && first_vararg <= arch->args_cnt)
			return (struct needs){first_vararg - 2, 2,
			                      arch->args_cnt - (first_vararg - 2)};
		break;
	case PT_ENTRY_USDT:
		break;
	}
	return (struct needs){0, 0, arch->args_cnt};
}

static uint32_t needed_mask(const struct probe_site_arch *arch, enum pt_entry entry,
                            unsigned first_vararg)
{
	struct needs needs = needs_of(arch, entry, first_vararg);
	uint32_t mask = arch->also;

	for (unsigned i = needs.first; i < needs.first + needs.regs; i++)
		mask |= 1u << arch->args[i];
	return mask;
}

void probe_site__args(unsigned machine, enum pt_entry entry, unsigned first_vararg,
                      struct pt_arg args[3])
{
	const struct probe_site_arch *arch = arch_of(machine);
	struct needs needs = needs_of(arch, entry, first_vararg);

	memset(args, 0, 3 * sizeof(*args));
	for (unsigned i = 0; i < needs.args; i++)
		args[i] = (struct pt_arg){
			.kind = PT_ARG_REG, .reg = arch->dwarf[needs.first + i], .size = 8};
}

bool probe_site__refuse(struct probe_site *out, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(out->why, sizeof(out->why), format, ap);
	va_end(ap);
	return false;
}

int probe_site__choose(unsigned machine, const uint8_t *code, size_t len, uint64_t address,
                       enum pt_entry entry, unsigned first_vararg, struct probe_site *out)
{
	const struct probe_site_arch *arch = arch_of(machine);
	char why[sizeof(out->why)];

	*out = (struct probe_site){.address = address};
	if (arch->find_cheap(code, len, needed_mask(arch, entry, first_vararg), out))
		return 0;
	memcpy(why, out->why, sizeof(why));
	if (!arch->can_be_stepped(code, len, out))
		return -EINVAL;
	*out = (struct probe_site){.address = address, .price = PROBE_SINGLE_STEPPED};
	memcpy(out->why, why, sizeof(out->why));
	return 0;
}
