// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Singletons are found in a file's _PyRuntime by what they look like, or not at all. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "user/layouts.h"
#include "user/singletons.h"

#define ADDRESS 0x400000u
#define SIZE    65536u
#define INTS \
	4104u /* where each array begins; nothing but 8 bytes is known of how they are aligned */
#define CHARS 40008u

static uint8_t file[SIZE];

static void put(uint32_t at, uint64_t value, size_t len)
{
	memcpy(file + at, &value, len);
}

/* An ELF file of one writable segment that is all of it. */
static void make_file(void)
{
	Elf64_Ehdr head = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		            ELFDATA2LSB,
#else
		            ELFDATA2MSB,
#endif
		            EV_CURRENT},
		.e_type = ET_DYN,
#if defined(__x86_64__)
		.e_machine = EM_X86_64,
#else
		.e_machine = EM_AARCH64,
#endif
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1
	};
	Elf64_Phdr load = {.p_type = PT_LOAD,
	                   .p_flags = PF_R | PF_W,
	                   .p_vaddr = ADDRESS,
	                   .p_filesz = SIZE,
	                   .p_memsz = SIZE,
	                   .p_align = 4096};

	memset(file, 0x55, sizeof(file));
	memcpy(file, &head, sizeof(head));
	memcpy(file + sizeof(head), &load, sizeof(load));
}

static void put_ints(const struct pt_layout *l, uint32_t object, int cnt)
{
	for (int i = 0; i < cnt; i++) {
		uint32_t at = INTS + (uint32_t)i * object;
		int v = i - 5;

		if (l->int_tagged)
			put(at + l->int_size, v < 0 ? 10 : v ? 8 : 1, 8);
		else
			put(at + l->int_size, v < 0 ? ~0ull : v > 0, 8);
		put(at + l->int_digits, (uint64_t)(v < 0 ? -v : v), 4);
	}
}

static void put_chars(const struct pt_layout *l, uint32_t object, int cnt)
{
	for (int i = 0; i < cnt; i++) {
		uint32_t at = CHARS + (uint32_t)i * object;

		put(at + l->str_length, 1, 8);
		put(at + l->str_state,
		    1u << l->str_kind_shift | 1u << l->str_compact_shift | 1u << l->str_ascii_shift,
		    4);
		put(at + l->str_ascii, (uint64_t)i, 2);
	}
}

static struct pt_singletons found(const struct pt_layout *l, uint64_t address, uint64_t size)
{
	struct pt_singletons out = {0};
	struct elf_file *e;
	int fd = memfd_create("elf", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, file, sizeof(file)), sizeof(file));
	assert_int_equal(elf_file__open(fd, &e), 0);
	singletons__find(e, address, size, l, &out);
	elf_file__close(e);
	close(fd);
	return out;
}

static void test_versions(void **state)
{
	static const struct {
		uint32_t version, int_size, char_size;
		int ints;
	} rows[] = {
		{0x030b02f0, 32, 56, 262},
		{0x030c00f0, 32, 48, 262},
		{0x030e00f0, 32, 48, 262},
		{0x030f00f0, 32, 48, 1030},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct pt_layout *l = layouts__find(rows[i].version, false);
		struct pt_singletons s;

		assert_non_null(l);
		make_file();
		put_ints(l, rows[i].int_size, rows[i].ints);
		put_chars(l, rows[i].char_size, 128);
		s = found(l, ADDRESS + 4096, SIZE - 4096);
		assert_int_equal(s.ints, ADDRESS + INTS);
		assert_int_equal(s.ints_cnt, rows[i].ints);
		assert_int_equal(s.int_size, rows[i].int_size);
		assert_int_equal(s.chars, ADDRESS + CHARS);
		assert_int_equal(s.chars_cnt, 128);
		assert_int_equal(s.char_size, rows[i].char_size);
	}
}

static void test_not_there(void **state)
{
	const struct pt_layout *l = layouts__find(0x030b02f0, false);
	struct pt_singletons s;

	make_file();
	put_ints(l, 32, 261);
	put_chars(l, 56, 127);
	s = found(l, ADDRESS, SIZE);
	assert_int_equal(s.ints_cnt, 0);
	assert_int_equal(s.chars_cnt, 0);
	/* another value in the middle */
	put_ints(l, 32, 262);
	put(INTS + 100 * 32 + l->int_digits, 96, 4);
	put_chars(l, 56, 128);
	put(CHARS + 50 * 56 + l->str_state, 0, 4);
	s = found(l, ADDRESS, SIZE);
	assert_int_equal(s.ints_cnt, 0);
	assert_int_equal(s.chars_cnt, 0);
}

/* A symbol's address and size are the file's word. */
static void test_lying_symbol(void **state)
{
	const struct pt_layout *l = layouts__find(0x030b02f0, false);
	static const struct {
		uint64_t address, size;
	} lies[] = {{0, SIZE},           {ADDRESS, 0},         {ADDRESS, ~0ull},
	            {ADDRESS + 8, SIZE}, {ADDRESS - 8, SIZE},  {~0ull - 7, 64},
	            {ADDRESS, 7},        {ADDRESS + INTS, 31}, {ADDRESS + SIZE - 4, 64}};

	make_file();
	put_ints(l, 32, 262);
	put_chars(l, 56, 128);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct pt_singletons s = found(l, lies[i].address, lies[i].size);

		assert_int_equal(s.ints_cnt, 0);
		assert_int_equal(s.chars_cnt, 0);
	}
	/* the end of an array is cut off with the symbol */
	assert_int_equal(found(l, ADDRESS, INTS + 262 * 32 - 1).ints_cnt, 0);
	assert_int_equal(found(l, ADDRESS, INTS + 262 * 32).ints_cnt, 262);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_not_there),
		cmocka_unit_test(test_lying_symbol),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
