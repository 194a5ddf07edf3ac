/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* libFuzzer: whatever a file's bytes are, looking for an interpreter in it neither crashes nor hangs,
 * and says nothing that the file could not hold. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "binary.h"
#include "elf_file.h"

#define REQUIRE(x)               \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
