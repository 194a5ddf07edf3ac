/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* libFuzzer: whatever the bytes of a function are, choosing a probe site in it and following it ends,
 * reads nothing else, and says nothing that the bytes do not bear out. */
#include <elf.h>
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

static void choose(const uint8_t *code, size_t len, enum pt_entry entry, unsigned first_vararg)
{
	struct probe_site site;
	uint64_t at;

	if (probe_site__choose(code, len, ADDRESS, entry, first_vararg, &site)) {
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
	/* nop, push, jmp, call, jcc and no prefix but REX.B of a push */
	REQUIRE(code[at] == 0x90 || (code[at] & 0xf8) == 0x50 || (code[at] & 0xf0) == 0x70 ||
	        code[at] == 0xe8 || code[at] == 0xe9 || code[at] == 0xeb ||
	        (code[at] == 0x0f && at + 1 < len && (code[at + 1] & 0xf0) == 0x80) ||
	        (code[at] == 0x41 && at + 1 < len && (code[at + 1] & 0xf8) == 0x50));
}

/* The same bytes as the only segment of a file, function after function of them being looked at. */
static void walk(const uint8_t *code, size_t len)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segment;
	} file = {
		.header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
	                   .e_type = ET_EXEC,
	                   .e_machine = EM_X86_64,
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
	    write(fd, code, len) == (ssize_t)len && !elf_file__open(fd, &e)) {
		if (!elf_image__load(e, &image)) {
			uint64_t callee = 0;

			if (audit_walk__callee(image, ADDRESS, 2, &callee))
				REQUIRE(audit_walk__reaches(image, ADDRESS, callee));
			audit_walk__callee(image, ADDRESS, 3, &callee);
			REQUIRE(audit_walk__first_vararg(image, ADDRESS) <= 5);
			REQUIRE(code_scan__function_end(image, ADDRESS) <= ADDRESS + len);
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
	uint8_t *code;

	if (size < 2 || size > CODE_MAX)
		return 0;
	/* Bytes that end where their memory ends. */
	code = malloc(size - 1);
	if (!code)
		return 0;
	memcpy(code, data + 1, size - 1);
	choose(code, size - 1, data[0] & 3, data[0] >> 2 & 7);
	walk(code, size - 1);
	free(code);
	return 0;
}
