// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Any bytes as section .note.stapsdt: texts that end within it, and arguments that the programs can
 * take. */
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/wire.h"
#include "user/usdt_note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARGS_MAX 3

static void check_text(const char *s, const uint8_t *data, size_t size)
{
	const uint8_t *at = (const uint8_t *)s;

	if (at < data || at >= data + size || !memchr(at, 0, (size_t)(data + size - at)))
		abort();
}

static void check_args(unsigned machine, const char *text)
{
	struct pt_arg args[ARGS_MAX + 1], behind;

	memset(args, 0xa5, sizeof(args));
	behind = args[ARGS_MAX];
	if (usdt__parse_args(machine, text, args, ARGS_MAX) > strlen(text) ||
	    memcmp(&args[ARGS_MAX], &behind, sizeof(behind)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	struct usdt_iter it = {.data = copy, .len = size};
	struct usdt_note note;
	size_t before = 0;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	while (usdt_iter__next(&it, &note)) {
		check_text(note.provider, copy, size);
		check_text(note.name, copy, size);
		check_text(note.args, copy, size);
		if (it.pos <= before || it.pos > size)
			abort();
		before = it.pos;
		check_args(EM_X86_64, note.args);
		check_args(EM_AARCH64, note.args);
	}
	/* the text alone, which is most of what there is to parse */
	copy[size] = '\0';
	check_args(EM_X86_64, (char *)copy);
	check_args(EM_AARCH64, (char *)copy);
	free(copy);
	return 0;
}
