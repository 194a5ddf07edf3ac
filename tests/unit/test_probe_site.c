/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which instruction of a function is probed: prologues as they are in interpreters, and made
 * ones. */
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "probe_site.h"

#define ENTRY 0x401000

/* Bytes from hexadecimal, in memory of just that size: a read beyond it shows under ASan. */
static uint8_t *bytes(const char *hex, size_t *len)
{
	uint8_t *out;

	*len = strlen(hex) / 2;
	out = malloc(*len ? *len : 1);
	assert_non_null(out);
	for (size_t i = 0; i < *len; i++) {
		unsigned byte;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		out[i] = (uint8_t)byte;
	}
	return out;
}

static int choose(const char *hex, enum pt_entry entry, unsigned first_vararg, struct probe_site *site)
{
	size_t len;
	uint8_t *code = bytes(hex, &len);
	int err = probe_site__choose(EM_X86_64, code, len, ENTRY, entry, first_vararg, site);

	free(code);
	return err;
}

static void cheap(const char *hex, enum pt_entry entry, unsigned first_vararg, unsigned at,
                  unsigned moved)
{
	struct probe_site site;

	assert_int_equal(choose(hex, entry, first_vararg, &site), 0);
	assert_string_equal(site.why, "");
	assert_int_equal(site.price, PROBE_EMULATED);
	assert_int_equal(site.address, ENTRY + at);
	assert_int_equal(site.stack_moved, moved);
}

/* Not cheap for that reason: the entry, single-stepped. */
static void dear(const char *hex, enum pt_entry entry, unsigned first_vararg, const char *why)
{
	struct probe_site site;

	assert_int_equal(choose(hex, entry, first_vararg, &site), 0);
	if (!strstr(site.why, why))
		fail_msg("\"%s\" is not \"%s\"", site.why, why);
	assert_int_equal(site.price, PROBE_SINGLE_STEPPED);
	assert_int_equal(site.address, ENTRY);
	assert_int_equal(site.stack_moved, 0);
}

static void impossible(const char *hex, enum pt_entry entry, const char *why)
{
	struct probe_site site;

	assert_int_equal(choose(hex, entry, 2, &site), -EINVAL);
	if (!strstr(site.why, why))
		fail_msg("\"%s\" is not \"%s\"", site.why, why);
}

/* The saving of registers in the variadic prologues of gcc, up to test %al,%al; je. */
#define SAVE_FROM_RDX "488954243048894c24384c894424404c894c244884c07437"
#define SAVE_FROM_RCX "48894c24384c894424404c894c244884c07437"

/* Built by pyenv, gcc 12 -O3, shared. */
static void test_pyenv(void **state)
{
	/* 3.8, 3.12 and 3.13 push first */
	cheap("41574156415541544989fc55", PT_ENTRY_VARIADIC, 2, 0, 0);
	cheap("554889f5534889fb4881ecd8000000" SAVE_FROM_RDX, PT_ENTRY_VARIADIC, 2, 0, 0);
	/* 3.9 to 3.11 */
	cheap("4881ecd8000000" SAVE_FROM_RDX, PT_ENTRY_VARIADIC, 2, 29, 0xd8);
	/* _PySys_Audit, 3.9 to 3.13 */
	cheap("4881ecd8000000" SAVE_FROM_RCX, PT_ENTRY_VARIADIC, 3, 24, 0xd8);
	/* sys_audit_tstate: test %rdi,%rdi; je */
	cheap("4885ff0f842f0400004157415641554154554889fd", PT_ENTRY_VA_LIST, 0, 3, 0);
	/* sys.audit */
	cheap("415455534885d20f84e3000000", PT_ENTRY_BUILTIN, 0, 0, 0);
	cheap("4155415455534883ec08488b05b7a51600", PT_ENTRY_BUILTIN, 0, 0, 0);
}

/* Debian's executables: profile-guided and link-time optimisation, with endbr64 from 3.13 on. */
static void test_debian(void **state)
{
	cheap("4881ecd80000004989fa4989f3" SAVE_FROM_RDX, PT_ENTRY_VARIADIC, 2, 35, 0xd8);
	cheap("f30f1efa4881ecd8000000" SAVE_FROM_RDX, PT_ENTRY_VARIADIC, 2, 33, 0xd8);
	cheap("f30f1efa4881ecd80000004989fa" SAVE_FROM_RDX, PT_ENTRY_VARIADIC, 2, 36, 0xd8);
	/* 3.15, with a frame pointer */
	cheap("f30f1efa554989fa4889e54881ecd0000000", PT_ENTRY_VARIADIC, 2, 4, 0);
	/* 3.14, a copy of _PySys_Audit with all the rest inlined */
	cheap("f30f1efa4881ec780100004c89a424580100004989f448898c24a80000004c898424b00000004c898c24"
	      "b8000000"
	      "84c07440",
	      PT_ENTRY_VARIADIC, 3, 48, 0x178);
	/* sys_audit_tstate of 3.9, 3.13, 3.14 */
	cheap("4157415641554989fd41545553", PT_ENTRY_VA_LIST, 0, 0, 0);
	cheap("f30f1efa415741564989fe4155", PT_ENTRY_VA_LIST, 0, 4, 0);
	cheap("f30f1efa4885ff0f84640700004881eca8000000", PT_ENTRY_VA_LIST, 0, 7, 0);
}

/* clang 14 moves an argument first, before it saves any: not in PySys_Audit. */
static void test_clang(void **state)
{
	dear("4881ecd80000004989f24889fe84c07437", PT_ENTRY_VARIADIC, 2,
	     "mov at +10 writes a register");
	cheap("554157415641554154534883ec38", PT_ENTRY_VA_LIST, 0, 0, 0);
}

static void test_every_cheap_instruction(void **state)
{
	/* behind sub $8,%rsp */
	cheap("4883ec0890", PT_ENTRY_BUILTIN, 0, 4, 8);           /* nop */
	cheap("4883ec0850", PT_ENTRY_BUILTIN, 0, 4, 8);           /* push %rax */
	cheap("4883ec0857", PT_ENTRY_BUILTIN, 0, 4, 8);           /* push %rdi */
	cheap("4883ec084150", PT_ENTRY_BUILTIN, 0, 4, 8);         /* push %r8 */
	cheap("4883ec084157", PT_ENTRY_BUILTIN, 0, 4, 8);         /* push %r15 */
	cheap("4883ec08eb10", PT_ENTRY_BUILTIN, 0, 4, 8);         /* jmp */
	cheap("4883ec08e910000000", PT_ENTRY_BUILTIN, 0, 4, 8);   /* jmp */
	cheap("4883ec087010", PT_ENTRY_BUILTIN, 0, 4, 8);         /* jo */
	cheap("4883ec087f10", PT_ENTRY_BUILTIN, 0, 4, 8);         /* jg */
	cheap("4883ec080f8010000000", PT_ENTRY_BUILTIN, 0, 4, 8); /* jo */
	cheap("4883ec080f8f10000000", PT_ENTRY_BUILTIN, 0, 4, 8); /* jg */
	cheap("4883ec08e810000000", PT_ENTRY_BUILTIN, 0, 4, 8);   /* call */
}

/* Alike, but the kernel steps them, on some versions at least, or does not probe them. */
static void test_what_only_looks_cheap(void **state)
{
	dear("0f1f440000c3", PT_ENTRY_BUILTIN, 0, "ret at +5");   /* nop of 5 bytes */
	dear("6690c3", PT_ENTRY_BUILTIN, 0, "ret at +2");         /* nop of 2 */
	dear("f390c3", PT_ENTRY_BUILTIN, 0, "ret at +2");         /* pause */
	dear("4190c3", PT_ENTRY_BUILTIN, 0, "ret at +2");         /* xchg %r8,%rax */
	dear("4855c3", PT_ENTRY_BUILTIN, 0, "ret at +2");         /* push with REX.W */
	dear("ff3500000000c3", PT_ENTRY_BUILTIN, 0, "ret at +6"); /* push memory */
	dear("6a01c3", PT_ENTRY_BUILTIN, 0, "ret at +2");         /* push constant */
	dear("f2e910000000", PT_ENTRY_BUILTIN, 0, "jmp at +0");   /* bnd jmp */
	dear("ffe0", PT_ENTRY_BUILTIN, 0, "jmp at +0");           /* jmp *%rax */
	dear("ffd0", PT_ENTRY_BUILTIN, 0, "call at +0");
	dear("ff2500000000", PT_ENTRY_BUILTIN, 0, "jmp at +0");
	dear("e30e", PT_ENTRY_BUILTIN, 0, "jrcxz at +0");
	dear("e20e", PT_ENTRY_BUILTIN, 0, "loop at +0");
	dear("c3", PT_ENTRY_BUILTIN, 0, "ret at +0");
	impossible("3effe0", PT_ENTRY_BUILTIN, "prefix 3e");   /* notrack jmp *%rax */
	impossible("2e7510", PT_ENTRY_BUILTIN, "prefix 2e");   /* jne, hinted */
	impossible("f0ff00c3", PT_ENTRY_BUILTIN, "prefix f0"); /* lock incl (%rax) */
	impossible("f4", PT_ENTRY_BUILTIN, "hlt");
	impossible("ccc3", PT_ENTRY_BUILTIN, "int3");
}

static void test_written_argument(void **state)
{
	/* mov %rax,%rsi; push: sys.audit's args */
	dear("4889c655", PT_ENTRY_BUILTIN, 0, "mov at +0 writes a register");
	/* xor %edx,%edx: its nargs, by the lower half */
	dear("31d255", PT_ENTRY_BUILTIN, 0, "xor at +0 writes a register");
	/* mov $1,%dl: a part of it */
	dear("b20155", PT_ENTRY_BUILTIN, 0, "mov at +0 writes a register");
	/* mov %rax,%rdi: the module is not needed */
	cheap("4889c755", PT_ENTRY_BUILTIN, 0, 3, 0);
	/* mul %rbx writes rdx without saying so */
	dear("48f7e355", PT_ENTRY_BUILTIN, 0, "mul at +0 writes a register");
	/* cmove %rax,%rsi: perhaps */
	dear("480f44f055", PT_ENTRY_BUILTIN, 0, "writes a register");
	/* cpuid, syscall, rep movsb */
	dear("0fa255", PT_ENTRY_BUILTIN, 0, "cpuid at +0 writes a register");
	dear("0f0555", PT_ENTRY_BUILTIN, 0, "syscall at +0 before");
	dear("f3a455", PT_ENTRY_BUILTIN, 0, "movsb at +0 writes a register");
	/* xchg %rax,%rsi; xadd; pop %rsi */
	dear("489655", PT_ENTRY_BUILTIN, 0, "xchg at +0 writes a register");
	dear("480fc1c655", PT_ENTRY_BUILTIN, 0, "xadd at +0 writes a register");
	dear("5e55", PT_ENTRY_BUILTIN, 0, "pop at +0 writes a register");
	/* xor %r9d,%r9d: the last vararg of the variadic ones only */
	dear("4531c955", PT_ENTRY_VARIADIC, 2, "xor at +0 writes a register");
	dear("4531c955", PT_ENTRY_VARIADIC, 3, "xor at +0 writes a register");
	cheap("4531c955", PT_ENTRY_VA_LIST, 0, 3, 0);
	/* xor %edi,%edi: tstate of _PySys_Audit, the event of PySys_Audit */
	cheap("31ff55", PT_ENTRY_VARIADIC, 3, 2, 0);
	dear("31ff55", PT_ENTRY_VARIADIC, 2, "xor at +0 writes a register");
	/* mov %rcx,%rcx is still a write; so is mov (%rcx),%rcx: the va_list */
	dear("488b0955", PT_ENTRY_VA_LIST, 0, "mov at +0 writes a register");
}

static void test_stack(void **state)
{
	/* sub, lea, add, push of a constant, pop */
	cheap("4883ec20488d6424f055", PT_ENTRY_BUILTIN, 0, 9, 0x30);
	cheap("4883ec204883c40855", PT_ENTRY_BUILTIN, 0, 8, 0x18);
	cheap("6a0155", PT_ENTRY_BUILTIN, 0, 2, 8);
	cheap("6a015855", PT_ENTRY_BUILTIN, 0, 3, 0);
	/* a probe of the guard page: sub $4096,%rsp; orq $0,(%rsp) */
	cheap("4881ec0010000048830c240055", PT_ENTRY_BUILTIN, 0, 12, 4096);
	/* and $-64,%rsp; mov %rbp,%rsp; sub %rax,%rsp; enter; leave; pop %rsp; xchg %rsp,%rax */
	dear("4883e4c055", PT_ENTRY_BUILTIN, 0, "and at +0 moves the stack pointer");
	dear("4889ec55", PT_ENTRY_BUILTIN, 0, "mov at +0 moves the stack pointer");
	dear("4829c455", PT_ENTRY_BUILTIN, 0, "sub at +0 moves the stack pointer");
	dear("c810000055", PT_ENTRY_BUILTIN, 0, "enter at +0 writes to memory");
	dear("c955", PT_ENTRY_BUILTIN, 0, "leave at +0 moves the stack pointer");
	dear("5c55", PT_ENTRY_BUILTIN, 0, "pop at +0 moves the stack pointer");
	dear("489455", PT_ENTRY_BUILTIN, 0, "xchg at +0 moves the stack pointer");
	dear("666a0155", PT_ENTRY_BUILTIN, 0, "push at +0 moves the stack pointer");
	/* above the entry: add $8,%rsp; lea 8(%r10),%rsp */
	dear("4883c40855", PT_ENTRY_BUILTIN, 0, "add at +0 moves the stack pointer");
	dear("498d620855", PT_ENTRY_BUILTIN, 0, "lea at +0 moves the stack pointer");
	/* sub of a gigabyte */
	dear("4881ec0000004055", PT_ENTRY_BUILTIN, 0, "sub at +0 moves the stack pointer");
	/* pushf, popf */
	dear("9c55", PT_ENTRY_BUILTIN, 0, "pushfq at +0 writes to memory");
}

/* The varargs on the stack and the return address must not be written to either. */
static void test_memory(void **state)
{
	/* mov %rax,(%rsp) at the entry: the return address */
	dear("4889042455", PT_ENTRY_VARIADIC, 2, "mov at +0 writes to memory");
	/* mov %rax,-8(%rsp): the red zone */
	cheap("48894424f855", PT_ENTRY_VARIADIC, 2, 5, 0);
	/* sub $8,%rsp; mov %rax,(%rsp) | 4(%rsp) | 8(%rsp) */
	cheap("4883ec084889042455", PT_ENTRY_VARIADIC, 2, 8, 8);
	dear("4883ec08488944240455", PT_ENTRY_VARIADIC, 2, "mov at +4 writes to memory");
	dear("4883ec08488944240855", PT_ENTRY_VARIADIC, 2, "mov at +4 writes to memory");
	/* with an index; by another register; by fs */
	dear("4883ec0848890404"
	     "55",
	     PT_ENTRY_VARIADIC, 2, "mov at +4 writes to memory");
	dear("48890055", PT_ENTRY_VARIADIC, 2, "mov at +0 writes to memory");
	dear("6448890425100000005590", PT_ENTRY_VARIADIC, 2, "mov at +0 writes to memory");
	/* rbp as frame pointer: push is taken before, so set by enter-less code */
	cheap("4883ec204889e548894500"
	      "55",
	      PT_ENTRY_VARIADIC, 2, 11, 0x20);
	dear("4883ec204889e548894520"
	     "55",
	     PT_ENTRY_VARIADIC, 2, "mov at +7 writes to memory");
	dear("4889c548894500"
	     "55",
	     PT_ENTRY_VARIADIC, 2, "mov at +3 writes to memory");
	/* incl counter(%rip); reading anything */
	cheap("ff050000000055", PT_ENTRY_VARIADIC, 2, 6, 0);
	cheap("488b0055", PT_ENTRY_VARIADIC, 2, 3, 0);
}

/* A jump of the function to behind its entry: not every hit is a call. */
static void test_branched_to(void **state)
{
	/* sub $8,%rsp; nop; ...; jmp to the nop | to the entry */
	dear("4883ec0890c3ebfc", PT_ENTRY_BUILTIN, 0, "branches back");
	cheap("4883ec0890c3ebf8", PT_ENTRY_BUILTIN, 0, 4, 8);
	/* nothing is behind an entry that is the site itself */
	cheap("55c3ebfc", PT_ENTRY_BUILTIN, 0, 0, 0);
	/* je from far, into the middle */
	dear("4883ec084883ec0890"
	     "0f1f00"
	     "0f84f2ffffff",
	     PT_ENTRY_BUILTIN, 0, "branches back");
}

static void test_bad_code(void **state)
{
	impossible("", PT_ENTRY_BUILTIN, "unknown instruction at +0");
	impossible("48", PT_ENTRY_BUILTIN, "unknown instruction at +0");
	impossible("0f", PT_ENTRY_BUILTIN, "unknown instruction at +0");
	impossible("4881ecd80000", PT_ENTRY_VARIADIC, "unknown instruction at +0");
	impossible("06", PT_ENTRY_BUILTIN, "unknown instruction at +0"); /* not in 64-bit mode */
	dear("4881ecd8000000", PT_ENTRY_VARIADIC, 2, "unknown instruction at +7");
	dear("4881ecd80000000655", PT_ENTRY_VARIADIC, 2, "unknown instruction at +7");
	dear("4881ecd8000000488954", PT_ENTRY_VARIADIC, 2, "unknown instruction at +7");
}

static void test_no_end(void **state)
{
	char hex[2 * 4 * 100 + 1] = "";

	for (int i = 0; i < 100; i++)
		strcat(hex, "0f1f4000");
	dear(hex, PT_ENTRY_BUILTIN, 0, "no cheap instruction");
}

/* Words of arm64 code. */
static int choose_a64(const uint32_t *words, size_t cnt, enum pt_entry entry, unsigned first_vararg,
                      struct probe_site *site)
{
	size_t len = cnt * sizeof(*words);
	uint8_t *code = malloc(len);
	int err;

	assert_non_null(code);
	memcpy(code, words, len);
	err = probe_site__choose(EM_AARCH64, code, len, ENTRY, entry, first_vararg, site);
	free(code);
	return err;
}

#define A64(site, entry, first, ...)                \
	choose_a64((const uint32_t[]){__VA_ARGS__}, \
	           sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), entry, first, site)

static void assert_site(const struct probe_site *site, unsigned at, unsigned moved, const char *why)
{
	assert_int_equal(site->address, ENTRY + at);
	assert_int_equal(site->stack_moved, moved);
	assert_int_equal(site->price, why[0] ? PROBE_SINGLE_STEPPED : PROBE_EMULATED);
	if (!(why[0] ? strstr(site->why, why) != NULL : !site->why[0]))
		fail_msg("\"%s\" is not \"%s\"", site->why, why);
}

#define STP_FP    0xa9b07bfd /* stp x29, x30, [sp, #-256]! */
#define MOV_FP    0x910003fd /* mov x29, sp */
#define ADRP_X0   0xd0002cc0 /* adrp x0, .+0x59a000 */
#define RET       0xd65f03c0
#define MOV_X8_X0 0xaa0003e8

static void test_arm64(void **state)
{
	struct probe_site site;

	/* Debian's: the event is in x0 still when the adrp into it is hit. */
	assert_int_equal(A64(&site, PT_ENTRY_VARIADIC, 2, STP_FP, MOV_X8_X0, ADRP_X0, MOV_FP, RET),
	                 0);
	assert_site(&site, 8, 256, "");
	/* paciasp; sub sp, sp, #0x140; stp x29, x30, [sp, #0x90]; add x29, sp, #0x90; cbz x0 */
	assert_int_equal(A64(&site, PT_ENTRY_BUILTIN, 0, 0xd503233f, 0xd10503ff, 0xa9097bfd,
	                     0x910243fd, 0xb4000060, RET),
	                 0);
	assert_site(&site, 16, 320, "");
	/* str x2, [x29, #-8]: in the frame */
	assert_int_equal(A64(&site, PT_ENTRY_VARIADIC, 2, STP_FP, MOV_FP, 0xf81f83a2, ADRP_X0), 0);
	assert_site(&site, 12, 256, "");
}

static void test_arm64_dear(void **state)
{
	static const struct {
		uint32_t word;
		const char *why;
	} cases[] = {
		{0xd2800002, "d2800002 at +4 writes a register with an argument"}, /* mov x2, #0 */
		{0xd280001e, "d280001e at +4 writes a register with an argument"}, /* mov x30, #0 */
		{0xf9008be2,
	         /* str x2, [sp, #272] */
	         "f9008be2 at +4 writes to memory that may hold arguments"},
		/* str x2, [x8] */
		{0xf9000102, "f9000102 at +4 writes to memory that may hold arguments"},
		{0x8b3063ff,
	         "8b3063ff at +4 moves the stack pointer in a way not known"}, /* add sp, sp, x16 */
		{RET, "d65f03c0 at +4 before any cheap instruction"},
		{0x00000007, "unknown instruction at +4"},
	};
	struct probe_site site;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
			A64(&site, PT_ENTRY_VARIADIC, 2, STP_FP, cases[i].word, ADRP_X0, RET), 0);
		assert_site(&site, 0, 0, cases[i].why);
	}
	/* b .-8, to the adrp */
	assert_int_equal(A64(&site, PT_ENTRY_VARIADIC, 2, STP_FP, ADRP_X0, MOV_FP, 0x17fffffe), 0);
	assert_site(&site, 0, 0, "the function branches back into its prologue");
	/* the builtin needs less */
	assert_int_equal(A64(&site, PT_ENTRY_BUILTIN, 0, STP_FP, 0xd2800003, ADRP_X0), 0);
	assert_site(&site, 8, 256, "");
}

/* What cannot be stepped either: ret; ldr x9, .+64; ldxr x1, [x2]; a part of a word. */
static void test_arm64_bad(void **state)
{
	static const uint32_t words[] = {RET, 0x58000209, 0xc85f7c41};
	struct probe_site site;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_int_equal(A64(&site, PT_ENTRY_VARIADIC, 2, words[i], RET), -EINVAL);
		assert_non_null(strstr(site.why, "the kernel does not probe "));
	}
	assert_int_equal(probe_site__choose(EM_AARCH64, (const uint8_t *)"\x1f\x20\x03", 3, ENTRY,
	                                    PT_ENTRY_BUILTIN, 0, &site),
	                 -EINVAL);
	assert_string_equal(site.why, "unknown instruction at +0");
}

/* DWARF numbers: rdx 1, rcx 2, rsi 4, rdi 5. */
static void test_args(void **state)
{
	static const struct {
		enum pt_entry entry;
		unsigned first_vararg;
		int regs[3];
	} cases[] = {
		{PT_ENTRY_VA_LIST, 0, {4, 1, 2}},   {PT_ENTRY_VARIADIC, 2, {5, 4, -1}},
		{PT_ENTRY_VARIADIC, 3, {4, 1, -1}}, {PT_ENTRY_BUILTIN, 0, {4, 1, -1}},
		{PT_ENTRY_USDT, 0, {-1, -1, -1}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pt_arg args[3];

		probe_site__args(EM_X86_64, cases[i].entry, cases[i].first_vararg, args);
		for (int n = 0; n < 3; n++) {
			if (cases[i].regs[n] < 0) {
				assert_int_equal(args[n].kind, PT_ARG_NONE);
				continue;
			}
			assert_int_equal(args[n].kind, PT_ARG_REG);
			assert_int_equal(args[n].reg, cases[i].regs[n]);
			assert_int_equal(args[n].size, 8);
			assert_int_equal(args[n].is_signed, 0);
		}
	}
	for (unsigned first = 2; first <= 3; first++) {
		struct pt_arg args[3];

		probe_site__args(EM_AARCH64, PT_ENTRY_VARIADIC, first, args);
		assert_int_equal(args[0].reg, first - 2);
		assert_int_equal(args[1].reg, first - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pyenv),
		cmocka_unit_test(test_debian),
		cmocka_unit_test(test_clang),
		cmocka_unit_test(test_every_cheap_instruction),
		cmocka_unit_test(test_what_only_looks_cheap),
		cmocka_unit_test(test_written_argument),
		cmocka_unit_test(test_stack),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_branched_to),
		cmocka_unit_test(test_bad_code),
		cmocka_unit_test(test_no_end),
		cmocka_unit_test(test_args),
		cmocka_unit_test(test_arm64),
		cmocka_unit_test(test_arm64_dear),
		cmocka_unit_test(test_arm64_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
