/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* libFuzzer: whatever a file's bytes are, looking for an interpreter in it neither crashes nor
 * hangs, and says nothing that the file could not hold. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "binary.h"
#include "elf_file.h"
#include "enrich/modules.h"
#include "enrich/symbols.h"

#define REQUIRE(x)               \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As the module of a call site: what is said of any address is a name of bounded length, that
 * begins before it. */
static void as_module(int fd, const uint8_t *data, size_t size)
{
	struct modules *m = modules__new(1, 1 << 20);
	const struct module *file = modules__load(m, fd);
	uint64_t address, offset;
	const char *name;

	for (size_t at = 0; file && at + sizeof(address) <= size && at < 4096; at += 8) {
		memcpy(&address, data + at, sizeof(address));
		if (module__symbol(file, address, &name, &offset))
			REQUIRE(strnlen(name, SYMBOL_NAME_MAX + 1) <= SYMBOL_NAME_MAX &&
			        offset <= address);
		module__address(file, at, &address);
	}
	modules__free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct binary *b = NULL;
	struct elf_file *e;
	char name[256];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	if (!elf_file__open(fd, &e)) {
		for (size_t i = 0; elf_file__dynamic_string(e, DT_NEEDED, i, name, sizeof(name)); i++)
			;
		elf_file__dynamic_string(e, DT_RUNPATH, 0, name, sizeof(name));
		elf_file__close(e);
	}
	as_module(fd, data, size);
	binary__is_candidate(fd);
	if (!binary__open(fd, "libpython3.9.so.1.0", &b)) {
		REQUIRE(b->sites_cnt <= BINARY_SITES_MAX);
		for (size_t i = 0; i < b->sites_cnt; i++) {
			REQUIRE(b->sites[i].offset < size);
			REQUIRE(b->sites[i].semaphore < size);
		}
	}
	binary__free(b);
	return 0;
}
