// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Any bytes as /etc/ld.so.cache of a container: looking for a library in it ends, stays below the
 * container's root, and finds nothing there that is no ELF file.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/elf_file.h"
#include "user/ldso.h"
#include "user/util/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static char root[] = "/tmp/pytrail-fuzz-XXXXXX";
static char etc[PATH_MAX], cache[PATH_MAX];
static struct elf_file *program;

static void clean_up(void)
{
	unlink(cache);
	rmdir(etc);
	rmdir(root);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (self < 0 || elf_file__open(self, &program) || !mkdtemp(root))
		abort();
	snprintf(etc, sizeof(etc), "%s/etc", root);
	snprintf(cache, sizeof(cache), "%s/ld.so.cache", etc);
	if (mkdir(etc, 0700))
		abort();
	atexit(clean_up);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct time_budget budget = time_budget__new(UINT64_MAX);
	char found[PATH_MAX];
	int fd;

	/* a file that is cut is written to the disk when it is closed */
	unlink(cache);
	fd = open(cache, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
	/* the only file below the root is the cache itself */
	if (ldso__open(program, root, "/bin/program", "libpython3.11.so.1.0", &budget, found,
	               sizeof(found)) != -ENOENT)
		abort();
	return 0;
}
