/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A process whose mappings take the kernel long to write: mappings COUNT. Of two files in turn, so
 * that it makes no one mapping of two, with paths as long as they can be. Says how many there are;
 * then for each line of its input maps a file that is called libpython, of which a tracer is told,
 * and says so.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEEP 18
#define WIDE 200
#define SIZE 4096

static int make(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT, 0700);

	if (fd < 0 || ftruncate(fd, SIZE))
		exit(1);
	return fd;
}

static void *add(int fd)
{
	return mmap(NULL, SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
}

int main(int argc, char **argv)
{
	int files[2], libpython, i, count = argc > 1 ? atoi(argv[1]) : 0;
	char name[WIDE + 1], line[16];

	memset(name, 'd', WIDE);
	name[WIDE] = '\0';
	for (i = 0; i < DEEP; i++)
		if (mkdir(name, 0700) || chdir(name))
			return 1;
	files[0] = make("a");
	files[1] = make("b");
	libpython = make("libpython3.99.so");
	for (i = 0; i < count && add(files[i % 2]) != MAP_FAILED; i++)
		continue;
	printf("%d\n", i);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		munmap(add(libpython), SIZE);
		puts("done");
		fflush(stdout);
	}
	return 0;
}
