// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "singletons.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* _PyRuntime is 0.2 to 0.7 MB; one that says more is not looked through. */
#define RUNTIME_MAX (4u << 20)

/* _PY_NSMALLNEGINTS and _PY_NSMALLPOSINTS (pycore_long.h); up to 3.14, later ones have more. */
#define INTS_MIN (5 + 257)
#define INTS_MAX (5 + 4096)

struct bytes {
	const uint8_t *data;
	uint64_t len;
};

static uint64_t word(const uint8_t *at)
{
	uint64_t w;

	memcpy(&w, at, sizeof(w));
	return w;
}

static bool is_int(const uint8_t *at, const struct pt_layout *l, int value)
{
	uint64_t magnitude = (uint64_t)(value < 0 ? -value : value);
	uint64_t size = value < 0 ? (uint64_t)-1 : value > 0;
	uint32_t digit;

	/* _PyLong_FALSE_TAG and its like: sign in the two lowest bits, digits from the third on;
	 * from 3.14 on the third bit says that it is immortal, and the digits are still behind
	 * it */
	if (l->int_tagged) {
		size = value < 0 ? 1 << 3 | 2 : value ? 1 << 3 : 1;
		if ((word(at + l->int_size) & ~4ull) != size)
			return false;
	} else if (word(at + l->int_size) != size) {
		return false;
	}
	memcpy(&digit, at + l->int_digits, sizeof(digit));
	return digit == magnitude;
}

static bool is_char(const uint8_t *at, const struct pt_layout *l, int value)
{
	uint32_t state;

	memcpy(&state, at + l->str_state, sizeof(state));
	return word(at + l->str_length) == 1 && (state >> l->str_kind_shift & 7) == 1 &&
	       state >> l->str_compact_shift & 1 && state >> l->str_ascii_shift & 1 &&
	       at[l->str_ascii] == value && !at[l->str_ascii + 1];
}

/* How many objects of consecutive values, from `first` on, lie at `at`. */
static uint32_t run(const struct bytes *b, uint64_t at, uint32_t object, const struct pt_layout *l,
                    bool (*is)(const uint8_t *, const struct pt_layout *, int), int first,
                    uint32_t max)
{
	uint32_t n = 0;

	while (n < max && object <= b->len - at && is(b->data + at, l, first + (int)n)) {
		n++;
		at += object;
	}
	return n;
}

static uint32_t rounded(uint32_t size)
{
	return (size + 7) & ~7u;
}

static void look(const struct bytes *b, uint64_t address, const struct pt_layout *l,
                 struct pt_singletons *out)
{
	/* struct { PyLongObject: its one digit }, struct { PyASCIIObject; uint8_t[2] } */
	uint32_t int_size = rounded(l->int_digits + 4u), char_size = rounded(l->str_ascii + 2u);
	uint32_t n;

	for (uint64_t at = 0; at < b->len; at += 8) {
		n = out->ints_cnt ? 0 : run(b, at, int_size, l, is_int, -5, INTS_MAX);
		if (n >= INTS_MIN) {
			out->ints = address + at;
			out->ints_cnt = n;
			out->int_size = (uint16_t)int_size;
		}
		n = out->chars_cnt ? 0 : run(b, at, char_size, l, is_char, 0, 128);
		if (n == 128) {
			out->chars = address + at;
			out->chars_cnt = 128;
			out->char_size = (uint16_t)char_size;
		}
		if (out->ints_cnt && out->chars_cnt)
			return;
	}
}

void singletons__find(struct elf_file *e, uint64_t address, uint64_t size,
                      const struct pt_layout *layout, struct pt_singletons *out)
{
	uint64_t offset;
	struct bytes b;
	void *data;

	if (!size || size > RUNTIME_MAX || !elf_file__address_to_offset(e, address, &offset))
		return;
	data = elf_file__load(e, offset, size);
	if (!data)
		return;
	b = (struct bytes){data, size};
	look(&b, address, layout, out);
	free(data);
}
