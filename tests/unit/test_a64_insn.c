/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Instructions of arm64 code: words as GNU as makes them of the text beside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "a64_insn.h"

#define AT   0x401000
#define R(n) (1u << (n))
#define SP   (1u << A64_SP)

static bool decode(uint32_t word, struct a64_insn *out)
{
	uint8_t bytes[4];

	memcpy(bytes, &word, sizeof(bytes));
	return a64_insn__decode(bytes, sizeof(bytes), AT, out);
}

/* What kind it is, what it writes, and what the kernel makes of a probe on it. */
static void test_kinds(void **state)
{
	enum { NO, STEPPED, SIMULATED };
	static const struct {
		uint32_t word;
		const char *text;
		enum a64_kind kind;
		uint32_t written;
		int probed;
	} cases[] = {
		{0xd503201f, "nop", A64_NOP, 0, STEPPED},
		{0xd503245f, "bti c", A64_NOP, 0, STEPPED},
		{0xd503233f, "paciasp", A64_NOP, 0, STEPPED},
		{0xd503203f, "yield", A64_NOP, 0, NO},
		{0x14000002, "b .+8", A64_JUMP, 0, SIMULATED},
		{0x97ffffff, "bl .-4", A64_CALL, R(30), SIMULATED},
		{0x54000081, "b.ne .+16", A64_CONDITIONAL, 0, SIMULATED},
		{0xb4000063, "cbz x3, .+12", A64_CONDITIONAL, 0, SIMULATED},
		{0x372fffc4, "tbnz w4, #5, .-8", A64_CONDITIONAL, 0, SIMULATED},
		{0xd61f0220, "br x17", A64_JUMP, 0, SIMULATED},
		{0xd63f0100, "blr x8", A64_CALL, R(30), SIMULATED},
		{0xd65f03c0, "ret", A64_END, 0, NO},
		{0xd4000001, "svc #0", A64_END, 0, NO},
		{0xd42000a0, "brk #5", A64_END, 0, NO},
		{0xd53bd043, "mrs x3, tpidr_el0", A64_OTHER, R(3), STEPPED},
		{0xd5033bbf, "dmb ish", A64_OTHER, 0, STEPPED},
		{0x100000a1, "adr x1, .+20", A64_CONST, R(1), SIMULATED},
		{0x90000002, "adrp x2, .", A64_CONST, R(2), SIMULATED},
		{0x910043fd, "add x29, sp, #0x10", A64_ADD, R(29), STEPPED},
		{0x914007ff, "add sp, sp, #1, lsl #12", A64_ADD, SP, STEPPED},
		{0xf1001041, "subs x1, x2, #4", A64_ADD, R(1), STEPPED},
		{0xf100103f, "cmp x1, #4", A64_ADD, 0, STEPPED},
		{0xaa0903e5, "mov x5, x9", A64_MOVE, R(5), STEPPED},
		{0x910003e0, "mov x0, sp", A64_ADD, R(0), STEPPED},
		{0x128005e4, "mov w4, #-48", A64_CONST, R(4), STEPPED},
		{0xf2800027, "movk x7, #1", A64_OTHER, R(7), STEPPED},
		{0x927cec7f, "and sp, x3, #~15", A64_OTHER, SP, STEPPED},
		{0xa9b07bfd, "stp x29, x30, [sp, #-256]!", A64_STORE, SP, STEPPED},
		{0xa8d07bfd, "ldp x29, x30, [sp], #256", A64_LOAD, SP | R(29) | R(30), STEPPED},
		{0xad4187e0, "ldp q0, q1, [sp, #48]", A64_LOAD, 0, STEPPED},
		{0x3d8033e7, "str q7, [sp, #192]", A64_STORE, 0, STEPPED},
		{0xf9466020, "ldr x0, [x1, #3264]", A64_LOAD, R(0), STEPPED},
		{0xb81f0fe2, "str w2, [sp, #-16]!", A64_STORE, SP, STEPPED},
		{0x58000209, "ldr x9, .+64", A64_LOAD, R(9), NO},
		{0xf8e10062, "ldaddal x1, x2, [x3]", A64_MEMORY, R(2) | R(3), STEPPED},
		{0xf9800000, "prfm pldl1keep, [x0]", A64_OTHER, 0, STEPPED},
		{0xfa421020, "ccmp x1, x2, #0, ne", A64_OTHER, 0, STEPPED},
		{0x9e660083, "fmov x3, d4", A64_OTHER, R(3), STEPPED},
		{0x8b050083, "add x3, x4, x5", A64_OTHER, R(3), STEPPED},
		{0x8b3063ff, "add sp, sp, x16", A64_OTHER, SP, STEPPED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct a64_insn insn;
		int probed;

		if (!decode(cases[i].word, &insn))
			fail_msg("%s is not understood", cases[i].text);
		probed = a64_insn__is_simulated(&insn)   ? SIMULATED
		         : a64_insn__is_steppable(&insn) ? STEPPED
		                                         : NO;
		if (insn.kind != cases[i].kind || insn.written != cases[i].written ||
		    probed != cases[i].probed)
			fail_msg("%s: kind %d, writes %#x, probed %d", cases[i].text, insn.kind,
			         insn.written, probed);
	}
}

/* Exclusive accesses: what is written may be said of more registers than it is, never of fewer. */
static void test_exclusive(void **state)
{
	static const struct {
		uint32_t word, written;
	} cases[] = {
		{0xc85f7c41, R(1)}, /* ldxr x1, [x2] */
		{0xc803fc41, R(3)}, /* stlxr w3, x1, [x2] */
		{0xc8e1fc62, R(1)}, /* casal x1, x2, [x3] */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct a64_insn insn;

		assert_true(decode(cases[i].word, &insn));
		assert_int_equal(insn.kind, A64_MEMORY);
		assert_int_equal(insn.written & cases[i].written, cases[i].written);
		assert_false(a64_insn__is_simulated(&insn));
		assert_false(a64_insn__is_steppable(&insn));
	}
}

static void test_targets(void **state)
{
	static const struct {
		uint32_t word;
		int64_t offset;
	} cases[] = {
		{0x14000002, 8},  {0x97ffffff, -4}, {0x54000081, 16},
		{0xb4000063, 12}, {0x372fffc4, -8}, {0x17ffffe8, -96},
	};
	struct a64_insn insn;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(decode(cases[i].word, &insn));
		assert_true(insn.has_target);
		assert_int_equal(insn.target, AT + cases[i].offset);
	}
	assert_true(decode(0xd61f0220, &insn)); /* br x17 */
	assert_false(insn.has_target);
}

static void test_values(void **state)
{
	struct a64_insn insn;

	assert_true(decode(0x100000a1, &insn)); /* adr x1, .+20 */
	assert_int_equal(insn.imm, AT + 20);
	assert_true(decode(0xd0002cc0, &insn)); /* adrp x0, 0x59a pages on */
	assert_int_equal(insn.rd, 0);
	assert_int_equal(insn.imm, AT + 0x59a000);
	assert_true(decode(0x12800fe3, &insn)); /* mov w3, #-128: the upper half is cleared */
	assert_int_equal(insn.imm, 0xffffff80);
	assert_true(decode(0xd2a24687, &insn)); /* movz x7, #0x1234, lsl #16 */
	assert_int_equal(insn.imm, 0x12340000);
	assert_true(decode(0x914007ff, &insn)); /* add sp, sp, #1, lsl #12 */
	assert_int_equal(insn.imm, 4096);
	assert_int_equal(insn.rn, A64_SP);
	assert_true(decode(0xd10103ff, &insn)); /* sub sp, sp, #0x40 */
	assert_int_equal(insn.imm, -64);
	assert_true(insn.wide);
	assert_true(decode(0x2a0903e5, &insn)); /* mov w5, w9 */
	assert_false(insn.wide);
	assert_int_equal(insn.rn, 9);
}

static void test_memory(void **state)
{
	static const struct {
		uint32_t word;
		const char *text;
		uint8_t rn, cnt, size, rt0, rt1;
		bool vector, exact;
		int64_t imm, step;
	} cases[] = {
		{0xa9b07bfd, "stp x29, x30, [sp, #-256]!", A64_SP, 2, 8, 29, 30, false, true, -256,
	         -256},
		{0xa8d07bfd, "ldp x29, x30, [sp], #256", A64_SP, 2, 8, 29, 30, false, true, 0, 256},
		{0x29090fe4, "stp w4, w3, [sp, #72]", A64_SP, 2, 4, 4, 3, false, true, 72, 0},
		{0xad4187e0, "ldp q0, q1, [sp, #48]", A64_SP, 2, 16, 0, 1, true, true, 48, 0},
		{0x3d8033e7, "str q7, [sp, #192]", A64_SP, 1, 16, 7, 0, true, true, 192, 0},
		{0x6d012408, "stp d8, d9, [x0, #16]", 0, 2, 8, 8, 9, true, true, 16, 0},
		{0xf9466020, "ldr x0, [x1, #3264]", 1, 1, 8, 0, 0, false, true, 3264, 0},
		{0xb81f0fe2, "str w2, [sp, #-16]!", A64_SP, 1, 4, 2, 0, false, true, -16, -16},
		{0x394000e6, "ldrb w6, [x7]", 7, 1, 1, 6, 0, false, true, 0, 0},
		{0xb98004e6, "ldrsw x6, [x7, #4]", 7, 1, 4, 6, 0, false, false, 4, 0},
		{0xf8627820, "ldr x0, [x1, x2, lsl #3]", 1, 1, 8, 0, 0, false, false, 0, 0},
		{0xf81f83a2, "stur x2, [x29, #-8]", 29, 1, 8, 2, 0, false, true, -8, 0},
		{0x69010be1, "stgp x1, x2, [sp, #32]", A64_SP, 2, 8, 1, 2, false, false, 32, 0},
		{0xf900001f, "str xzr, [x0]", 0, 1, 8, A64_ZERO, 0, false, true, 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct a64_insn insn;

		assert_true(decode(cases[i].word, &insn));
		if (insn.rn != cases[i].rn || insn.cnt != cases[i].cnt ||
		    insn.size != cases[i].size || insn.rt[0] != cases[i].rt0 ||
		    (insn.cnt > 1 && insn.rt[1] != cases[i].rt1) || insn.vector != cases[i].vector ||
		    insn.exact != cases[i].exact || insn.imm != cases[i].imm ||
		    insn.step != cases[i].step || insn.writes_back != (cases[i].step != 0))
			fail_msg("%s", cases[i].text);
	}
}

static void test_bad(void **state)
{
	static const uint32_t words[] = {
		0x00000007, /* udf #7 */
		0x04000000, /* SVE */
		0x550002cd, /* nearly b.le */

	};
	const uint8_t nop[] = {0x1f, 0x20, 0x03, 0xd5};
	struct a64_insn insn;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_false(decode(words[i], &insn));
	for (size_t len = 0; len < 4; len++)
		assert_false(a64_insn__decode(nop, len, AT, &insn));
	assert_true(a64_insn__decode(nop, 4, AT, &insn));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),   cmocka_unit_test(test_exclusive),
		cmocka_unit_test(test_targets), cmocka_unit_test(test_values),
		cmocka_unit_test(test_memory),  cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
