/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "debugdata.h"
#include "util/write_all.h"

/* Fedora's for libpython has 400 kB, 100 kB compressed. */
#define PACKED_MAX   (16u << 20)
#define UNPACKED_MAX (32u << 20)
#define MEMORY_MAX   (128u << 20) /* of the decompressor */
#define CHUNK        (64u << 10)

/* To a file in memory: what reads ELF files reads by a descriptor. */
static int unpack(const uint8_t *packed, size_t len, int fd)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	uint8_t *chunk = malloc(CHUNK);
	size_t total = 0;
	lzma_ret ret = LZMA_OK;
	int err = 0;

	if (!chunk || lzma_stream_decoder(&stream, MEMORY_MAX, 0) != LZMA_OK) {
		free(chunk);
		return -ENOMEM;
	}
	stream.next_in = packed;
	stream.avail_in = len;
	while (!err && ret == LZMA_OK) {
		stream.next_out = chunk;
		stream.avail_out = CHUNK;
		ret = lzma_code(&stream, LZMA_FINISH);
		total += CHUNK - stream.avail_out;
		if ((ret != LZMA_OK && ret != LZMA_STREAM_END) || total > UNPACKED_MAX)
			err = -ENOEXEC;
		else
			err = write_all(fd, chunk, CHUNK - stream.avail_out);
	}
	lzma_end(&stream);
	free(chunk);
	return err;
}

int debugdata__each_symbol(struct elf_file *e,
                           bool (*cb)(void *ctx, const char *name, const Elf64_Sym *sym), void *ctx)
{
	struct elf_file *inner = NULL;
	Elf64_Shdr section;
	size_t index = 0;
	void *packed;
	int fd, err;

	if (!elf_file__find_section(e, ".gnu_debugdata", &index, &section))
		return -ENOENT;
	if (section.sh_type == SHT_NOBITS || section.sh_size > PACKED_MAX)
		return -ENOEXEC;
	packed = elf_file__load(e, section.sh_offset, section.sh_size);
	if (!packed)
		return -errno;
	fd = memfd_create("debugdata", MFD_CLOEXEC);
	err = fd < 0 ? -errno : unpack(packed, section.sh_size, fd);
	free(packed);
	if (!err)
		err = elf_file__open_for(elf_file__header(e)->e_machine, fd, &inner);
	if (!err)
		err = elf_file__each_symbol(inner, false, cb, ctx);
	elf_file__close(inner);
	if (fd >= 0)
		close(fd);
	return err;
}
