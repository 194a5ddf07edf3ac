// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * A program that embeds Python: embed LIBPYTHON CODE. Says "ready" and waits for a line before it
 * loads the library ("-": it is linked with it), as a server does that loads a plug-in, then runs
 * the code.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	int (*run)(const char *code, void *flags);
	void (*initialize)(void);
	char line[64];
	void *lib;

	if (argc != 3)
		return 2;
	puts("ready");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	lib = strcmp(argv[1], "-") ? dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) : RTLD_DEFAULT;
	*(void **)&initialize = dlsym(lib, "Py_Initialize");
	*(void **)&run = dlsym(lib, "PyRun_SimpleStringFlags");
	if (!initialize || !run) {
		fprintf(stderr, "embed: %s\n", dlerror());
		return 1;
	}
	initialize();
	return run(argv[2], NULL) ? 1 : 0;
}
