/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* libFuzzer: whatever the bytes of a function are, choosing a probe site in it and following it
 * ends, reads nothing else, and says nothing that the bytes do not bear out. */
#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "audit_walk.h"
#include "code_scan.h"
#include "elf_file.h"
#include "elf_image.h"
#include "probe_site.h"

#define ADDRESS  0x400000
#define CODE_MAX 4096
#define REQUIRE(x)               \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* nop, push, jmp, call, jcc and no prefix but REX.B of a push */
static bool is_cheap_x86(const uint8_t *code, size_t len)
{
	return code[0] == 0x90 || (code[0] & 0xf8) == 0x50 || (code[0] & 0xf0) == 0x70 ||
	       code[0] == 0xe8 || code[0] == 0xe9 || code[0] == 0xeb ||
	       (code[0] == 0x0f && len > 1 && (code[1] & 0xf0) == 0x80) ||
	       (code[0] == 0x41 && len > 1 && (code[1] & 0xf8) == 0x50);
}

/* b, bl, b.cond, cbz, cbnz, tbz, tbnz, br, blr, adr, adrp */
static bool is_cheap_a64(const uint8_t *code, size_t len)
{
	uint32_t w;

	if (len < sizeof(w))
		return false;
	memcpy(&w, code, sizeof(w));
	return (w & 0x7c000000) == 0x14000000 || (w & 0xff000010) == 0x54000000 ||
	       (w & 0x7c000000) == 0x34000000 || (w & 0xffdffc1f) == 0xd61f0000 ||
	       (w & 0x1f000000) == 0x10000000;
}

static void choose(unsigned machine, const uint8_t *code, size_t len, enum pt_entry entry,
                   unsigned first_vararg)
{
	struct probe_site site;
	uint64_t at;

	if (probe_site__choose(machine, code, len, ADDRESS, entry, first_vararg, &site)) {
		REQUIRE(site.why[0]);
		return;
	}
	at = site.address - ADDRESS;
	REQUIRE(at < len);
	REQUIRE(site.stack_moved <= 1 << 24);
	if (site.price == PROBE_SINGLE_STEPPED) {
		REQUIRE(!at && !site.stack_moved && site.why[0]);
		return;
	}
	REQUIRE(!site.why[0]);
	REQUIRE((machine == EM_AARCH64 ? is_cheap_a64 : is_cheap_x86)(code + at, len - at));
}

static bool on_branch(void *ctx, uint64_t from, uint64_t target, bool is_call)
{
	const struct code_range *all = ctx;

	REQUIRE(from >= all->start && from < all->end && target >= all->start && target < all->end);
	return true;
}

static bool on_load(void *ctx, uint64_t from, uint64_t address)
{
	const struct code_range *all = ctx;

	REQUIRE(from >= all->start && from < all->end && address == all->start);
	return true;
}

static void scan(const struct elf_image *image, size_t len)
{
	struct code_range all = {ADDRESS, ADDRESS + len};

	code_scan__branches(image, &all, 1, true, on_branch, &all);
	code_scan__loads(image, &all.start, 1, on_load, &all);
}

/* The same bytes as the only segment of a file, function after function of them being looked at. */
static void walk(unsigned machine, const uint8_t *code, size_t len)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segment;
	} file = {
		.header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
	                   .e_type = ET_EXEC,
	                   .e_machine = (Elf64_Half)machine,
	                   .e_phoff = sizeof(Elf64_Ehdr),
	                   .e_phentsize = sizeof(Elf64_Phdr),
	                   .e_phnum = 1},
		.segment = {.p_type = PT_LOAD,
	                    .p_flags = PF_R | PF_X,
	                    .p_offset = sizeof(file),
	                    .p_vaddr = ADDRESS,
	                    .p_filesz = len,
	                    .p_memsz = len},
	};
	struct elf_image *image;
	struct elf_file *e;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, &file, sizeof(file)) == sizeof(file) &&
	    write(fd, code, len) == (ssize_t)len && !elf_file__open_for((uint16_t)machine, fd, &e)) {
		if (!elf_image__load(e, &image)) {
			uint64_t callee = 0;

			if (audit_walk__callee(image, ADDRESS, 2, &callee))
				REQUIRE(audit_walk__reaches(image, ADDRESS, callee));
			audit_walk__callee(image, ADDRESS, 3, &callee);
			REQUIRE(audit_walk__first_vararg(image, ADDRESS) <= 7);
			REQUIRE(code_scan__function_end(image, ADDRESS) <= ADDRESS + len);
			scan(image, len);
			code_scan__through_plt(image, ADDRESS);
			elf_image__free(image);
		}
		elf_file__close(e);
	}
	if (fd >= 0)
		close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned machine = size && data[0] & 32 ? EM_AARCH64 : EM_X86_64;
	uint8_t *code;

	if (size < 2 || size > CODE_MAX)
		return 0;
	/* Bytes that end where their memory ends. */
	code = malloc(size - 1);
	if (!code)
		return 0;
	memcpy(code, data + 1, size - 1);
	choose(machine, code, size - 1, data[0] & 3, data[0] >> 2 & 7);
	walk(machine, code, size - 1);
	free(code);
	return 0;
}
